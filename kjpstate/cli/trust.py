"""`kjpstate trust`: show a host's keys, ask, remember them in kjpstate's own known_hosts."""

from __future__ import annotations

from dataclasses import dataclass

from kjpstate import errors
from kjpstate.cli import interrupts, options
from kjpstate.cli.session import Session
from kjpstate.cli.state_folder import state_folder
from kjpstate.cli.work import load, tell_unread
from kjpstate.host import HostSpec, Local, Ssh
from kjpstate.render.lines import Line
from kjpstate.said import say


@dataclass(frozen=True)
class Asked:
    """The command line."""

    host: str = options.argument(required=True)
    document: str | None = options.argument()
    fingerprint: str | None = options.option(
        "--fingerprint",
        metavar="SHA256:…",
        help="Do not ask: remember the key only if it is this one.",
    )


@options.command(Asked)
def command(session: Session, asked: Asked) -> int:
    """Show the keys of HOST (its name in the document), ask, and remember them."""
    host, fingerprint = asked.host, asked.fingerprint
    hosts = load(session, asked.document).hosts
    chosen = [spec for spec in hosts.values() if host in (spec.name, spec.member_of)]
    if not chosen:
        raise errors.UsageError(say("cli.trust-no-host", host=host, hosts=[*hosts]))
    if fingerprint is None and not session.has_terminal():
        raise errors.UsageError(
            say("cli.trust-asks"),
            say("cli.trust-asks.cure"),
        )
    return interrupts.run(_trust(session, chosen, fingerprint))


async def _trust(session: Session, chosen: list[HostSpec], fingerprint: str | None) -> int:
    from kjpstate.hosts.trust import remember, revoked, scan

    folder = state_folder(session.environ)
    tell_unread(session, chosen, folder)
    for host in chosen:
        spec = _needing(host)
        shown = await scan(spec, folder)
        session.tell(
            [Line(say("cli.shows", host=spec.name, address=spec.address, port=spec.port), "strong")]
        )
        bad = [print_ for print_, line in shown if revoked(spec, line, folder)]
        told = [
            (f"  {line.split()[1]}  {print_}", "  revoked" * (print_ in bad))
            for print_, line in shown
        ]
        session.tell([Line("".join(words)) for words in told])
        confirmed = _confirmed(session, spec, _good(spec, shown, bad, fingerprint), fingerprint)
        file = remember(spec, confirmed, folder)
        with session.owing():
            session.out(
                [
                    Line(
                        say("cli.trusted", host=spec.name, count=len(confirmed), file=str(file)),
                        "good",
                    )
                ]
            )
    return 0


def _needing(spec: HostSpec) -> Ssh:
    """The host, where its key is to be remembered; raises UsageError where there is none, or the
    document says it."""
    if isinstance(spec, Local):
        raise errors.UsageError(say("cli.trust-local", host=spec.name))
    if spec.host_key:
        raise errors.UsageError(
            say("cli.trust-pinned", host=spec.name, key=spec.host_key),
            say("cli.trust-pinned.cure", where=str(spec.where)),
        )
    return spec


def _good(
    spec: Ssh, shown: list[tuple[str, str]], bad: list[str], fingerprint: str | None
) -> list[tuple[str, str]]:
    """The keys of which no known_hosts file says that they are revoked. Raises Distrusted where
    none of those asked for is left: every later run would refuse it."""
    good = [(print_, line) for print_, line in shown if print_ not in bad]
    if fingerprint in bad or not good:
        keys = fingerprint or " and ".join(bad)
        raise errors.Distrusted(
            say("host-key-revoked.trusting", host=spec.name, keys=keys),
            say("host-key-revoked.trusting.cure", host=spec.name),
            "host-key-revoked",
        )
    return good


def _confirmed(
    session: Session, spec: Ssh, shown: list[tuple[str, str]], fingerprint: str | None
) -> list[str]:
    """The lines to remember: the one key that was named, or all of them after a `yes`."""
    if fingerprint is not None:
        lines = [line for print_, line in shown if print_ == fingerprint]
        if not lines:
            raise errors.Distrusted(
                say("host-key-changed.trusting", host=spec.name, fingerprint=fingerprint),
                say("host-key-changed.trusting.cure"),
                "host-key-changed",
            )
        return lines
    if not session.confirmed(say("cli.trust-this", host=spec.name)):
        raise errors.Failed(say("cli.not-trusted", host=spec.name))
    return [line for _, line in shown]
