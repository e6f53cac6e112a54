"""A small document over a real sshd, its command line in this process: for applies that are cut or
killed.

The host behind the server is a folder of this machine: its state and lock folders are in it too, as
are the laptop's. A patch, a build, an ecosystem file and a deployed folder; no PM2 runs.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from kjpstate import reconcile
from kjpstate.cli import run
from kjpstate.host import Host
from kjpstate.hosts.local import LocalHost
from kjpstate.hosts.ssh import ShellHost
from tests.support.allowed_states import (
    Managed,
    Picture,
    after_fault,
    after_rerun,
    ledger_troubles,
    part,
    picture,
    private_troubles,
)
from tests.support.sshd import Sshd

ONLY = ("patch", "build", "pm2_ecosystem", "deploy")
SOURCE = "export function connect() {\n  start();\n}\n"
BUILD = """mkdir -p dist
sed "s/export //" src/wa.ts >dist/.wa.new
mv dist/.wa.new dist/wa.js
echo built
"""
DOCUMENT = """
kjpstate: 1
name: bot
hosts:
  pc: {{local: pc}}
  box: {{ssh: {{address: 127.0.0.1, port: {port}, user: {user}, identity: {key}}}}}
patches:
  - host: box
    file: {box}/src/wa.ts
    set: retry
    edits:
      - id: helper
        insert_before: "export function connect("
        scope: module
        content: "let retries = {version};"
build:
  host: box
  directory: {box}
  inputs: [src/]
  run: [sh, build.sh]
  outputs: [dist/]
deploy:
  from: {{host: pc, directory: web/}}
  to: {{host: box, directory: {box}/web/}}
pm2:
  host: box
  ecosystem: {box}/ecosystem.config.js
  apps: [{{name: bot, script: dist/wa.js, cwd: {box}, env: {{VERSION: "{version}"}}}}]
"""


@dataclass
class SshWorld:
    """`folder` holds pc/, box/, and state and lock folders of both; `port` is where the box is
    asked for."""

    folder: Path
    server: Sshd
    port: int
    said: str = ""

    @property
    def box(self) -> Path:
        return self.folder / "box"

    def lay(self, version: int) -> None:
        """The folders as they are before the apply of the document's first or second version."""
        for name in ("pc/web/sub", "box/src", "controller"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "pc/web/index.html").write_text(f"page {version}\n" * 200)
        (self.folder / "pc/web/sub/a.js").write_text("same\n")
        (self.box / "src/wa.ts").write_text(SOURCE)
        (self.box / "src/wa.ts").chmod(0o640)
        (self.box / "build.sh").write_text(BUILD)
        (self.box / "other.txt").write_text("another's")
        self.write(version)

    def write(self, version: int) -> None:
        """The document and what stands on the laptop, of this version."""
        words = {"port": self.port, "user": self.server.spec().user, "key": self.server.client_key}
        text = DOCUMENT.format(box=self.box, version=version, **words)
        (self.folder / "kjpstate.yaml").write_text(text)
        (self.folder / "pc/web/index.html").write_text(f"page {version}\n" * 200)
        (self.folder / "controller/known_hosts").write_text(self.server.known(self.port) + "\n")

    def kjpstate(self, *argv: str) -> int:
        """One command line in this process; what it prints is kept in `said`."""
        out = io.StringIO()
        with self._as_the_controller(), mock.patch.multiple(sys, stdout=out, stderr=out):
            code = run([*argv, str(self.folder / "kjpstate.yaml"), *self.scope])
        self.said = out.getvalue()
        assert "Traceback" not in self.said, self.said
        return code

    @property
    def scope(self) -> tuple[str, ...]:
        return tuple(word for name in ONLY for word in ("--only", name))

    @contextmanager
    def _as_the_controller(self) -> Iterator[None]:
        environ = {"KJPSTATE_STATE": str(self.folder / "controller")}
        with (
            mock.patch.dict("os.environ", environ),
            mock.patch.object(reconcile, "open_hosts", self._hosts),
        ):
            yield

    def _hosts(self, document: reconcile.Document, **_: object) -> Mapping[str, Host]:
        allowed = reconcile.may_change(document)
        places = {name: str(self.folder / f"{name}-box") for name in ("state", "locks")}
        spec = document.hosts["box"]
        return {
            "pc": LocalHost(
                "pc",
                folder=f"{self.folder}/pc",
                state_dir=self.folder / "state-pc",
                lock_dir=self.folder / "locks-pc",
                may_change=allowed["pc"],
            ),
            "box": ShellHost(
                spec, may_change=allowed["box"], state_folder=self.folder / "controller", **places
            ),
        }


@dataclass(frozen=True)
class Expected:
    """What an apply makes of the box: pictures of it before and after one that
    nothing disturbed."""

    before: Picture
    after: Picture

    @property
    def managed(self) -> tuple[Managed, ...]:
        """Each path that the document names; the build's folder is whole only when its command has
        ended."""
        return tuple(
            Managed(
                path,
                part(self.before, path),
                part(self.after, path),
                between=({},) if path == "web" else (),
                loose=path == "dist",
            )
            for path in ("src/wa.ts", "ecosystem.config.js", "web", "dist")
        )


def broken(world: SshWorld, expected: Expected) -> list[str]:
    """What is wrong right after a fault."""
    return after_fault(expected.before, picture(world.box), expected.managed)


def unhealed(world: SshWorld, expected: Expected) -> list[str]:
    """What is wrong when the next run has ended well."""
    now = picture(world.box)
    new = {path: thing for path, thing in now.items() if path not in expected.before}
    return [
        *after_rerun(expected.before, now, expected.managed),
        *ledger_troubles(world.box, new, world.folder / "state-box/bot/backups"),
        *private_troubles(world.folder / "state-box"),
        *private_troubles(world.folder / "state-pc"),
        *(
            f"left in {name}: {path}"
            for name in ("locks-box", "locks-pc")
            for path in picture(world.folder / name)
        ),
    ]
