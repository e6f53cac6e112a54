"""The files a plan writes as unified diffs, for `--diff`; environment values and secrets never
show.

Old bytes come from a host and may hold secrets that nobody declared: what the kind's part
`veil_diff` hides, and what is named like a secret, shows only if the new file says it openly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from difflib import SequenceMatcher

from kjpstate.kinds import KINDS, parts
from kjpstate.model import Change, Plan, WriteFile
from kjpstate.render.lines import BLANK, Line
from kjpstate.render.masks import Mask
from kjpstate.render.values import counted
from kjpstate.secret import value_hidden

_CONTEXT = 3

_NAMED = re.compile(
    r"""(?i)(?P<key>\b\w*(?:token|secret|passwo?r?d|api_?key|credential)\w*["']?\s*[:=]\s*)"""
    r"""(?P<value>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s,;}]+)"""
)


def diff_lines(plan: Plan, mask: Mask) -> tuple[Line, ...]:
    """Every WriteFile of every change, in order, with three rows of context."""
    return tuple(
        line
        for change in plan.changes
        for action in change.actions
        if isinstance(action, WriteFile)
        for line in _one(change, action, mask)
    )


def new_rows(lines: Iterable[Line]) -> list[list[str]]:
    """[style, text] of what a diff adds, for a saved plan: the rows of the old file are counted,
    not kept."""
    found: list[list[str]] = []
    old = 0
    for line in lines:
        text = str(line.text)
        if text.startswith("-") and line.style == "remove":
            old += 1
            continue
        if old:
            found.append(["remove", f"-({counted(old, 'row')} of the old file, not kept)"])
            old = 0
        if not text.startswith(" "):
            found.append([line.style, text])
    return found


def _one(change: Change, action: WriteFile, mask: Mask) -> Iterator[Line]:
    name = f"{action.host}:{action.path}"
    yield Line(f"--- {name if action.before is not None else '(none)'}", "strong", whole=True)
    yield Line(f"+++ {name if action.after is not None else '(removed)'}", "strong", whole=True)
    before, after = _text(action.before), _text(action.after)
    if before is None or after is None:
        sizes = " -> ".join(
            f"{len(content or b'')} bytes" for content in (action.before, action.after)
        )
        yield Line(f"not text: {sizes}", whole=True)
    else:
        yield from _unified(change.resource.kind, before, after, mask)
    yield BLANK


def _unified(kind: str, before: str, after: str, mask: Mask) -> Iterator[Line]:
    old, new = _rows(before), _rows(after)
    old_shown, new_shown = _shown(kind, before, after, mask), _rows(mask(after))
    if kind not in KINDS:
        # what is put back is a text of the host like the old one: no document shows it openly
        new_shown = _shown(kind, after, "", mask)
    if len(old_shown) != len(old) or len(new_shown) != len(new):
        yield Line("a secret spans several lines here; the texts are not shown", whole=True)
        return
    for group in SequenceMatcher(None, old, new).get_grouped_opcodes(_CONTEXT):
        top, bottom = group[0], group[-1]
        old_range, new_range = _range(top[1], bottom[2]), _range(top[3], bottom[4])
        yield Line(f"@@ -{old_range} +{new_range} @@", "faint", whole=True)
        for tag, first, last, other_first, other_last in group:
            if tag == "equal":
                yield from (
                    Line(f" {row}", whole=True) for row in new_shown[other_first:other_last]
                )
                continue
            yield from (Line(f"-{row}", "remove", whole=True) for row in old_shown[first:last])
            yield from (
                Line(f"+{row}", "add", whole=True) for row in new_shown[other_first:other_last]
            )


def _shown(kind: str, before: str, after: str, mask: Mask) -> list[str]:
    """The old text's rows with every value hidden that the new text does not show openly."""
    text, shown = before, after if kind in KINDS else ""
    for veil in _veils(kind):
        text = veil(text, shown)
    return _rows(mask(veiled(text, shown)))


def _veils(kind: str) -> Iterator[Callable[[str, str], str]]:
    """The kind's own veil; all of them for a text that may be any kind's."""
    own = getattr(KINDS.get(kind), "veil_diff", None)
    if own is not None:
        yield own
    elif kind not in KINDS:
        yield from parts("veil_diff")


def veiled(text: str, after: str) -> str:
    """`text` with the value of each name that sounds like a secret hidden, unless `after` shows it
    openly."""
    return _NAMED.sub(lambda found: value_hidden(found, after), text)


def _text(content: bytes | None) -> str | None:
    if content is None:
        return ""
    if b"\0" in content:
        return None
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None


def _rows(text: str) -> list[str]:
    """Rows by `\\n` alone: a form feed inside a row ends no row of a source file."""
    return text.removesuffix("\n").split("\n") if text else []


def _range(first: int, last: int) -> str:
    length = last - first
    start = first + 1 if length else first
    return f"{start}" if length == 1 else f"{start},{length}"
