"""What `drift` found, to whoever the document names in `notify`; never in the way of the check itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kjpstate.cli.work import Work
from kjpstate.model import Plan
from kjpstate.render.drifts import saying
from kjpstate.render.lines import Line
from kjpstate.render.masks import clean

if TYPE_CHECKING:
    from kjpstate.notify import Desk


def notify(work: Work, plan: Plan, desk: Desk | None = None) -> None:
    """Tell what is new in this look; what could not be told is a row on stderr, and no other exit code."""
    settings = work.document.notify
    if settings is None:
        return
    from kjpstate.notify import Desk, file_of, seen_in, tell

    mask = work.session.mask()
    addresses = {resource.address for resource in work.document.resources}
    hosts = frozenset(work.scope)
    # A guardrail's resource has an address of its own, so what was looked at is known too.
    looked = {*plan.in_sync, *(change.resource.address for change in plan.changes)}
    known = frozenset({*addresses, *looked, *work.document.hosts})
    seen = seen_in(plan, known, hosts, lambda change: clean(saying(change, mask)))
    lost = {host: clean(" ".join(mask(why).split())) for host, why in plan.unreachable.items()}
    file = file_of(work.folder, work.document.name, str(Path(work.document.path).absolute()))
    for sentence in tell(settings, replace(seen, lost=lost), mask(work.document.name), file, desk or Desk()):
        work.session.follow(Line(sentence, "change", whole=True))
