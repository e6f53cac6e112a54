"""Up to eight that want one host's lock at one instant, through every body: free, held, or of a
dead run.

Exactly one gets it and writes; a live lock is never broken; a dead one is always got over; no
update is lost.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kjpstate.host import Host
from kjpstate.hosts.ssh import ShellHost
from tests.support import bodies
from tests.support.allowed_states import picture
from tests.support.contenders import Contender

SEED, SLICE, WHOLE = 20261125, 24, 500
BODIES = ("local", "dash", "ssh", "local", "bash", "dash", "busybox", "local")


@dataclass
class Arena:
    """All contenders, and the one lock folder and file they meet at."""

    folder: Path
    contenders: list[Contender]

    @property
    def lock(self) -> Path:
        return self.folder / "locks" / "kjpstate"

    @property
    def count(self) -> Path:
        return self.folder / "work" / "count"


@pytest.fixture(name="arena")
def arena_fixture(tmp_path: Path, sshd) -> Iterator[Arena]:
    for name in ("work", "locks", "state"):
        (tmp_path / name).mkdir()
    (tmp_path / "work" / "count").write_text("0")
    made = [
        Contender(
            f"{body} {number}",
            maker(body, tmp_path, number, sshd),
            str(tmp_path / "work" / "count"),
        )
        for number, body in enumerate(BODIES)
    ]
    yield Arena(tmp_path, made)
    for contender in made:
        contender.stop()


def maker(body: str, shared: Path, number: int, sshd) -> Callable[[], Host]:
    """A host of this body, whose work, state and lock folders are the shared ones."""

    def make() -> Host:
        own = shared / f"own-{number}"
        own.mkdir()
        if body == "local":
            return bodies.local_host(shared, (f"{shared}/",))
        bench = bodies.ssh_bench(own, sshd) if body == "ssh" else bodies.shell_bench(own, body)
        host = bench.host(f"{shared}/")
        assert isinstance(host, ShellHost)
        host._places = (str(shared / "state"), str(shared / "locks"))
        return host

    return make


@pytest.mark.real
def test_of_many_at_once_exactly_one_writes(arena, counted):
    chance = random.Random(SEED)
    rounds = WHOLE if os.environ.get("KJPSTATE_FULL") else SLICE
    for number in range(rounds):
        lay = LOCKS[number % len(LOCKS)]
        dead = lay(arena, number)
        wanting = chance.sample(arena.contenders, chance.choice((2, 2, 3, 3, 4, 5, 6, 8)))
        winner = one_of(arena, wanting, number, f"{lay.__name__}")
        if number % 5 == 0:  # it holds on: whoever comes now is told, and breaks nothing
            late = [contender for contender in arena.contenders if contender is not winner][:3]
            held = arena.lock.read_bytes()
            assert none_of(late, number) == {run_of(number, wanting.index(winner))}
            assert arena.lock.read_bytes() == held
        winner.tell("write")
        assert winner.answer() == ("wrote", ["done"])
        assert arena.count.read_text() == str(number + 1), "an update was lost"
        assert not picture(arena.lock.parent), f"{lay.__name__}: {list(picture(arena.lock.parent))}"
        for backup in arena.count.parent.glob("count.backup.*"):
            backup.unlink()
        if dead is not None:
            dead.wait(10)
    counted("rounds of two to eight at one lock", rounds)


def run_of(number: int, index: int) -> str:
    return f"{number:05x}{index:x}"


def one_of(arena: Arena, wanting: list[Contender], number: int, over: str) -> Contender:
    """All try at once; who won, after all have answered. Every other was told
    by whom it is held."""
    for index, contender in enumerate(wanting):
        contender.tell("try", run_of(number, index))
    answers = [contender.answer() for contender in wanting]
    won = [index for index, (word, _) in enumerate(answers) if word == "won"]
    told = [(wanting[index].name, answer) for index, answer in enumerate(answers)]
    assert len(won) == 1 and {word for word, _ in answers} <= {"won", "locked"}, (
        f"{over}, round {number}: {told}"
    )
    assert f"run {run_of(number, won[0])}\n" in arena.lock.read_text()
    return wanting[won[0]]


def none_of(late: list[Contender], number: int) -> set[str]:
    """They try at once and all are told the lock is held; by which runs."""
    for index, contender in enumerate(late):
        contender.tell("try", run_of(number, 8 + index))
    answers = [contender.answer() for contender in late]
    assert {word for word, _ in answers} == {"locked"}, answers
    return {run for _, run in answers}


# ---- what stands there before: each leaves a lock, or none, and says which process it must outlive


def free(arena: Arena, number: int) -> None:
    """Nobody has it."""


def dead_process(arena: Arena, number: int) -> None:
    """Of this boot, its process gone."""
    owner(arena, f"dead{number % 100:02d}", 4194303, f"{number}", boot())


def another_boot(arena: Arena, number: int) -> None:
    """Its number belongs to a process that lives, of another boot."""
    owner(arena, "0ff0ff", os.getpid(), start_of(os.getpid()), "another-boot")


def number_used_again(arena: Arena, number: int) -> None:
    """Its number belongs to a process that was started later."""
    owner(arena, "0dd0dd", os.getpid(), "1", boot())


def right_to_break_left(arena: Arena, number: int) -> None:
    """Somebody was going to break a dead lock, and died with the right to."""
    dead_process(arena, number)
    run = f"dead{number % 100:02d}"
    lines = f"run b4eac0\nwho x\nwhen y\nwhy z\npid 4194302\nstart 1\nboot {boot()}\n"
    arena.lock.with_name(f"kjpstate.break.{run}-4194303").write_text(lines)


def killed(arena: Arena, number: int) -> subprocess.Popen[bytes]:
    """A real holder, killed with -9."""
    process = subprocess.Popen(["sleep", "60"])
    owner(arena, "dead99", process.pid, start_of(process.pid), boot())
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    return process


LOCKS = (
    free,
    dead_process,
    free,
    killed,
    free,
    another_boot,
    number_used_again,
    right_to_break_left,
)


def owner(arena: Arena, run: str, pid: int, start: str, boot_id: str) -> None:
    arena.lock.write_text(
        f"run {run}\nwho x\nwhen y\nwhy z\npid {pid}\nstart {start}\nboot {boot_id}\n"
    )


def boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19]
