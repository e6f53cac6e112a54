"""An edit as the document says it, its digest, and the very lines it becomes in a file.

Called by `places` and `study`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from kjpstate.formats.typescript import BadPattern, Pattern, fragment, pattern_of, token_digest
from kjpstate.kinds.patch import markers
from kjpstate.kinds.patch.problems import Problem
from kjpstate.model import Spec
from kjpstate.secret import Secret, opened

IMPORTS = "imports"
"""As `insert_after`: behind the module's imports."""

OPS = ("insert_before", "insert_after", "insert_inside", "replace")


@dataclass(frozen=True)
class Edit:
    """One edit. `forms`: the anchor, or the accepted forms of a replace. `digest`: of `content`'s words.

    `words`: the content as a pattern without wildcards, None when it holds no code; `comments`: those it
    begins with; `hidden`: the content holds a secret.
    """

    id: str
    number: int
    op: str
    forms: tuple[Pattern, ...]
    content: str
    digest: str
    words: Pattern | None
    comments: tuple[str, ...]
    at_end: bool
    module: bool
    within: Pattern | None
    hidden: bool

    @property
    def after_imports(self) -> bool:
        """Whether the text stands behind the imports, and not behind code that the document shows."""
        return self.op == "insert_after" and self.forms[0].leaves == (IMPORTS,)

    @property
    def anchor_digest(self) -> str:
        """12 hex over what says where an insert belongs."""
        text = "\0".join((self.op, str(self.at_end), *self.forms[0].leaves))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def edits_of(spec: Spec) -> tuple[list[Edit], list[Problem]]:
    """The document's edits, and what is wrong with their texts whatever the file holds. Raises NoParser."""
    edits, problems = [], []
    for number, item in enumerate(spec.get("edits", ())):
        edit = _edit(number, opened(item), spec["path"], isinstance(item["content"], Secret))
        if isinstance(edit, Edit):
            edits.append(edit)
        else:
            problems.append(edit)
    return edits, problems


def block_lines(edit: Edit, path: str, indent: str) -> list[str]:
    """The content's lines at `indent`; lines inside a template or string stay as they are."""
    if not edit.content:
        return []
    inside = _lines_in_literals(edit.content, path)
    return [
        line if number in inside or not line.strip() else indent + line
        for number, line in enumerate(edit.content.split("\n"))
    ]


def block_text(
    name: str, lines: Sequence[str], attributes: Mapping[str, str], was: Sequence[str] | None, indent: str
) -> list[str]:
    """All lines of a block, markers included, without line ends."""
    kept = {**attributes, "was": markers.was_digest(was)} if was is not None else dict(attributes)
    return [
        markers.begin_line(name, indent, kept),
        *lines,
        *(markers.was_lines(was, indent) if was is not None else ()),
        markers.end_line(name, indent),
    ]


def attributes(edit: Edit, **more: str) -> dict[str, str]:
    """What a new block's first line says; `was` is added with the replaced lines."""
    place = {} if edit.op == "replace" or "adopted" in more else {"at": edit.anchor_digest}
    return {"v": markers.VERSION, "op": edit.op.replace("_", "-"), "body": edit.digest, **place, **more}


def _edit(number: int, item: Mapping[str, Any], path: str, hidden: bool) -> Edit | Problem:
    op = next(op for op in OPS if op in item)
    forms = item[op] if op == "replace" and not isinstance(item[op], str) else [item[op]]
    content = "\n".join(line.rstrip("\r") for line in item["content"].split("\n")).strip("\n")
    if markers.is_marker(content):
        return Problem("markers-in-content", "holds text that looks like a marker of ours", edit=item["id"])
    if "\r" in content or "\0" in content:
        return Problem(
            "content-syntax", "has content with a carriage return or a zero in it", edit=item["id"]
        )
    try:
        patterns = tuple(pattern_of(form, path) for form in forms)
        within = pattern_of(item["within"], path) if "within" in item else None
    except BadPattern as error:
        cure = f"write code that stands in the file in {op} (and in `within`)"
        return Problem("anchor-unreadable", f"can't be looked for: {error}", edit=item["id"], cure=cure)
    if op == "insert_inside" and patterns[0].leaves[-1] != "{":
        reason = "does not say which block is meant: insert_inside must end with {"
        return Problem("anchor-unreadable", reason, edit=item["id"], cure="write it up to and with its {")
    parsed = fragment(content, path)
    if parsed is None:
        cure = "write whole statements (or members, properties, cases), with every bracket closed"
        return Problem("content-syntax", "has content that is no whole code", edit=item["id"], cure=cure)
    source, start, end = parsed
    first = source.leaf_from(start)
    everything = source.leaves(start, end)
    leaves = [leaf for leaf in everything if not leaf.comment]
    lines = tuple(source.newline_before(index) for index in range(first, first + len(leaves)))
    words = Pattern(content, tuple(leaf.text for leaf in leaves), lines, False) if leaves else None
    return Edit(
        item["id"],
        number,
        op,
        patterns,
        content,
        token_digest(everything),
        words,
        tuple(leaf.text for leaf in takewhile(lambda leaf: leaf.comment, everything)) if leaves else (),
        item.get("at") == "end",
        item.get("scope") == "module",
        within,
        hidden,
    )


def _lines_in_literals(content: str, path: str) -> set[int]:
    """The numbers (from 0) of the lines that begin inside a template or a string."""
    parsed = fragment(content, path)
    if parsed is None or "\n" not in content:
        return set()
    source, start, end = parsed
    inside: set[int] = set()
    for leaf in source.leaves(start, end):
        if not leaf.comment and source.data[leaf.start : leaf.start + 1] in (b"`", b"'", b'"'):
            before = source.data[start : leaf.start].count(b"\n")
            inside.update(range(before + 1, source.data[start : leaf.end].count(b"\n") + 1))
    return inside
