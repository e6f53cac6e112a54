"""Names of files as bytes: whatever stands in a folder, it is switched, carried along, put back."""

from __future__ import annotations

import asyncio
import itertools
import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from kjpstate.formats import journal
from kjpstate.formats.tree import layable, listing_digest
from kjpstate.hosts.local import LocalHost
from kjpstate.model import Backup, ReadTree, Restore, SyncTree, WriteFile
from tests.support.bodies import run_info

PLAIN = (b"new.js", b"same.js", b"stale.js")


def _possible(name: bytes) -> bool:
    return (
        name not in (b".", b"..", b"node_modules") and name not in PLAIN and b"kjpstate" not in name
    )


PART = (
    st.binary(min_size=1, max_size=30)
    .map(lambda name: name.replace(b"/", b"-").replace(b"\0", b"-"))
    .filter(_possible)
)
ODD = st.sampled_from(
    [
        b"\n",
        b"a\nb",
        b"b\n",
        b"\\",
        b"\\n",
        b"\r",
        b"\xff",
        b"-n",
        b"*",
        b"\xc3",
        b"\x81\x82",
        b"'",
        b"x" * 255,
    ]
)
NAME = st.lists(PART | ODD, min_size=1, max_size=2).map(b"/".join)
NAMES = st.lists(NAME, max_size=6, unique_by=lambda name: name.split(b"/")[0])
_numbers = itertools.count()


def lay(folder: Path, names) -> dict[str, bytes]:
    for name in names:
        path = folder / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"of " + name)
    return {os.fsdecode(name): b"of " + name for name in names}


def standing(folder: Path) -> dict[str, bytes]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_whatever_the_names_a_folder_is_switched_and_put_back(bench):
    @settings(max_examples=8, deadline=None, database=None, phases=(Phase.explicit, Phase.generate))
    @given(NAMES, NAMES)
    @example([], [b"up\nload.jpg"])
    @example([b"caf\xe9.jpg"], [b"in\na folder/with\\one\nmore", b"\r"])
    def switched(theirs, mine):
        top = bench.real(bench.path(str(next(_numbers))))
        mine = [
            name
            for name in mine
            if name.split(b"/")[0] not in {one.split(b"/")[0] for one in theirs}
        ]
        lay(top / "src", [*theirs, b"new.js", b"same.js"])
        before = lay(top / "dist", [*mine, b"same.js", b"stale.js"])
        asyncio.run(_switched(bench, top, before))

    switched()


async def _switched(bench, top: Path, before: dict[str, bytes]) -> None:
    root = bench.path(top.name)
    source, target = ReadTree("box", f"{root}/src/"), ReadTree("box", f"{root}/dist/")
    host = bench.host()
    try:
        run = run_info(f"{next(_numbers):06x}")
        answers = await host.begin(run, (source, target))
        assert set(answers[source].files) == set(standing(top / "src"))
        assert {name: file.digest for name, file in answers[target].files.items()} == {
            name: sha256(content).hexdigest() for name, content in before.items()
        }
        files = {name: file for name, file in answers[source].files.items() if layable(name)}
        action = SyncTree("box", source.root, "box", target.root, files, ("stale.js",))
        ((outcome,), answers) = await host.act((action,), (target,), {"box": host})
        assert outcome.status == "done", outcome
        wanted = {name: content for name, content in standing(top / "src").items() if name in files}
        after = {**before, **wanted}
        del after["stale.js"]
        assert standing(top / "dist") == after
        assert set(answers[target].files) == set(after)
        kept = Path(bench.real(outcome.backup))
        row = next(row for row in _ledger(bench) if row.split(b"\t")[0] == run.id.encode())
        listing = {name: sha256(content).hexdigest() for name, content in standing(kept).items()}
        assert row.split(b"\t")[3].decode() == listing_digest(listing)
        put = {name: file.digest for name, file in files.items()}
        back = Restore("box", target.root, outcome.backup, files=put, removed=("stale.js",))
        ((outcome,), _) = await host.act((back,))
        assert outcome.status == "done" and standing(top / "dist") == before
    finally:
        await host.end()
        await host.close()
    assert not [path for path in top.iterdir() if "kjpstate-" in path.name]
    assert journal.read((bench.state / "doc" / "journal").read_bytes()).ended


def _ledger(bench) -> list[bytes]:
    return (bench.state / "doc" / "backups").read_bytes().split(b"\n")


@pytest.mark.parametrize("first", ["own", "own/x"])
def test_what_is_ours_may_become_a_folder_and_a_folder_of_ours_a_file(bench, first):
    second = "own/x" if first == "own" else "own"
    bench.put(f"src/{second}", "2")
    bench.put(f"dist/{first}", "1")
    outcome = asyncio.run(
        _act(
            bench,
            lambda files: SyncTree(
                "box", f"{bench.root}/src/", "box", f"{bench.root}/dist/", files, (first,)
            ),
        )
    )
    assert outcome.status == "done", outcome
    assert standing(bench.real(bench.path("dist"))) == {second: b"2"}


@pytest.mark.parametrize(
    ("mine", "theirs"), [("own", "own/x"), ("own/x", "own"), ("lib/node_modules/i.js", "lib")]
)
def test_a_file_of_somebody_else_is_not_lost_to_a_folder_nor_a_folder_to_a_file(
    bench, mine, theirs
):
    """A plan refuses that; who came in between finds this."""
    bench.put(f"src/{theirs}", "2")
    bench.put(f"dist/{mine}", "1")
    outcome = asyncio.run(
        _act(
            bench,
            lambda files: SyncTree(
                "box", f"{bench.root}/src/", "box", f"{bench.root}/dist/", files
            ),
        )
    )
    assert outcome.status == "failed" and outcome.reason.code.startswith(
        ("hosts.file-", "hosts.folder-")
    ), outcome
    assert standing(bench.real(bench.path("dist"))) == {mine: b"1"}
    assert not [name for name in bench.names() if "kjpstate-" in name or ".backup." in name]


async def _act(bench, action):
    host = bench.host()
    try:
        source = ReadTree("box", f"{bench.root}/src/")
        answers = await host.begin(run_info(), (source,))
        return (await host.act((action(answers[source].files),), (), {"box": host}))[0][-1]
    finally:
        await host.end()
        await host.close()


# ---- what nobody foresaw


class _Mistake(RuntimeError):
    pass


def _actions(folder: Path):
    files = asyncio.run(_manifest(folder))
    source, target, file = (f"{folder}/{name}" for name in ("src/", "dist/", "a.ts"))
    return {
        "switch": SyncTree("box", source, "box", target, files, ("stale.js",)),
        "write": WriteFile("box", file, b"old", b"new"),
        "create": WriteFile("box", f"{folder}/b.ts", None, b"new"),
        "backup": Backup("box", target),
    }


async def _manifest(folder: Path):
    source = ReadTree("box", f"{folder}/src/")
    return (await LocalHost("box", state_dir=folder / "state").look((source,)))[source].files


@pytest.mark.parametrize("kind", ["switch", "write", "create", "backup"])
def test_a_mistake_of_ours_leaves_the_thing_old_or_new_no_litter_and_no_open_journal(
    tmp_path, kind
):
    happened = 0
    for number in itertools.count():
        folder = tmp_path / str(number)
        lay(folder / "src", [b"new.js"])
        lay(folder / "dist", [b"new.js.old", b"stale.js", b"mine"])
        (folder / "a.ts").write_bytes(b"old")
        action = _actions(folder)[kind]
        before = standing(folder)
        if not asyncio.run(_mistaken(folder, action, number)):
            break
        happened += 1
        here = {
            name: content
            for name, content in standing(folder).items()
            if not name.startswith(("state/", "locks/"))
        }
        assert {name: content for name, content in here.items() if ".backup." not in name} == before
        assert not [name for name in here if "kjpstate-" in name]
        known = journal.read((folder / "state/doc/journal").read_bytes())
        assert known is None or known.ended
    assert happened


async def _mistaken(folder: Path, action, number: int) -> bool:
    """Whether the effect `number` came to happen, and with it the mistake; what
    it did is put back."""
    left = number

    def tell(effect: str) -> None:
        nonlocal left
        if effect != "done":  # a line of the journal that may be lost
            left -= 1
            if left == -1 and started:
                raise _Mistake(effect)

    started = False
    places = {"state_dir": folder / "state", "lock_dir": folder / "locks"}
    host = LocalHost("box", **places, may_change=(f"{folder}/",), on_operation=tell)
    await host.begin(run_info(), ())
    left, started = number, True
    ((outcome,), _) = await host.act((action,), (), {"box": host})
    if outcome.status == "unknown":
        assert outcome.reason.values["kind"] == "_Mistake"
        started = False
        if isinstance(action, SyncTree):
            put = {name: file.digest for name, file in (action.manifest or {}).items()}
            back = Restore(
                "box", action.to_directory, outcome.backup or None, files=put, removed=action.remove
            )
        elif isinstance(action, WriteFile):
            back = Restore(
                "box", action.path, outcome.backup or None, sha256(action.after or b"").hexdigest()
            )
        else:
            back = None
        if back is not None:
            ((outcome,), _) = await host.act((back,))
            assert outcome.ok, outcome
    await host.end()
    return left < 0
