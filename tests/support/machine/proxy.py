"""A TCP proxy from 127.0.0.1 here into a namespace; network.py runs `python proxy.py NAMESPACE HOST
PORT`.

Prints the port it listens on. Ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CLONE_NEWNET = 0x40000000


def enter(namespace: str) -> None:
    """Bring the calling thread, and no other, into the namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(namespace).open() as file:
        if libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), namespace)


async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await source.read(65536):
            target.write(chunk)
            await target.drain()
    with contextlib.suppress(OSError, RuntimeError):
        target.write_eof()


async def serve(namespace: str, address: tuple[str, int]) -> None:
    loop = asyncio.get_running_loop()
    inside = ThreadPoolExecutor(1, initializer=enter, initargs=(namespace,))

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A socket belongs to the namespace of the thread that made it, for ever.
        far = await loop.run_in_executor(inside, socket.socket)
        far.setblocking(False)
        try:
            await loop.sock_connect(far, address)
            far_reader, far_writer = await asyncio.open_connection(sock=far)
        except OSError:
            far.close()
            writer.transport.abort()
            return
        for side in (far_writer, writer):
            side.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))
        for side in (far_writer, writer):
            side.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], (sys.argv[2], int(sys.argv[3]))))
