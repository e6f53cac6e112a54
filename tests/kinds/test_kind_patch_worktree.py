"""Whether a patched file lies in a git work tree, and the line of the report that says how to keep
it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from kjpstate.kinds import patch
from kjpstate.model import (
    Change,
    File,
    Plan,
    ReadStat,
    Report,
    Resource,
    RunInfo,
    Stat,
    Step,
    Where,
)
from kjpstate.plan import Scene, build
from kjpstate.render.lines import Line
from kjpstate.render.reports import report_lines
from tests.support.patch_cases import answers_of, spec_of

EDIT = {"id": "one", "insert_after": "start();", "content": "more();"}
GIT = Stat("/bot/.git", "directory", 0o755, 0)


@pytest.mark.parametrize(
    ("path", "display", "looked"),
    [
        ("/bot/src/wa.ts", "src/wa.ts", ["/bot/src/.git", "/bot/.git"]),
        ("/bot/wa.ts", "wa.ts", ["/bot/.git"]),
        ("/root/bot/wa.ts", "/root/bot/wa.ts", ["/root/bot/.git", "/root/.git"]),
        (
            "D:/BOT/BOT KJP/src/wa.ts",
            "src/wa.ts",
            ["D:/BOT/BOT KJP/src/.git", "D:/BOT/BOT KJP/.git"],
        ),
        ("D:/BOT/wa.ts", "D:/BOT/wa.ts", ["D:/BOT/.git"]),
        (
            "/a/b/c/d/e/f/g/h.ts",
            "/a/b/c/d/e/f/g/h.ts",
            [f"/{'/'.join('abcdefg'[:n])}/.git" for n in range(7, 1, -1)],
        ),
    ],
)
def test_looks_in_the_folders_above_up_to_the_hosts_own(
    path: str, display: str, looked: list[str]
) -> None:
    spec = spec_of([EDIT], path, display=display)
    assert [item.path for item in patch.reads(spec) if isinstance(item, ReadStat)] == looked


def screen(paths: list[str], git: Mapping[str, Any], result: Any = "applied") -> list[str]:
    """The report's lines about git, after sets in `paths` were applied on pc."""
    resources: list[Resource] = []
    answers: dict[Any, Any] = {}
    for number, path in enumerate(paths):
        spec = spec_of([EDIT], path, set=f"set{number}")
        resources.append(
            Resource(f"patch.set{number}", "patch", "pc", spec, Where("bot.yaml", 1, 1))
        )
        answers |= answers_of(spec, b"start();\n")
        answers |= {
            item: git.get(item.path) for item in patch.reads(spec) if isinstance(item, ReadStat)
        }
    plan: Plan = build(Scene("bot-kjp", tuple(resources), answers, b"key", {"patch": patch}))
    changes: tuple[Change, ...] = plan.changes
    steps = tuple(Step(change.resource.address, result) for change in changes)
    report = Report(RunInfo("a1b2c3", "20260101T000000Z", "bot-kjp", "me"), plan, steps)
    lines: list[Line] = list(report_lines(report, None, 1.0))
    return [str(line.text) for line in lines if "git" in str(line.text)]


def test_one_line_for_a_work_tree_says_how_to_keep_it() -> None:
    (line,) = screen(["/bot/src/wa.ts", "/bot/src/my file.ts"], {"/bot/.git": GIT})
    assert line.endswith(
        'git -C /bot commit -m "kjpstate: set0, set1" -- src/wa.ts "src/my file.ts"'
    )


def test_a_linked_work_tree_has_a_file_there_and_the_nearest_counts() -> None:
    file = Stat("/bot/src/.git", "file", 0o644, 30)
    (line,) = screen(["/bot/src/wa.ts"], {"/bot/src/.git": file, "/bot/.git": GIT})
    assert "git -C /bot/src commit" in line and line.endswith("-- wa.ts")


def test_nothing_is_said_without_git_or_when_it_was_put_back() -> None:
    assert screen(["/bot/src/wa.ts"], {}) == []
    assert screen(["/bot/src/wa.ts"], {"/bot/.git": GIT}, "restored") == []


def test_git_is_no_part_of_what_is_compared() -> None:
    spec = spec_of([EDIT])
    content = b"start();\n"
    file = File(spec.path, content, 0o644)
    answers = {item: GIT if isinstance(item, ReadStat) else file for item in patch.reads(spec)}
    one, other = patch.see(spec, answers, {}), patch.see(spec, answers_of(spec, content), {})
    assert (one.worktree, other.worktree) == ("/bot/src", "")
    assert patch.actual(one) == patch.actual(other)
