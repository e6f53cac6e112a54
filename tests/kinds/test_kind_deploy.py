"""Kind deploy: tables of (spec, answers, upstream) -> differences, actions, headline."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kjpstate.formats.digests import sha256_or_none
from kjpstate.formats.tree import stamp_name
from kjpstate.kinds import deploy
from kjpstate.kinds.deploy.spec import install_digest
from kjpstate.model import (
    UNKNOWN,
    Answer,
    File,
    MakeDirectory,
    NotAsked,
    Reading,
    ReadState,
    Refuse,
    Run,
    Stamp,
    Stat,
    SyncTree,
    Tree,
    Unreadable,
    WriteFile,
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

PC, BOX = "/home/me/bot/", "/root/bot-kjp/"
SPEC = deploy.Spec(
    host="stb",
    document="bot-kjp",
    from_host="pc",
    from_directory=f"{PC}dist/",
    to_directory=f"{BOX}dist/",
    built=PC,
)
BY_HAND = replace(SPEC, built="")
WITH = replace(
    SPEC, with_files=("package.json", "package-lock.json"), install=("npm", "ci", "--omit=dev")
)
BUILT = {"wa.js": "wa", "index.js": "index"}
CLOCK = {"boot_id": "boot", "uptime": "812.20"}
BESIDE = {"package.json": b"{}", "package-lock.json": b"{lock}"}


def tree_stamp(files: dict[str, str] = BUILT) -> dict[str, Any]:
    return {"files": {path: sha(text) for path, text in files.items()}, "clock": CLOCK}


def seen(
    spec: deploy.Spec = SPEC,
    there: dict[str, str] | None = None,
    here: dict[str, str] | None = None,
    earlier: dict[str, Any] | None = None,
    **files: bytes,
) -> dict[Reading, Answer]:
    """A folder that was deployed and is as it was left, but for what is given."""
    answers: dict[Reading, Answer] = {
        spec.source: tree(spec.from_directory, BUILT if there is None else there),
        spec.target: tree(spec.to_directory, BUILT if here is None else here),
        spec.tree_stamp: stamp(tree_stamp() if earlier is None else earlier),
        spec.parent_stat: Stat(BOX, "directory", 0o755, 0),
    }
    if spec.built:
        outputs = {
            f"dist/{path}": sha(text) for path, text in (BUILT if there is None else there).items()
        }
        outputs.pop("dist/db.json", None)
        answers[ReadState("pc", "bot-kjp", stamp_name("build", PC))] = stamp({"outputs": outputs})
    for pair in spec.pairs:
        answers[pair.source] = File(pair.source.path, BESIDE[pair.name], 0o644)
        answers[pair.target] = File(pair.target.path, BESIDE[pair.name], 0o600)
    if spec.install:
        digests = {name: sha256_or_none(content) for name, content in BESIDE.items()}
        answers[spec.install_stamp] = stamp({"installed": install_digest(spec, digests)})
    return answers


def sync(
    answers: dict[Reading, Answer], spec: deploy.Spec = SPEC, upstream: Any = None
) -> SyncTree:
    (found,) = [
        step for step in steps(deploy, spec, answers, upstream) if isinstance(step, SyncTree)
    ]
    return found


def test_a_folder_as_the_last_deploy_left_it_is_in_sync() -> None:
    assert difference(deploy, SPEC, seen()) == ()
    assert difference(deploy, WITH, seen(WITH)) == ()


def test_the_bots_own_files_on_the_box_are_no_drift() -> None:
    ticking = seen(here={**BUILT, "db.json": "1"}), seen(here={**BUILT, "db.json": "2"})
    assert [difference(deploy, SPEC, answers) for answers in ticking] == [(), ()]
    assert fingerprint(deploy, SPEC, ticking[0]) == fingerprint(deploy, SPEC, ticking[1])


def test_the_bots_own_files_where_it_was_built_do_not_travel() -> None:
    answers = seen(
        there={**BUILT, "wa.js": "2", "db.json": "the developer's"},
        here={**BUILT, "db.json": "the box's"},
    )
    found = sync(answers)
    assert found.manifest is not None and sorted(found.manifest) == ["index.js", "wa.js"]
    assert (
        headline(deploy, SPEC, answers)
        == f"{BOX}dist/   1 file changes, 1 file of yours kept: db.json"
    )


def test_without_a_build_of_this_document_every_file_travels() -> None:
    found = sync(seen(BY_HAND, there={**BUILT, "data.json": "x"}), BY_HAND)
    assert found.manifest is not None and sorted(found.manifest) == [
        "data.json",
        "index.js",
        "wa.js",
    ]


@pytest.mark.parametrize(
    ("there", "here", "earlier", "remove", "said"),
    [
        ({"wa.js": "2"}, BUILT, BUILT, ("index.js",), "1 file changes, 1 removed"),
        ({**BUILT, "a.js": "a"}, BUILT, BUILT, (), "1 file new"),
        (BUILT, {}, BUILT, (), "2 files new"),
        ({**BUILT, "wa.js": "2", "a.js": "a"}, BUILT, BUILT, (), "1 file changes, 1 new"),
        (
            {"wa.js": "wa"},
            BUILT,
            {"wa.js": "wa"},
            (),
            "every file is there already, 1 file of yours kept: index.js",
        ),
        (
            {"wa.js": "wa"},
            {"wa.js": "wa", "index.js": "the bot wrote over it"},
            BUILT,
            (),
            "every file is there already, 1 file of yours kept: index.js",
        ),
    ],
)
def test_only_what_an_earlier_deploy_put_there_is_removed_and_only_as_it_put_it(
    there: dict[str, str],
    here: dict[str, str],
    earlier: dict[str, str],
    remove: tuple[str, ...],
    said: str,
) -> None:
    answers = seen(there=there, here=here, earlier=tree_stamp(earlier))
    assert headline(deploy, SPEC, answers) == f"{BOX}dist/   {said}"
    assert [step.remove for step in steps(deploy, SPEC, answers) if isinstance(step, SyncTree)] in (
        [remove],
        [],
    )
    assert not remove or sync(answers).remove == remove


def test_the_stamp_goes_before_the_tree_is_touched_and_comes_back_after() -> None:
    drop, switch, note = steps(deploy, SPEC, seen(there={**BUILT, "wa.js": "2"}))
    assert isinstance(drop, Stamp) and drop.values is None and not drop.path
    assert isinstance(switch, SyncTree) and switch.to_directory == f"{BOX}dist/"
    assert isinstance(note, Stamp) and note.name == drop.name and note.path == f"{BOX}dist/"
    assert note.values == {"files": {"index.js": sha("index"), "wa.js": sha("2")}}
    assert [name for name, _ in note.fill] == ["clock"] and note.keep is None


@pytest.mark.parametrize("earlier", [{}, tree_stamp({"wa.js": "wa"})])
def test_a_tree_that_is_right_and_not_stamped_so_is_only_stamped(earlier: dict[str, Any]) -> None:
    (note,) = steps(deploy, SPEC, seen(earlier=earlier))
    assert isinstance(note, Stamp) and note.values == {"files": tree_stamp()["files"]}


@pytest.mark.parametrize("host", ["pc", "stb"])
def test_what_a_build_will_write_is_owed(host: str) -> None:
    folder = SPEC.from_directory if host == "pc" else f"{BOX}dist/sub/"
    upstream = {(host, folder): UNKNOWN}
    answers = seen(here={**BUILT, "db.json": "x"})
    assert {item.desired for item in difference(deploy, SPEC, answers, upstream)} == {UNKNOWN}
    assert sync(answers, upstream=upstream).manifest is None
    assert headline(deploy, SPEC, answers, upstream).startswith(
        f"{BOX}dist/   known after build, 1 file of yours"
    )


def test_what_is_owed_is_named_once() -> None:
    upstream = {("pc", f"{PC}dist/"): UNKNOWN}
    assert assess(deploy, SPEC, seen(), upstream).told.names_owed
    assert not assess(deploy, SPEC, seen()).told.names_owed
    unread = {**seen(), SPEC.source: Unreadable("permission denied")}
    assert not assess(deploy, SPEC, unread, upstream).told.names_owed


def test_a_stamp_alone_owes_nothing() -> None:
    assert difference(deploy, SPEC, seen(), {("pc", f"{PC}dist/"): "digest"}) == ()


def test_on_the_first_run_nothing_is_built_and_all_is_owed() -> None:
    answers = {
        **seen(),
        ReadState("pc", "bot-kjp", stamp_name("build", PC)): None,
        SPEC.source: None,
    }
    assert sync(answers, upstream={("pc", f"{PC}dist/"): UNKNOWN}).manifest is None


@pytest.mark.parametrize(
    ("change", "rule", "reason"),
    [
        ({SPEC.source: None}, "source-missing", f"{PC}dist/ on pc has no file to deploy"),
        (
            {SPEC.source: tree(PC, {})},
            "source-missing",
            f"{PC}dist/ on pc has no file to deploy",
        ),
        (
            {SPEC.target: Unreadable("it is a link")},
            "target-unreadable",
            f"{BOX}dist/ on stb: it is a link",
        ),
        (
            {SPEC.source: Unreadable("wa.js: permission denied")},
            "source-unreadable",
            f"{PC}dist/ on pc: wa.js: permission denied",
        ),
        (
            {SPEC.parent_stat: Stat(BOX, "file", 0o644, 0)},
            "in-the-way",
            f"{BOX.rstrip('/')} on stb is a file, and a folder must be there",
        ),
    ],
)
def test_refusals(change: dict[Reading, Answer], rule: str, reason: str) -> None:
    (refusal,) = steps(deploy, SPEC, {**seen(), **change})
    assert isinstance(refusal, Refuse)
    assert (refusal.rule, refusal.reason) == (rule, reason)


@pytest.mark.parametrize("name", ["package.json", "package-lock.json"])
def test_a_file_beside_that_can_not_be_read_is_refused_also_where_all_else_is_there(
    name: str,
) -> None:
    reading = next(pair.source for pair in WITH.pairs if pair.name == name)
    (refusal,) = steps(deploy, WITH, {**seen(WITH), reading: Unreadable("permission denied")})
    assert isinstance(refusal, Refuse) and refusal.rule == "source-unreadable"
    assert refusal.reason == f"{PC}{name} on pc: permission denied"


def test_what_nobody_asked_for_is_another_thing_than_what_was_not_answered() -> None:
    """With `--here` the tree is compared with the last deploy; an answer that says no is told."""
    from_pc = [reading for reading in seen(WITH) if reading.host == "pc"]
    assert (
        difference(deploy, WITH, {**seen(WITH), **dict.fromkeys(from_pc, NotAsked("from here"))})
        == ()
    )
    asked = {**seen(WITH), **dict.fromkeys(from_pc, Unreadable("permission denied"))}
    assert difference(deploy, WITH, asked) != ()


def on_the_box(*names: str, folders: tuple[str, ...] = (), others: tuple[str, ...] = ()) -> Tree:
    above = {above for name in names for above in _above(name)}
    found = tree(SPEC.to_directory, dict.fromkeys(names, "x"), others)
    return replace(found, folders=tuple(sorted({*above, *folders})))


def _above(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


@pytest.mark.parametrize(
    ("source", "here", "earlier", "in_the_way"),
    [
        ("own.txt/x", on_the_box("own.txt"), [], "own.txt"),
        ("a/b/c/x", on_the_box("a/b"), [], "a/b"),
        ("a/x", on_the_box(others=("a",)), [], "a"),
        ("own", on_the_box("own/x"), [], "own"),
        ("a/own", on_the_box("a/own/deep/x"), [], "a/own"),
        ("own", on_the_box(folders=("own",)), [], "own"),
        ("own", on_the_box(folders=("own", "own/node_modules")), [], "own"),
        ("own.txt/x", on_the_box("own.txt"), ["own.txt"], ""),
        ("own", on_the_box("own/x", "own/deep/y"), ["own/x", "own/deep/y"], ""),
        ("own", on_the_box("own/x", "own/mine"), ["own/x"], "own"),
        ("own", on_the_box("own/x", folders=("own/empty",)), ["own/x"], "own"),
        ("own", on_the_box("own/x", others=("own/link",)), ["own/x"], "own"),
        ("own.txt/x", on_the_box("own.txt.d", "own.tx"), [], ""),
        ("own/x", on_the_box("own/y"), [], ""),
    ],
)
def test_names_are_compared_with_the_folders_above_them(
    source: str, here: Tree, earlier: list[str], in_the_way: str
) -> None:
    noted = {"files": dict.fromkeys(earlier, sha("x")), "clock": CLOCK}
    answers = {
        **seen(BY_HAND, there={source: "new"}, earlier=noted),
        BY_HAND.target: here,
    }
    found = [step for step in steps(deploy, BY_HAND, answers) if isinstance(step, Refuse)]
    assert [step.rule for step in found] == (["in-the-way"] if in_the_way else [])
    assert all(f"{BOX}dist/{in_the_way} on stb" in step.reason for step in found)


def test_a_name_that_can_not_be_laid_is_refused_before_anything_is_done() -> None:
    for name in ("back\\slash", "line\nend", "../out", "nul\0", "\ud800"):
        (refusal,) = steps(deploy, BY_HAND, seen(BY_HAND, there={**BUILT, name: "x"}))
        assert (
            isinstance(refusal, Refuse)
            and refusal.rule == "odd-name"
            and repr(name) in refusal.reason
        )


def test_what_is_no_regular_file_is_said_to_stay_where_it_is() -> None:
    source = tree(SPEC.from_directory, BUILT, ("config.json",))
    (advice,) = advised(deploy, SPEC, {**seen(), SPEC.source: source})
    assert (advice.rule, advice.severity) == ("links-left-out", "note")
    assert advice.reason == f"in {PC}dist/ on pc: config.json"


def without_pc(answers: dict[Reading, Answer]) -> dict[Reading, Answer]:
    return {reading: answer for reading, answer in answers.items() if reading.host != "pc"}


def test_from_the_box_alone_the_tree_is_compared_with_the_last_deploy() -> None:
    assert difference(deploy, WITH, without_pc(seen(WITH))) == ()
    edited = without_pc(seen(here={**BUILT, "wa.js": "by hand"}))
    assert [item.path for item in difference(deploy, SPEC, edited)] == [("files", "wa.js")]
    (refusal,) = steps(deploy, SPEC, edited)
    assert isinstance(refusal, Refuse) and refusal.rule == "needs-other-host"
    assert (
        headline(deploy, SPEC, edited)
        == f"{BOX}dist/   1 file not as deployed; pc can't be seen from here"
    )


def test_from_the_box_alone_a_tree_that_was_never_deployed_is_nobodys_drift() -> None:
    assert difference(deploy, SPEC, {**without_pc(seen()), SPEC.tree_stamp: None}) == ()


def test_a_target_that_is_not_there_is_made_with_its_parent() -> None:
    answers = {
        **seen(),
        SPEC.target: None,
        SPEC.parent_stat: None,
        SPEC.tree_stamp: None,
    }
    assert MakeDirectory("stb", BOX) in steps(deploy, SPEC, answers)
    assert MakeDirectory("stb", BOX) not in steps(deploy, SPEC, {**seen(), SPEC.target: None})
    assert deploy.actual(deploy.see(SPEC, answers, {})).present is False


def lock(answers: dict[Reading, Answer], content: bytes | None) -> dict[Reading, Answer]:
    path = f"{PC}package-lock.json"
    (reading,) = [item for item in answers if getattr(item, "path", "") == path]
    return {**answers, reading: None if content is None else File(path, content, 0o640)}


def test_a_changed_lock_file_travels_installs_and_makes_the_process_owed() -> None:
    drop, write, install, note, tree_note = steps(deploy, WITH, lock(seen(WITH), b"{new}"))
    assert isinstance(drop, Stamp) and drop.values is None
    assert write == WriteFile("stb", f"{BOX}package-lock.json", b"{lock}", b"{new}", 0o640)
    assert isinstance(install, Run) and install.argv == ("npm", "ci", "--omit=dev")
    assert install.renews
    assert (install.cwd, install.writes) == (BOX, (f"{BOX}node_modules/",))
    assert isinstance(note, Stamp) and note.name == WITH.install_stamp.name
    assert isinstance(tree_note, Stamp) and tree_note.path == f"{BOX}dist/"


def test_only_npm_ci_is_known_to_remove_what_it_writes() -> None:
    spec = replace(WITH, install=("npm", "install", "--omit=dev"))
    install = next(
        step for step in steps(deploy, spec, lock(seen(spec), b"{new}")) if isinstance(step, Run)
    )
    assert not install.renews


def test_an_install_that_was_cut_is_owed_again() -> None:
    answers = {**seen(WITH), WITH.install_stamp: None}
    assert [step.argv for step in steps(deploy, WITH, answers) if isinstance(step, Run)] == [
        WITH.install
    ]
    other = replace(WITH, install=("npm", "ci"))
    assert [step.argv for step in steps(deploy, other, seen(WITH)) if isinstance(step, Run)] == [
        ("npm", "ci")
    ]


def test_a_file_beside_that_is_missing_is_refused_unless_the_plan_writes_it() -> None:
    answers = lock(seen(WITH), None)
    (refusal,) = steps(deploy, WITH, answers)
    assert isinstance(refusal, Refuse) and "package-lock.json is not beside" in refusal.reason
    found = steps(deploy, WITH, answers, {("pc", f"{PC}package-lock.json"): b"{made}"})
    assert [step.after for step in found if isinstance(step, WriteFile)] == [b"{made}"]


def test_writes_name_all_that_a_deploy_may_touch() -> None:
    assert list(deploy.writes(WITH)) == [
        ("stb", f"{BOX}dist/"),
        ("stb", f"{BOX}package.json"),
        ("stb", f"{BOX}package-lock.json"),
        ("stb", f"{BOX}node_modules/"),
    ]


@pytest.mark.parametrize(
    ("here", "there", "said"),
    [
        (b'{"version": "7.0.0-rc.9"}', b'{"version": "6.7.18"}', ["7.0.0-rc.9", "6.7.18"]),
        (b'{"version": "7.0.0-rc.9"}', b'{"version": "7.0.0-rc.9"}', []),
        (b'{"version": "7.0.0-rc.9"}', None, []),
        (b"not json", b'{"version": "6.7.18"}', []),
        (b"[]", b'{"version": "6.7.18"}', []),
    ],
)
@pytest.mark.parametrize("spec", [SPEC, WITH])
def test_another_baileys_on_the_box_is_told(spec, here, there, said):
    answers = seen(spec)
    source, target = spec.baileys[0].source, spec.baileys[0].target
    assert {source, target} <= set(deploy.reads(spec))
    assert source.path == f"{PC}node_modules/@whiskeysockets/baileys/package.json"
    answers[source] = File(source.path, here, 0o644)
    answers[target] = None if there is None else File(target.path, there, 0o644)
    told = [f"{item.rule} {item.reason} {item.cure}" for item in advised(deploy, spec, answers)]
    assert len(told) == bool(said)
    assert all(word in told[0] for word in said)
    assert not said or "npm ci --omit=dev" in told[0]
