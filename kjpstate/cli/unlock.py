"""`kjpstate unlock`: who holds a host's lock, whether that run still lives, and a dead one's lock
broken."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from kjpstate import errors
from kjpstate.apply.locking import pauses
from kjpstate.cli import options
from kjpstate.cli.running import Manner, over
from kjpstate.cli.session import Session
from kjpstate.cli.work import Work
from kjpstate.host import Host
from kjpstate.hosts.lock import is_damaged
from kjpstate.model import Holder, Life, Scope
from kjpstate.render.lines import Line

_LIVES: dict[Life, str] = {
    "alive": "its process is alive on {host}",
    "step": "its process is gone, but a command that it started still runs on {host}",
    "dead": "its process is gone, and nothing that it started runs",
}


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
            session.out([Line(f"{host.name} is not locked.", "good")])
        return
    if holder.life == "damaged":
        await _clear(session, host, holder, run=run, force=force)
        return
    with session.owing(run is not None):
        session.tell(_shown(host.name, holder))
    if run is not None and run != holder.run:
        raise errors.Locked(
            f"{host.name} is locked by run {holder.run}, not by {run}; nothing was done",
            run=holder.run,
        )
    if holder.whose:
        raise errors.Locked(
            f"the lock of {host.name} is not broken: it is {holder.whose}",
            f"wait for it: add --lock-timeout 5m; or end that run on {host.name} itself, as "
            "that user",
            "locked",
            holder.run,
        )
    if holder.life != "dead" and not force:
        raise errors.Locked(
            f"the lock of {host.name} is not broken: {_LIVES[holder.life].format(host=host.name)}",
            "wait for it: add --lock-timeout 5m; or end that process on the host itself",
            "locked",
            holder.run,
        )
    if run is None and not session.has_terminal():
        raise errors.UsageError(
            "unlock asks before it breaks a lock, and there is no terminal to ask on.",
            f"add --run {holder.run} to break just that run's lock",
        )
    if holder.life != "dead":
        warning = (
            f"That run is alive. It will stop at its next action, but what it is at now "
            f"goes on: {host.name}"
        )
        with session.owing(run is not None):
            session.tell([Line(f"{warning} may be written by two at once.", "refuse")])
    if run is None and not session.confirmed(f"Break the lock of run {holder.run} on {host.name}?"):
        raise errors.Failed("Nothing was done: the answer was not yes.")
    if not await host.unlock(holder, force=force):
        raise errors.Locked(
            f"{host.name} is locked by somebody else by now; nothing was done", "look again"
        )
    with session.owing():
        session.out([Line(f"The lock of run {holder.run} on {host.name} is broken.", "good")])
        session.out([Line("What that run left half done, the next apply settles first.")])


async def _clear(
    session: Session, host: Host, holder: Holder, *, run: str | None, force: bool
) -> None:
    """What stands at the lock's place and is none: nothing is known of it, so there is nothing to
    ask."""
    if run is not None or not force:
        raise errors.Failed(*is_damaged(host.name, holder.text))
    if not await host.unlock(holder, force=True):
        raise errors.Locked(
            f"{host.name} is locked by somebody else by now; nothing was done", "look again"
        )
    with session.owing():
        session.out([Line(f"{holder.text}: it is removed, and {host.name} is free.", "good")])


async def _settled(host: Host, seconds: float) -> Holder | None:
    """Who holds the lock, after waiting so long for a living run to let it go."""
    waiting = pauses(seconds)
    while True:
        holder = await host.holder()
        pause = next(waiting, None)
        if holder is None or holder.life in ("dead", "damaged") or pause is None:
            return holder
        await asyncio.sleep(pause)


def _shown(host: str, holder: Holder) -> Iterable[Line]:
    yield Line(f"{host} is locked:", "strong")
    for word, value in (
        ("run", holder.run),
        ("of", holder.who),
        ("since", holder.when),
        ("for", holder.why),
        ("lock", holder.whose),
        ("", _LIVES[holder.life].format(host=host)),
    ):
        if value or word != "lock":
            yield Line(f"  {word:<6} {value or '?'}", hang=9)
