"""Whose errors a failed check told, as tables; and the check that apply runs again on the restored
file."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import MappingProxyType, SimpleNamespace

import pytest

from kjpstate import apply, errors
from kjpstate.kinds.patch.compiler_errors import compiler_errors, verdict
from kjpstate.model import Outcome, Run, RunInfo, WriteFile
from kjpstate.plan import Scene, build
from tests.support.fake import FakeHost, kinds, resource
from tests.support.patch_cases import run, spec_of

CHECK = Run("pc", ("tsc",), "checks", cwd="/bot")
BEFORE = b"import a from 'a';\n\nstart();\n"
SPEC = spec_of(
    [
        {"id": "one", "insert_after": "imports", "content": "let n: number = 'x';"},
        {"id": "two", "insert_after": "start();", "content": "more(\n  1,\n);"},
    ]
)
AFTER = run(SPEC, BEFORE)
assert isinstance(AFTER, bytes)
WRITE = WriteFile("pc", "/bot/src/wa.ts", BEFORE, AFTER)
ONE = "src/wa.ts(3,5): error TS2322: Type 'string' is not assignable to type 'number'."
TWO = "src/wa.ts(9,3): error TS2554: Expected 0 arguments, but got 1."
FREE = "src/wa.ts(6,1): error TS2304: Cannot find name 'start'."
OTHER = "src/b.ts(1,1): error TS2304: Cannot find name 'x'."


def judged(told: list[str], before: list[str] | None) -> list[str]:
    """The lines of the verdict; `before` None: the check passes on the restored source."""
    failed = Outcome(CHECK, "failed", exit_code=2, output="\n".join(told).encode())
    again = Outcome(CHECK, "done", exit_code=0)
    if before is not None:
        again = Outcome(CHECK, "failed", exit_code=2, output="\n".join(before).encode())
    return verdict(failed, again, [WRITE]).split("\n")


def test_each_error_stands_beside_its_block() -> None:
    first, *rest = judged([TWO, ONE, FREE, OTHER, "Found 4 errors."], None)
    assert first == "On the restored source the check passes: the errors come with the patch."
    assert rest == [
        "  in block reconnect-backoff/two, lines 7-11:",
        f"    {TWO}",
        "  in block reconnect-backoff/one, lines 2-4:",
        f"    {ONE}",
        "  outside of the blocks:",
        f"    {FREE}",
        f"    {OTHER}",
    ]


def test_errors_that_were_there_before_are_not_the_patchs() -> None:
    moved = FREE.replace("(6,1)", "(3,1)")
    assert judged([FREE, OTHER], [moved, OTHER]) == [
        "On the restored source the check fails with the same errors: they are not the patch's."
    ]
    first, *rest = judged([FREE, ONE], [moved])
    assert (
        first == "On the restored source the check fails too; of its errors 1 come with the patch."
    )
    assert rest == [
        "  in block reconnect-backoff/one, lines 2-4:",
        f"    {ONE}",
        "  there before the patch:",
        f"    {moved}",
    ]


def test_of_very_many_errors_in_a_block_some_are_shown() -> None:
    many = [ONE.replace("TS2322", f"TS{number}") for number in range(100)]
    lines = judged(many, None)
    assert lines[1] == "  in block reconnect-backoff/one, lines 2-4:"
    assert len(lines) == 15 and lines[-1] == "    and 88 more"


def test_what_is_not_known_is_said() -> None:
    failed = Outcome(CHECK, "failed", exit_code=2, output=ONE.encode())
    assert "is not known" in verdict(failed, Outcome(CHECK, "unknown"), [WRITE])
    assert "not of a form known here" in judged(["boom"], ["boom"])[0]


@pytest.mark.parametrize(
    ("row", "folder", "path", "line"),
    [
        (ONE, "/bot/", "/bot/src/wa.ts", 3),
        ("../a b/c.ts(7,1): error TS1: no", "/bot", "/a b/c.ts", 7),
        (
            "\x1b[96msrc/wa.ts\x1b[0m:\x1b[93m12\x1b[0m:5 - \x1b[91merror\x1b[0m TS1: no",
            "/bot",
            "/bot/src/wa.ts",
            12,
        ),
        ("D:/BOT/src/wa.ts(2,1): error TS1: no", "D:/BOT/", "D:/BOT/src/wa.ts", 2),
        ("src\\wa.ts(2,1): error TS1: no", "D:/BOT/", "D:/BOT/src/wa.ts", 2),
    ],
)
def test_lines_of_a_compiler(row: str, folder: str, path: str, line: int) -> None:
    (found,) = compiler_errors(f"> tsc\n{row}\r\n  5 let x\n".encode(), folder)
    assert (found.path, found.line) == (path, line)


def test_apply_runs_the_failed_check_again_on_the_restored_file() -> None:
    made = kinds("patch", "build")

    def actions(view, drift):
        yield Run("box", ("check",), "checks")
        yield from made["build"].actions(view, drift)

    def after_failure(view, failed):
        return failed

    checked = SimpleNamespace(
        **{**vars(made["build"]), "actions": actions, "after_failure": after_failure}
    )
    host = Checking({"/p": b"old", "/d": b"old"})
    resources = (
        resource("patch.a", to="/p", text="new"),
        resource("build", to="/d", text="built", run=True, **{"from": "/p"}),
    )
    bare = Scene(
        "doc", resources, {}, b"key", MappingProxyType({**made, "build": checked}), {"box": ("/",)}
    )
    readings = apply.readings_by_host(bare)["box"]
    scene = replace(bare, answers=asyncio.run(host.look(readings)))
    info = RunInfo("abc123", "20261123T194500Z", "doc", "me@laptop")
    report = asyncio.run(apply.run(build(scene), scene, {"box": host}, info, lambda event: None))
    assert report.exit_code == errors.RESTORED
    assert host.files["/p"] == b"old"
    assert host.seen == [b"new", b"old"]
    assert "check passes: the errors come with the patch" in str(report.steps[-1].reason)


class Checking(FakeHost):
    """Its `check` fails while /p is new; `seen`: what stood there each time."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__("box", files, {("make", "/d"): lambda files: None})
        self.seen: list[bytes] = []

    def _do(self, action):
        if not isinstance(action, Run) or action.argv != ("check",):
            return super()._do(action)
        self.seen.append(self.files["/p"])
        if self.files["/p"] == b"new":
            return Outcome(action, "failed", exit_code=2, output=b"x.ts(1,1): error TS1: no")
        return Outcome(action, "done", exit_code=0)
