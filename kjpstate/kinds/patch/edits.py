"""An edit as the document says it, its digest, and the very lines it becomes in a file.

Called by `places` and `compare`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from kjpstate.formats.typescript import (
    BadPattern,
    Pattern,
    find,
    fragment,
    pattern_of,
    read,
    token_digest,
)
from kjpstate.kinds.patch import markers
from kjpstate.kinds.patch.problems import Problem
from kjpstate.kinds.patch.spec import EditSpec, Operation, Spec
from kjpstate.secret import Secret, opened

IMPORTS = "imports"
"""As `insert_after`: behind the module's imports."""


@dataclass(frozen=True)
class Edit:
    """One edit, read."""

    id: str
    number: int
    """Its place in the set."""
    op: Operation
    forms: tuple[Pattern, ...]
    """The anchor, or the accepted forms of a replace."""
    content: str
    digest: str
    """Over the words of `content`."""
    words: Pattern | None
    """The content as a pattern without wildcards; None when it holds no code."""
    comments: tuple[str, ...]
    """The comments that the content begins with."""
    at_end: bool
    module: bool
    within: Pattern | None
    hidden: bool
    """True when the content holds a secret."""

    @property
    def after_imports(self) -> bool:
        """Tell whether the text stands behind the imports, and not behind code that
        the document shows."""
        return self.op == "insert_after" and self.forms[0].leaves == (IMPORTS,)

    @property
    def anchor_digests(self) -> tuple[str, ...]:
        """12 hex for each form, over all that says where the edit belongs."""
        texts = ("\0".join((self.op, str(self.at_end), *form.leaves)) for form in self.forms)
        return tuple(hashlib.sha256(text.encode()).hexdigest()[:12] for text in texts)


def edits_of(spec: Spec) -> tuple[list[Edit], list[Problem]]:
    """The document's edits, and what is wrong with their texts whatever the file holds. Raises
    NoParser."""
    edits, problems = [], []
    for number, item in enumerate(spec.edits):
        edit = _edit(number, item, spec.path)
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
    name: str,
    lines: Sequence[str],
    attributes: Mapping[str, str],
    was: Sequence[str] | None,
    indent: str,
) -> list[str]:
    """All lines of a block, markers included, without line ends."""
    kept = {**attributes, "was": markers.was_digest(was)} if was is not None else dict(attributes)
    return [
        markers.begin_line(name, indent, kept),
        *lines,
        *(markers.was_lines(was, indent) if was is not None else ()),
        markers.end_line(name, indent),
    ]


def attributes(
    edit: Edit, path: str, was: Sequence[str] | None, *, adopted: bool = False
) -> dict[str, str]:
    """Make the words of a new block's first line; `was` is added with the replaced lines.

    `at` says where the block belongs, unless the kept lines do: they are what `replace` names. They
    are not where the new text, but for its comments, stood there by hand.
    """
    known = edit.op == "replace" and (was is None or replaces(edit, was, path))
    place = {} if known or adopted else {"at": edit.anchor_digests[0]}
    extra = {"adopted": "1"} if adopted else {}
    return {
        "v": markers.VERSION,
        "op": edit.op.replace("_", "-"),
        "body": edit.digest,
        **place,
        **extra,
    }


def replaces(edit: Edit, lines: Sequence[str], path: str) -> bool:
    """Tell whether `lines`, and all of them, are one of the forms that `edit` replaces."""
    source = read("\n".join(lines).encode(errors="replace"), path)
    last = len(source.texts) - 1
    return any(
        match.first == 0 and match.last >= last
        for form in edit.forms
        for match in find(form, source)
    )


def _edit(number: int, item: EditSpec, path: str) -> Edit | Problem:
    op, said = item.operation, opened(item.content)
    content = "\n".join(line.rstrip("\r") for line in said.split("\n")).strip("\n")
    if markers.is_marker(content):
        return Problem(
            "markers-in-content", "holds text that looks like a marker of ours", edit=item.id
        )
    if "\r" in content or "\0" in content:
        return Problem(
            "content-syntax", "has content with a carriage return or a zero in it", edit=item.id
        )
    try:
        patterns = tuple(pattern_of(opened(form), path) for form in item.forms)
        within = None if item.within is None else pattern_of(opened(item.within), path)
    except BadPattern as error:
        cure = f"write code that stands in the file in {op} (and in `within`)"
        return Problem(
            "anchor-unreadable", f"can't be looked for: {error}", edit=item.id, cure=cure
        )
    if op == "insert_inside" and patterns[0].leaves[-1] != "{":
        reason = "does not say which block is meant: insert_inside must end with {"
        return Problem(
            "anchor-unreadable", reason, edit=item.id, cure="write it up to and with its {"
        )
    parsed = fragment(content, path)
    if parsed is None:
        cure = "write whole statements (or members, properties, cases), with every bracket closed"
        return Problem(
            "content-syntax", "has content that is no whole code", edit=item.id, cure=cure
        )
    source, start, end = parsed
    first, last = source.leaf_from(start), source.leaf_from(end)
    leaves = tuple(source.texts[first:last])
    lines = tuple(source.newline_before(index) for index in range(first, last))
    words = Pattern(content, leaves, lines, False) if leaves else None
    everything = source.leaves(start, end)
    return Edit(
        item.id,
        number,
        op,
        patterns,
        content,
        token_digest(everything),
        words,
        tuple(leaf.text for leaf in takewhile(lambda leaf: leaf.comment, everything))
        if leaves
        else (),
        item.at == "end",
        item.scope == "module",
        within,
        isinstance(item.content, Secret),
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
