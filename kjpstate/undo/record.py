"""The record of a run: two kinds of small JSON files in a host's state folder. Pure.

`runs.json` lists the runs in their order; `run-ID.json` says what one run does to this host, step
by step, written before each step begins. It holds paths, digests, commands and old stamps; never a
file's bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from kjpstate.formats.digests import sha256_or_none
from kjpstate.formats.tree import OF_HOST, read_stamp
from kjpstate.model import (
    Action,
    Answer,
    Answers,
    Await,
    Change,
    Probe,
    ReadFile,
    Reading,
    ReadStat,
    ReadState,
    Restore,
    Run,
    RunInfo,
    Stamp,
    Stat,
    SyncTree,
    Unreadable,
    WriteFile,
)

INDEX = "runs.json"
TAKES_BACK = "rollback of "
"""How the `why` of a rollback begins; the run it takes back follows."""
_MOST = 1000
"""Runs that the list keeps."""

Step: TypeAlias = dict[str, Any]
"""address, kind; files [{path, before, after: sha256 or null, mode}]; folders [{path, put:
{relative: sha256}}]; written [path]; there {path: type or null}: what stood at such a path before
the run, null for nothing, no key where nobody saw; commands [{argv, cwd, undo, env, timeout}];
stamps {name: old values or null}; waits [{probe, args, app}]: the apps that were alive before."""


@dataclass(frozen=True)
class Record:
    """What one run did on one host. `rolled_back`: the run that took it back, or nothing. `hosts`:
    all those that the run was to change, None where an older record does not say."""

    id: str
    started: str = ""
    who: str = ""
    why: str = ""
    steps: tuple[Mapping[str, Any], ...] = ()
    rolled_back: str = ""
    hosts: tuple[str, ...] | None = None

    @property
    def takes_back(self) -> str:
        """The run that this one rolled back, or nothing."""
        return self.why.removeprefix(TAKES_BACK) if self.why.startswith(TAKES_BACK) else ""

    @property
    def suffix(self) -> str:
        """What the names of this run's backups end in."""
        return f"{self.started}-{self.id}"

    def values(self) -> dict[str, Any]:
        """As it stands in its file."""
        return {
            "run": self.id,
            "started": self.started,
            "who": self.who,
            "why": self.why,
            "steps": [dict(step) for step in self.steps],
            "rolled_back": self.rolled_back,
            **({} if self.hosts is None else {"hosts": list(self.hosts)}),
        }


def name_of(run: str) -> str:
    """The file of one run's record."""
    return f"run-{run}.json"


def noted(
    change: Change, actions: Iterable[Action], answers: Answers, *, stamps_count: bool
) -> dict[str, Step]:
    """Host -> what these actions will do there; a host where nothing is touched is left out.

    `answers`: as things are before; the old values of stamps come from there. `stamps_count`:
    whether a stamp alone is worth a note.
    """
    found: dict[str, Step] = {}
    alive = change.drift.actual.values.get("alive") is True
    for action in actions:
        step = found.setdefault(
            action.host,
            {
                "address": change.resource.address,
                "kind": change.resource.kind,
                "files": [],
                "folders": [],
                "written": [],
                "there": {},
                "commands": [],
                "stamps": {},
                "waits": [],
            },
        )
        if not isinstance(action, Await) or alive:
            _note(action, step, answers)
    keys = ["files", "folders", "written", "commands"]
    if stamps_count:
        keys.append("stamps")
    return {host: step for host, step in found.items() if any(step[key] for key in keys)}


def standing(actions: Iterable[Action], asked: Collection[Reading]) -> Iterator[ReadStat]:
    """What else must be read to know what stands where these actions will write; `asked`: what is
    read already."""
    for action in actions:
        for path in _replaced(action):
            if ReadFile(action.host, path) not in asked:
                yield ReadStat(action.host, path.rstrip("/") or "/")


def _replaced(action: Action) -> tuple[str, ...]:
    match action:
        case SyncTree(to_directory=path) | Restore(path=path):
            return (path,)
        case Run(writes=writes):
            return writes
        case _:
            return ()


def _note(action: Action, step: Step, answers: Answers) -> None:
    for path in _replaced(action):
        readings = (ReadStat(action.host, path.rstrip("/") or "/"), ReadFile(action.host, path))
        found = next(
            (answers[reading] for reading in readings if reading in answers),
            Unreadable("not asked"),
        )
        if not isinstance(found, Unreadable):
            step["there"].setdefault(
                path, found.type if isinstance(found, Stat) else "file" if found else None
            )
    match action:
        case WriteFile(path=path, before=before, after=after, mode=mode):
            step["files"].append(
                {
                    "path": path,
                    "before": sha256_or_none(before),
                    "after": sha256_or_none(after),
                    "mode": mode,
                }
            )
        case SyncTree(to_directory=path, manifest=manifest):
            put = {name: file.digest for name, file in sorted((manifest or {}).items())}
            step["folders"].append({"path": path, "put": put})
        case Run(argv=argv, cwd=cwd, undo=undo, clean_env=env, timeout=timeout, writes=writes):
            step["written"] += [path for path in writes if path not in step["written"]]
            command = {"argv": list(argv), "cwd": cwd, "undo": [list(one) for one in undo]}
            step["commands"].append({**command, "env": env and dict(env), "timeout": timeout})
        case Await(reading=Probe(name=name, args=args), args=words):
            step["waits"].append(
                {"probe": name, "args": list(args), "app": dict(words).get("name", "")}
            )
        case Restore(path=path):
            step["written"].append(path)
        case Stamp(host=host, document=document, name=name) if document != OF_HOST:
            reading = ReadState(host, document, name)
            if reading in answers:
                step["stamps"].setdefault(name, read_stamp(answers[reading]))


def opening(run: RunInfo, hosts: Iterable[str]) -> Record:
    """The record of a run that did nothing yet; `hosts`: those that it is to change."""
    return Record(run.id, run.started, run.who, run.why, hosts=tuple(sorted(hosts)))


def extended(record: Record, step: Step) -> Record:
    """One step more."""
    return replace(record, steps=(*record.steps, step))


def without(record: Record, addresses: Sequence[str]) -> Record:
    """The steps of a unit that was put back are no longer anything to roll back."""
    return replace(
        record, steps=tuple(step for step in record.steps if step["address"] not in addresses)
    )


def read(answer: Answer) -> Record | None:
    """A record as it was noted; None when there is none, or none that can be used."""
    values = read_stamp(answer)
    if (
        values is None
        or not isinstance(values.get("run"), str)
        or not isinstance(values.get("steps"), list)
    ):
        return None
    started, who, why, by = (
        str(values.get(key) or "") for key in ("started", "who", "why", "rolled_back")
    )
    hosts = values.get("hosts")
    named = tuple(map(str, hosts)) if isinstance(hosts, list) else None
    return Record(values["run"], started, who, why, tuple(values["steps"]), by, named)


def listed(answer: Answer) -> tuple[str, ...]:
    """The ids of the runs that changed something here, the oldest first."""
    runs = (read_stamp(answer) or {}).get("runs")
    return tuple(run for run in runs if isinstance(run, str)) if isinstance(runs, list) else ()


def with_run(runs: Sequence[str], run: str) -> dict[str, Any]:
    """The list with `run` at its end."""
    return {"runs": [*(other for other in runs if other != run), run][-_MOST:]}


def stamp(host: str, document: str, record: Record) -> Stamp:
    """The action that writes a record, or removes one without a step."""
    return Stamp(host, document, name_of(record.id), record.values() if record.steps else None)
