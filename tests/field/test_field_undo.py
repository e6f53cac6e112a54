"""What a rollback takes away, and whether it is owed though nobody reads what is printed."""

from __future__ import annotations

import pytest

from tests.support.trial import Trial

pytestmark = pytest.mark.root

DEPLOY = """
kjpstate: 1
name: t
hosts: {pc: {local: "."}}
deploy:
  from: {host: pc, directory: dist/}
  to: {host: pc, directory: web/}
"""
BUILD = """
kjpstate: 1
name: t
hosts: {pc: {local: "."}}
build: {host: pc, directory: ., inputs: [src/], run: [sh, b.sh], outputs: [OUT]}
"""
LEDGER = "/var/lib/kjpstate/t/backups"


def deployed(trial: Trial) -> None:
    trial.write("kjpstate.yaml", DEPLOY)
    trial.write("dist/index.html", "new")
    trial.write("web/index.html", "old")
    assert trial.kjpstate("apply", "--yes").code == 0


LOST = {
    "removed": f"rm {LEDGER}",
    "emptied": f": >{LEDGER}",
    "of others": f"sed -i 's/^....../ffffff/' {LEDGER}",
}


@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
@pytest.mark.parametrize("more", [(), ("--force",)], ids=["", "forced"])
def test_a_deployed_folder_stays_where_the_list_of_backups_is_lost(
    trial: Trial, lost: str, more: tuple[str, ...]
) -> None:
    deployed(trial)
    trial.sh(lost)
    done = trial.kjpstate("rollback", "--yes", *more)
    assert done.code == 8, done.said
    assert (trial.folder / "web/index.html").read_text() == "new"
    assert "web.backup." in done.said, "the original is named"


@pytest.mark.parametrize("out", ["dist/", "bundle.js"])
def test_what_a_command_wrote_stays_where_the_list_of_backups_is_lost(
    trial: Trial, out: str
) -> None:
    trial.write("kjpstate.yaml", BUILD.replace("OUT", out))
    name = out + ("x.js" if out.endswith("/") else "")
    trial.write("src/x.js", "new")
    trial.write("b.sh", f"mkdir -p dist; cat src/x.js >{name}")
    trial.write(name, "old")
    assert trial.kjpstate("apply", "--yes").code == 0
    trial.sh(f"rm {LEDGER}")
    done = trial.kjpstate("rollback", "--yes")
    assert done.code == 8, done.said
    assert (trial.folder / name).read_text() == "new"


def test_what_was_not_there_is_removed_as_ever(trial: Trial) -> None:
    trial.write("kjpstate.yaml", BUILD.replace("OUT", "dist/"))
    trial.write("src/x.js", "new")
    trial.write("b.sh", "mkdir -p dist; cat src/x.js >dist/x.js")
    assert trial.kjpstate("apply", "--yes").code == 0
    assert trial.kjpstate("rollback", "--yes").code == 0
    assert not (trial.folder / "dist").exists()


# ---- owed, though nobody reads

FAILS = """
kjpstate: 1
name: t
hosts: {pc: {local: "."}}
patches:
  - host: pc
    file: a.ts
    set: s
    edits: [{id: one, insert_before: "function f(", scope: module, content: "let n = 0;"}]
checks: [{name: never, command: {host: pc, run: [sh, -c, "sleep 1; exit 3"]}}]
"""
SOURCE = "function f() {\n}\n"
DEAF = {
    "a reader that went away": "{ PROGRAM; echo $? >code; } | sed '/^Plan:/q' >/dev/null",
    "a reader of JSON that went away": "{ PROGRAM --json; echo $? >code; } | true",
    "a full disk": "PROGRAM >/dev/full; echo $? >code",
    "closed": "PROGRAM >&-; echo $? >code",
    "both closed": "PROGRAM >&- 2>&-; echo $? >code",
}


@pytest.mark.parametrize("line", DEAF.values(), ids=DEAF)
def test_a_run_is_rolled_back_though_nobody_reads(trial: Trial, line: str) -> None:
    trial.write("kjpstate.yaml", FAILS)
    source = trial.write("a.ts", SOURCE)
    program = " ".join(trial.program("apply", "--yes", "--rollback-on-fail")[len(trial.inside) :])
    done = trial.sh("set +e; " + line.replace("PROGRAM", program))
    assert source.read_text() == SOURCE
    assert (trial.folder / "code").read_text().strip() == "7", done.said
    runs = trial.kjpstate("history").out
    assert "rollback" in runs and "BrokenPipe" not in runs, runs


def test_a_run_is_rolled_back_though_its_output_is_cut(trial: Trial) -> None:
    """A reader that takes the plan and goes away while the run is at work, as a closed terminal
    does."""
    trial.write("kjpstate.yaml", FAILS)
    source = trial.write("a.ts", SOURCE)
    program = " ".join(trial.program("apply", "--yes", "--rollback-on-fail")[len(trial.inside) :])
    done = trial.sh(
        f"set +e; {{ {program} 2>&1; echo $? >code; }} | dd bs=1 count=40 of=/dev/null 2>/dev/null"
    )
    assert source.read_text() == SOURCE, done.said
    assert (trial.folder / "code").read_text().strip() == "7", done.said
