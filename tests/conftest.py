"""For all tests: what is left out and why, a home of their own, and no skip where nobody would see
it.

Tests with a mark of SWITCHES are left out unless its variable is set.
In CI (CI=true, or KJPSTATE_STRICT=1) a skipped test has failed.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from kjpstate.words import languages

SWITCHES = {
    "slice": "KJPSTATE_SLICES",
    "real": "KJPSTATE_REAL",
    "machine": "KJPSTATE_MACHINE",
    "root": "KJPSTATE_MACHINE",
    "full": "KJPSTATE_FULL",
}
FOR_TESTS = (
    *SWITCHES.values(),
    "KJPSTATE_TOOLS",
    "KJPSTATE_STRICT",
    "KJPSTATE_DONE",
    "KJPSTATE_CHECKOUT",
    "KJPSTATE_LANG",
    "KJPSTATE_LOCALES",
)
REAL_HOME = Path.home()
# What kjpstate, ssh and PM2 would write in the home of whoever runs the tests.
FORBIDDEN = (
    ".pm2",
    ".local/state/kjpstate",
    ".config/kjpstate",
    ".cache/kjpstate",
    ".ssh/known_hosts",
    ".ssh/config",
)
# What would lead a test to somebody's own machines, keys or settings.
UNSET = (
    "SSH_AUTH_SOCK",
    "SSH_ASKPASS",
    "PM2_HOME",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
)

IN_A_WORKER = "PYTEST_XDIST_WORKER" in os.environ

_left_out: Counter[str] = Counter()
_counted: Counter[str] = Counter()
_passed: dict[str, bool] = {}
_done_before: dict[str, dict[str, int]] = {}


def switched_on(name: str) -> bool:
    """Whether an environment switch is set to something that means yes."""
    return os.environ.get(name, "").lower() not in ("", "0", "false", "no")


STRICT = switched_on("CI") or switched_on("KJPSTATE_STRICT")

# No test is timed; and what lands or not must not hang on a throw of the dice.
hypothesis.settings.register_profile("ours", deadline=None, derandomize=STRICT)
hypothesis.settings.load_profile("ours")


# With pytest-xdist these run one after the other in one process: files that share a booted machine,
# and those that start a real PM2 (a user has one PM2 to kjpstate: where another runs the same app,
# nothing is started).
TOGETHER = {
    "test_the_machine.py": "machine",
    "test_cron.py": "machine",
    "test_e2e.py": "machine-e2e",
    "test_dns.py": "machine-dns",
    "test_killed.py": "machine-killed",
    **{
        f"test_real_{name}.py": "pm2"
        for name in ("checks", "monitor", "pm2", "pm2_matrix", "pm2_restarts", "rollback")
    },
}


def pytest_configure() -> None:
    """Before anything is collected: what need not run again, and what that counted."""
    languages.speak({**os.environ, "LC_ALL": "C"})
    _done_before.update(_done())
    for counts in _done_before.values():
        _counted.update(counts)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """By hand, since `--dist loadgroup` of pytest-xdist 3.8 does not group under pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return TOGETHER.get(nodeid.partition("::")[0].rpartition("/")[2], nodeid)

    return Together(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what its switch does not ask for, and what an earlier run has done."""
    kept: list[pytest.Item] = []
    gone: list[pytest.Item] = []
    for item in items:
        if item.nodeid in _done_before:
            gone.append(item)
            continue
        off = [mark for mark in SWITCHES if _marked(item, mark) and not _wanted(mark)]
        if off:
            _left_out[off[0]] += 1
        (gone if off else kept).append(item)
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = kept


def _wanted(mark: str) -> bool:
    return switched_on(SWITCHES[mark]) or (mark == "slice" and switched_on(SWITCHES["full"]))


def _marked(item: pytest.Item, mark: str) -> bool:
    return item.get_closest_marker(mark) is not None


@pytest.fixture
def counted(request: pytest.FixtureRequest) -> Iterator[Callable[[str, int], None]]:
    """For tests that enumerate: `counted("cuts healed", 214)`. Counts of one name add up, for the
    table."""
    counts: Counter[str] = Counter()

    def count(name: str, number: int) -> None:
        counts[name] += number

    yield count
    request.node.user_properties.append(("counted", dict(counts)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """What a test counted, once it has ended well; in $KJPSTATE_DONE, too, so that it need not run
    again."""
    if IN_A_WORKER:
        return
    if report.when != "teardown":
        _passed[report.nodeid] = report.passed
        return
    if report.passed and _passed.pop(report.nodeid):
        counts = dict(report.user_properties).get("counted", {})
        _counted.update(counts)
        if done := os.environ.get("KJPSTATE_DONE"):
            with Path(done).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"test": report.nodeid, "counted": counts}) + "\n")


def _done() -> dict[str, dict[str, int]]:
    """Test -> what it counted, of those that an earlier run of the same counts has done."""
    file = Path(os.environ.get("KJPSTATE_DONE") or os.devnull)
    rows = map(json.loads, file.read_text("utf-8").splitlines()) if file.exists() else ()
    return {row["test"]: row["counted"] for row in rows}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """With pytest-xdist: what the parallel processes left out, for the one that tells."""
    _left_out.clear()
    _left_out.update(
        getattr(node, "workeroutput", {}).get("left_out", {})
    )  # the same in each: all collect all


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With pytest-xdist: what this process left out, for the one that tells."""
    if (told := getattr(session.config, "workeroutput", None)) is not None:
        told["left_out"] = dict(_left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was counted, and one line that says what did not run."""
    for name, number in sorted(_counted.items()) if STRICT else ():
        terminalreporter.write_line(f"Counted: {number:>7,} {name}")
    if _left_out:
        parts = [
            f"{count} {mark} ({SWITCHES[mark]}=1)" for mark, count in sorted(_left_out.items())
        ]
        terminalreporter.write_line(f"Left out: {', '.join(parts)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """In CI a skip is a failure; an expected failure stays one."""
    report = yield
    if STRICT and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and in CI that is a failure: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """The same for a module that skips itself whole."""
    report = yield
    if STRICT and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"skipped, and in CI that is a failure: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def own_home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A new empty home and XDG folders for every test; what it must not touch is looked at
    afterwards."""
    home = tmp_path_factory.mktemp("home")
    for name in [
        name for name in os.environ if name.startswith("KJPSTATE_") and name not in FOR_TESTS
    ]:
        monkeypatch.delenv(name)
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    for name, folder in {
        "XDG_CONFIG_HOME": ".config",
        "XDG_STATE_HOME": ".local/state",
        "XDG_CACHE_HOME": ".cache",
        "XDG_DATA_HOME": ".local/share",
        "APPDATA": "AppData/Roaming",
        "LOCALAPPDATA": "AppData/Local",
    }.items():
        monkeypatch.setenv(name, str(home / folder))
    before = _forbidden()
    yield home
    new = sorted(set(_forbidden().items()) - set(before.items()))
    assert not new, f"the test wrote into the real home: {', '.join(path for path, _ in new)}"


def _forbidden() -> dict[str, int]:
    """Each forbidden path that exists, with the size of a file (a folder of the user's own may live
    on)."""
    found = {}
    for name in FORBIDDEN:
        path = REAL_HOME / name
        if path.exists():
            found[str(path)] = path.stat().st_size if path.is_file() else 0
    return found
