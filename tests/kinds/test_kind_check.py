"""Kind check: tables of (spec, answers) -> verdict. Every verdict is a sentence, none passes
silently."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kjpstate.formats import logs, names, proc, resolved
from kjpstate.formats.names import Lookup
from kjpstate.formats.pm2 import probe
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.pm2.probe import App, BootClock, Seen
from kjpstate.formats.resolved_conf import Wanted
from kjpstate.formats.soak import Expected
from kjpstate.formats.times import seconds
from kjpstate.formats.tree import stamp_name
from kjpstate.formats.written import percent
from kjpstate.kinds import check
from kjpstate.kinds.check.spec import (
    AppCheck,
    Check,
    CommandCheck,
    CpuCheck,
    DnsCheck,
    FileCheck,
    LogCheck,
    ManualCheck,
)
from kjpstate.model import (
    Answer,
    CheckResult,
    Completed,
    File,
    ReadCommand,
    ReadFile,
    Reading,
    ReadState,
    Unreadable,
)
from kjpstate.rules import RULES
from kjpstate.said import plain, say
from kjpstate.secret import Secret
from tests.support.one_kind import difference, stamp

BASE: dict[str, Any] = {"name": "AC", "host": "stb", "document": "bot-kjp"}


def judged(spec: Check, *answers: Answer) -> CheckResult:
    """The verdict on the answers in the order of the readings."""
    readings = list(check.reads(spec))
    assert len(readings) == len(answers)
    result = check.judge(check.see(spec, dict(zip(readings, answers, strict=True)), {}))
    assert (result.name, result.host) == (spec.name, spec.host)
    assert result.reason
    return replace(result, reason=str(result.reason))


# ---- file, command, manual

WA = "/root/bot-kjp/dist/wa.js"
FILE = FileCheck(**BASE, path=WA, contains=("reconnectWithBackoff", "retryCount"))


@pytest.mark.parametrize(
    ("change", "answer", "result", "reason"),
    [
        (
            {},
            b"reconnectWithBackoff retryCount",
            "passed",
            f'{WA} has "reconnectWithBackoff", "retryCount"',
        ),
        ({}, b"retryCount", "failed", f'{WA} lacks "reconnectWithBackoff"'),
        ({}, None, "failed", f"{WA} is not there"),
        ({}, Unreadable("no permission"), "failed", f"{WA} could not be read: no permission"),
        ({"contains": (), "absent": ("TODO",)}, b"x", "passed", f'{WA} lacks "TODO"'),
        ({"contains": (), "absent": ("TODO",)}, b"TODO", "failed", f'{WA} has "TODO"'),
        ({"contains": ("a",), "absent": ("b",)}, b"b", "failed", f'{WA} lacks "a"; {WA} has "b"'),
        ({"contains": ()}, b"\xff", "passed", f"{WA} is there"),
    ],
)
def test_file(change: dict[str, Any], answer: Any, result: str, reason: str) -> None:
    spec = replace(FILE, **change)
    content = File(WA, answer, 0o644) if isinstance(answer, bytes) else answer
    found = judged(spec, content)
    assert (found.result, found.reason) == (result, reason)


COMMAND = CommandCheck(**BASE, run=("node", "--check", WA), cwd="/root/bot-kjp")


@pytest.mark.parametrize(
    ("answer", "result", "reason"),
    [
        (Completed(0, b"", b""), "passed", f"node --check {WA} ended with 0"),
        (
            Completed(1, b"out", b"one\nSyntaxError: Unexpected token\n"),
            "failed",
            f"node --check {WA} ended with 1: SyntaxError: Unexpected token",
        ),
        (Completed(None, b"", b""), "failed", f"node --check {WA} was killed"),
        (
            Unreadable("timed out after 30 s"),
            "failed",
            f"node --check {WA} could not be run: timed out after 30 s",
        ),
    ],
)
def test_command(answer: Answer, result: str, reason: str) -> None:
    assert list(check.reads(COMMAND)) == [
        ReadCommand("stb", ("node", "--check", WA), "/root/bot-kjp")
    ]
    found = judged(COMMAND, answer)
    assert (found.result, found.reason) == (result, reason)


def test_a_manual_check_neither_passes_nor_fails() -> None:
    text = "Send the bot a message; it replies."
    spec = ManualCheck(name="it answers", document="bot-kjp", text=text)
    found = judged(spec)
    assert (found.result, found.reason) == ("manual", "Send the bot a message; it replies.")


# ---- app

KEYS: dict[str, Any] = {
    "name": "bot-kjp",
    "script": "dist/index.js",
    "cwd": "/root/bot-kjp",
    "max_restarts": 15,
    "min_uptime": "10s",
    "env": {"NODE_ENV": "production", "TOKEN": Secret("hush")},
    "out_file": "logs/out.log",
}
DECLARED = Declared(
    "stb", "bot-kjp", "/root/bot-kjp/ecosystem.config.js", KEYS, "/root/bot-kjp/dist/"
)
APP = AppCheck(
    **BASE, app=DECLARED, alive=True, steady=True, settings=True, started_after_deploy=True
)
ENTRY = App(
    name="bot-kjp",
    pid=41,
    start="90000",
    status="online",
    pm_uptime=1_000_000,
    created_at=1_000_000,
    fields={
        "pm_exec_path": "/root/bot-kjp/dist/index.js",
        "pm_cwd": "/root/bot-kjp",
        "max_restarts": 15,
        "min_uptime": 10_000,
        "pm_out_log_path": "/root/bot-kjp/logs/out.log",
    },
    env={"NODE_ENV": "production", "TOKEN": "hush"},
    env_names=("NODE_ENV", "TOKEN"),
)
LIST = Seen(socket="alive", home="/root/.pm2", clock=BootClock("boot", "1000.00"), apps=(ENTRY,))
DEPLOYED = stamp({"files": {}, "clock": {"boot_id": "boot", "uptime": "812.20"}})


def listed(**changes: Any) -> bytes:
    return probe.render(replace(LIST, apps=(replace(ENTRY, **changes),)))


def test_an_app_as_the_document_says_passes_with_all_three_sentences() -> None:
    found = judged(APP, probe.render(LIST), DEPLOYED)
    assert found.result == "passed"
    assert found.reason == (
        "bot-kjp is alive; the restarts of bot-kjp stand still; "
        "bot-kjp runs with every setting of the document; bot-kjp started after its files were "
        "put there"
    )


@pytest.mark.parametrize(
    ("answer", "deployed", "reason"),
    [
        (probe.render(replace(LIST, apps=())), DEPLOYED, "not alive: not in PM2's list"),
        (probe.render(replace(LIST, socket="refused")), DEPLOYED, "not alive: no PM2 daemon"),
        (listed(status="waiting restart", pid=0, created_at=None), DEPLOYED, "not alive: given up"),
        (
            listed(restart_time=2, pm_uptime=1_090_000),
            DEPLOYED,
            "bot-kjp was restarted 100 s ago, and not on purpose; PM2 counts 2 restarts of it",
        ),
        (
            listed(fields={**ENTRY.fields, "max_restarts": 16}),
            DEPLOYED,
            "runs with max_restarts 16 instead of 15",
        ),
        (
            listed(fields={**ENTRY.fields, "pm_out_log_path": "/root/.pm2/logs/x.log"}),
            DEPLOYED,
            "out_file /root/.pm2/logs/x.log instead of /root/bot-kjp/logs/out.log",
        ),
        (
            listed(env={"NODE_ENV": "production", "TOKEN": "swapped"}),
            DEPLOYED,
            "runs with another env.TOKEN",
        ),
        (probe.render(LIST), None, "runs older code: not known"),
        (
            probe.render(LIST),
            stamp({"clock": {"boot_id": "boot", "uptime": "900.00"}}),
            "runs older code: started before its files changed",
        ),
        (Unreadable("timed out"), DEPLOYED, "PM2 could not be looked at: timed out"),
        (None, DEPLOYED, "only on a POSIX host"),
    ],
)
def test_what_an_app_fails_for(answer: Answer, deployed: Answer, reason: str) -> None:
    found = judged(APP, answer, deployed)
    assert found.result == "failed"
    assert reason in found.reason
    assert "hush" not in found.reason and "swapped" not in found.reason


def test_another_boot_since_the_deploy_is_fresh() -> None:
    found = judged(
        APP, probe.render(LIST), stamp({"clock": {"boot_id": "before", "uptime": "99999.00"}})
    )
    assert found.result == "passed"


def test_freshness_can_not_be_told_of_files_that_nothing_deploys() -> None:
    found = judged(replace(APP, app=replace(DECLARED, tree="")), probe.render(LIST))
    assert "nothing in this document puts its files there" in found.reason


# ---- dns

DNS = DnsCheck(
    **BASE,
    servers=Wanted(("8.8.8.8", "1.1.1.1:53")),
    resolves=("web.whatsapp.com",),
    each_server=True,
)


def asked(
    app: str = "157.240.1.60", first: str = "157.240.1.60", second: str = "157.240.1.60"
) -> bytes:
    """What the probe prints for these addresses; "" is a question without an answer."""
    return names.render(
        (
            Lookup("app", "getent", "web.whatsapp.com", 0, "157.240.1.60"),
            Lookup("app", "node", "web.whatsapp.com", 0 if app else 1, app),
            Lookup("server", "dig", "8.8.8.8", 0, first),
            Lookup("server", "dig", "1.1.1.1|53", 9 if not second else 0, second),
        )
    )


@pytest.mark.parametrize(
    ("answer", "result", "reason"),
    [
        (
            asked(),
            "passed",
            "web.whatsapp.com is 157.240.1.60, the way the bot asks; 8.8.8.8 answers; "
            "1.1.1.1:53 answers",
        ),
        (asked(app=""), "failed", "web.whatsapp.com does not resolve the way the bot asks (node)"),
        (asked(first=""), "failed", "8.8.8.8 knows the name and has no address for it"),
        (
            asked(first="", second=""),
            "failed",
            "address for it [server-empty]; 1.1.1.1:53 gave no answer (dig ended with 9)",
        ),
        (
            b"",
            "failed",
            "web.whatsapp.com could not be asked for: neither getent nor node is there",
        ),
        (None, "failed", "only on a POSIX host"),
    ],
)
def test_dns(answer: Answer, result: str, reason: str) -> None:
    found = judged(DNS, answer)
    assert found.result == result
    assert reason in found.reason


def said(first: str, second: str = "", beyond: int | None = None, app: bool = False) -> bytes:
    """Two servers that fail like this ("" answers), and whether their machines can be reached at
    all."""
    both = (("8.8.8.8", first), ("1.1.1.1|53", second))
    lookups = [
        Lookup(
            "app",
            "node",
            "web.whatsapp.com",
            0 if app else 1,
            "1.2.3.4" if app else "",
            "EAI_AGAIN",
        ),
        *(
            Lookup("server", "dig", server, 9 if word else 0, "" if word else "1.2.3.4", word)
            for server, word in both
        ),
    ]
    if beyond is not None:
        lookups += [Lookup("wan", "node", server, beyond) for server, _ in both]
    return names.render(lookups)


@pytest.mark.parametrize(
    ("answer", "result", "rule", "sentence"),
    [
        (
            said("TIMEOUT", app=True),
            "failed",
            "server-timeout",
            "8.8.8.8 did not answer within 2 s",
        ),
        (said("REFUSED", app=True), "failed", "server-refused", "8.8.8.8 refuses to answer us"),
        (said("CLOSED", app=True), "failed", "server-closed", "the connection was refused"),
        (
            said("SERVFAIL", app=True),
            "failed",
            "server-servfail",
            "8.8.8.8 failed to find an answer",
        ),
        (
            said("NXDOMAIN", app=True),
            "failed",
            "server-nxdomain",
            "8.8.8.8 says that there is no such name",
        ),
        (
            said("EMPTY", app=True),
            "failed",
            "server-empty",
            "knows the name and has no address for it",
        ),
        (said("strange", app=True), "failed", "", "8.8.8.8 gave no answer (dig ended with 9)"),
        (said("", ""), "failed", "", "does not resolve the way the bot asks (node: EAI_AGAIN)"),
        (said("TIMEOUT", "TIMEOUT", 1), "unknown", "wan-down", "the way out of the host is down"),
        (
            said("TIMEOUT", "TIMEOUT", 0),
            "failed",
            "server-timeout",
            "does not resolve the way the bot asks",
        ),
        (said("TIMEOUT", "TIMEOUT"), "failed", "server-timeout", "did not answer within 2 s"),
        (said("TIMEOUT", "SERVFAIL", 1), "failed", "server-timeout", "1.1.1.1 failed to find"),
    ],
)
def test_every_way_a_server_fails_is_told_apart(
    answer: bytes, result: str, rule: str, sentence: str
) -> None:
    spec = replace(DNS, servers=Wanted(("8.8.8.8", "1.1.1.1")))
    found = judged(spec, answer.replace(b"1.1.1.1|53", b"1.1.1.1"))
    assert found.result == result and sentence in found.reason
    assert not rule or (f"[{rule}]" in found.reason and rule in RULES)


def test_a_dead_line_does_not_hide_what_is_wrong_on_the_box() -> None:
    spec = replace(EFFECTIVE, resolves=("web.whatsapp.com",))
    silent = said("TIMEOUT", "TIMEOUT", 1).replace(b"1.1.1.1|53", b"1.1.1.1")
    assert judged(spec, running(servers=()), silent).result == "failed"
    assert judged(spec, resolved.render(RESOLVED), silent).result == "unknown"


EFFECTIVE = DnsCheck(**BASE, servers=Wanted(("8.8.8.8", "1.1.1.1")), effective=True)
RUNNING = resolved.Running(("8.8.8.8", "1.1.1.1"), fallback=("9.9.9.9",), mode="stub")
RESOLVED = resolved.Seen(
    unit=resolved.Unit("loaded", "active"), running=RUNNING, interfaces={1: "lo", 2: "eth0"}
)
MODEM = resolved.Link(2, "eth0", ("192.168.100.1",), ("~.",), True)


def running(**changes: Any) -> bytes:
    return resolved.render(replace(RESOLVED, running=replace(RUNNING, **changes)))


@pytest.mark.parametrize(
    ("dns", "answer", "result", "reason"),
    [
        (
            {},
            resolved.render(RESOLVED),
            "passed",
            "the servers are 8.8.8.8 1.1.1.1; programs ask systemd-resolved",
        ),
        (
            {"fallback": ("9.9.9.9",)},
            resolved.render(RESOLVED),
            "passed",
            "the fallback servers are 9.9.9.9",
        ),
        (
            {"servers": ("8.8.8.8", "8.8.8.8:53", "fe80::1%2")},  # as the plan compares them
            running(servers=("8.8.8.8", "fe80::1%eth0")),
            "passed",
            "the servers are 8.8.8.8 fe80::1%eth0",
        ),
        (
            {"fallback": ("9.9.9.9",)},
            resolved.render(RESOLVED).replace(b"FallbackDNSEx", b"x"),
            "unknown",
            "this systemd-resolved does not tell the fallback servers",
        ),
        (
            {"fallback": ("8.8.4.4",)},
            resolved.render(RESOLVED),
            "failed",
            "the fallback servers are 9.9.9.9, the document says 8.8.4.4",
        ),
        (
            {},
            running(servers=("1.1.1.1", "8.8.8.8")),
            "failed",
            "the servers are 1.1.1.1 8.8.8.8, the document says 8.8.8.8 1.1.1.1",
        ),
        (
            {},
            running(servers=()),
            "failed",
            "the servers are (none), the document says 8.8.8.8 1.1.1.1",
        ),
        ({}, running(mode="foreign"), "failed", "programs do not ask systemd-resolved"),
        (
            {},
            resolved.render(replace(RESOLVED, running=None)),
            "failed",
            "systemd-resolved does not run",
        ),
        ({}, None, "failed", "only on a POSIX host"),
    ],
)
def test_effective_servers(dns: dict[str, Any], answer: Answer, result: str, reason: str) -> None:
    servers = replace(Wanted(("8.8.8.8", "1.1.1.1")), **dns)
    found = judged(replace(EFFECTIVE, servers=servers), answer)
    assert found.result == result
    assert reason in found.reason


@pytest.mark.parametrize(
    ("links", "result", "reason"),
    [
        ((), "passed", "web.whatsapp.com goes to them"),
        ((MODEM,), "failed", "web.whatsapp.com goes to the servers of eth0 instead"),
        ((replace(MODEM, domains=()),), "passed", "web.whatsapp.com goes to them"),
    ],
)
def test_servers_that_nobody_asks_are_not_effective(links: Any, result: str, reason: str) -> None:
    spec = replace(EFFECTIVE, resolves=("web.whatsapp.com",))
    found = judged(spec, resolved.render(replace(RESOLVED, links=links)), asked())
    assert found.result == result
    assert reason in found.reason


# ---- log

LOG = LogCheck(**BASE, app=DECLARED, absent=("ENOTFOUND",), present=("WhatsApp Terhubung",))
DATED = replace(LOG, app=replace(DECLARED, keys={**KEYS, "time": True}))
OLD = b"ENOTFOUND web.whatsapp.com\n"
NOTED = stamp({"out": {"size": len(OLD), "changed": "x"}, "error": None})


def test_a_log_since_a_moment_needs_no_apply() -> None:
    dated = replace(DATED, since="2026-11-25 21:00", present=("Terhubung",))
    out = b"2026-11-25T20:00:00: ENOTFOUND\n2026-11-25T21:00:01: Terhubung\n"
    now = Completed(0, b"2026-11-25T23:00:00\n", b"")
    found = judged(dated, None, now, logs.render(out), logs.render(b""))
    assert found.result == "passed" and "since 2026-11-25 21:00" in found.reason
    late = judged(
        replace(dated, since="2026-11-25 22:00"), None, now, logs.render(out), logs.render(b"")
    )
    assert late.result == "failed" and 'lack "Terhubung" since 2026-11-25 22:00' in late.reason
    ahead = judged(
        replace(dated, since="2027-01-01"), None, now, logs.render(out), logs.render(b"")
    )
    assert ahead.result == "unknown"
    assert ahead.reason == "2027-01-01 is still to come: the host's own time is 2026-11-25 23:00:00"


@pytest.mark.parametrize(
    ("out", "result"),
    [
        (b"ENOTFOUND\n", "unknown"),  # the app does not date its lines yet
        (b"ENOTFOUND\n2026-11-25T21:00:01: x\n", "unknown"),
        (b"ENOTFOUND\n2026-11-25T20:00:01: x\n", "passed"),  # older than an old one
        (b"2026-11-25T21:00:01: x\r\n  ENOTFOUND\r\n", "failed"),
        (b"x\n", "passed"),
    ],
)
def test_a_line_without_a_date_is_neither_new_nor_old(out: bytes, result: str) -> None:
    spec = replace(DATED, since="30m", present=())
    now = Completed(0, b"2026-11-25T21:20:00\n", b"")
    found = judged(spec, None, now, logs.render(out), logs.render(b""))
    assert found.result == result
    if result == "unknown":
        said = "in lines without a date; whether in the last 30m is not known"
        assert found.reason == f'its logs have "ENOTFOUND" {said}'


def test_a_text_of_two_lines_is_found_in_a_log() -> None:
    spec = replace(LOG, absent=("ENOTFOUND\n  at x",), present=())
    found = judged(
        spec, NOTED, logs.render(OLD + b"ENOTFOUND\n  at x\nENOTFOUND\n"), logs.render(b"")
    )
    assert found.result == "failed" and "once since the last apply" in found.reason


def test_one_file_for_both_streams_is_read_once() -> None:
    app = replace(DECLARED, keys={**KEYS, "error_file": KEYS["out_file"]})
    found = judged(replace(LOG, app=app, present=()), NOTED, logs.render(OLD + OLD))
    assert found.result == "failed" and '"ENOTFOUND" once' in found.reason


@pytest.mark.parametrize(
    ("since", "now", "result", "reason"),
    [
        ("30m", b"2026-11-25T21:20:00\n", "passed", 'have "Terhubung" in the last 30m'),
        ("15m", b"2026-11-25T21:20:00\n", "failed", 'lack "Terhubung" in the last 15m'),
        ("2h", b"2026-11-25T21:20:00\n", "failed", 'have "ENOTFOUND" once in the last 2h'),
        ("4801s", b"2026-11-25T21:20:00\n", "failed", 'have "ENOTFOUND" once in the last 4801s'),
        (
            "30m",
            b"usage: date\n",
            "failed",
            "the host's own time is not known: `date` said 'usage: date'",
        ),
        ("30m", Unreadable("no date"), "failed", "the host's own time is not known: no date"),
    ],
)
def test_a_log_of_the_last_minutes(
    since: str, now: bytes | Unreadable, result: str, reason: str
) -> None:
    spec = replace(DATED, since=since, present=("Terhubung",))
    out = b"2026-11-25T20:00:00: ENOTFOUND\n2026-11-25T21:00:01: Terhubung\n"
    told = Completed(0, now, b"") if isinstance(now, bytes) else now
    found = judged(spec, None, told, logs.render(out), logs.render(b""))
    assert found.result == result and reason in str(found.reason)


def test_which_logs_an_app_has() -> None:
    assert list(check.reads(LOG)) == [
        ReadState("stb", "bot-kjp", stamp_name("log", "bot-kjp")),
        logs.reading("stb", "/root/bot-kjp/logs/out.log"),
        logs.reading("stb", "~pm2/logs/bot-kjp-error.log"),
    ]


def test_a_log_that_is_thrown_away_is_not_read() -> None:
    silent = replace(DECLARED, keys={**KEYS, "out_file": "/dev/null", "error_file": "NULL"})
    found = judged(replace(LOG, app=silent, absent=()), NOTED)
    assert found.result == "failed" and "lack" in found.reason


@pytest.mark.parametrize(
    ("noted", "out", "error", "result", "reason"),
    [
        (
            NOTED,
            OLD + "✅ WhatsApp Terhubung!\n".encode(),
            b"",
            "passed",
            'no "ENOTFOUND" since the last apply',
        ),
        (NOTED, OLD, None, "failed", 'lack "WhatsApp Terhubung" since the last apply'),
        (
            NOTED,
            OLD + b"WhatsApp Terhubung\n",
            b"Error: getaddrinfo ENOTFOUND web.whatsapp.com\n",
            "failed",
            'have "ENOTFOUND" once since the last apply, at last: Error: getaddrinfo ENOTFOUND',
        ),
        (NOTED, b"WhatsApp Terhubung\n", None, "passed", "since the last apply"),
        (
            None,
            OLD + b"WhatsApp Terhubung\n",
            None,
            "failed",
            'have "ENOTFOUND" once in the last 256 KiB',
        ),
    ],
    ids=["connected", "not-yet", "error-again", "rotated", "no-stamp"],
)
def test_log(noted: Answer, out: bytes, error: bytes | None, result: str, reason: str) -> None:
    found = judged(LOG, noted, logs.render(out), logs.render(error))
    assert found.result == result
    assert reason in found.reason


def test_a_log_that_can_not_be_read_fails() -> None:
    found = judged(LOG, NOTED, b"unreadable\n", logs.render(b""))
    assert (
        found.reason == "/root/bot-kjp/logs/out.log could not be read: no permission, or not a file"
    )


# ---- cpu

CPU = CpuCheck(**BASE, app=DECLARED, below=30.0, over=5.0)


def used(ticks: int) -> bytes:
    return proc.render(41, proc.Sample("100.00", 0, "1"), proc.Sample("105.00", ticks, "1"))


@pytest.mark.parametrize(
    ("answer", "result", "reason"),
    [
        (used(50), "passed", "bot-kjp used 10% of one core over 5 s"),
        (used(150), "failed", "bot-kjp used 30% of one core over 5 s; the limit is 30%"),
        (used(500), "failed", "bot-kjp used 100% of one core over 5 s; the limit is 30%"),
        (b"ticks 100\n", "failed", "bot-kjp: no process of it runs under PM2"),
        (
            used(1).partition(b"b ")[0],
            "failed",
            "bot-kjp ended or was restarted while its CPU was measured",
        ),
        (None, "failed", "bot-kjp: CPU can be measured only on a POSIX host"),
    ],
)
def test_cpu(answer: Answer, result: str, reason: str) -> None:
    found = judged(CPU, answer)
    assert (found.result, found.reason) == (result, reason)


@pytest.mark.parametrize(
    ("below", "over"), [("30%", "5s"), ("30.0%", "5000ms"), ("030%", "5s"), ("30.00%", "5000ms")]
)
def test_numbers_have_their_unit(below: str, over: str) -> None:
    spec = replace(CPU, below=percent(below), over=seconds(over))
    assert spec == CPU
    assert list(check.reads(spec)) == [proc.reading("stb", "bot-kjp", 5)]


# ---- the face of a kind


def test_a_check_differs_when_it_fails_and_does_nothing_about_it() -> None:
    answers: dict[Reading, Answer] = {ReadFile("stb", WA): None}
    missing = plain(say("check.no-file", path=WA))
    assert [item.actual for item in difference(check, FILE, answers)] == [missing]
    assert list(check.writes(FILE)) == []
    manual = ManualCheck(**BASE, text="Look.")
    assert difference(check, manual, {}) == ()


def test_a_watch_is_told_what_the_checks_of_its_host_expect() -> None:
    assert list(check.questions(DNS)) == [Expected(names=("web.whatsapp.com",))]
    assert list(check.questions(LOG)) == [Expected(app="bot-kjp", absent=("ENOTFOUND",))]
    assert list(check.questions(CPU)) == []


def test_which_checks_a_starting_bot_fails_and_which_come_first() -> None:
    every = (FILE, COMMAND, APP, DNS, LOG, CPU)
    assert [spec for spec in every if spec.starting] == [LOG, CPU]
    assert [spec for spec in every if spec.foremost] == [APP]
    assert not replace(APP, alive=False).foremost
