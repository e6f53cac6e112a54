"""A saved plan -> a Plan that can be shown: the plan's own words, without bytes and old values.
Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kjpstate.host import HostSpec, Local, Ssh
from kjpstate.model import (
    Acceptance,
    Action,
    Advice,
    AdviceAt,
    Await,
    Backup,
    Change,
    Difference,
    Drift,
    MakeDirectory,
    Moves,
    Note,
    Plan,
    ReadClock,
    Refuse,
    Resource,
    Restore,
    Row,
    Run,
    Stamp,
    State,
    SyncTree,
    Told,
    Where,
    WriteFile,
)
from kjpstate.said import said_of
from kjpstate.saved import holes
from kjpstate.saved.file import Saved


@dataclass(frozen=True)
class Shown:
    """A saved plan for a screen: never for an apply, which makes its own and compares."""

    plan: Plan
    hosts: Mapping[str, HostSpec]


def shown(saved: Saved) -> Shown:
    """What `show FILE` shows."""
    body = saved.body
    plan = Plan(
        document=body["document"]["name"],
        changes=tuple(_change(value) for value in body["changes"]),
        in_sync=tuple(body["in_sync"]),
        units=tuple(tuple(unit) for unit in body["units"]),
        fingerprints=body["fingerprints"],
        advice=tuple(_advice(value) for value in body["advice"]),
        unreachable={host: said_of(why) for host, why in body["unreachable"].items()},
        unmanaged=tuple(map(said_of, body["unmanaged"])),
        elsewhere=body["elsewhere"],
        accepted=tuple(_accepted(*value) for value in body["accepted"]),
    )
    return Shown(plan, {name: _host(name, value) for name, value in body["hosts"].items()})


def _host(name: str, value: Mapping[str, Any]) -> HostSpec:
    where, fleet = Where("", 0, 0), value["member_of"]
    if "local" in value:
        return Local(name, where, value["local"], member_of=fleet)
    return Ssh(name, where, value["address"], value["port"], value["user"], member_of=fleet)


def _change(value: Mapping[str, Any]) -> Change:
    where = Where(*value["where"])
    refusal = value["refusal"]
    lines = {refusal["pointer"]: Where(*refusal["where"])} if refusal else {}
    resource = Resource(value["address"], value["kind"], value["host"], None, where, lines)
    there, wanted = value["present"]
    drift = Drift(
        resource,
        State({}, present=wanted),
        State({}, present=there),
        tuple(
            Difference(tuple(path), holes.opened_marks(old), holes.opened_marks(new))
            for path, old, new in value["differences"]
        ),
        value["before"],
        holes.opened_marks(value["after"]),
        _told(value["told"]),
    )
    return Change(
        resource,
        drift,
        tuple(_action(item) for item in value["actions"]),
        value["symbol"],
        refusal
        and Refuse(
            refusal["rule"],
            said_of(refusal["reason"]),
            (),
            said_of(refusal["cure"]),
            refusal["pointer"],
        ),
        value["held"],
        tuple(value["owed"]),
    )


def _told(value: Mapping[str, Any]) -> Told:
    rows = value["rows"]
    return Told(
        said_of(value["headline"]),
        None if rows is None else tuple(_row(row) for row in rows),
        tuple(map(said_of, value["covers"])),
        value["names_owed"],
        value["name"],
        said_of(value["sick"]),
        in_diff=value["in_diff"],
    )


def _row(value: Mapping[str, Any]) -> Row:
    parts = {name: said_of(item) for name, item in value.items()}
    return Note(parts["text"]) if "text" in parts else Moves(**parts)


def _action(value: Mapping[str, Any]) -> Action:
    host = value["host"]
    match value["do"]:
        case "WriteFile":
            before, after = (None if value[side] is None else b"" for side in ("before", "after"))
            return WriteFile(host, value["path"], before, after, value["mode"])
        case "MakeDirectory":
            return MakeDirectory(host, value["path"], value["mode"])
        case "SyncTree":
            source = value["from_host"], value["from"]
            return SyncTree(*source, host, value["path"], None, tuple(value["remove"]))
        case "Run":
            argv, writes = tuple(value["argv"]), tuple(value["writes"])
            timeout, replaces = value["timeout"], value["replaces"]
            return Run(
                host,
                argv,
                said_of(value["why"]),
                value["cwd"],
                writes,
                timeout=timeout,
                replaces=replaces,
            )
        case "Stamp":
            gone = value["values"] is None
            return Stamp(host, "", value["name"], None if gone else {}, path=value["path"])
        case "Await":
            return Await(
                host, ReadClock(host), value["judge"], (), value["timeout"], said_of(value["why"])
            )
        case "Backup":
            return Backup(host, value["path"])
        case _:
            return Restore(host, value["path"], value["backup"])


def _advice(value: Mapping[str, Any]) -> AdviceAt:
    words = (said_of(value[key]) for key in ("rule", "reason", "cure", "pointer", "severity"))
    return AdviceAt(Advice(*words), value["address"], Where(*value["where"]))


def _accepted(address: str, until: str, why: str) -> tuple[Drift, Acceptance]:
    nowhere = Where("", 0, 0)
    resource = Resource(address, address.partition(".")[0], "", {}, nowhere)
    return Drift(resource, State({}), State({}), ()), Acceptance(address, "", why, until, nowhere)
