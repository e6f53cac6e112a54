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
        raise errors.UsageError(f"trust {host}: no such host; the document has {', '.join(hosts)}")
    if fingerprint is None and not session.has_terminal():
        raise errors.UsageError(
            "trust asks before it remembers a key, and there is no terminal to ask on.",
            "add --fingerprint SHA256:…, as ssh-keygen -lf prints it on the host itself",
        )
    return interrupts.run(_trust(session, chosen, fingerprint))


async def _trust(session: Session, chosen: list[HostSpec], fingerprint: str | None) -> int:
    from kjpstate.hosts.trust import remember, revoked, scan

    folder = state_folder(session.environ)
    tell_unread(session, chosen, folder)
    for host in chosen:
        spec = _needing(host)
        shown = await scan(spec, folder)
        session.tell([Line(f"{spec.name} ({spec.address} port {spec.port}) shows:", "strong")])
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
                [Line(f"{spec.name} is trusted: {len(confirmed)} of its keys in {file}", "good")]
            )
    return 0


def _needing(spec: HostSpec) -> Ssh:
    """The host, where its key is to be remembered; raises UsageError where there is none, or the
    document says it."""
    if isinstance(spec, Local):
        raise errors.UsageError(
            f"trust {spec.name}: it is this machine; there is no key to remember"
        )
    if spec.host_key:
        raise errors.UsageError(
            f"trust {spec.name}: the document itself says its key, host_key: {spec.host_key}",
            f"correct host_key at {spec.where} if the box was set up anew",
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
            f"{spec.name}: a known_hosts file marks {keys} as revoked for this host; nothing "
            "was remembered",
            f"give the box new host keys, then: kjpstate trust {spec.name}",
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
                f"{spec.name} shows no key {fingerprint}; nothing was remembered",
                "compare with ssh-keygen -lf on the host itself; somebody may stand between",
                "host-key-changed",
            )
        return lines
    if not session.confirmed(f"Is {spec.name} the box you mean?"):
        raise errors.Failed(
            f"{spec.name} is not trusted: the answer was not yes. Nothing was remembered."
        )
    return [line for _, line in shown]
