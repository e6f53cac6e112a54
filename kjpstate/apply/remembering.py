"""One line about this run on each host it touched, for whoever asks there. By `apply.run` at its
end."""

from __future__ import annotations

from kjpstate import errors
from kjpstate.apply.work import Work
from kjpstate.formats import remembered
from kjpstate.model import ReadState, Stamp
from kjpstate.undo.record import TAKES_BACK


def lines_of(host: str, document: str) -> ReadState:
    """The lines that stand there; read when the host's lock is taken."""
    return ReadState(host, document, remembered.NAME)


async def remember(work: Work) -> None:
    """Add the line; a link that is lost now spoils nothing, since all is done."""
    homes = {change.resource.address: change.resource.host for change in work.plan.changes}
    touched = {outcome.action.host for step in work.steps for outcome in step.outcomes}
    for host in sorted(touched - work.lost):
        results = {step.address: step.result for step in work.steps if homes[step.address] == host}
        line = remembered.Line(
            work.info.id,
            "rollback" if str(work.info.why).startswith(TAKES_BACK) else "apply",
            work.info.who,
            work.info.started,
            errors.worst(work.codes),
            results,
        )
        document = work.info.document
        values = remembered.with_line(work.planned.get(lines_of(host, document)), line)
        try:
            await work.hosts[host].act((Stamp(host, document, remembered.NAME, values),))
        except errors.Unreachable:
            work.lost.add(host)
