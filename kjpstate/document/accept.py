"""The section accept: what the owner lives with, why, and until when. Called by `load`."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kjpstate.document.page import Page
from kjpstate.document.sentences import guessed
from kjpstate.model import Acceptance, Resource, named
from kjpstate.rules import RULES
from kjpstate.said import Text, say


def accept(page: Page, resources: Sequence[Resource]) -> Iterator[Acceptance]:
    """Every whole entry; an address or a rule that nothing has, and a day that
    is none, are noted."""
    for at, entry in enumerate(page.value.get("accept", ())):
        pointer = f"/accept/{at}"
        if page.whole(pointer) and _fits(page, pointer, entry, resources):
            yield Acceptance(
                entry.get("address", ""),
                entry.get("rule", ""),
                entry["why"],
                entry.get("until", ""),
                page.where(pointer),
            )


def _fits(
    page: Page, pointer: str, entry: Mapping[str, Any], resources: Sequence[Resource]
) -> bool:
    problems = {
        "address": _of_address(entry.get("address"), resources),
        "rule": _of_rule(entry.get("rule")),
        "until": _of_day(entry.get("until"), "address" in entry),
    }
    for key, reason in problems.items():
        if reason:
            page.add(f"{pointer}/{key}", reason)
    return not any(problems.values())


def _of_address(address: str | None, resources: Sequence[Resource]) -> Text:
    addresses = [resource.address for resource in resources]
    if address is None or any(named(known, address) for known in addresses):
        return ""
    if named(address, "unchanged"):
        return say("document.guardrail-accepted")
    if not addresses:
        return say("document.no-address-at-all", address=address)
    unknown = say("document.no-such-address", address=address)
    among = say("document.no-such-address-of", address=address, addresses=addresses)
    return guessed(unknown, address, addresses, among)


def _of_rule(rule: str | None) -> Text:
    if rule is None or rule in RULES:
        return ""
    return guessed(say("document.no-such-rule", rule=rule), rule, RULES)


def _of_day(day: str | None, needed: bool) -> Text:
    if day is None and needed:
        return say("document.until-missing")
    try:
        datetime.date.fromisoformat(day or "2000-01-01")
    except ValueError:
        return say("document.no-day", day=day)
    return ""
