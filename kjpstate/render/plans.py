"""Plan -> the screen of `plan` and `apply`: changes, what is kept, advice, the count as its last
line.

Called by `cli.plan`, `cli.apply` and `cli.demo`.
"""

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
from kjpstate.render.values import counted, telling

STYLES = {"+": "add", "~": "change", "-": "remove", "-/+": "replace", "!": "refuse"}

_WORDS = {"+": "add", "~": "change", "-/+": "replace", "-": "remove"}
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
        lines.append(Line(f"Next: {head.following}"))
    return (*lines, Line(count(plan), "strong" if plan.changes else "good", ours=True))


def tally(plan: Plan) -> dict[str, int]:
    """How many changes add, change, replace, remove; and how many are refused or held."""
    wanted = [change.symbol for change in plan.changes if _wanted(change)]
    refused = sum(change.refused for change in plan.changes)
    found = {word: sum(symbol == sign for symbol in wanted) for sign, word in _WORDS.items()}
    return found | {"refused": refused, "held": len(plan.changes) - refused - len(wanted)}


def count(plan: Plan) -> str:
    """The last line: `Plan: 1 to add, 2 to change, 1 to replace, 0 to remove.` or `In sync.`"""
    lost = len(plan.unreachable)
    missed = [f"{counted(lost, 'host')} not reached"] if lost else []
    if plan.empty:
        left = (
            f", but for {counted(len(plan.accepted), 'accepted difference')}"
            if plan.accepted
            else ""
        )
        return (
            f"In sync{left}, as far as could be seen: {missed[0]}." if missed else f"In sync{left}."
        )
    found = tally(plan)
    parts = [f"{found[word]} to {word}" for word in _WORDS.values()]
    parts += [f"{found[word]} {word}" for word in ("refused", "held") if found[word]]
    return f"Plan: {', '.join(parts + missed)}."


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
            lines.append(_note(f"was accepted until {change.lapsed.until}: {change.lapsed.why}"))
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
    names += [f"and {more} more"] if more else []
    parts = [plan.document, " · ".join(names), f"looked in {head.seconds:.1f} s, nothing changed"]
    return Line("   ".join(part for part in parts if part), "strong", hang=2)


def _reached(name: str, spec: HostSpec) -> str:
    if isinstance(spec, Local):
        return f"{name} (this machine)"
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
        said = f"refused, {change.resource.line(change.refusal.pointer)}   [{change.refusal.rule}]"
    elif change.drift.told.in_diff and not head.shows_diff:
        said += "   --diff shows them"
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
        rest.append(f"owed: known after {', '.join(change.after)}")
    if rest:
        yield _note("; ".join(map(str, rest)))


def _standing(change: Change, plan: Plan) -> Iterator[Line]:
    """Why a change is not made: refused, or held by one that is."""
    if change.refusal is None:
        yield _note(f"held: waits for {change.held}; stays as it is")
        return
    yield from refusal_lines(change.refusal, _INDENT)
    stay = [
        other.resource.address for other in plan.changes if other.held == change.resource.address
    ]
    if stay:
        yield _note(f"{', '.join(stay)} stay{'s' if len(stay) == 1 else ''} as {_it(stay)}.")


def _it(addresses: Sequence[str]) -> str:
    return "it is" if len(addresses) == 1 else "they are"


def _differences(change: Change, mask: Mask) -> Iterator[Line]:
    rows = list(telling(change.drift.differences, mask))
    key = min(max((len(row[0]) for row in rows), default=0), 28)
    actual = min(max((len(row[1]) for row in rows), default=0), 30)
    for name, before, after in rows[:_MOST_ROWS]:
        yield _note(f"{name:<{key}}  {before:>{actual}} -> {after}", key + 2)
    if len(rows) > _MOST_ROWS:
        yield _note(f"and {len(rows) - _MOST_ROWS} more; --json has them all")


def _row(note: str) -> str:
    """A row of a table (two blanks in it) is cut to one row; a sentence may wrap."""
    return _cut(note, WIDTH - _INDENT) if "  " in note else note


def _cut(text: str, most: int) -> str:
    return f"{text[: most - 1]}…" if len(text) > most else text


def _note(text: str, hang: int = 2) -> Line:
    return Line(" " * _INDENT + text, hang=_INDENT + hang)


def _footer(plan: Plan, head: Head) -> Iterator[Line]:
    wanted = [change for change in plan.changes if _wanted(change)]
    kept = ", ".join(dict.fromkeys(name for change in wanted for name in _kept(change)))
    pins = [address for address in head.pins if address in plan.in_sync]
    parts = [f"Kept first: {kept}."] if kept else []
    if pins:
        said = (f"{pin.partition('.')[2]} {head.pins[pin]}".strip() for pin in pins)
        parts.append(f"Unchanged: {', '.join(said)}")
    if parts:
        yield Line("   ".join(parts), hang=2)
    if wanted:
        also = "; ".join(_also_written(wanted))
        yield Line(f"kjpstate writes nothing else. {also}".rstrip(), hang=2)
    for drift, by in plan.accepted:
        what = f"{drift.resource.address} on {drift.resource.host}"
        yield Line(f"Accepted until {by.until}, left as it is: {what}: {by.why}", hang=2)
    if plan.unmanaged:
        yield Line(f"No longer managed, left as it is: {', '.join(plan.unmanaged)}", hang=2)
    if plan.elsewhere:
        yield Line(f"Not looked at from here: {_elsewhere(plan)}", hang=2)
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
    return "PM2's list" if name == "dump.pm2" else name


def _also_written(changes: Iterable[Change]) -> list[str]:
    """`pm2 also writes /root/.pm2/dump.pm2`: what commands write, by program."""
    written: dict[str, dict[str, None]] = {}
    for change in changes:
        for action in change.actions:
            if isinstance(action, Run) and action.writes:
                written.setdefault(_program(action.argv), {}).update(dict.fromkeys(action.writes))
    return [f"{program} also writes {', '.join(paths)}" for program, paths in written.items()]


def _program(argv: Sequence[str]) -> str:
    """The name a person knows: `pm2` for `/usr/bin/node /usr/lib/…/bin/pm2 save`."""
    names = [re.split(r"[/\\]", word)[-1] for word in argv[:2]]
    word = (
        names[1]
        if len(names) > 1 and names[0] in ("node", "node.exe", "nodejs", "env")
        else names[0]
    )
    return re.sub(r"\.(js|cmd|exe|ps1)$", "", word)
