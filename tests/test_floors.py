"""Holds the code to the tables of docs/architecture.md: who imports whom, who touches the world."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "kjpstate"

TABLE = re.compile(r"^\| (\d) \| (.*?) \|", re.M)
DOOR = re.compile(r"^\| (\w+) \| (`[\w/`, ]+`) \| (yes)? ?\|$", re.M)
PAGE = (ROOT / "docs/architecture.md").read_text("utf-8")

FLOORS = {
    "__main__": 7,
    "__init__": -1,
    **{
        room: int(floor)
        for floor, cell in TABLE.findall(PAGE)
        for room in re.findall(r"`(\w+)/?`", cell)
    },
}
# On the ground floor some stand on others; and a room may always import itself.
ALSO = {("formats", "model"), ("formats", "secret"), ("host", "model"), ("model", "secret")}
ALSO |= {("section", "model"), ("section", "host")}
ALSO |= {(room, "said") for room in ("errors", "formats", "host", "model", "section", "secret")}
# Below them nobody knows a language.
SPEAKERS = {"render", "cli", "words"}

DOORS = {
    library: [
        f"kjpstate.{room.strip('/').replace('/', '.')}" for room in re.findall(r"`(.*?)`", cell)
    ]
    for library, cell, _ in DOOR.findall(PAGE)
}
LATE = {library for library, _, heavy in DOOR.findall(PAGE) if heavy}
# A controller may run Windows.
POSIX_ONLY = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios"}

PURE_ROOMS = {
    "said",
    "kinds",
    "formats",
    "model",
    "plan",
    "diff",
    "secret",
    "rules",
    "errors",
    "host",
    "section",
}
PURE_FORBIDDEN = {
    "asyncio", "getpass", "glob", "http", "importlib", "io", "logging", "multiprocessing", "os", "platform",
    "random", "select", "shutil", "signal", "socket", "ssl", "subprocess", "tempfile", "threading", "time",
    "urllib", "uuid",
}  # fmt: skip
PURE_PATHS = {"PurePath", "PurePosixPath", "PureWindowsPath"}
IMPURE_BUILTINS = {"open", "print", "input", "exec", "eval", "__import__"}
CLOCKS = {"now", "utcnow", "today"}


@dataclass(frozen=True)
class Import:
    """One imported module. `at_start`: at module level and not only for the type checker."""

    line: int
    target: str
    at_start: bool


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@cache
def imports(path: Path) -> tuple[Import, ...]:
    """All imports of a module, those of its functions too; `from kjpstate import x` counts as
    kjpstate.x."""
    return tuple(imported(path))


def imported(path: Path) -> Iterator[Import]:
    for node, at_start in walk(tree(path), True):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, alias.name, at_start)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(path, node)
            for alias in node.names:
                yield Import(node.lineno, deepest(base, alias.name), at_start)


def walk(node: ast.AST, at_start: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        later = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        yield child, at_start
        yield from walk(child, at_start and not later and not typing_only)


def absolute(path: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = path.relative_to(ROOT).parent.parts
    base = package[: len(package) - node.level + 1]
    return ".".join((*base, node.module) if node.module else base)


def deepest(base: str, name: str) -> str:
    """`base.name` when that is a module of ours, else `base`."""
    target = ROOT.joinpath(*base.split("."), name)
    ours = base.partition(".")[0] == PACKAGE.name and (
        target.with_suffix(".py").exists() or target.is_dir()
    )
    return f"{base}.{name}" if ours else base


def each(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=[dotted(path) for path in paths])


def told(path: Path, line: int, what: str) -> str:
    return f"{path.relative_to(ROOT)}:{line}: {what}"


def may_import(importer: str, target: str) -> bool:
    above, below = room(importer), room(target)
    if below == "__init__" or (above, below) in ALSO:
        return True
    if above != below:
        return FLOORS[above] > FLOORS[below]
    parts, others = importer.split("."), target.split(".")
    # Kinds do not know each other, nor the list of them; a kind that is a package knows itself.
    return above != "kinds" or len(parts) < 3 or parts[2:3] == others[2:3]


def test_every_room_has_its_floor():
    rooms = {path.relative_to(PACKAGE).with_suffix("").parts[0] for path in modules()}
    assert rooms == set(FLOORS), (
        f"docs/architecture.md and the rooms differ by {rooms ^ set(FLOORS)}"
    )


def test_every_library_has_its_door():
    """What stands on nothing of ours and is not Python's own, and sqlite3,
    which is not everywhere."""
    used = {found.target.split(".")[0] for path in modules() for found in imports(path)}
    assert used - sys.stdlib_module_names - {PACKAGE.name} == set(DOORS) - sys.stdlib_module_names


def test_only_the_edge_puts_codes_into_words():
    wrong = [
        told(path, found.line, f"{dotted(path)} knows words")
        for path in modules()
        for found in imports(path)
        if found.target.startswith("kjpstate.words") and room(dotted(path)) not in SPEAKERS
    ]
    assert not wrong, "\n".join(wrong)


@each(modules())
def test_imports_go_down_only(path: Path):
    wrong = [
        told(path, found.line, f"{dotted(path)} may not import {found.target}")
        for found in imports(path)
        if found.target.split(".")[0] == PACKAGE.name and not may_import(dotted(path), found.target)
    ]
    assert not wrong, "\n".join(wrong)


@each(modules())
def test_each_library_has_one_door(path: Path):
    wrong = []
    for found in imports(path):
        library = found.target.split(".")[0]
        doors = DOORS.get(library, [dotted(path)])
        if not any((dotted(path) + ".").startswith(f"{door}.") for door in doors):
            wrong.append(
                told(path, found.line, f"{library} is imported in {' and '.join(doors)} only")
            )
        if library in LATE and found.at_start:
            wrong.append(
                told(path, found.line, f"{library} is heavy: import it where it is first needed")
            )
        if library in POSIX_ONLY and found.at_start:
            wrong.append(
                told(
                    path,
                    found.line,
                    f"{library} is missing on Windows: import it where it is needed",
                )
            )
    assert not wrong, "\n".join(wrong)


@each([path for path in modules() if room(dotted(path)) in PURE_ROOMS])
def test_these_rooms_touch_nothing(path: Path):
    wrong = [told(path, line, what) for line, what in impurities(path)]
    assert not wrong, "\n".join(wrong)


def impurities(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module == "pathlib":
            for alias in node.names:
                if alias.name not in PURE_PATHS:
                    yield node.lineno, f"pathlib.{alias.name} does I/O; pure paths do not"
        elif isinstance(node, ast.Call):
            yield from called(node)
    for found in imports(path):
        library = found.target.split(".")[0]
        if library in PURE_FORBIDDEN:
            yield found.line, f"imports {library}: this room knows no clock, no file and no chance"


def called(node: ast.Call) -> Iterator[tuple[int, str]]:
    if isinstance(node.func, ast.Name) and node.func.id in IMPURE_BUILTINS:
        yield node.lineno, f"calls {node.func.id}()"
    if isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
        yield node.lineno, f"reads a clock: {ast.unparse(node.func)}()"


BROKEN = {
    "kinds/one.py": "from kjpstate.kinds import two\n",
    "kinds/two.py": "import time\n\ndef f():\n    return open('x')\n",
    "plan.py": "def f():\n    from kjpstate import document\n",
    "apply.py": "import asyncssh\nfrom datetime import datetime\n",
}


def test_the_checks_see_what_they_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    for name, text in (BROKEN | {"kinds/__init__.py": "", "document/__init__.py": ""}).items():
        path = tmp_path / "kjpstate" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    package = tmp_path / "kjpstate"
    for name, line in {"kinds/one.py": 1, "plan.py": 2}.items():
        with pytest.raises(AssertionError, match=rf"{name}:{line}: .* may not import"):
            test_imports_go_down_only(package / name)
    with pytest.raises(
        AssertionError, match=r"asyncssh is imported in kjpstate.hosts only\n.*heavy"
    ):
        test_each_library_has_one_door(package / "apply.py")
    with pytest.raises(AssertionError, match=r"calls open\(\)(.|\n)*imports time"):
        test_these_rooms_touch_nothing(package / "kinds/two.py")
