"""What `drift` found, to whoever the document names in `notify`; never in the way of the check
itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kjpstate import reconcile
from kjpstate.cli.work import Work
from kjpstate.model import Notify, Plan
from kjpstate.render.drifts import lost_row, row_of
from kjpstate.render.lines import Line
from kjpstate.render.masks import clean
from kjpstate.said import Said

if TYPE_CHECKING:
    from kjpstate.notify import Desk


def notify(work: Work, plan: Plan, desk: Desk | None = None) -> None:
    """Tell what is new in this look, in the document's language; what could not be told is a row on
    stderr, in the reader's, and no other exit code."""
    settings = work.document.notify
    if settings is None:
        return
    with work.session.in_language_of_document(work.document.lang):
        untold = _told(work, settings, plan, desk)
    for message in untold:
        work.session.follow(Line(message, "change", whole=True))


def _told(work: Work, settings: Notify, plan: Plan, desk: Desk | None) -> list[Said]:
    from kjpstate.notify import Desk, file_of, seen_in, tell

    mask = work.session.mask()
    whole = reconcile.in_scope(work.document)  # the guardrails are among these
    known = {resource.address for resource in whole} | reconcile.hosts_of(whole)
    asked = reconcile.hosts_of(reconcile.in_scope(work.document, work.scope))
    seen = seen_in(plan, frozenset(known), asked, lambda change: clean(row_of(change, mask)))
    looked = seen.looked - reconcile.doubtful(whole, plan.unreachable)
    seen = replace(seen, looked=looked, narrowed=bool(work.document.elsewhere))
    lost = {host: clean(lost_row(host, why, mask)) for host, why in plan.unreachable.items()}
    file = file_of(work.folder, work.document.name, str(Path(work.document.path).absolute()))
    seen = replace(seen, lost=lost)
    return tell(settings, seen, mask(work.document.name), file, desk or Desk())
