"""Plan -> the screen of `plan` and `apply`: changes, what is kept, advice, the count as its last
line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kjpstate.host import HostSpec, Local
from kjpstate.model import Change, Note, Plan, Run, SyncTree, WriteFile
from kjpstate.render.diffs import veiled
from kjpstate.render.lines import BLANK, WIDTH, Line
from kjpstate.render.masks import Mask
from kjpstate.render.notices import advice_lines, refusal_lines, unfinished_lines, unreachable_lines
from kjpstate.render.rows import row_text
from kjpstate.render.values import telling
from kjpstate.said import Said, Text, say

STYLES = {"+": "add", "~": "change", "-": "remove", "-/+": "replace", "!": "refuse"}

_WORDS = {"+": "add", "~": "change", "-/+": "replace", "-": "remove"}
_COUNTED = {
    "add": "plan.to-add",
    "change": "plan.to-change",
    "replace": "plan.to-replace",
    "remove": "plan.to-remove",
    "refused": "plan.refused",
    "held": "plan.held",
}
_INDENT = 6
_MOST_ROWS = 12
"""Rows of differences below one change; the rest is counted."""
_MOST_HOSTS = 4


@dataclass(frozen=True)
class Head:
    """What the first and last lines say beside the plan. `seconds`: how long the looking took.
    `following`: the command to type next, empty for none. `pins`: address -> the value that is held
    unchanged."""

    hosts: Mapping[str, HostSpec] = field(default_factory=dict)
    seconds: float = 0.0
    following: str = ""
    pins: Mapping[str, str] = field(default_factory=dict)
    shows_diff: bool = False


def plan_lines(plan: Plan, head: Head, mask: Mask) -> tuple[Line, ...]:
    """The whole screen of a plan; masked before anything is cut or shortened."""
    lines = [_first_line(plan, head), BLANK]
    lines += change_lines(plan, head, mask)
    lines += [*unreachable_lines(plan), *unfinished_lines(plan)]
    lines += (_near(line, head, mask) for line in _footer(plan, head))
    lines += advice_lines(plan.advice, brief=True)
    if head.following and any(_wanted(change) for change in plan.changes):
        lines.append(Line(say("plan.next", command=head.following)))
    return (*lines, Line(count(plan), "strong" if plan.changes else "good", ours=True))


def tally(plan: Plan) -> dict[str, int]:
    """How many changes add, change, replace, remove; and how many are refused or held."""
    wanted = [change.symbol for change in plan.changes if _wanted(change)]
    refused = sum(change.refused for change in plan.changes)
    found = {word: sum(symbol == sign for symbol in wanted) for sign, word in _WORDS.items()}
    return found | {"refused": refused, "held": len(plan.changes) - refused - len(wanted)}


def count(plan: Plan) -> str:
    """The last line: `Plan: 1 to add, 2 to change, 1 to replace, 0 to remove.` or `In sync.`"""
    return str(_in_sync(plan) if plan.empty else _counts(plan))


def _in_sync(plan: Plan) -> Said:
    accepted = say("plan.accepted-differences", count=len(plan.accepted))
    lost = say("plan.lost", count=len(plan.unreachable))
    if plan.accepted and plan.unreachable:
        return say("plan.in-sync-but-unseen", accepted=accepted, lost=lost)
    if plan.accepted:
        return say("plan.in-sync-but", accepted=accepted)
    return say("plan.in-sync-unseen", lost=lost) if plan.unreachable else say("plan.in-sync")


def _counts(plan: Plan) -> Said:
    found = tally(plan)
    parts = [say(_COUNTED[word], count=found[word]) for word in _WORDS.values()]
    parts += [say(_COUNTED[word], count=found[word]) for word in ("refused", "held") if found[word]]
    if plan.unreachable:
        parts.append(say("plan.lost", count=len(plan.unreachable)))
    return say("plan.counts", parts=parts)


def change_lines(plan: Plan, head: Head, mask: Mask) -> list[Line]:
    """All changes, each with what it does, in the order of work."""
    if not plan.changes:
        return []
    address = min(max(len(change.resource.address) for change in plan.changes), 36)
    host = min(max(len(change.resource.host) for change in plan.changes), 24)
    lines: list[Line] = []
    for change in plan.changes:
        lines.append(_title(change, address, host, head))
        lines += _details(change, mask) if _wanted(change) else _standing(change, plan)
        if change.lapsed is not None:
            lapsed = change.lapsed
            lines.append(_note(say("plan.lapsed", until=lapsed.until, why=lapsed.why)))
    return [*(_near(line, head, mask) for line in lines), BLANK]


def _near(line: Line, head: Head, mask: Mask) -> Line:
    """Paths of this machine as the document writes them: from the folder of its host."""
    text = mask(line.text)
    for spec in head.hosts.values():
        if isinstance(spec, Local) and len(spec.folder) > 1:
            below = re.escape(spec.folder) + r"(?=[^\s:;,)'\"])"  # the folder itself keeps its name
            text = re.sub(below, "", text)
    return replace(line, text=text)


def _first_line(plan: Plan, head: Head) -> Line:
    names = [_reached(name, spec) for name, spec in list(head.hosts.items())[:_MOST_HOSTS]]
    more = len(head.hosts) - len(names)
    names += [str(say("plan.more-hosts", count=more))] if more else []
    parts = [plan.document, " · ".join(names), str(say("plan.looked", seconds=head.seconds))]
    return Line("   ".join(part for part in parts if part), "strong", hang=2)


def _reached(name: str, spec: HostSpec) -> str:
    if isinstance(spec, Local):
        return str(say("plan.this-machine", host=name))
    user = f"{spec.user}@" if spec.user else ""
    port = f":{spec.port}" if spec.port != 22 else ""
    return f"{name} {user}{spec.address}{port}"


def _title(change: Change, address: int, host: int, head: Head) -> Line:
    """`  ~ dns    stb  /etc/systemd/resolved.conf`; the headline is the kind's own."""
    label = (
        f"{change.symbol:>3} {change.resource.address:<{address}}  {change.resource.host:<{host}}  "
    )
    said = str(change.drift.told.headline)
    if change.refusal is not None and change.refused:
        where = change.resource.line(change.refusal.pointer)
        said = str(say("plan.refused-at", where=str(where), rule=change.refusal.rule))
    elif change.drift.told.in_diff and not head.shows_diff:
        said = str(say("plan.in-diff", headline=said))
    return Line(f"{label}{said}", STYLES[change.symbol], hang=len(label))


def _details(change: Change, mask: Mask) -> Iterator[Line]:
    told = change.drift.told
    for row in told.rows or ():
        yield _note(_row(mask(row_text(row))))
        below = row.below if isinstance(row, Note) else ()
        yield from (
            _note(f"    {_cut(veiled(mask(line), ''), WIDTH - _INDENT - 4)}") for line in below
        )
    if told.rows is None:
        yield from _differences(change, mask)
    runs = (action.why for action in change.actions if isinstance(action, Run) and action.why)
    rest = [why for why in dict.fromkeys(runs) if why not in told.covers]
    if change.after and not told.names_owed:
        rest.append(say("plan.owed", after=change.after))
    if rest:
        yield _note("; ".join(map(str, rest)))


def _standing(change: Change, plan: Plan) -> Iterator[Line]:
    """Why a change is not made: refused, or held by one that is."""
    if change.refusal is None:
        yield _note(say("plan.waits", address=change.held))
        return
    yield from refusal_lines(change.refusal, _INDENT)
    stay = [
        other.resource.address for other in plan.changes if other.held == change.resource.address
    ]
    if stay:
        yield _note(say("plan.stay", addresses=stay, count=len(stay)))


def _differences(change: Change, mask: Mask) -> Iterator[Line]:
    rows = list(telling(change.drift.differences, mask))
    key = min(max((len(row[0]) for row in rows), default=0), 28)
    actual = min(max((len(row[1]) for row in rows), default=0), 30)
    for name, before, after in rows[:_MOST_ROWS]:
        yield _note(f"{name:<{key}}  {before:>{actual}} -> {after}", key + 2)
    if len(rows) > _MOST_ROWS:
        yield _note(say("plan.more-rows", count=len(rows) - _MOST_ROWS))


def _row(note: str) -> str:
    """A row of a table (two blanks in it) is cut to one row; a sentence may wrap."""
    return _cut(note, WIDTH - _INDENT) if "  " in note else note


def _cut(text: str, most: int) -> str:
    return f"{text[: most - 1]}…" if len(text) > most else text


def _note(text: Text, hang: int = 2) -> Line:
    return Line(f"{' ' * _INDENT}{text}", hang=_INDENT + hang)


def _footer(plan: Plan, head: Head) -> Iterator[Line]:
    wanted = [change for change in plan.changes if _wanted(change)]
    kept = list(dict.fromkeys(name for change in wanted for name in _kept(change)))
    pins = [address for address in head.pins if address in plan.in_sync]
    parts = [say("plan.kept-first", names=kept)] if kept else []
    if pins:
        held = [f"{pin.partition('.')[2]} {head.pins[pin]}".strip() for pin in pins]
        parts.append(say("plan.unchanged", pins=held))
    if parts:
        yield Line("   ".join(map(str, parts)), hang=2)
    if wanted:
        also = _also_written(wanted)
        said = say("plan.also-written", also=also) if also else say("plan.nothing-else")
        yield Line(said, hang=2)
    for drift, by in plan.accepted:
        where = {"address": drift.resource.address, "host": drift.resource.host}
        yield Line(say("plan.accepted", until=by.until, why=by.why, **where), hang=2)
    if plan.unmanaged:
        yield Line(say("plan.unmanaged", addresses=plan.unmanaged), hang=2)
    if plan.elsewhere:
        yield Line(say("plan.elsewhere", addresses=_elsewhere(plan)), hang=2)
    if parts or wanted or plan.accepted or plan.unmanaged or plan.elsewhere:
        yield BLANK


def _elsewhere(plan: Plan) -> str:
    """`pc: patch.reconnect-backoff, build`."""
    hosts = dict.fromkeys(plan.elsewhere.values())
    on = {
        host: [address for address, its in plan.elsewhere.items() if its == host] for host in hosts
    }
    return "; ".join(f"{host}: {', '.join(addresses)}" for host, addresses in on.items())


def _wanted(change: Change) -> bool:
    return change.refusal is None and not change.held


def _kept(change: Change) -> Iterator[str]:
    """What gets a backup before this change: short names, a folder's with its `/`."""
    for action in change.actions:
        match action:
            case WriteFile(path=path, before=before) if before is not None:
                yield _short(path)
            case SyncTree(to_directory=path) if change.drift.actual.present:
                yield _short(path)
            case Run(writes=writes) if change.drift.actual.present:
                yield from (_short(path) for path in writes)


def _short(path: str) -> str:
    name = path.rstrip("/").rpartition("/")[2] + ("/" if path.endswith("/") else "")
    return str(say("plan.pm2-list")) if name == "dump.pm2" else name


def _also_written(changes: Iterable[Change]) -> list[Said]:
    """`pm2 also writes /root/.pm2/dump.pm2`: what commands write, by program."""
    written: dict[str, dict[str, None]] = {}
    for change in changes:
        for action in change.actions:
            if isinstance(action, Run) and action.writes:
                written.setdefault(_program(action.argv), {}).update(dict.fromkeys(action.writes))
    return [
        say("plan.command-writes", program=program, paths=list(paths))
        for program, paths in written.items()
    ]


def _program(argv: Sequence[str]) -> str:
    """The name a person knows: `pm2` for `/usr/bin/node /usr/lib/…/bin/pm2 save`."""
    names = [re.split(r"[/\\]", word)[-1] for word in argv[:2]]
    word = (
        names[1]
        if len(names) > 1 and names[0] in ("node", "node.exe", "nodejs", "env")
        else names[0]
    )
    return re.sub(r"\.(js|cmd|exe|ps1)$", "", word)
