"""`backups` and `backups prune` as they are typed, on the simulated machines."""

from __future__ import annotations

import sys
import time

import pytest
import time_machine

from tests.support.commands import Desk, Terminal
from tests.support.words import said

DIST = "stb/root/bot-kjp"


def again(boxes: Desk, number: int) -> None:
    """One more run that deploys, in a second of its own: the order of backups is that of their
    seconds."""
    (boxes.folder / "pc/src/pesan.ts").write_text(f"export const number = {number};\n")
    with time_machine.travel(time.time() + 10 * (number + 1)):
        assert boxes.kjpstate("apply", "--yes").code == 0


def rows(boxes: Desk) -> list[dict]:
    return boxes.kjpstate("backups", "--json").json["backups"]


def kept_folders(boxes: Desk) -> list[str]:
    return sorted(path.name for path in (boxes.folder / DIST).glob("dist.backup.*"))


def test_each_backup_with_its_size_its_state_and_the_first_original(boxes: Desk):
    boxes.kjpstate("apply", "--yes")
    again(boxes, 1)
    again(boxes, 2)
    (boxes.folder / DIST / kept_folders(boxes)[-1] / "wa.js").write_text("other")
    shown = boxes.kjpstate("backups")
    assert shown.code == 0
    text = " ".join(shown.out.split())
    assert "first original" in text and "NOT as it was kept" in text
    assert shown.out.splitlines()[-1].endswith("; 1 not as kept.")
    found = [row for row in rows(boxes) if row["path"] == "/root/bot-kjp/dist"]
    assert [row["first_original"] for row in found] == [True, False]
    assert [row["condition"] for row in found] == ["kept", "changed"]
    assert all(row["size"] > 0 for row in found)


def test_prune_shows_asks_removes_and_keeps_the_first_and_the_last(boxes: Desk, monkeypatch):
    boxes.kjpstate("apply", "--yes")
    for number in range(4):
        again(boxes, number)
    names = kept_folders(boxes)
    assert len(names) == 4
    for answer, code, left in (("no\n", 1, 4), ("yes\n", 0, 2)):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stdin", Terminal(answer))
        monkeypatch.setattr(sys, "stderr", terminal)
        assert boxes.kjpstate("backups", "prune", "--keep", "1").code == code
        assert "Remove these for good? Only yes, in full, is a yes: " in terminal.getvalue()
        assert len(kept_folders(boxes)) == left
    monkeypatch.undo()
    assert kept_folders(boxes) == [names[0], names[-1]]


def test_prune_by_age_json_and_what_can_still_be_rolled_back(boxes: Desk):
    boxes.kjpstate("apply", "--yes")
    for number in range(3):
        again(boxes, number)
    before = rows(boxes)
    young = boxes.kjpstate("backups", "prune", "--keep-days", "1", "--yes", "--json").json
    assert young["pruned"] == [] and rows(boxes) == before
    value = boxes.kjpstate(
        "backups", "prune", "kjpstate.yaml", "--keep", "1", "--yes", "--json"
    ).json
    gone = {row["backup"] for row in value["pruned"]}
    assert (
        gone and {row["backup"] for row in rows(boxes)} == {row["backup"] for row in before} - gone
    )
    assert {row["condition"] for row in rows(boxes)} == {"kept"}
    run = value["pruned"][0]["run"]
    assert boxes.kjpstate("rollback", run, "--yes").code == 64
    assert boxes.kjpstate("rollback", "--yes").code == 0
    nothing = boxes.kjpstate("backups", "prune", "--keep", "1", "--yes")
    assert said("backups.nothing-to-remove") in nothing.out or "Prune: " in nothing.out


def test_backups_need_no_secret(boxes: Desk, monkeypatch):
    boxes.kjpstate("apply", "--yes")
    text = (boxes.folder / "kjpstate.yaml").read_text()
    boxes.write(
        text.replace(
            "      cwd: ", '      env: {KEY: "${env:NOT_SET}", TOKEN: "${file:gone}"}\n      cwd: '
        )
    )
    assert boxes.kjpstate("plan").code == 65
    assert boxes.kjpstate("backups").code == 0
    assert boxes.kjpstate("backups", "prune", "--keep", "1", "--yes").code == 0


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("prune",), "needs --keep N, --keep-days D, or both"),
        (("prune", "--keep", "0", "--yes"), "--keep"),
        (("prune", "--keep", "1"), "can't ask here"),
        (("prune", "--keep", "1", "--json"), "can't ask here"),
        (("--keep", "1"), "belong to: kjpstate backups prune"),
        (("a.yaml", "b.yaml"), "takes one document"),
        (("prune", "gone.yaml", "--keep", "1", "--yes"), "no such document: gone.yaml"),
    ],
)
def test_wrong_use_is_one_sentence(boxes: Desk, argv: tuple[str, ...], said: str):
    shown = boxes.kjpstate("backups", *argv)
    assert (shown.code, said in shown.err) == (64, True), shown.err
