"""A DNS server for some addresses of a namespace; network.py runs `python name_server.py FOLDER
ADDRESS...`.

How each address behaves stands in FOLDER/ADDRESS.mode and is read for every query: ok, SERVFAIL,
REFUSED, NXDOMAIN or silent. Each query is one line in FOLDER/ADDRESS.log. Ends when its standard
input does.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import socket
import struct
import sys
import threading
from pathlib import Path

A, AAAA, PTR = 1, 28, 12
CODES = {"SERVFAIL": 2, "NXDOMAIN": 3, "REFUSED": 5}


def answer(query: bytes, mode: str, names: dict[str, str]) -> tuple[str, bytes]:
    """The name that was asked for, and the reply; no reply at all is b""."""
    name, kind, end = question(query)
    if mode == "silent":
        return name, b""
    known = next(
        (address for suffix, address in names.items() if f".{name}".endswith(f".{suffix}")), None
    )
    code = CODES.get(mode, 0 if known else CODES["NXDOMAIN"])
    record = b""
    if not code and known and kind == A:
        record = b"\xc0\x0c" + struct.pack(">HHIH", A, 1, 5, 4) + ipaddress.ip_address(known).packed
    head = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, 1 if record else 0, 0, 0)
    return name, head + query[12:end] + record


def question(query: bytes) -> tuple[str, int, int]:
    """Name in small letters, type, and where the question ends."""
    labels, place = [], 12
    while query[place]:
        labels.append(query[place + 1 : place + 1 + query[place]].decode("latin-1").lower())
        place += 1 + query[place]
    return ".".join(labels), struct.unpack_from(">H", query, place + 1)[0], place + 5


class Server:
    """One address, UDP and TCP."""

    def __init__(self, folder: Path, address: str, names: dict[str, str]) -> None:
        self.mode, self.log, self.address = (
            folder / f"{address}.mode",
            folder / f"{address}.log",
            address,
        )
        self.names = names

    def reply(self, query: bytes) -> bytes:
        name, reply = answer(query, self.mode.read_text().strip(), self.names)
        with self.log.open("a") as log:
            log.write(name + "\n")
        return reply

    def udp(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind((self.address, 53))
            while True:
                query, client = server.recvfrom(4096)
                with contextlib.suppress(IndexError, struct.error):
                    if reply := self.reply(query):
                        server.sendto(reply, client)

    def tcp(self) -> None:
        with socket.create_server((self.address, 53)) as server:
            while True:
                client, _ = server.accept()
                threading.Thread(target=self.one_client, args=(client,), daemon=True).start()

    def one_client(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, IndexError, struct.error):
            client.settimeout(10)
            while size := client.recv(2, socket.MSG_WAITALL):
                reply = self.reply(client.recv(struct.unpack(">H", size)[0], socket.MSG_WAITALL))
                if not reply:
                    return
                client.sendall(struct.pack(">H", len(reply)) + reply)


def main(folder: Path, addresses: list[str]) -> None:
    names = json.loads((folder / "names.json").read_text())
    for address in addresses:
        server = Server(folder, address, names)
        for serve in (server.udp, server.tcp):
            threading.Thread(target=serve, daemon=True).start()
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
