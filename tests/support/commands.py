"""A small document on this very machine, and command lines run over it, for the
tests of the verbs."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from kjpstate import hosts, reconcile
from kjpstate.cli import run
from kjpstate.host import Host, HostSpec, Local
from kjpstate.hosts import local
from kjpstate.hosts.places import Places
from kjpstate.hosts.ssh import ShellHost

BUILD = (
    "import pathlib; out = pathlib.Path('dist'); out.mkdir(exist_ok=True); "
    "(out / 'a.js').write_text(pathlib.Path('src/a.ts').read_text())"
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """Yes."""
        return True


@dataclass(frozen=True)
class Shown:
    """What one command line gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        """stdout as one JSON value."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Desk:
    """A folder with `kjpstate.yaml`, `src/a.ts` and nothing built yet; the process stands in it."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def kjpstate(self, *argv: str) -> Shown:
        """Run one command line in this process."""
        self.capture.readouterr()
        code = run(list(argv))
        out, err = self.capture.readouterr()
        assert "Traceback" not in out + err
        return Shown(code, out, err)

    def write(self, text: str) -> None:
        """Another document in the same place."""
        (self.folder / "kjpstate.yaml").write_text(text, "utf-8")

    def document(self, *more: str) -> str:
        """The small document's text with more lines at its end."""
        argv = json.dumps([sys.executable, "-c", BUILD])
        lines = [
            "kjpstate: 1",
            "name: little",
            "hosts: {pc: {local: .}}",
            "guardrails: {may_change: {pc: [dist/]}}",
            f"build: {{host: pc, directory: ., inputs: [src/], outputs: [dist/], run: {argv}}}",
            *more,
        ]
        return "\n".join(lines) + "\n"


def desk(
    folder: Path, capture: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    """Lay the folder out and stand in it."""
    (folder / "src").mkdir()
    (folder / "src" / "a.ts").write_text("hello\n", "utf-8")
    monkeypatch.chdir(folder)
    # As root, stamps and the lock of this machine would be the machine's own.
    monkeypatch.setattr(local, "state_folder", lambda: folder / ".state")
    monkeypatch.setattr(local, "lock_places", lambda: Places(folder / ".state"))
    monkeypatch.setattr(reconcile, "connect", _connect_below(folder))
    made = Desk(folder, capture)
    made.write(
        made.document(
            "checks:",
            "  - {name: AC1, file: {host: pc, path: dist/a.js, contains: [hello]}}",
            '  - {name: it answers, manual: "Send the bot a message; it replies."}',
        )
    )
    return made


def _connect_below(folder: Path) -> Callable[..., Host]:
    """Instead of `connect`: the state and locks of hosts reached by ssh lie below `folder`."""

    def connected(spec: HostSpec, *, may_change: tuple[str, ...], state_folder: Path) -> Host:
        if isinstance(spec, Local):
            return hosts.connect(spec, may_change=may_change, state_folder=state_folder)
        state, locks = ((folder / name).as_posix() for name in ("host-state", "host-locks"))
        return ShellHost(
            spec, may_change=may_change, state_folder=state_folder, state=state, locks=locks
        )

    return connected
