"""A modelled systemd-resolved: it reads the box's own files when it starts, and never otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kjpstate.formats.names import Lookup, endpoint
from kjpstate.formats.names import render as render_names
from kjpstate.formats.resolved import ALL_TREES, Link, Running, Seen, Unit, render
from kjpstate.formats.resolved_conf import (
    DOMAINS,
    FALLBACK,
    MAIN,
    SERVERS,
    TREES,
    ConfFile,
    bare,
    settings,
)
from kjpstate.hosts.simulated.box import Box, said
from kjpstate.model import Completed

UNIT = "systemd-resolved"
_LIMIT, _WITHIN = 5, 10.0
"""systemd refuses a sixth start within so many seconds."""
_ADDRESS = "192.0.2.60"


def fresh(version: int = 252) -> dict[str, Any]:
    """A resolver that runs with what no file says yet, and a modem that was announced by DHCP."""
    return {
        "version": version,
        "active": "active",
        "enabled": "enabled",
        "servers": [],
        "fallback": [],
        "domains": [],
        "starts": [],
        "links": [
            {
                "index": 2,
                "name": "eth0",
                "servers": ["192.168.100.1"],
                "domains": [],
                "default_route": True,
            }
        ],
    }


def probe(box: Box) -> bytes:
    """The output of the probe `resolved`."""
    own = box.state["resolved"]
    if own is None:
        return render(
            Seen(version=252, unit=Unit("not-found", "inactive"), files=tuple(_files(box)))
        )
    active = own["active"] == "active"
    running = Running(
        tuple(own["servers"]),
        tuple(own["fallback"]),
        tuple(own["domains"]),
        mode="stub",
        stub="yes",
    )
    result = "start-limit-hit" if own["active"] == "failed" else "success"
    return render(
        Seen(
            version=own["version"],
            unit=Unit(
                "loaded", own["active"], "running" if active else "dead", own["enabled"], result
            ),
            running=running if active else None,
            links=tuple(_links(own)) if active else (),
            interfaces=_interfaces(own),
            files=tuple(_files(box)),
            hosts=("files", "dns"),
            listens=active,
        )
    )


def systemctl(box: Box, argv: tuple[str, ...], cwd: Path) -> Completed:
    """`systemctl restart|reload-or-restart|start|stop|reset-failed systemd-resolved`."""
    own = box.state["resolved"]
    if own is None or argv[-1].removesuffix(".service") != UNIT or len(argv) != 3:
        return said(5, f"Unit {argv[-1]} not found.")
    match argv[1]:
        case "restart" | "reload-or-restart":
            done = _start(box, own)
        case "start":
            done = said(0) if own["active"] == "active" else _start(box, own)
        case "stop":
            own["active"], done = "inactive", said(0)
        case "reset-failed":
            own["starts"] = []
            own["active"] = "inactive" if own["active"] == "failed" else own["active"]
            done = said(0)
        case verb:
            done = said(1, f"Unknown command verb {verb}.")
    box.save()
    return done


def boot(box: Box) -> None:
    """Starts as a machine's start does: an enabled resolver reads its files."""
    own = box.state["resolved"]
    if own is not None:
        own["starts"] = []
        own["active"] = "inactive"
        if own["enabled"] == "enabled":
            _start(box, own)


def _start(box: Box, own: dict[str, Any]) -> Completed:
    now = box.state["uptime"]
    recent = [moment for moment in own["starts"] if now - moment < _WITHIN]
    if len(recent) >= _LIMIT:
        own["active"] = "failed"
        return said(1, f"Job for {UNIT}.service failed: start request repeated too quickly.")
    files = list(_files(box))
    mains = [file for file in files if "/resolved.conf.d/" not in file.path]
    main = [file for file in mains if file.path == MAIN or own["version"] >= ALL_TREES][:1]
    found = settings([*main, *Seen(files=tuple(files)).dropins], _interfaces(own))
    own |= {
        "active": "active",
        "starts": [*recent, now],
        "servers": list(found.values(SERVERS) or ()),
        "fallback": list(found.values(FALLBACK) or ()),
        "domains": list(found.values(DOMAINS) or ()),
    }
    return said(0)


def _interfaces(own: dict[str, Any]) -> dict[int, str]:
    return {1: "lo", **{link["index"]: link["name"] for link in own["links"]}}


def _files(box: Box) -> Iterator[ConfFile]:
    """Main files and drop-ins, strongest tree first."""
    for tree in TREES:
        folder = box.real(f"{tree}/systemd")
        paths = [folder / "resolved.conf", *sorted((folder / "resolved.conf.d").glob("*.conf"))]
        for path in paths:
            if path.is_file():
                yield ConfFile("/" + path.relative_to(box.root).as_posix(), path.read_bytes())


def _links(own: dict[str, Any]) -> Iterator[Link]:
    for link in own["links"]:
        yield Link(
            link["index"],
            link["name"],
            tuple(link["servers"]),
            tuple(link["domains"]),
            link["default_route"],
        )


def names(box: Box, args: tuple[str, ...]) -> bytes:
    """The output of the probe `names`: everything resolves while a server that is asked answers."""
    count = int(args[0])
    own, silent = box.state["resolved"], set(box.state["silent"])
    asked = list(own["servers"]) if own and own["active"] == "active" else []
    asked += (
        [server for link in (own or {}).get("links", ()) for server in link["servers"]]
        if own
        else []
    )
    answers = any(bare(server) not in silent for server in asked) or own is None
    lookups = [
        Lookup(
            "app",
            tool,
            name,
            0 if answers else 2,
            _ADDRESS if answers else "",
            "" if answers else "EAI_AGAIN",
        )
        for name in args[1 : 1 + count]
        for tool in ("getent", "node")
    ]
    for server in map(endpoint, args[1 + count :]):
        dead = server.partition("|")[0] in silent
        lookups.append(
            Lookup(
                "server",
                "dig",
                server,
                9 if dead else 0,
                "" if dead else _ADDRESS,
                "TIMEOUT" if dead else "",
            )
        )
    asked = [item.subject for item in lookups if item.path == "server"]
    if asked and all(item.said == "TIMEOUT" for item in lookups if item.path == "server"):
        lookups += [Lookup("wan", "node", server, 0) for server in asked]
    return render_names(lookups)
