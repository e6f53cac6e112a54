"""`kjpstate pm2`: each app three times, as it runs, as its file says, as a reboot would bring it
back."""

from __future__ import annotations

from collections.abc import Sequence

import click

from kjpstate import errors, reconcile
from kjpstate.cli import interrupts, options
from kjpstate.cli.session import Session
from kjpstate.cli.work import Work, opened
from kjpstate.formats.pm2 import probe
from kjpstate.formats.pm2.columns import columns
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.pm2.health import health_of
from kjpstate.kinds import questions
from kjpstate.model import Answers, ReadFile, Reading
from kjpstate.render.as_json import listed_json
from kjpstate.render.columns import Page, columns_json, columns_lines
from kjpstate.render.drifts import lost_lines
from kjpstate.render.lines import BLANK, Line


@click.command()
@options.document
@click.option("--limit", multiple=True, metavar="HOST", help="Only this host.")
@options.here
@options.as_json
@options.colour
@click.pass_obj
def command(
    session: Session,
    /,
    document: str | None,
    *,
    limit: Sequence[str],
    here: str | None,
    as_json: bool,
) -> int:
    """What PM2 runs, what the ecosystem file says, and what a reboot would bring back: three
    columns.

    Exit 2 when an app is not alive or the three differ. Changes nothing, and starts no PM2.
    """
    return interrupts.run(_pm2(session, document, limit, here, as_json))


async def _pm2(
    session: Session, argument: str | None, limit: Sequence[str], here: str | None, as_json: bool
) -> int:
    async with opened(session, argument, (), limit, here=here) as work:
        chosen = reconcile.in_scope(work.document, limit)
        apps = [app for _, app in questions(chosen, Declared)]
        wanted: dict[str, list[Reading]] = {}
        for app in apps:
            wanted.setdefault(app.host, []).extend(_readings(app))
        answers, lost = await reconcile.look(work.hosts, wanted)
        found = [_page(app, answers, work) for app in apps if app.host not in lost]
        pages = [page for page in found if isinstance(page, Page)]
        if as_json:
            session.out_json(
                listed_json("apps", [columns_json(page) for page in pages], session.mask())
            )
        else:
            for number, page in enumerate(found):
                session.out([BLANK] if number else [])
                session.out(
                    columns_lines(page, session.mask()) if isinstance(page, Page) else [page]
                )
            if not apps:
                session.out([Line("No apps in this document.", ours=True)])
        session.tell(lost_lines(lost, session.mask()))
        return errors.worst([errors.UNREACHABLE if lost else errors.IN_SYNC, *map(_code, found)])


def _readings(app: Declared) -> tuple[Reading, ...]:
    return probe.reading(app), ReadFile(app.host, app.ecosystem)


def _page(app: Declared, answers: Answers, work: Work) -> Page | Line:
    look, file = _readings(app)
    seen = probe.parse(answers.get(look))
    if isinstance(seen, str):
        return Line(f"{app.name}   {app.host}   {seen}", "refuse", hang=4)
    three = columns(app, seen, answers.get(file))
    return Page(app.name, app.host, app.ecosystem, health_of(app, seen), seen, three, work.key)


def _code(page: Page | Line) -> int:
    """As of `drift`: 2 when something is not as it should be."""
    well = (
        isinstance(page, Page)
        and page.health.alive
        and not any(row.differs for row in page.columns.rows)
    )
    return errors.IN_SYNC if well else errors.DRIFT
