"""Nothing public stands in kjpstate that kjpstate itself never uses."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "kjpstate").rglob("*.py"))
# Called by click.
HOOKS = {"list_commands", "get_command", "format_commands"}
# Fields are filled by their names from what a probe said; a box in a folder is there for tests.
FILLED = {"kjpstate/formats/pm2/probe.py", "kjpstate/hosts/simulated/__init__.py"}


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def public(path: Path) -> Iterator[tuple[int, str]]:
    """Every name that a module gives to others: its own, and those of its classes."""
    for node in tree(path).body:
        yield from names(node)
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                yield from names(inner)


def names(node: ast.stmt) -> Iterator[tuple[int, str]]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.lineno, node.name
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.lineno, node.target.id
    elif isinstance(node, ast.Assign):
        yield from (
            (node.lineno, target.id) for target in node.targets if isinstance(target, ast.Name)
        )


@cache
def used() -> frozenset[str]:
    """Every name that is read somewhere; to hand a name on is no use of it."""
    return frozenset(name for path in MODULES for name in uses(tree(path), path.name))


def uses(found: ast.Module, file: str) -> Iterator[str]:
    for node in ast.walk(found):
        match node:
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                yield name
            case ast.Call(func=ast.Name(id="parts" | "getattr"), args=arguments):
                # The optional part of a kind is asked for by its name.
                yield from (item.value for item in arguments if isinstance(item, ast.Constant))
            case ast.MatchClass(kwd_attrs=attributes):
                yield from attributes
            case ast.ImportFrom(names=aliases) if file != "__init__.py":
                yield from (alias.name for alias in aliases)


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_every_public_name_is_used(path: Path):
    dead = [
        f"{named(path)}:{line}: nothing uses {name}"
        for line, name in public(path)
        if not name.startswith("_") and name not in used() | HOOKS
    ]
    assert not dead or named(path) in FILLED, "\n".join(dead)


def test_this_test_sees_a_dead_name():
    found = ast.parse("def alive(): ...\nclass A:\n    gone: int\nalive()\nx = A()\nprint(x)")
    assert "gone" not in set(uses(found, "a.py"))
    assert {"alive", "A", "x"} <= set(uses(found, "a.py"))
    handed_on = ast.parse("from a import gone")
    assert not set(uses(handed_on, "__init__.py"))
    assert set(uses(handed_on, "a.py")) == {"gone"}
