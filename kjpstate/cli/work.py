"""A loaded document with its hosts opened, for as long as one verb needs them."""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kjpstate import reconcile
from kjpstate.cli.session import Session
from kjpstate.cli.state_folder import digest_key, looking_folder, looking_key, state_folder
from kjpstate.host import Host, HostSpec, Ssh
from kjpstate.kinds import parts
from kjpstate.model import EVERYTHING, Plan, Scope
from kjpstate.render.lines import Line
from kjpstate.render.plans import Head

if TYPE_CHECKING:
    from kjpstate.document import Document


@dataclass(frozen=True)
class Work:
    """What one run has at hand."""

    session: Session
    document: Document
    """As the scope lets this run see it."""
    hosts: Mapping[str, Host]
    key: bytes
    """For keyed digests."""
    folder: Path = Path()
    """The controller's own."""
    scope: Scope = EVERYTHING

    @property
    def chosen(self) -> tuple[str, ...]:
        """The hosts that this run is about."""
        return self.scope.among(self.document.hosts)

    @property
    def aim(self) -> tuple[str, ...]:
        """Those of them that an apply of this scope changes, watches and judges."""
        return reconcile.hosts_in_scope(self.document, self.scope)

    async def plan(self) -> tuple[Plan, float]:
        """Look and compare; the plan, and how many seconds it took."""
        started = time.monotonic()
        plan = await reconcile.plan(self.document, self.hosts, key=self.key, scope=self.scope)
        self.session.secrets |= plan.secrets
        return plan, time.monotonic() - started


def load(
    session: Session, argument: str | None, *, thorough: bool = False, forgiving: bool = False
) -> Document:
    """The document that the command line means; its secrets are masked from here on.

    `forgiving`: a secret that is not set is no problem, for verbs that write none.
    """
    from kjpstate import document

    path = document.find(argument, session.environ, str(Path.cwd()))
    loaded = document.load(path, environ=session.environ, thorough=thorough, forgiving=forgiving)
    if loaded.lang:
        session.speak(written=loaded.lang)
    session.secrets |= loaded.secrets
    return loaded


@asynccontextmanager
async def opened(
    session: Session,
    argument: str | None,
    scope: Scope,
    *,
    looks: bool = False,
    forgiving: bool = False,
    silent: bool = False,
) -> AsyncIterator[Work]:
    """Load the document, open the hosts that the scope lets be seen, close them whatever happens.

    `looks`: nothing is to be kept, so a folder that can't be written is no hindrance. `silent`:
    what can't be read of known_hosts is told by the caller, if at all.
    """
    from kjpstate import document

    loaded = document.narrowed(load(session, argument, forgiving=forgiving), scope)
    folder = (looking_folder if looks else state_folder)(session.environ)
    hosts = reconcile.open_hosts(loaded, state_folder=folder)
    try:
        key = (looking_key if looks else digest_key)(folder)
        work = Work(session, loaded, hosts, key, folder, scope)
        if not silent:
            tell_unread(session, [loaded.hosts[name] for name in work.chosen], folder)
        yield work
    finally:
        await asyncio.gather(*(host.close() for host in hosts.values()))


def tell_unread(session: Session, hosts: Iterable[HostSpec], folder: Path) -> None:
    """Of a known_hosts file that can't be read, or not wholly: where, and that it counts for
    nothing."""
    if any(isinstance(spec, Ssh) for spec in hosts):
        from kjpstate.hosts.known_hosts import troubles

        session.tell([Line(str(trouble), "change", whole=True) for trouble in troubles(folder)])


def head(
    work: Work, plan: Plan, seconds: float, following: str = "", shows_diff: bool = False
) -> Head:
    """What the screen of a plan says beside the plan."""
    used = {resource.host for resource in work.document.resources} | set(plan.unreachable)
    hosts = {
        name: spec
        for name, spec in work.document.hosts.items()
        if name in used and name in work.chosen
    }
    return Head(hosts, seconds, following, _pins(work.document, plan), shows_diff)


def typed(verb: str, argument: str | None, scope: Scope = EVERYTHING) -> str:
    """The command line of another verb over the same scope."""
    words = ["kjpstate", verb, *([argument] if argument else [])]
    return shlex.join([*words, *scope.words])


def _pins(document: Document, plan: Plan) -> dict[str, str]:
    """Address -> the value that is held, "" where the document names none; of what is in sync."""
    held = dict(pair for guarded in parts("guarded") for pair in guarded(document.guards))
    return {address: value for address, value in held.items() if address in plan.in_sync}
