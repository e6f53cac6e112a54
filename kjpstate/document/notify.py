"""The section notify: who is told what `drift` finds. Called by `load`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kjpstate.document.page import Page
from kjpstate.formats.written import argv
from kjpstate.model import Channel, Notify
from kjpstate.said import say
from kjpstate.secret import opened


def notify(page: Page) -> Notify | None:
    """The section with commands as words and quiet hours as minutes of the day;
    None when absent."""
    section = page.value.get("notify")
    if section is None or not page.whole("/notify"):
        return None
    channels = tuple(_channels(page, section))
    if "heartbeat" in section:
        _url(page, "/notify/heartbeat", section["heartbeat"])
    return Notify(
        channels=channels,
        quiet=_quiet(page, section.get("quiet")),
        unreachable_after=section.get("unreachable_after", 3),
        heartbeat=section.get("heartbeat", ""),
    )


def _channels(page: Page, section: Mapping[str, Any]) -> Iterator[Channel]:
    seen: set[str] = set()
    for at, entry in enumerate(section.get("channels", ())):
        pointer = f"/notify/channels/{at}"
        if entry["name"] in seen:
            page.add(f"{pointer}/name", say("document.channel-twice", channel=entry["name"]))
        seen.add(entry["name"])
        if "webhook" in entry:
            _url(page, f"{pointer}/webhook", entry["webhook"])
        for key, partner in (("headers", "webhook"), ("env", "command")):
            if key in entry and partner not in entry:
                page.add(f"{pointer}/{key}", say("document.goes-with", key=key, partner=partner))
        yield Channel(
            name=entry["name"],
            command=argv(entry["command"]) if "command" in entry else (),
            webhook=entry.get("webhook", ""),
            headers=entry.get("headers", {}),
            environ=entry.get("env", {}),
        )


def _url(page: Page, pointer: str, url: Any) -> None:
    """The value may be a secret, so it is not repeated; one that is not set is for `references` to
    tell."""
    text = opened(url)
    if text and not _can_be_asked(text):
        page.add(pointer, say("document.no-url"))


def _can_be_asked(text: str) -> bool:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        named = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:  # a port beyond all ports, half a bracket
        return False
    return named and parts.scheme in ("http", "https") and re.fullmatch("[!-~]+", text) is not None


def _quiet(page: Page, text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    first, last = (int(time[:2]) * 60 + int(time[3:]) for time in text.split("-"))
    if first == last:
        page.add("/notify/quiet", say("document.quiet-for-ever", hours=text))
    return first, last
