"""Plan -> a plain JSON value for the file; bytes, manifests and stamps become
keyed digests. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kjpstate.host import HostSpec, Local
from kjpstate.model import (
    NOTHING,
    Action,
    AdviceAt,
    Await,
    Backup,
    Change,
    MakeDirectory,
    Moves,
    Note,
    Plan,
    Prune,
    Resource,
    Restore,
    Row,
    Run,
    Stamp,
    SyncTree,
    Where,
    WriteFile,
)
from kjpstate.said import Text, over, plain
from kjpstate.saved import holes
from kjpstate.saved.holes import Mask
from kjpstate.secret import sealed


def packed(
    plan: Plan,
    resources: Sequence[Resource],
    hosts: Mapping[str, HostSpec],
    identities: Mapping[str, str],
    *,
    key: bytes,
    mask: Mask,
) -> dict[str, Any]:
    """What a saved plan holds beside its envelope and what the caller adds (document, scope,
    screen).

    `resources`: all that the plan was made of. `identities`: host -> what tells it from any other
    machine.
    """
    return {
        "hosts": {name: _host(hosts[name], identity, key) for name, identity in identities.items()},
        "specs": {item.address: holes.with_holes(item.spec, key, mask) for item in resources},
        "fingerprints": {address: dict(facts) for address, facts in plan.fingerprints.items()},
        "changes": [_change(change, key, mask) for change in plan.changes],
        "in_sync": list(plan.in_sync),
        "units": [list(unit) for unit in plan.units],
        "unreachable": {host: _text(why, mask) for host, why in plan.unreachable.items()},
        "accepted": [
            [drift.resource.address, by.until, mask(by.why)] for drift, by in plan.accepted
        ],
        "elsewhere": dict(plan.elsewhere),
        "unmanaged": [_text(line, mask) for line in plan.unmanaged],
        "advice": [_advice(item, mask) for item in plan.advice],
    }


def _host(spec: HostSpec, identity: str, key: bytes) -> dict[str, Any]:
    who = {"identity": sealed(identity, key), "member_of": spec.member_of}
    if isinstance(spec, Local):
        return {"local": spec.folder, **who}
    how = [spec.host_key, list(spec.identity), spec.jump, spec.become]
    reached = {"address": spec.address, "port": spec.port, "user": spec.user}
    return {**reached, "how": sealed(how, key), **who}


def _change(change: Change, key: bytes, mask: Mask) -> dict[str, Any]:
    resource, drift = change.resource, change.drift
    return {
        "address": resource.address,
        "kind": resource.kind,
        "host": resource.host,
        "where": _where(resource.where),
        "symbol": change.symbol,
        "present": [drift.actual.present, drift.desired.present],
        "told": _told(change, mask),
        "before": holes.actual(drift.before),
        "after": holes.desired(drift.after, mask),
        "differences": [
            [list(item.path), holes.actual(item.actual), holes.desired(item.desired, mask)]
            for item in drift.differences
        ],
        "refusal": change.refusal and _refusal(change, mask),
        "held": change.held,
        "owed": list(change.after),
        "actions": [pack_action(action, key) for action in change.actions],
    }


def _told(change: Change, mask: Mask) -> dict[str, Any]:
    """What the kind tells, without the values that are there now and will be replaced."""
    told = change.drift.told
    headline = holes.without_old(told.headline, change)
    return {
        "headline": _text(headline, mask),
        "rows": None if told.rows is None else [_row(row, change, mask) for row in told.rows],
        "covers": [_text(text, mask) for text in told.covers],
        "names_owed": told.names_owed,
        "name": told.name,
        "sick": _text(told.sick, mask),
        "in_diff": told.in_diff,
    }


def _row(row: Row, change: Change, mask: Mask) -> dict[str, Any]:
    match row:
        case Note(text=text):
            return {"text": _text(holes.without_old(text, change), mask)}
        case Moves(key=key, old=old, new=new, more=more, apart=apart):
            return {
                "key": key,
                "old": old if old == NOTHING else holes.NOT_KEPT,
                "new": _text(new, mask),
                "more": _text(more, mask),
                "apart": apart,
            }


def _refusal(change: Change, mask: Mask) -> dict[str, Any]:
    """Without its places: they quote files as they are."""
    refusal = change.refusal
    assert refusal is not None
    where = change.resource.line(refusal.pointer)
    return {
        "rule": refusal.rule,
        "reason": _text(refusal.reason, mask),
        "cure": _text(refusal.cure, mask),
        "pointer": refusal.pointer,
        "where": _where(where),
    }


def _advice(item: AdviceAt, mask: Mask) -> dict[str, Any]:
    found = item.advice
    return {
        "rule": found.rule,
        "severity": found.severity,
        "reason": _text(found.reason, mask),
        "cure": _text(found.cure, mask),
        "pointer": found.pointer,
        "address": item.address,
        "where": _where(item.where),
    }


def _text(text: Text, mask: Mask) -> Any:
    """A message as its code and values, so that a saved plan has no language."""
    return plain(over(text, mask))


def _where(where: Where) -> list[Any]:
    return [where.file, where.line, where.column]


def pack_action(action: Action, key: bytes) -> dict[str, Any]:
    """One action: everything that a person sees of it, and a keyed digest of the rest."""

    def digest(value: Any) -> str | None:
        return (
            None
            if value is None
            else sealed(value.hex() if isinstance(value, bytes) else value, key)
        )

    match action:
        case WriteFile(path=path, before=before, after=after, mode=mode):
            said: dict[str, Any] = {
                "path": path,
                "before": digest(before),
                "after": digest(after),
                "mode": mode,
            }
        case MakeDirectory(path=path, mode=mode):
            said = {"path": path, "mode": mode}
        case SyncTree(
            from_host=host, from_directory=source, to_directory=path, manifest=manifest, remove=gone
        ):
            files = None
            if manifest is not None:
                files = {name: [file.digest, file.mode] for name, file in manifest.items()}
            said = {
                "from_host": host,
                "from": source,
                "path": path,
                "files": digest(files),
                "remove": list(gone),
            }
        case Run(argv=argv, cwd=cwd, why=why, writes=writes, undo=undo, timeout=timeout):
            rest = [
                list(map(list, undo)),
                list(action.allowed_exits),
                action.replaces,
                repr(action.outputs),
            ]
            rest += [action.clean_env and dict(action.clean_env), action.shown, action.renews]
            said = {
                "argv": list(argv),
                "cwd": cwd,
                "why": plain(why),
                "writes": list(writes),
                "timeout": timeout,
            }
            said |= {"replaces": action.replaces, "rest": digest(rest)}
        case Stamp(document=document, name=name, values=values, fill=fill, keep=keep, path=path):
            rest = [document, repr(fill), keep is None]
            said = {"name": name, "path": path, "values": digest(values), "rest": digest(rest)}
        case Await(judge=judge, timeout=timeout, why=why):
            said = {"judge": judge, "timeout": timeout, "why": plain(why)}
        case Prune(backups=backups):
            said = {"backups": list(backups)}
        case Backup(path=path):
            said = {"path": path}
        case Restore(path=path, backup=backup):
            said = {"path": path, "backup": backup}
    return {"do": type(action).__name__, "host": action.host, **said}
