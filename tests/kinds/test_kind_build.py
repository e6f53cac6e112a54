"""Kind build: tables of (spec, answers, upstream) -> differences, actions, headline."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kjpstate.formats.digests import digest_of
from kjpstate.formats.tree import stamp_name
from kjpstate.kinds import build
from kjpstate.model import (
    UNKNOWN,
    Answer,
    Reading,
    ReadState,
    ReadTree,
    Refuse,
    Run,
    Stamp,
    Stat,
    Unreadable,
    Written,
)
from tests.support.one_kind import (
    advised,
    assess,
    difference,
    fingerprint,
    headline,
    sha,
    stamp,
    steps,
    tree,
)

D = "/root/bot-kjp/"
SPEC = build.Spec(
    host="stb",
    document="bot-kjp",
    directory=D,
    inputs=("src/", "package.json", "tsconfig.json"),
    outputs=("dist/",),
    check=("npx", "--no-install", "tsc", "--noEmit"),
    run=("npm", "run", "build"),
)
SOURCE = {"src/wa.ts": "wa", "src/index.ts": "index", "package.json": "{}", "tsconfig.json": "{}"}
BUILT = {"dist/wa.js": "wa js", "dist/index.js": "index js"}
CLOCK = {"boot_id": "boot", "uptime": "812.20"}
TREE_STAMP = {
    "files": {path.removeprefix("dist/"): sha(text) for path, text in BUILT.items()},
    "clock": CLOCK,
}
BUILD_STAMP = {
    "commands": SPEC.commands,
    "inputs": {path: sha(text) for path, text in SOURCE.items()},
    "outputs": {path: sha(text) for path, text in BUILT.items()},
}
HERE = Stat(D, "file", 0o644, 2)


def seen(
    source: dict[str, str] = SOURCE,
    output: dict[str, str] = BUILT,
    build_stamp: dict[str, Any] | None = BUILD_STAMP,
    tree_stamp: dict[str, Any] | None = TREE_STAMP,
) -> dict[Reading, Answer]:
    """A folder that was built and is as it was left, but for what is given."""
    return {
        SPEC.source: tree(D, source),
        SPEC.product: tree(D, output),
        ReadState("stb", "bot-kjp", stamp_name("build", D)): stamp(build_stamp)
        if build_stamp
        else None,
        ReadState("stb", "bot-kjp", stamp_name("tree", f"{D}dist/")): stamp(tree_stamp)
        if tree_stamp
        else None,
        SPEC.stat("package.json"): HERE,
        SPEC.stat("node_modules"): HERE,
    }


def keys(answers: dict[Reading, Answer], upstream: Any = None) -> set[object]:
    return {item.path[0] for item in difference(build, SPEC, answers, upstream)}


def runs(answers: dict[Reading, Answer], upstream: Any = None) -> list[tuple[str, ...]]:
    return [step.argv for step in steps(build, SPEC, answers, upstream) if isinstance(step, Run)]


BOTH = [SPEC.check, SPEC.run]


def test_a_folder_as_the_last_build_left_it_is_in_sync() -> None:
    assert difference(build, SPEC, seen()) == ()


@pytest.mark.parametrize(
    "other",
    [
        {**BUILT, "dist/db.json": "the bot's own"},
        {**BUILT, "dist/db.json": "written again", "dist/cache/x": "1"},
    ],
)
def test_the_bots_own_files_among_the_outputs_are_no_drift(other: dict[str, str]) -> None:
    assert difference(build, SPEC, seen(output=other)) == ()
    assert fingerprint(build, SPEC, seen(output=other)) == fingerprint(build, SPEC, seen())


@pytest.mark.parametrize(
    ("answers", "cause"),
    [
        (seen(build_stamp=None), "never built here"),
        (seen(source={**SOURCE, "src/wa.ts": "by hand"}), "source changed"),
        (seen(source={**SOURCE, "src/new.ts": "new"}), "source changed"),
        (seen(build_stamp={**BUILD_STAMP, "commands": "other"}), "the commands changed"),
        (seen(output={**BUILT, "dist/wa.js": "by hand"}), "outputs differ (dist/wa.js)"),
        (seen(output={"dist/index.js": "index js"}), "outputs differ (dist/wa.js)"),
        (
            seen(build_stamp={**BUILD_STAMP, "outputs": {}}),
            "the last build wrote nothing into its outputs",
        ),
    ],
)
def test_what_makes_a_build_owed(answers: dict[Reading, Answer], cause: str) -> None:
    assert runs(answers) == BOTH
    line = "npx --no-install tsc --noEmit, then npm run build"
    assert headline(build, SPEC, answers) == f"{cause}: {line}"


def test_a_patch_of_the_same_plan_is_laid_over_the_inputs() -> None:
    upstream = {("stb", f"{D}src/wa.ts"): b"patched"}
    assert runs(seen(), upstream) == BOTH
    assert headline(build, SPEC, seen(), upstream).startswith("source will change: ")
    planned = {
        item.path: item.desired
        for item in difference(build, SPEC, seen(), upstream)
        if item.path == ("sources",)
    }
    files = {**BUILD_STAMP["inputs"], "src/wa.ts": sha("patched")}
    assert planned == {("sources",): digest_of(files)}


def test_a_patch_that_brings_back_what_was_built_needs_no_build_once_it_is_written() -> None:
    moved = seen(source={**SOURCE, "src/wa.ts": "by hand"})
    upstream = {("stb", f"{D}src/wa.ts"): b"wa"}
    assert keys(moved, upstream) == {"sources", "outputs", "stamped"}
    assert {item.desired for item in difference(build, SPEC, moved, upstream)[1:]} == {UNKNOWN}
    assert difference(build, SPEC, seen()) == ()


@pytest.mark.parametrize(
    ("key", "owed"),
    [
        (("stb", f"{D}src/"), True),
        (("stb", D), True),
        (("stb", f"{D}src/deep/"), True),
        (("stb", f"{D}docs/"), False),
        (("pc", f"{D}src/"), False),
        (("stb", "/root/bot-kjp-2/src/"), False),
    ],
)
def test_what_a_command_will_write_over_an_input_makes_all_unknown(
    key: tuple[str, str], owed: bool
) -> None:
    found = {item.path: item.desired for item in difference(build, SPEC, seen(), {key: UNKNOWN})}
    assert (found.get(("sources",)) is UNKNOWN) is owed
    assert bool(found) is owed


def test_a_file_that_a_patch_removes_and_one_outside_the_inputs() -> None:
    assert "sources" in keys(seen(), {("stb", f"{D}src/wa.ts"): None})
    assert keys(seen(), {("stb", f"{D}README.md"): b"new"}) == set()
    assert keys(seen(), {("stb", f"{D}src/wa.ts"): "a stamp alone"}) == set()


def test_outputs_inside_an_input_folder_are_no_inputs() -> None:
    spec = replace(SPEC, inputs=("./",))
    answers = {
        **{key: value for key, value in seen().items() if not isinstance(key, ReadTree)},
        spec.source: tree(D, {**SOURCE, **BUILT}),
        spec.product: tree(D, BUILT),
        ReadState("stb", "bot-kjp", stamp_name("build", D)): stamp(
            {**BUILD_STAMP, "inputs": {**BUILD_STAMP["inputs"], "dist/wa.js": "before"}}
        ),
    }
    assert difference(build, spec, answers) == ()


def test_a_build_drops_the_tree_stamp_checks_runs_and_stamps() -> None:
    drop, check, run, note, tree_note = steps(
        build, SPEC, seen(source={**SOURCE, "src/wa.ts": "2"})
    )
    assert isinstance(drop, Stamp) and drop.values is None
    assert isinstance(check, Run) and check.cwd == D and not check.writes
    assert check.why == "type-check must pass before the build"
    assert isinstance(run, Run) and run.writes == (f"{D}dist/",) and run.outputs == SPEC.product
    assert isinstance(note, Stamp) and note.values == {"commands": SPEC.commands}
    earlier = ("dist/index.js", "dist/wa.js")
    assert dict(note.fill) == {
        "inputs": SPEC.source,
        "outputs": Written(SPEC.product, earlier),
    }
    assert (
        isinstance(tree_note, Stamp)
        and tree_note.name == drop.name
        and tree_note.path == f"{D}dist/"
    )
    assert dict(tree_note.fill)["files"] == Written(
        ReadTree("stb", f"{D}dist/"), ("index.js", "wa.js")
    )


@pytest.mark.parametrize(
    ("answers", "keeps"),
    [
        (seen(source={**SOURCE, "src/wa.ts": "2"}), True),
        (seen(source={**SOURCE, "src/wa.ts": "2"}, output={**BUILT, "dist/db.json": "x"}), True),
        (seen(output={**BUILT, "dist/wa.js": "by hand"}), False),
        (
            seen(source={**SOURCE, "src/wa.ts": "2"}, tree_stamp={"files": TREE_STAMP["files"]}),
            False,
        ),
        (seen(source={**SOURCE, "src/wa.ts": "2"}, tree_stamp=None), False),
    ],
)
def test_the_old_ticks_are_offered_only_when_the_tree_is_what_its_stamp_says(
    answers: dict[Reading, Answer], keeps: bool
) -> None:
    last = steps(build, SPEC, answers)[-1]
    assert isinstance(last, Stamp)
    assert last.keep == (TREE_STAMP if keeps else None)


@pytest.mark.parametrize("tree_stamp", [None, {**TREE_STAMP, "files": {"wa.js": "old"}}])
def test_a_lost_tree_stamp_is_written_again_without_a_build(
    tree_stamp: dict[str, Any] | None,
) -> None:
    (note,) = steps(build, SPEC, seen(tree_stamp=tree_stamp))
    assert isinstance(note, Stamp) and note.values == {"files": TREE_STAMP["files"]}
    assert [name for name, _ in note.fill] == ["clock"] and note.path == f"{D}dist/"


def test_without_a_type_check_only_the_build_runs() -> None:
    spec = replace(SPEC, check=())
    answers = seen(build_stamp=None)
    assert [step.argv for step in steps(build, spec, answers) if isinstance(step, Run)] == [
        SPEC.run
    ]
    assert headline(build, spec, answers) == "never built here: npm run build"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({SPEC.source: None}, f"{D} is not on stb"),
        (
            {SPEC.source: Unreadable("no permission")},
            f"{D} on stb can't be read: no permission",
        ),
        (
            {SPEC.source: tree(D, {"package.json": "{}"})},
            f"{D}src/ is not on stb; {D}tsconfig.json is not on stb, "
            "at least not as a file; a folder ends in /",
        ),
    ],
)
def test_a_missing_input_is_refused(change: dict[Reading, Answer], reason: str) -> None:
    (refusal,) = steps(build, SPEC, {**seen(), **change})
    assert isinstance(refusal, Refuse) and refusal.rule == "input-missing"
    assert refusal.reason == f"the build can't start: {reason}"


def test_an_output_that_is_a_folder_must_be_written_as_one() -> None:
    spec = replace(SPEC, outputs=("dist",))
    folder = Stat(f"{D}dist", "directory", 0o755, 0)
    answers = {
        **{
            key: value
            for key, value in seen().items()
            if not isinstance(key, (ReadTree, ReadState))
        }
    }
    answers |= {spec.source: tree(D, SOURCE), spec.stat("dist"): folder}
    (refusal,) = steps(build, spec, answers)
    assert (
        isinstance(refusal, Refuse)
        and "dist on stb is a folder; write it with a final /" in refusal.reason
    )


def test_package_json_is_needed_by_npm_even_when_it_is_no_input() -> None:
    spec = replace(SPEC, inputs=("src/",))
    answers = {spec.source: tree(D, SOURCE), spec.product: tree(D, {})}
    (refusal,) = steps(build, spec, answers)
    assert isinstance(refusal, Refuse) and f"{D}package.json is not on stb" in refusal.reason


def test_an_input_that_a_patch_of_the_plan_will_write_is_not_missing() -> None:
    source = {path: text for path, text in SOURCE.items() if path != "tsconfig.json"}
    answers = seen(source=source, build_stamp=None)
    assert runs(answers, {("stb", f"{D}tsconfig.json"): b"{}"}) == BOTH


def test_missing_modules_are_told_before_the_check_fails() -> None:
    answers = {**seen(), SPEC.stat("node_modules"): None}
    (advice,) = advised(build, SPEC, answers)
    assert advice.rule == "modules-missing" and advice.severity == "breaks"
    assert advised(build, SPEC, seen()) == []


def test_writes_and_reads_name_absolute_paths() -> None:
    assert list(build.writes(SPEC)) == [("stb", f"{D}dist/")]
    assert set(seen()) == set(build.reads(SPEC))


def test_of_what_failed_only_the_type_check_is_asked_again() -> None:
    found = assess(build, SPEC, seen(source={**SOURCE, "src/wa.ts": "2"}))
    assert found.drift is not None
    _, check, run, *_ = build.actions(found.view, found.drift)
    assert build.after_failure(found.view, check) == check
    assert build.after_failure(found.view, run) is None
