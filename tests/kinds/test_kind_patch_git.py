"""Blocks through real git: merges carry them along, a conflict is recognised, a checkout starts
anew."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kjpstate.model import Refuse
from tests.support.patch_cases import cases, owner_edits, run, spec_of, without_blocks

ORIGINAL = next(case.content for case in cases() if case.name == "owner-plan")
SPEC = spec_of(owner_edits())
OUT = replace(SPEC, state="absent")

CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "above": lambda text: text.replace(
        b"import { Boom }", b"import pino from 'pino';\nimport { Boom }"
    ),
    "between": lambda text: text.replace(
        b"printQRInTerminal: true", b"printQRInTerminal: false, retries: 3"
    ),
    "below": lambda text: text + b"\nexport const versi = 2;\n",
    "everywhere": lambda text: (
        b"// versi 2\n"
        + text.replace(b"'creds.update', saveCreds", b"'creds.update', () => saveCreds()")
    ),
}


class Repository:
    """A work tree with the bot's file on `main`; upstream goes on in another clone."""

    def __init__(self, folder: Path) -> None:
        self.upstream, self.ours = folder / "upstream", folder / "ours"
        self.upstream.mkdir()
        self.git(self.upstream, "init", "-q", "-b", "main")
        self.commit(self.upstream, ORIGINAL)
        self.git(folder, "clone", "-q", str(self.upstream), str(self.ours))

    def git(self, folder: Path, *argv: str, ok: bool = True) -> str:
        who = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        settings = (
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@t",
            "-c",
            "pull.rebase=false",
            "-c",
            "gc.auto=0",
        )
        done = subprocess.run(
            ["git", *settings, *argv],
            cwd=folder,
            capture_output=True,
            text=True,
            env={**os.environ, **who},
            check=False,
        )
        assert (done.returncode == 0) == ok, done.stdout + done.stderr
        return done.stdout + done.stderr

    def commit(self, folder: Path, content: bytes) -> None:
        """`content` as the next version of the file."""
        (folder / "wa.ts").write_bytes(content)
        self.git(folder, "add", "wa.ts")
        self.git(folder, "commit", "-q", "-m", "next")

    @property
    def content(self) -> bytes:
        """Our file as it stands."""
        return (self.ours / "wa.ts").read_bytes()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def patched(content: bytes) -> bytes:
    after = run(SPEC, content)
    assert isinstance(after, bytes), after
    return after


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("by", ["merge", "rebase", "stash"])
def test_git_carries_the_blocks_along(repository: Repository, change: str, by: str) -> None:
    upstream = CHANGES[change](ORIGINAL)
    assert upstream != ORIGINAL
    repository.commit(repository.upstream, upstream)
    if by == "stash":
        (repository.ours / "wa.ts").write_bytes(patched(ORIGINAL))
        repository.git(repository.ours, "pull", "-q", "--autostash")
    else:
        repository.commit(repository.ours, patched(ORIGINAL))
        repository.git(repository.ours, "pull", "-q", "--no-edit" if by == "merge" else "--rebase")
    assert run(SPEC, repository.content) is None
    assert without_blocks(repository.content) == upstream
    assert run(OUT, repository.content) == upstream


def test_a_pull_over_what_was_not_committed_is_refused_by_git_and_nothing_is_lost(
    repository: Repository,
) -> None:
    repository.commit(repository.upstream, CHANGES["above"](ORIGINAL))
    (repository.ours / "wa.ts").write_bytes(patched(ORIGINAL))
    assert "would be overwritten" in repository.git(repository.ours, "pull", ok=False)
    repository.git(
        repository.ours, "commit", "-q", "-m", "kjpstate: reconnect-backoff", "--", "wa.ts"
    )
    repository.git(repository.ours, "pull", "-q", "--no-edit")
    assert run(SPEC, repository.content) is None


def test_lines_next_to_a_block_are_a_conflict_too(repository: Repository) -> None:
    repository.commit(repository.upstream, ORIGINAL.replace(b"Siap menerima pesan.", b"Siap."))
    (repository.ours / "wa.ts").write_bytes(patched(ORIGINAL))
    assert "in conflicts" in repository.git(repository.ours, "pull", "--autostash")
    refused = run(SPEC, repository.content)
    assert isinstance(refused, Refuse)
    assert refused.rule == "merge-conflict"


def test_merges_of_any_upstream_change(tmp_path: Path, counted: Callable[[str, int], None]) -> None:
    """Each is carried along, or is a conflict and refused; what was merged comes out as upstream
    has it."""
    ours, lines, seen = (
        patched(ORIGINAL),
        ORIGINAL.splitlines(keepends=True),
        {"merged": 0, "conflict": 0},
    )
    dice = random.Random(4)
    (tmp_path / "ours").write_bytes(ours)
    (tmp_path / "base").write_bytes(ORIGINAL)
    for _ in range(500 if os.environ.get("KJPSTATE_FULL") else 30):
        theirs = list(lines)
        for place in sorted(dice.sample(range(len(lines)), dice.randint(1, 3)), reverse=True):
            theirs[place : place + dice.randint(0, 1)] = dice.choice(
                [[], [b"  // baru\n"], [b"\n", b"// a\n"]]
            )
        (tmp_path / "theirs").write_bytes(b"".join(theirs))
        done = subprocess.run(
            ["git", "merge-file", "-p", "ours", "base", "theirs"],
            cwd=tmp_path,
            capture_output=True,
            check=False,
        )
        found = run(SPEC, done.stdout)
        if done.returncode:
            seen["conflict"] += 1
            assert isinstance(found, Refuse)
            assert found.rule in ("merge-conflict", "syntax", "markers-broken")
            continue
        seen["merged"] += 1
        assert without_blocks(done.stdout) == b"".join(theirs)
        if not isinstance(found, Refuse):
            assert found is None
            assert run(OUT, done.stdout) == b"".join(theirs)
        else:
            assert found.rule in ("syntax", "anchor-missing", "misplaced", "name-shadowed"), found
    assert seen["merged"] > 5 and seen["conflict"] > 5
    counted("merges by git of a patched and a changed file", sum(seen.values()))


def test_a_conflict_is_refused_until_it_is_solved(repository: Repository) -> None:
    theirs = ORIGINAL.replace(
        b"!== DisconnectReason.loggedOut;", b"!== DisconnectReason.loggedOut && !closing;"
    )
    repository.commit(repository.upstream, theirs)
    repository.commit(repository.ours, patched(ORIGINAL))
    assert "CONFLICT" in repository.git(repository.ours, "pull", "--no-edit", ok=False)
    for spec in (SPEC, OUT):
        refused = run(spec, repository.content)
        assert isinstance(refused, Refuse)
        assert refused.rule == "merge-conflict"
        assert [place.split(": ")[1][:7] for place in refused.places] == ["<<<<<<<", ">>>>>>>"]
    repository.git(repository.ours, "checkout", "--ours", "wa.ts")
    assert run(SPEC, repository.content) is None
    repository.git(repository.ours, "checkout", "--theirs", "wa.ts")
    assert repository.content == theirs
    refused = run(SPEC, repository.content)
    assert isinstance(refused, Refuse)
    assert (refused.rule, refused.pointer) == ("anchor-missing", "/edits/1")
    assert "no `&& !closing`" in refused.reason


def test_a_checkout_of_the_original_starts_anew(repository: Repository) -> None:
    (repository.ours / "wa.ts").write_bytes(patched(ORIGINAL))
    repository.git(repository.ours, "checkout", "-q", "--", "wa.ts")
    assert patched(repository.content) == patched(ORIGINAL)


def test_upstream_took_the_change_up(repository: Repository) -> None:
    """Ours is committed, upstream has the same without markers: git shows a conflict, theirs is
    adopted."""
    theirs = b"".join(
        line for line in patched(ORIGINAL).splitlines(keepends=True) if b"// kjpstate:" not in line
    )
    repository.commit(repository.upstream, theirs)
    repository.commit(repository.ours, patched(ORIGINAL))
    assert "CONFLICT" in repository.git(repository.ours, "pull", "--no-edit", ok=False)
    repository.git(repository.ours, "checkout", "--theirs", "wa.ts")
    adopted = patched(repository.content)
    assert adopted.count(b"adopted=1") == 4
    assert run(OUT, adopted) == theirs


def test_line_ends_that_git_makes_are_no_drift(repository: Repository) -> None:
    repository.commit(repository.ours, patched(ORIGINAL))
    (repository.ours / "wa.ts").unlink()
    repository.git(repository.ours, "-c", "core.autocrlf=true", "checkout", "--", "wa.ts")
    assert repository.content.count(b"\r\n") == repository.content.count(b"\n") > 0
    assert run(SPEC, repository.content) is None
    assert run(OUT, repository.content) == ORIGINAL.replace(b"\n", b"\r\n")
