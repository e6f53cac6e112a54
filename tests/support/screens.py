"""Plans and reports in code, for the tests of render: what the owner's document gives, and its
troubles."""

from __future__ import annotations

from typing import Any

from kjpstate.host import Local, Ssh
from kjpstate.model import (
    UNKNOWN,
    Advice,
    AdviceAt,
    Change,
    CheckResult,
    Difference,
    Drift,
    MakeDirectory,
    Note,
    Outcome,
    Plan,
    Refuse,
    Report,
    Resource,
    Run,
    RunInfo,
    Stamp,
    State,
    Step,
    SyncTree,
    Told,
    Where,
    WriteFile,
)
from kjpstate.render.plans import Head

FILE = "kjpstate.yaml"
DIGEST = "ab" * 32
DUMP = "/root/.pm2/dump.pm2"
PM2 = ("/usr/bin/node", "/usr/lib/node_modules/pm2/bin/pm2")
RESOLVED = "/etc/systemd/resolved.conf"


def at(line: int) -> Where:
    """A line of the document."""
    return Where(FILE, line, 3)


def change(
    address: str,
    host: str,
    symbol: str,
    headline: str,
    *,
    line: int = 10,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    actions: tuple[Any, ...] = (),
    notes: list[str] | None = None,
    **more: Any,
) -> Change:
    """One change; its differences are those of `before` and `after`, key by key."""
    after = after if after is not None else {"digest": DIGEST}
    before = before if before is not None else dict.fromkeys(after)
    resource = Resource(address, address.partition(".")[0].partition("[")[0], host, {}, at(line))
    rows = None if notes is None else tuple(Note(text) for text in notes)
    in_diff = resource.kind == "patch"
    told = Told(headline, rows, names_owed="known " in headline, in_diff=in_diff)
    differences = tuple(
        Difference((key,), before.get(key), value)
        for key, value in after.items()
        if before.get(key) != value
    )
    present = symbol != "+"
    drift = Drift(
        resource, State(after), State(before, present=present), differences, before, after, told
    )
    return Change(resource, drift, actions, symbol, **more)


def owner_plan(**more: Any) -> Plan:
    """The owner's document against a box as he has it today."""
    return Plan(
        "bot-kjp",
        _owner_changes(),
        in_sync=("unchanged.baileys",),
        advice=(
            AdviceAt(
                Advice(
                    "pm2-gives-up",
                    "15 crashes under 6.4 s each: PM2 stops for good after about 1 min.",
                    "write exp_backoff_restart_delay: 1000; drop max_restarts and min_uptime",
                    severity="breaks",
                ),
                "pm2_ecosystem",
                at(31),
            ),
            AdviceAt(
                Advice("fallback-dns", "never asked while DNS= is set", "Move both into servers"),
                "dns",
                at(22),
            ),
            AdviceAt(
                Advice(
                    "restart-delay-ignored", "has no effect beside a backoff", "Drop restart_delay"
                ),
                "pm2_ecosystem",
                at(35),
            ),
        ),
        **more,
    )


def _owner_changes() -> tuple[Change, ...]:
    restart = Run(
        "stb", ("systemctl", "restart", "systemd-resolved"), "restarts systemd-resolved once"
    )
    edit = WriteFile("stb", RESOLVED, b"[Resolve]\n", b"[Resolve]\nDNS=8.8.8.8 1.1.1.1\n")
    dist = "/root/bot-kjp/dist/"
    return (
        change(
            "dns", "stb", "~", RESOLVED,
            after={"DNS": ["8.8.8.8", "1.1.1.1"], "problems": []},
            before={"DNS": None, "problems": []},
            actions=(edit, restart),
        ),
        change(
            "patch.reconnect-backoff", "pc", "~", "src/wa.ts: 4 edits, 41 lines added, 3 replaced",
            notes=[
                "helper            before line 212   function connectToWhatsApp(",
                "reconnect-call    lines 376-377     if (shouldReconnect) … else …",
            ],
            actions=(WriteFile("pc", "D:/BOT/src/wa.ts", b"old\n", b"new\n"),),
        ),
        change(
            "build", "pc", "~", "source will change: npx tsc --noEmit, then npm run build",
            after={"outputs": UNKNOWN},
            actions=(Run("pc", ("npm", "run", "build"), "builds dist/", writes=("D:/BOT/dist/",)),),
        ),
        change(
            "pm2_ecosystem", "stb", "+", "/root/bot-kjp/ecosystem.config.js   new, 18 settings", notes=[],
            actions=(
                MakeDirectory("stb", "/root/bot-kjp/logs/"),
                WriteFile("stb", "/root/bot-kjp/ecosystem.config.js", None, b"module.exports = {};\n"),
            ),
        ),
        change(
            "deploy", "stb", "~", f"{dist}   known after build, 1 file of yours kept: db.json",
            after={"files": UNKNOWN},
            actions=(SyncTree("pc", "D:/BOT/dist/", "stb", dist, None), Stamp("stb", "bot-kjp", "tree", {})),
        ),
        change(
            "pm2_process.bot-kjp", "stb", "-/+",
            "delete and start: log paths (a reload can't change them); down a few seconds", notes=[],
            actions=(Run("stb", (*PM2, "delete", "bot-kjp"), "", writes=(DUMP,), replaces=True),),
        ),
    )  # fmt: skip


def owner_head(**more: Any) -> Head:
    """Two hosts, looked at in 1.4 s."""
    hosts = {
        "pc": Local("pc", at(5), "D:/BOT/"),
        "stb": Ssh("stb", at(6), address="192.168.100.104", user="root"),
    }
    pins = {"unchanged.baileys": "7.0.0-rc.9"}
    return Head(hosts, 1.4, **{"following": "kjpstate apply", "pins": pins, **more})


def refused_plan() -> Plan:
    """A patch with no place any more; build and what follows are held; one box does not answer."""
    refusal = Refuse(
        "anchor-missing",
        "src/wa.ts: edit reconnect-call has no place any more; nearest is line 389",
        ("389 | if (shouldReconnect && !closing) connectToWhatsApp();",),
        "if that is right, add it as a second accepted form at line 75",
    )
    patch, build, deploy = "patch.reconnect-backoff", "build", "deploy"
    return Plan(
        "bot-kjp",
        (
            change(patch, "pc", "!", "", line=74, refusal=refusal),
            change(build, "pc", "~", "source changed: npm run build", held=patch),
            change(deploy, "stb", "~", "/root/bot-kjp/dist/   known after build", held=patch),
        ),
        in_sync=("dns",),
        unreachable={"stb[10.0.0.2]": "10.0.0.2 port 22 did not answer in 10 s\nIs the box on?"},
    )


def owner_report(plan: Plan, **more: Any) -> Report:
    """Everything applied, one check for a person."""
    steps = tuple(Step(item.resource.address, "applied") for item in plan.changes)
    checks = (
        CheckResult("AC1", "passed", "dist/wa.js holds reconnectWithBackoff, retryCount", "stb"),
        CheckResult(
            "AC6", "failed", "out.log does not hold WhatsApp Terhubung since the apply", "stb"
        ),
        CheckResult("it answers", "manual", "Send the bot a message; it replies."),
    )
    run = RunInfo("a1b2c3", "20260226T101112Z", "bot-kjp", "owner@laptop")
    kept = ("stb", RESOLVED, f"{RESOLVED}.backup.20260226T101112Z-a1b2c3")
    made = {"steps": steps, "checks": checks, "backups": (kept,), "exit_code": 6}
    return Report(run, plan, **(made | more))


def failed_report(plan: Plan) -> Report:
    """A build that does not pass, restored; what reads it is held."""
    reason = (
        "npx tsc --noEmit: failed (exit code 2)\nsrc/wa.ts(12,3): error TS2304: Cannot "
        "find name 'x'."
    )
    run = Run("pc", ("npx", "tsc", "--noEmit"), "type-check")
    steps = (
        Step("dns", "applied"),
        Step("patch.reconnect-backoff", "restored", "put back, since build failed"),
        Step("build", "restored", reason, (Outcome(run, "failed", exit_code=2),)),
        Step("deploy", "held", "waits for build"),
    )
    return owner_report(plan, steps=steps, checks=(), exit_code=7)


CHECKS = (
    CheckResult("AC1", "passed", "the file has both", "stb"),
    CheckResult("AC6", "failed", 'its logs have "ENOTFOUND" 12 times since the last apply', "stb"),
    CheckResult(
        "a rather long name of a check",
        "unknown",
        "stb does not answer\nis it on?",
        "stb[10.0.0.1]",
    ),
    CheckResult("AC6 by hand", "manual", "Send the bot a message; it replies.", ""),
)
