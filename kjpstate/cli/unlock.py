"""`kjpstate unlock`: who holds a host's lock, whether that run still lives, and a dead one's lock
broken."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from kjpstate import errors
from kjpstate.apply.locks import pauses
from kjpstate.cli import options
from kjpstate.cli.running import Manner, over
from kjpstate.cli.session import Session
from kjpstate.cli.work import Work
from kjpstate.host import Host
from kjpstate.hosts.lock import is_damaged
from kjpstate.model import Holder, Scope
from kjpstate.render.lines import Line
from kjpstate.said import Said, say


@dataclass(frozen=True)
class Asked:
    """The command line."""

    host: str = options.argument(required=True)
    document: str | None = options.argument()
    run: str | None = options.option(
        "--run", metavar="ID", help="Do not ask: break the lock only if this run holds it."
    )
    force: bool = options.flag(
        "--force", help="Even if that run is alive: two runs may then write at once."
    )
    scope: Scope = options.scope("here")
    lock_timeout: float = options.lock_timeout()


@options.command(Asked)
def command(session: Session, asked: Asked) -> int:
    """Show who holds the lock of HOST (its name in the document), ask, and break it if that run is
    dead."""
    asked = replace(asked, scope=replace(asked.scope, limit=(asked.host,)))
    return over(session, asked, _unlock, Manner(forgiving=True))


async def _unlock(work: Work, asked: Asked) -> int:
    for name in work.chosen:
        await _one(
            work.session,
            work.hosts[name],
            run=asked.run,
            force=asked.force,
            seconds=asked.lock_timeout,
        )
    return errors.IN_SYNC


async def _one(
    session: Session, host: Host, *, run: str | None, force: bool, seconds: float
) -> None:
    holder = await _settled(host, seconds)
    if holder is None:
        with session.owing():
            session.out([Line(say("cli.not-locked", host=host.name), "good")])
        return
    if holder.life == "damaged":
        await _clear(session, host, holder, run=run, force=force)
        return
    with session.owing(run is not None):
        session.tell(_shown(host.name, holder))
    if run is not None and run != holder.run:
        raise errors.Locked(
            say("cli.locked-by-another", host=host.name, run=holder.run, wanted=run),
            run=holder.run,
        )
    if holder.whose:
        raise errors.Locked(
            say("locked.another-users", host=host.name, whose=holder.whose),
            say("locked.another-users.cure", host=host.name),
            "locked",
            holder.run,
        )
    if holder.life != "dead" and not force:
        raise errors.Locked(
            say("locked.not-broken", host=host.name, why=_life(holder, host.name)),
            say("locked.not-broken.cure"),
            "locked",
            holder.run,
        )
    if run is None and not session.has_terminal():
        raise errors.UsageError(
            say("cli.unlock-asks"),
            say("cli.unlock-asks.cure", run=holder.run),
        )
    if holder.life != "dead":
        with session.owing(run is not None):
            session.tell([Line(say("cli.unlock-alive", host=host.name), "refuse")])
    if run is None and not session.confirmed(say("cli.break-lock", run=holder.run, host=host.name)):
        raise errors.Failed(say("cli.not-yes"))
    if not await host.unlock(holder, force=force):
        raise errors.Locked(
            say("cli.locked-meanwhile", host=host.name), say("cli.locked-meanwhile.cure")
        )
    with session.owing():
        session.out([Line(say("cli.lock-broken", run=holder.run, host=host.name), "good")])
        session.out([Line(say("cli.left-half-done"))])


async def _clear(
    session: Session, host: Host, holder: Holder, *, run: str | None, force: bool
) -> None:
    """What stands at the lock's place and is none: nothing is known of it, so there is nothing to
    ask."""
    if run is not None or not force:
        raise errors.Failed(*is_damaged(host.name, holder.why))
    if not await host.unlock(holder, force=True):
        raise errors.Locked(
            say("cli.locked-meanwhile", host=host.name), say("cli.locked-meanwhile.cure")
        )
    with session.owing():
        session.out([Line(say("cli.lock-cleared", what=holder.why, host=host.name), "good")])


async def _settled(host: Host, seconds: float) -> Holder | None:
    """Who holds the lock, after waiting so long for a living run to let it go."""
    waiting = pauses(seconds)
    while True:
        holder = await host.holder()
        pause = next(waiting, None)
        if holder is None or holder.life in ("dead", "damaged") or pause is None:
            return holder
        await asyncio.sleep(pause)


def _life(holder: Holder, host: str) -> Said:
    match holder.life:
        case "alive":
            return say("cli.holder-alive", host=host)
        case "step":
            return say("cli.holder-step", host=host)
        case _:
            return say("cli.holder-dead")


def _shown(host: str, holder: Holder) -> Iterable[Line]:
    yield Line(say("cli.is-locked", host=host), "strong")
    for word, value in (
        ("run", holder.run),
        ("of", holder.who),
        ("since", holder.when),
        ("for", holder.why),
        ("lock", holder.whose),
        ("", _life(holder, host)),
    ):
        if value or word != "lock":
            yield Line(f"  {word:<6} {value or '?'}", hang=9)
