"""Plan -> the screen of `plan` and `apply`: changes, what is kept, advice, the count as its last line.

Called by `cli.plan`, `cli.apply` and `cli.demo`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kjpstate.host import HostSpec
from kjpstate.model import Change, Plan, Run, SyncTree, WriteFile
from kjpstate.render.lines import BLANK, Line
from kjpstate.render.notices import advice_lines, refusal_lines, unreachable_lines
from kjpstate.render.values import telling

STYLES = {"+": "add", "~": "change", "-": "remove", "-/+": "replace", "!": "refuse"}

_WORDS = {"+": "add", "~": "change", "-/+": "replace", "-": "remove"}
_INDENT = 6
_MOST_ROWS = 12
"""Rows of differences below one change; the rest is counted."""
_MOST_HOSTS = 4


@dataclass(frozen=True)
class Head:
    """What the first and last lines say beside the plan. `seconds`: how long the looking took. `following`:
    the command to type next, empty for none. `pins`: address -> the value that is held unchanged."""

    hosts: Mapping[str, HostSpec] = field(default_factory=dict)
    seconds: float = 0.0
    following: str = ""
    pins: Mapping[str, str] = field(default_factory=dict)
    shows_diff: bool = False


def plan_lines(plan: Plan, head: Head) -> tuple[Line, ...]:
    """The whole screen of a plan."""
    lines = [_first_line(plan, head), BLANK]
    lines += change_lines(plan, head)
    lines += unreachable_lines(plan)
    lines += _footer(plan, head)
    lines += advice_lines(plan.advice)
    if head.following and any(_wanted(change) for change in plan.changes):
        lines.append(Line(f"Next: {head.following}"))
    return (*lines, Line(count(plan), "strong" if plan.changes else "good", ours=True))


def tally(plan: Plan) -> dict[str, int]:
    """How many changes add, change, replace, remove; and how many are refused or held."""
    wanted = [change.symbol for change in plan.changes if _wanted(change)]
    refused = sum(change.refusal is not None for change in plan.changes)
    counted = {word: sum(symbol == sign for symbol in wanted) for sign, word in _WORDS.items()}
    return counted | {"refused": refused, "held": len(plan.changes) - refused - len(wanted)}


def count(plan: Plan) -> str:
    """The last line: `Plan: 1 to add, 2 to change, 1 to replace, 0 to remove.` or `In sync.`"""
    lost = len(plan.unreachable)
    missed = [f"{lost} host{'' if lost == 1 else 's'} not reached"] if lost else []
    if plan.empty:
        return f"In sync, as far as could be seen: {missed[0]}." if missed else "In sync."
    counted = tally(plan)
    parts = [f"{counted[word]} to {word}" for word in _WORDS.values()]
    parts += [f"{counted[word]} {word}" for word in ("refused", "held") if counted[word]]
    return f"Plan: {', '.join(parts + missed)}."


def change_lines(plan: Plan, head: Head) -> list[Line]:
    """All changes, each with what it does, in the order of work."""
    if not plan.changes:
        return []
    address = min(max(len(change.resource.address) for change in plan.changes), 36)
    host = min(max(len(change.resource.host) for change in plan.changes), 24)
    lines = [
        line
        for change in plan.changes
        for line in (_title(change, address, host, head), *_details(change, plan))
    ]
    return [*lines, BLANK]


def _first_line(plan: Plan, head: Head) -> Line:
    names = [_reached(name, spec) for name, spec in list(head.hosts.items())[:_MOST_HOSTS]]
    more = len(head.hosts) - len(names)
    names += [f"and {more} more"] if more else []
    parts = [plan.document, " · ".join(names), f"looked in {head.seconds:.1f} s, nothing changed"]
    return Line("   ".join(part for part in parts if part), "strong", hang=2)


def _reached(name: str, spec: HostSpec) -> str:
    if spec.local is not None:
        return f"{name} (this machine)"
    user = f"{spec.user}@" if spec.user else ""
    port = f":{spec.port}" if spec.port != 22 else ""
    return f"{name} {user}{spec.address}{port}"


def _title(change: Change, address: int, host: int, head: Head) -> Line:
    """`  ~ dns    stb  /etc/systemd/resolved.conf`; the headline is the kind's own."""
    label = f"{change.symbol:>3} {change.resource.address:<{address}}  {change.resource.host:<{host}}  "
    said = change.drift.desired.beside.get("headline") or change.resource.spec.get("path", "")
    if change.refusal is not None:
        said = f"refused, {change.resource.line(change.refusal.pointer)}   [{change.refusal.rule}]"
    elif change.resource.kind == "patch" and not head.shows_diff:
        said += "   --diff shows them"
    return Line(f"{label}{said}", STYLES[change.symbol], hang=len(label))


def _details(change: Change, plan: Plan) -> Iterator[Line]:
    if change.refusal is not None:
        yield from refusal_lines(change.refusal, _INDENT)
        stay = [other.resource.address for other in plan.changes if other.held == change.resource.address]
        if stay:
            yield _note(f"{', '.join(stay)} stay{'s' if len(stay) == 1 else ''} as {_it(stay)}.")
        return
    if change.held:
        yield _note(f"held: waits for {change.held}; stays as it is")
        return
    beside = change.drift.desired.beside
    consequences = list(dict.fromkeys(a.why for a in change.actions if isinstance(a, Run) and a.why))
    notes = beside.get("notes")
    own = [note for note in notes or () if note not in consequences]
    yield from (_note(note) for note in own)
    if notes is None or (notes and not own):
        yield from _differences(change)
    said = str(beside.get("headline", ""))
    yield from (_note(why) for why in consequences if why not in said)
    if change.after and "known " not in said:
        yield _note(f"known after {', '.join(change.after)}; this is the most that may be needed")


def _it(addresses: Sequence[str]) -> str:
    return "it is" if len(addresses) == 1 else "they are"


def _differences(change: Change) -> Iterator[Line]:
    rows = list(telling(change.drift.differences))
    key = min(max((len(row[0]) for row in rows), default=0), 28)
    actual = min(max((len(row[1]) for row in rows), default=0), 30)
    for name, before, after in rows[:_MOST_ROWS]:
        yield _note(f"{name:<{key}}  {before:>{actual}} -> {after}", key + 2)
    if len(rows) > _MOST_ROWS:
        yield _note(f"and {len(rows) - _MOST_ROWS} more; --json has them all")


def _note(text: str, hang: int = 2) -> Line:
    return Line(" " * _INDENT + text, hang=_INDENT + hang)


def _footer(plan: Plan, head: Head) -> Iterator[Line]:
    wanted = [change for change in plan.changes if _wanted(change)]
    kept = ", ".join(dict.fromkeys(name for change in wanted for name in _kept(change)))
    pins = [address for address in plan.in_sync if address.startswith("unchanged.")]
    parts = [f"Kept first: {kept}."] if kept else []
    if pins:
        said = (f"{pin.removeprefix('unchanged.')} {head.pins.get(pin, '')}".strip() for pin in pins)
        parts.append(f"Unchanged: {', '.join(said)}")
    if parts:
        yield Line("   ".join(parts), hang=2)
    if wanted:
        also = "; ".join(_also_written(wanted))
        yield Line(f"kjpstate writes nothing else. {also}".rstrip(), hang=2)
    if plan.unmanaged:
        yield Line(f"No longer managed, left as it is: {', '.join(plan.unmanaged)}", hang=2)
    if parts or wanted or plan.unmanaged:
        yield BLANK


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
            case Run(writes=writes):
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
    word = names[1] if len(names) > 1 and names[0] in ("node", "node.exe", "nodejs", "env") else names[0]
    return re.sub(r"\.(js|cmd|exe|ps1)$", "", word)
