"""A saved plan held against what there is now: every way in which it is stale, by name. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kjpstate.model import Plan
from kjpstate.plan import moved
from kjpstate.saved import holes


def stale(saved: Mapping[str, Any], now: Mapping[str, Any], plan: Plan) -> list[str]:
    """Why the saved plan no longer holds, in sentences; none when it does.

    `saved`, `now`: two bodies of `pack.packed`, `now` of `plan`, both of one scope. A host out of
    reach is the caller's business.
    """
    found = [*_documents(saved, now), *_secrets(saved, now), *_hosts(saved, now)]
    if found:
        return found
    here = {
        address
        for address, spec in now["specs"].items()
        if spec.get("host") not in plan.unreachable
    }
    planned = {
        address: facts for address, facts in saved["fingerprints"].items() if address in here
    }
    facts = [
        f"{what} is no longer as the plan saw it" for what in moved(planned, plan.fingerprints)
    ]
    return facts or [*_changes(saved, now, here)]


def _documents(saved: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    was, found = saved["document"], now["document"]
    if was["name"] != found["name"] or was["digest"] != found["digest"]:
        yield f"{was['path']} was edited after the plan was saved"


def _secrets(saved: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Secrets that changed, by their references; then specs that read otherwise here (`~`, a
    variable)."""
    for address, spec in saved["specs"].items():
        other = now["specs"].get(address)
        names = sorted(set(holes.changed_holes(spec, other)))
        if names:
            yield f"{', '.join(names)} of {address} is not the secret it was"
        elif other is not None and spec != other:
            yield f"{address} of the document reads otherwise now"


def _hosts(saved: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name, was in saved["hosts"].items():
        found = now["hosts"].get(name)
        if found is None:
            continue
        if was["identity"] != found["identity"]:
            yield (
                f"{name} is another machine, or has another host key, than when the plan was saved"
            )
        elif was != found:
            yield f"{name} is reached in another way than when the plan was saved"


def _changes(saved: Mapping[str, Any], now: Mapping[str, Any], here: set[str]) -> Iterator[str]:
    was = {change["address"]: change for change in saved["changes"] if change["address"] in here}
    found = {change["address"]: change for change in now["changes"]}
    for address in {**was, **found}:
        if address not in found:
            yield f"{address} no longer differs"
        elif address not in was:
            yield f"{address} differs now, and the plan does not say so"
        elif _acts(was[address]) != _acts(found[address]):
            yield f"what {address} takes is no longer what the plan shows"


def _acts(change: Mapping[str, Any]) -> list[Any]:
    """What an apply does by: not the words about it."""
    refusal = change["refusal"] and change["refusal"]["rule"]
    return [change["symbol"], refusal, change["held"], change["owed"], change["actions"]]
