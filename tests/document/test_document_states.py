"""The documents in states/: the owner's plan value by value, its variants; its edits find their
places."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from kjpstate.document import Document, load
from kjpstate.document.words import repaired
from kjpstate.kinds import KINDS
from kjpstate.model import Advice, File, Resource, WriteFile
from tests.support import one_kind

ROOT = Path(__file__).parents[2]
STATES = sorted((ROOT / "states").rglob("*.yaml"))
BOT = ROOT / "tests" / "support" / "bot" / "src" / "wa.ts"


def state(name: str) -> Document:
    return load(str(ROOT / "states" / f"{name}.yaml"), environ={})


def resource(document: Document, address: str) -> Resource:
    return next(item for item in document.resources if item.address == address)


def edits(document: Document) -> dict[str, str]:
    patch = resource(document, "patch.reconnect-backoff")
    return {edit.id: edit.content for edit in patch.spec.edits}


def test_dns_and_pm2_value_by_value() -> None:
    document = state("bot-kjp")
    dns = resource(document, "dns").spec
    assert (dns.servers, dns.fallback) == (("8.8.8.8", "1.1.1.1"), ("8.8.4.4", "1.0.0.1"))
    ecosystem = resource(document, "pm2_ecosystem").spec
    assert ecosystem.path == "/root/bot-kjp/ecosystem.config.js"
    assert [app.keys for app in ecosystem.apps] == [
        {
            "name": "bot-kjp",
            "script": "dist/index.js",
            "cwd": "/root/bot-kjp",
            "interpreter": "node",
            "watch": False,
            "max_restarts": 15,
            "min_uptime": "10s",
            "exp_backoff_restart_delay": 100,
            "restart_delay": 3000,
            "env": {"NODE_ENV": "production"},
            "log_date_format": "YYYY-MM-DD HH:mm:ss",
            "error_file": "/root/bot-kjp/logs/error.log",
            "out_file": "/root/bot-kjp/logs/out.log",
            "merge_logs": True,
        }
    ]
    process = resource(document, "pm2_process.bot-kjp").spec
    assert (process.save, process.app.tree) == (True, "/root/bot-kjp/dist/")


def test_build_deploy_hosts_guardrails_and_watch() -> None:
    document = state("bot-kjp")
    folder = "D:/BOT/BOT INPUT DATA KJP DI WA OTOMATIS/"
    build, deploy = resource(document, "build").spec, resource(document, "deploy").spec
    assert (build.check, build.run) == (
        ("npx", "--no-install", "tsc", "--noEmit"),
        ("npm", "run", "build"),
    )
    assert (build.directory, build.outputs) == (folder, ("dist/",))
    assert (deploy.from_directory, deploy.to_directory) == (
        f"{folder}dist/",
        "/root/bot-kjp/dist/",
    )
    stb = document.hosts["stb"]
    assert (stb.user, stb.address, document.hosts["pc"].folder) == (
        "root",
        "192.168.100.104",
        folder,
    )
    assert document.guardrails.may_change == {
        "stb": (
            "/etc/systemd/resolved.conf",
            "/root/bot-kjp/ecosystem.config.js",
            "/root/bot-kjp/dist/",
            "/root/bot-kjp/logs/",
        ),
        "pc": (f"{folder}src/wa.ts", f"{folder}dist/"),
    }
    (pin,) = document.guards
    assert (pin.host, pin.spec.path, pin.spec.value) == ("pc", f"{folder}package-lock.json", None)
    assert document.monitor == {
        "for": 1800,
        "every": 30,
        "limits": {"cpu": 30.0, "crash_restarts": 0, "log": {"ENOTFOUND": 3}},
    }


def test_the_code_of_the_plan_with_its_emoji_as_they_were_meant() -> None:
    found = edits(state("bot-kjp"))
    assert list(found) == ["helper", "should-reconnect", "reconnect-call", "reset-on-open"]
    assert (
        "let retryCount = 0;\nconst MAX_RETRIES = 10;\nconst BASE_DELAY_MS = 3000;"
        in found["helper"]
    )
    assert "Math.min(BASE_DELAY_MS * Math.pow(2, retryCount), 60000)" in found["helper"]
    assert "⛔ Gagal reconnect setelah ${MAX_RETRIES} percobaan. Menyerah." in found["helper"]
    assert (
        "🔄 Reconnect percobaan ${retryCount}/${MAX_RETRIES} dalam ${delay / 1000}s..."
        in found["helper"]
    )
    for code in ("loggedOut", "forbidden", "connectionReplaced", "badSession"):
        assert f"DisconnectReason.{code}," in found["should-reconnect"]
    assert (
        "⛔ Sesi logout/invalid. Hapus folder auth_info_baileys dan scan ulang."
        in found["reconnect-call"]
    )
    assert found["reset-on-open"] == "retryCount = 0; // reset backoff counter"


def test_every_acceptance_criterion_of_the_plan_is_checked() -> None:
    names = " ".join(check.spec.name for check in state("bot-kjp").checks)
    assert [number for number in range(1, 8) if not re.search(rf"\bAC{number}\b", names)] == []


def test_on_the_box_nothing_travels() -> None:
    document = state("variants/bot-kjp-on-box")
    assert {item.host for item in document.resources} == {"stb"}
    assert [item.kind for item in document.resources] == [
        "dns",
        "patch",
        "build",
        "pm2_ecosystem",
        "pm2_process",
    ]
    assert resource(document, "pm2_process.bot-kjp").spec.app.tree == "/root/bot-kjp/dist/"
    assert edits(document) == edits(state("bot-kjp"))


def test_hardened_never_gives_up() -> None:
    document = state("variants/bot-kjp-hardened")
    dns, (app,) = resource(document, "dns").spec, resource(document, "pm2_ecosystem").spec.apps
    assert dns.servers == ("8.8.8.8", "1.1.1.1", "8.8.4.4", "1.0.0.1")
    assert dns.exclusive is True
    assert dns.fallback is None
    assert app.keys["exp_backoff_restart_delay"] == 1000
    assert not {"max_restarts", "min_uptime", "restart_delay"} & set(app.keys)
    code = edits(document)
    assert "MAX_RETRIES" not in code["helper"]
    assert "badSession" not in code["should-reconnect"]


class NothingSeen(dict[object, None]):
    """Answers of hosts nobody looked at."""

    def __missing__(self, key: object) -> None:
        return None


def advice(document: Document) -> list[Advice]:
    return [
        item
        for one in document.resources
        for item in one_kind.advised(KINDS[one.kind], one.spec, NothingSeen())
    ]


def test_the_plan_as_written_is_advised_against_and_the_hardened_one_only_noted() -> None:
    rules = {item.rule for item in advice(state("bot-kjp")) if item.severity != "note"}
    assert {"pm2-gives-up", "fallback-dns", "restart-delay-ignored"} <= rules
    assert {item.severity for item in advice(state("variants/bot-kjp-hardened"))} <= {"note"}


@pytest.mark.parametrize("path", STATES, ids=lambda path: path.stem)
def test_the_edits_find_their_places_in_a_real_bot_and_then_stand(path: Path) -> None:
    patch = resource(load(str(path), environ={}), "patch.reconnect-backoff")
    kind, (reading, *_) = KINDS["patch"], list(KINDS["patch"].reads(patch.spec))

    def steps(content: bytes) -> list[Any]:
        answers = {reading: File(patch.spec.path, content, 0o644)}
        return one_kind.steps(kind, patch.spec, answers)

    first = steps(BOT.read_bytes())
    assert len(first) == 1
    (write,) = first
    assert isinstance(write, WriteFile)
    assert write.after is not None
    assert write.after.decode().count("// kjpstate:begin reconnect-backoff/") == 4
    assert steps(write.after) == []


@pytest.mark.parametrize("path", STATES, ids=lambda path: path.stem)
def test_no_document_holds_double_encoded_text(path: Path) -> None:
    text = path.read_text("utf-8")
    assert repaired(text) == text
