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
    """Whether all names go to these servers alone (Domains=~.); None: not managed."""
    drop_in: bool = False
    """Whether the values go into a drop-in of our own; the main file is then left alone."""
    takes_over: str = ""
    """The document whose dns of this host it was until now."""
    file: str = MAIN
    """The main file."""
