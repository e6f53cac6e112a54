"""Modelled commands: a bot's build (`npx tsc --noEmit`, `npm run build`, `npm ci`), and `date`.

A build turns every src/*.ts into dist/*.js and, like the real compiler, does so even when types are
wrong. A type error is a number or flag that is given a text: `const retries: number = "ten"`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from kjpstate.formats.tree import ours
from kjpstate.hosts.simulated.box import Box, said
from kjpstate.model import Completed

_WRONG = re.compile(r":\s*(number|boolean)\s*=\s*[\"'`]")


def npx(box: Box, argv: tuple[str, ...], cwd: Path) -> Completed:
    """`npx [--no-install] tsc [--noEmit]`."""
    words = [word for word in argv[1:] if word not in ("--no-install", "--no")]
    if words[:1] != ["tsc"]:
        return said(127, f"sh: {' '.join(words)}: not found")
    return _tsc(cwd, emit="--noEmit" not in words)


def npm(box: Box, argv: tuple[str, ...], cwd: Path) -> Completed:
    """`npm run build`, `npm ci`."""
    if not (cwd / "package.json").is_file():
        return said(254, f"npm error enoent Could not read package.json in {cwd}")
    if argv[1:3] == ("run", "build"):
        return _tsc(cwd, emit=True)
    if argv[1:2] in (("ci",), ("install",)):
        if argv[1] == "ci" and not (cwd / "package-lock.json").is_file():
            return said(
                1, "npm error The `npm ci` command can only install with a package-lock.json"
            )
        (cwd / "node_modules").mkdir(exist_ok=True)
        return said(0, "up to date")
    return said(1, f"npm error Missing script: {' '.join(argv[2:])}")


def date(box: Box, argv: tuple[str, ...], cwd: Path) -> Completed:
    """`date +FORMAT`."""
    return said(0, datetime.fromtimestamp(box.now / 1000, UTC).strftime(argv[1].removeprefix("+")))


def build(cwd: Path) -> None:
    """Writes each source as it is, under its compiled name."""
    for source in _sources(cwd):
        target = cwd / "dist" / source.relative_to(cwd / "src").with_suffix(".js")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b'"use strict";\n' + source.read_bytes())


def _tsc(cwd: Path, *, emit: bool) -> Completed:
    if not (cwd / "tsconfig.json").is_file():
        return said(1, "error TS5083: Cannot read file 'tsconfig.json'.")
    wrong = [line for source in _sources(cwd) for line in _errors(source, cwd)]
    if emit:
        build(cwd)
    return Completed(2 if wrong else 0, "".join(f"{line}\n" for line in wrong).encode(), b"")


def _sources(cwd: Path) -> list[Path]:
    found = sorted((cwd / "src").rglob("*.ts"))
    return [path for path in found if not ours(path.relative_to(cwd).as_posix())]


def _errors(source: Path, cwd: Path) -> Iterator[str]:
    name = source.relative_to(cwd).as_posix()
    for number, line in enumerate(source.read_text("utf-8").splitlines(), start=1):
        found = _WRONG.search(line)
        if found:
            reason = f"Type 'string' is not assignable to type '{found[1]}'."
            yield f"{name}({number},{found.start() + 1}): error TS2322: {reason}"
