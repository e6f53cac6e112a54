"""A section `dns` as the document gives it, for one host."""

from __future__ import annotations

from dataclasses import dataclass

from kjpstate.formats.resolved_conf import MAIN


@dataclass(frozen=True)
class Spec:
    """The global servers of one host's systemd-resolved."""

    host: str
    document: str
    servers: tuple[str, ...]
    """In this order, as the document spells them (DNS=)."""
    fallback: tuple[str, ...] | None = None
    """FallbackDNS=; None: not managed."""
    exclusive: bool | None = None
    """True: all names go to these servers alone (Domains=~.); None: not managed."""
    drop_in: bool = False
    """True: the values go into a drop-in of our own, and the main file is left alone."""
    takes_over: str = ""
    """The document whose dns of this host it was until now."""
    file: str = MAIN
    """The main file."""
