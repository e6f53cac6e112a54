"""The law on a real machine: plan, apply, an empty plan; each drift found, healed, nothing else
touched."""

from __future__ import annotations

import os
import random
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.machine import BOT, Machine
from tests.support.machine.outage import ALL_DNS, measure
from tests.support.machine.world import World, differing
from tests.support.rows import addresses

pytestmark = pytest.mark.machine

RESOLVED = "/etc/systemd/resolved.conf"
DIST = f"{BOT}/dist"
OURS = r"stb:/var/lib/kjpstate/.*"
BACKUP = r"\.backup\.\d{8}T\d{6}Z-\w+"
PC_STATE = r"pc:.*" + BACKUP + r".*"


def only(changed: set[str], *patterns: str) -> None:
    """All of `changed` matches a pattern, each pattern something of it; our state and backups may
    come."""
    matched = {
        pattern: [path for path in changed if re.fullmatch(pattern, path)] for pattern in patterns
    }
    always = {path for path in changed if re.fullmatch(f"{OURS}|{PC_STATE}|stb:.*{BACKUP}.*", path)}
    rest = changed - always - {path for paths in matched.values() for path in paths}
    assert not rest, f"touched without need: {sorted(rest)}"
    assert all(matched.values()), (
        f"not touched: {[pattern for pattern in patterns if not matched[pattern]]}"
    )


def in_sync(world: World) -> None:
    """The second plan is empty, looking writes nothing, and drift is silent."""

    def look() -> None:
        assert "In sync." in world.must(0, "plan", "--detailed-exitcode")
        assert world.must(0, "drift") == ""

    assert world.changed_by(look) == set()


@pytest.mark.parametrize(
    "state", ["bot-kjp.yaml", "variants/bot-kjp-on-box.yaml", "variants/bot-kjp-hardened.yaml"]
)
def test_every_document_of_states_is_planned_applied_and_then_in_sync(
    tmp_path: Path, box: Machine, state: str
):
    assert box.bot_is_connected()
    world = World(tmp_path, box, state, quick=state != "bot-kjp.yaml")

    def plan() -> None:
        world.must(2, "plan", "--detailed-exitcode")

    assert world.changed_by(plan) == set()
    applied = world.must(0, "apply", "--yes")
    assert "8 passed, 0 failed" in applied or "9 passed, 0 failed" in applied
    in_sync(world)
    # PM2's list, as saved, is the same after a power cut; and a new boot makes nothing owed.
    box.restart()
    assert box.bot_is_connected()
    in_sync(world)


@pytest.fixture(scope="module")
def first(
    tmp_path_factory: pytest.TempPathFactory, machine: Machine
) -> Iterator[tuple[World, set[str]]]:
    """In sync, once for all drifts, each healed before the next is planted; and what the apply
    touched."""
    machine.reset()
    assert machine.bot_is_connected()
    world = World(tmp_path_factory.mktemp("world"), machine, "bot-kjp.yaml", quick=True)
    yield world, world.changed_by(lambda: world.must(0, "apply", "--yes"))
    shutil.rmtree(world.pc)


@pytest.fixture
def world(first: tuple[World, set[str]]) -> World:
    return first[0]


def test_the_first_apply_touches_what_its_plan_says_and_nothing_else(first: tuple[World, set[str]]):
    _, changed = first
    only(
        changed,
        f"stb:{RESOLVED}",
        f"stb:{BOT}/ecosystem.config.js",
        f"stb:{DIST}/wa.js",
        f"stb:{DIST}/.*",
        r"pc:src/wa\.ts",
        "pc:dist/.*",
    )
    assert any(re.fullmatch(f"stb:{RESOLVED}{BACKUP}", path) for path in changed)
    assert any(re.fullmatch(rf"pc:src/wa\.ts{BACKUP}", path) for path in changed)


@dataclass(frozen=True)
class Planted:
    """`on_box`: a shell command; `on_pc`: (file, old, new). `found`: the addresses that drift
    names. `heals`: patterns of the files that the cure touches."""

    found: set[str]
    heals: tuple[str, ...] = ()
    on_box: str = "true"
    on_pc: tuple[str, str, str] | None = None


PROCESS = "pm2_process.bot-kjp"
DRIFTS = {
    "servers of another": Planted(
        {"dns"},
        (f"stb:{RESOLVED}",),
        f"sed -i 's/^DNS=.*/DNS=192.168.100.1/' {RESOLVED} && systemctl restart systemd-resolved",
    ),
    "a file edited and never loaded": Planted(
        {"dns"}, (f"stb:{RESOLVED}",), f"sed -i /^DNS=/d {RESOLVED}"
    ),
    "right in the file, not in the daemon": Planted(
        {"dns"},
        (),
        f"cp -p {RESOLVED} /tmp/kept && sed -i /^DNS=/d {RESOLVED} && systemctl restart "
        "systemd-resolved"
        f" && cp -p /tmp/kept {RESOLVED}",
    ),
    "a setting in the ecosystem file": Planted(
        {"pm2_ecosystem"},
        (f"stb:{BOT}/ecosystem.config.js",),
        f'sed -i \'s/"max_restarts": 15/"max_restarts": 99/\' {BOT}/ecosystem.config.js',
    ),
    "started by hand, without the file": Planted(
        {PROCESS},
        (),
        f"cd {BOT} && pm2 delete bot-kjp && pm2 start dist/index.js --name bot-kjp && pm2 save",
    ),
    "stopped": Planted({PROCESS}, (), "pm2 stop bot-kjp"),
    "no daemon": Planted({PROCESS}, (), "systemctl stop pm2-root; pm2 kill"),
    "not saved": Planted({PROCESS}, (), "rm -f /root/.pm2/dump.pm2 /root/.pm2/dump.pm2.bak"),
    "another build on the box": Planted(
        {"deploy", PROCESS}, (rf"stb:{DIST}/.*",), f"echo '// patched by hand' >> {DIST}/wa.js"
    ),
    "an edit inside of a patch": Planted(
        {"patch.reconnect-backoff", "build", "deploy", PROCESS},
        (r"pc:src/wa\.ts", "pc:dist/.*"),
        on_pc=("src/wa.ts", "MAX_RETRIES = 10", "MAX_RETRIES = 1000"),
    ),
    # What follows a build is owed until it is done; then the box is not touched, the bytes being
    # the same.
    "outputs lost": Planted(
        {"build", "deploy", PROCESS},
        ("pc:dist/.*",),
        on_pc=("dist/wa.js", "MAX_RETRIES = 10", "MAX_RETRIES = 7"),
    ),
    "new source": Planted(
        {"build", "deploy", PROCESS},
        ("pc:dist/.*", f"stb:{DIST}/.*"),
        on_pc=("src/index.ts", "mulai...", "mulai lagi..."),
    ),
}


CHOSEN = (
    sorted(DRIFTS)
    if os.environ.get("KJPSTATE_FULL")
    else random.Random(4).sample(sorted(DRIFTS), 7)
)


@pytest.mark.parametrize("name", CHOSEN)
def test_each_drift_is_found_named_healed_and_nothing_else_touched(
    world: World, name: str, counted: Callable[[str, int], None]
):
    planted = DRIFTS[name]
    plant(world, planted)

    before = world.files()
    rows = world.must(2, "drift")
    assert addresses(rows) == planted.found, rows
    looked = world.files()
    assert differing(before, looked) == set()
    world.must(0, "apply", "--yes")
    only(differing(looked, world.files()), *planted.heals)
    assert world.must(0, "drift") == ""
    counted("kinds of drift found and healed on a real Debian", 1)


def plant(world: World, planted: Planted) -> None:
    world.machine.must(planted.on_box)
    if planted.on_pc:
        name, old, new = planted.on_pc
        path = world.pc / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_bot_that_does_not_live_is_taken_back_and_the_old_one_runs(world: World):
    box, index = world.machine, world.pc / "src/index.ts"
    good = index.read_text(encoding="utf-8")
    code = box.must(f"cat {DIST}/index.js {DIST}/wa.js {BOT}/ecosystem.config.js")
    index.write_text(good + "\nprocess.exit(3);\n", encoding="utf-8")
    try:
        done = world.kjpstate("apply", "--yes")
        assert done.code == 7, done.out + done.err
        assert box.must(f"cat {DIST}/index.js {DIST}/wa.js {BOT}/ecosystem.config.js") == code
        assert '"status":"online"' in box.must("pm2 jlist")
        assert "deploy" in world.must(2, "drift")
    finally:
        index.write_text(good, encoding="utf-8")
    world.must(0, "apply", "--yes")


def test_types_that_are_wrong_stop_everything_before_the_build(world: World):
    index = world.pc / "src/index.ts"
    good = index.read_text(encoding="utf-8")
    index.write_text(
        good + "\nconst nomor: number = 'satu';\nconsole.log(nomor);\n", encoding="utf-8"
    )
    try:
        codes: list[int] = []
        changed = world.changed_by(lambda: codes.append(world.kjpstate("apply", "--yes").code))
        assert codes == [7]
        only(changed)
    finally:
        index.write_text(good, encoding="utf-8")
    assert world.must(0, "drift") == ""


def test_the_modem_restarts_and_the_bot_needs_its_dns_no_more(world: World):
    box = world.machine
    box.network.all_ok()
    box.dns("NXDOMAIN")
    box.network.whatsapp("down")
    time.sleep(2)
    box.network.whatsapp("ok")
    assert box.bot_is_connected(40), box.must(f"tail -n 20 {BOT}/logs/out.log")
    world.must(0, "verify")


def test_it_is_watched_after_an_apply(world: World):
    shown = world.must(
        0, "apply", "--yes", "--monitor", "6s", "--rollback-on-fail", "--plot", "watch.html"
    )
    assert re.search(r"ok         bot-kjp on stb  [1-3] looks?: CPU ", shown), shown
    assert re.search(r"\nMonitor: 1 passed, 0 failed, in 0:\d\d\.\n\Z", shown), shown
    assert "Names that resolve" in (world.folder / "watch.html").read_text("utf-8")


def test_without_any_dns_the_bot_waits_and_comes_back_by_itself(world: World):
    # The same outage makes the bot of before try hundreds of times (test_the_machine.py); it comes
    # back too.
    found = measure(world.machine, ALL_DNS, 10)
    assert found.attempts < 8, found
    assert found.same
    # The log remembers it, and so does the check; but a bot that lives again is no drift.
    assert "7 passed, 1 failed" in world.must(6, "verify")
    assert world.must(0, "drift") == ""


def test_a_box_that_is_off_is_said_to_be_unreachable(world: World):
    world.machine.power_off()
    try:
        done = world.kjpstate("plan")
    finally:
        world.machine.boot()
    assert done.code == 3
    assert "stb" in done.err + done.out
    assert "Traceback" not in done.err
