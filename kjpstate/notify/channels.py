"""Sends one JSON value: to a command's standard input, or to a webhook. Called by `telling`.

Nothing here raises: a channel that fails is a sentence, never a failed check. No redirect is
followed, and a secret stands in a URL, a header or the environment, never in a command line.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Mapping
from threading import Thread
from typing import IO, TYPE_CHECKING, Any

from kjpstate.model import Channel
from kjpstate.process import NotStarted, started
from kjpstate.said import Text, say
from kjpstate.secret import opened, shortened

if TYPE_CHECKING:
    from urllib.request import Request

_PATIENCE = 20.0
"""Seconds a channel may take."""
_TAIL = 4096
"""Bytes that are kept of what a command says."""
_GRACE = 1.0
"""Seconds until that is read."""


def send(channel: Channel, value: Mapping[str, Any]) -> Text:
    """Why it was not taken; "" when it was."""
    body = json.dumps(value, ensure_ascii=True).encode()
    if channel.command:
        return _run(channel, body)
    from urllib.request import Request

    headers = {
        "Content-Type": "application/json",
        "User-Agent": "kjpstate",
        **opened(channel.headers),
    }
    return _ask(lambda: Request(opened(channel.webhook), data=body, headers=headers, method="POST"))


def beat(url: Any) -> Text:
    """Tell a dead man's switch that `drift` has run; why it was not told, or ""."""
    from urllib.request import Request

    return _ask(lambda: Request(opened(url), headers={"User-Agent": "kjpstate"}))


def _run(channel: Channel, body: bytes) -> Text:
    stderr = _Tail()
    try:
        with stderr:
            code = _ended(channel, body, stderr.end)
    except subprocess.TimeoutExpired:
        return say("notify.no-end", program=channel.command[0], seconds=_PATIENCE)
    except NotStarted as unstarted:
        return str(unstarted)
    except OSError as error:
        why = str(error.strerror or error)
        return say("notify.not-run", program=channel.command[0], why=why)
    if not code:
        return ""
    said = shortened(stderr.text().strip().rpartition("\n")[2], 200)
    if not said:
        return say("notify.ended", status=code)
    return say("notify.ended-saying", status=code, said=said)


class _Tail:
    """The last bytes of what is written to `end`: who prints without end fills neither disk nor
    memory."""

    def __init__(self) -> None:
        self.kept = b""
        read, self.end = os.pipe()
        self.reader = Thread(target=self._read, args=(read,), daemon=True)
        self.reader.start()

    def _read(self, end: int) -> None:
        with open(end, "rb", buffering=0) as stream:
            while more := stream.read(65536):
                self.kept = (self.kept + more)[-_TAIL:]

    def __enter__(self) -> _Tail:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.end)

    def text(self) -> str:
        """What was written; whatever the command left running in the background
        is not waited for."""
        self.reader.join(_GRACE)
        return self.kept.decode(errors="replace")


def _ended(channel: Channel, body: bytes, stderr: int) -> int:
    """The command's exit code. Raises NotStarted; TimeoutExpired when its time is over and it was
    ended."""
    env = {**os.environ, **opened(channel.environ)}
    with started(
        channel.command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=stderr, env=env
    ) as process:
        assert process.stdin is not None
        Thread(target=_feed, args=(process.stdin, body), daemon=True).start()
        return process.wait(_PATIENCE)


def _feed(stdin: IO[bytes], body: bytes) -> None:
    """Write all of it; whoever does not read it is not waited for."""
    with contextlib.suppress(OSError), stdin:
        stdin.write(body)


def _ask(request: Any) -> Text:
    import http.client
    import urllib.error

    try:
        with _opener().open(request(), timeout=_PATIENCE) as answer:
            return "" if 200 <= answer.status < 300 else say("notify.http", status=answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return say("notify.http", status=error.code)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return _why(error)


def _why(error: Exception) -> Text:
    """Why nothing was asked or answered; the error's own words may hold the secret, but for the
    system's."""
    reason = getattr(error, "reason", None)
    reason = reason if isinstance(reason, BaseException) else error
    if isinstance(reason, TimeoutError):
        return say("notify.no-answer", seconds=_PATIENCE)
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    name = type(reason).__name__
    return say("notify.not-askable", error=name) if isinstance(reason, ValueError) else name


def _opener() -> Any:
    """Of http and https alone, without redirects: a moved webhook is said, not followed with its
    secrets."""
    from urllib.request import HTTPRedirectHandler, build_opener

    class Still(HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> Request | None:
            return None

    return build_opener(Still)
