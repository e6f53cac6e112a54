"""Law 3: whatever a body is asked to write, under whatever names, nothing outside `may_change` is
touched.

Hypothesis makes up the actions; what may be touched is spelled out here anew, and all else is
looked at before and after.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kjpstate.host import allowed
from kjpstate.hosts.local import LocalHost
from kjpstate.hosts.names import refusal
from kjpstate.model import (
    Backup,
    MakeDirectory,
    Outcome,
    Prune,
    Restore,
    Run,
    Stamp,
    SyncTree,
    TreeFile,
    WriteFile,
)
from tests.support import bodies
from tests.support.allowed_states import picture
from tests.support.bodies import run_info

ALLOWED = ("ok/", "only.conf")
TEMPORARY = r"\.kjpstate-[a-z]+\.[0-9a-f]{6}(/.*)?"
OURS = re.compile(
    rf"(ok|only\.conf)(/.*|\.backup\.\d{{8}}T\d{{6}}Z-[0-9a-f]{{6}}(/.*)?|{TEMPORARY})?"
    rf"|\.(ok|only\.conf){TEMPORARY}",
    re.DOTALL,
)
LAID = (
    "ok/a",
    "ok/sub/b",
    "only.conf",
    "only.conf.bak",
    "okay/a",
    "no/a",
    "no/sub/b",
    "a",
    "old/a",
)

WORDS = [
    "ok",
    "okay",
    "no",
    "sub",
    "a",
    "b",
    "..",
    ".",
    "",
    "only.conf",
    "only.conf.bak",
    "old",
    "*",
    "$(rm a)",
]
WORDS += ["ok.backup.evil", "ok.kjpstate-", ".ok.kjpstate-x", "ok.backup.20260101T000000Z-000000.d"]
WORDS += [
    "ok.backup.20260101T000000Z-000000",
    ".ok.kjpstate-new.abc123",
    "-rf",
    "ok\nno",
    "no\\",
    "~",
    "k\t",
]
names = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map("/".join)
places = st.builds(lambda name, end: f"ROOT/{name}{end}", names, st.sampled_from(["", "/"]))
anywhere = st.one_of(places, names, st.just("/"), st.just("ROOT"), st.just("ROOT/ok/../no/a"))
beside = st.sampled_from(
    ["ok", "ok/", "no", "no/../a", "a", "only.conf", "ok/../no/", "no/sub", "old/"]
).map("ROOT/{}".format)
contents = st.sampled_from([None, b"old", b"new"])
files = st.dictionaries(names, st.just(TreeFile("0" * 64, 3, 0o644)), max_size=2)
gone = st.lists(names, max_size=3).map(tuple)
digests = st.dictionaries(names, st.sampled_from(["0" * 64, "old"]), max_size=2)

actions = st.one_of(
    st.builds(WriteFile, st.just("box"), anywhere, contents, contents),
    st.builds(MakeDirectory, st.just("box"), anywhere),
    st.builds(Backup, st.just("box"), beside),  # a copy of / would take its time
    st.builds(Restore, st.just("box"), anywhere, st.none() | places, st.just(""), digests, gone),
    st.builds(
        SyncTree, st.just("box"), st.just("ROOT/old/"), st.just("box"), anywhere, files, gone
    ),
    st.builds(
        lambda of, more: SyncTree("box", "ROOT/old/", "box", f"ROOT/ok{of}", {"a": OLD}, more),
        st.sampled_from(["", "/", "/sub/"]),
        gone,
    ),
    st.builds(Stamp, st.just("box"), names, names, st.just({"a": 1})),
    st.builds(lambda paths: Prune("box", "doc", tuple(paths)), st.lists(anywhere, max_size=2)),
    st.builds(lambda path: Run("box", ("true",), "tries", "", (path,)), anywhere),
)
OLD = TreeFile(
    "cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4", 3, 0o644
)  # of "old"


@pytest.mark.parametrize(
    ("path", "fine"),
    [
        ("/r/ok", True),
        ("/r/ok/", True),
        ("/r/ok/a", True),
        ("/r/ok.backup.20260101T000000Z-abcdef", True),
        ("/r/ok.kjpstate-new.abcdef", True),
        ("/r/.ok.kjpstate-new.abcdef", True),
        ("/r/only.conf.backup.20260101T000000Z-abcdef", True),
        ("/r/ok.backup.20260101T000000Z-abcdef/a", False),
        ("/r/ok.backup.20260101T000000Z-abcdeg", False),
        ("/r/ok.backup.20260101T000000Z-abcdef\n", False),
        ("/r/ok.backup.evil", False),
        ("/r/ok.backup.evil/a", False),
        ("/r/ok.backup.", False),
        ("/r/ok.kjpstate-/etc", False),
        ("/r/ok.kjpstate-new.abcdef/a", False),
        ("/r/.ok.kjpstate-x/y", False),
        ("/r/..kjpstate-new.abcdef", False),
        ("/r/ok/../no", False),
        ("/r/okay", False),
        ("ok", False),
        ("", False),
    ],
)
def test_only_whole_names_of_ours_are_beside(path: str, fine: bool):
    assert allowed(path, ("/r/ok/", "/r/only.conf")) is fine
    assert not allowed(path, ())


@pytest.mark.parametrize(
    "name", ["ok", "ok/a", "ok.backup.20260101T000000Z-abcdef", ".ok.kjpstate-new.abcdef"]
)
def test_a_document_lays_nothing_at_a_name_of_ours(name: str):
    for path in (f"/r/{name}", f"/r/{name}/"):
        asked = (WriteFile("box", path, None, b""), SyncTree("box", "/x/", "box", path, {}))
        for action in asked:
            assert bool(refusal(action, ("/r/ok/",), ())) is ("." in name), action


@pytest.mark.parametrize(("body", "examples"), [("local", 100), ("dash", 20)])
def test_nothing_outside_is_touched(tmp_path: Path, body: str, examples: int):
    bench = bodies.local_bench(tmp_path) if body == "local" else bodies.shell_bench(tmp_path, body)
    host_of = bench.make(tuple(f"{bench.root}/{entry}" for entry in ALLOWED))

    more = 10 if os.environ.get("KJPSTATE_FULL") else 1

    @settings(max_examples=more * examples, suppress_health_check=list(HealthCheck))
    @given(st.lists(actions, min_size=1, max_size=3))
    def ask(asked):
        lay(bench)
        before = outside(tmp_path)
        outcomes = asyncio.run(tried(host_of, [with_root(action, bench.root) for action in asked]))
        assert outside(tmp_path) == before, outcomes

    ask()


async def tried(host, asked) -> list[Outcome | str]:
    """Each by itself, so that one that fails does not save the next."""
    await host.begin(run_info(), ())
    found: list[Outcome | str] = []
    try:
        for action in asked:
            try:
                found += (await host.act([action], (), {"box": LocalHost("box")}))[0]
            except Exception as error:
                found.append(repr(error))
    finally:
        await host.end()
        await host.close()
    return found


def with_root(action, root: str):
    """`ROOT` in each of its texts is the folder of this test."""
    fields = {
        name: value.replace("ROOT", root)
        if isinstance(value, str)
        else tuple(item.replace("ROOT", root) if isinstance(item, str) else item for item in value)
        if isinstance(value, tuple)
        else value
        for name, value in vars(action).items()
    }
    return type(action)(**fields)


def lay(bench) -> None:
    for folder in (Path(bench.root), bench.state, bench.locks):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    for name in LAID:
        bench.put(name, "old")


def outside(folder: Path) -> dict[str, object]:
    """All but what may change, what we keep in our own folders, and the journal of the run."""
    found = picture(folder)
    return {
        path: thing
        for path, thing in found.items()
        if not OURS.fullmatch(path.removeprefix("work/"))
        and not path.startswith(("state/", "locks/"))
        and path not in ("work", "state", "locks")
    }
