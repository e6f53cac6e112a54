"""`kjpstate pm2`: each app three times, as it runs, as its file says, as a reboot would bring it
back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kjpstate import errors, reconcile
from kjpstate.cli import options
from kjpstate.cli.running import over
from kjpstate.cli.session import Session
from kjpstate.cli.work import Work
from kjpstate.formats.pm2 import probe
from kjpstate.formats.pm2.columns import columns
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.pm2.health import health_of
from kjpstate.kinds import questions
from kjpstate.model import Answers, ReadFile, Reading, Scope
from kjpstate.render.as_json import listed_json
from kjpstate.render.columns import Page, columns_json, columns_lines
from kjpstate.render.drifts import lost_lines
from kjpstate.render.lines import BLANK, Line
from kjpstate.render.masks import Mask
from kjpstate.said import say

_NONE = Line(say("cli.no-apps"), ours=True)


@dataclass(frozen=True)
class Asked:
    """The command line."""

    document: str | None = options.argument()
    scope: Scope = options.hosts()
    as_json: bool = options.as_json()


@options.command(Asked)
def command(session: Session, asked: Asked) -> int:
    """What PM2 runs, what the ecosystem file says, and what a reboot would bring back: three
    columns.

    Exit 2 when an app is not alive or the three differ. Changes nothing, and starts no PM2.
    """
    return over(session, asked, _pm2)


async def _pm2(work: Work, asked: Asked) -> int:
    session = work.session
    chosen = reconcile.in_scope(work.document, work.scope)
    apps = [app for _, app in questions(chosen, Declared)]
    wanted: dict[str, list[Reading]] = {}
    for app in apps:
        wanted.setdefault(app.host, []).extend(_readings(app))
    answers, lost = await reconcile.look(work.hosts, wanted)
    found = [_page(app, answers, work) for app in apps if app.host not in lost]
    pages = [page for page in found if isinstance(page, Page)]
    session.answer(
        asked.as_json,
        lambda: listed_json("apps", [columns_json(page) for page in pages], session.mask()),
        lambda: _lines(found, session.mask()) if apps else [_NONE],
    )
    session.tell(lost_lines(lost, session.mask()))
    drifted = ["drift" for page in found if not _is_well(page)]
    return errors.code_of([*drifted, *("unreachable" for _ in lost)])


def _lines(found: Sequence[Page | Line], mask: Mask) -> Iterator[Line]:
    for number, page in enumerate(found):
        yield from [BLANK] if number else []
        yield from columns_lines(page, mask) if isinstance(page, Page) else [page]


def _readings(app: Declared) -> tuple[Reading, ...]:
    return probe.reading(app), ReadFile(app.host, app.ecosystem)


def _page(app: Declared, answers: Answers, work: Work) -> Page | Line:
    look, file = _readings(app)
    seen = probe.parse(answers.get(look))
    if not isinstance(seen, probe.Seen):
        return Line(f"{app.name}   {app.host}   {seen}", "refuse", hang=4)
    three = columns(app, seen, answers.get(file))
    return Page(app.name, app.host, app.ecosystem, health_of(app, seen), seen, three, work.key)


def _is_well(page: Page | Line) -> bool:
    if not isinstance(page, Page) or not page.health.alive:
        return False
    return not any(row.differs for row in page.columns.rows)
