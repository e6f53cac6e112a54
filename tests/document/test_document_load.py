"""From a document to resources: specs, addresses, places, fleets, secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kjpstate.document import Document, load
from kjpstate.errors import DocumentError, UsageError
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.resolved_conf import Wanted
from kjpstate.host import Ssh
from kjpstate.kinds import build, deploy, patch, questions
from kjpstate.kinds.check.spec import DnsCheck, LogCheck, ManualCheck
from kjpstate.said import Text, say
from kjpstate.secret import Secret, opened, secrets_in
from tests.support.words import codes, values

HOSTS = "kjpstate: 1\nname: bot\nhosts: {pc: {local: ../bot}, stb: {ssh: root@192.168.100.104}}\n"
FLEET = 'kjpstate: 1\nname: bot\nhosts: {pc: {local: "D:/bot"}, stb: {ssh: [root@10.0.0.1, "10.0.0.2:2222"]}}\n'
APP = """pm2:
  host: stb
  ecosystem: /root/b/ecosystem.config.js
  apps:
    - {name: b, script: ./dist/index.js, cwd: /root/b/}
    - {name: c, script: other.js, cwd: /root/b, max_restarts: 15}
"""


def document(text: str, **environ: str) -> Document:
    return load("/home/u/states/bot.yaml", environ=environ, text=text.encode())


def problems(text: str, **environ: str) -> list[Text]:
    with pytest.raises(DocumentError) as caught:
        document(text, **environ)
    return [problem.reason for problem in caught.value.problems]


def spec(text: str, address: str) -> Any:
    return next(item.spec for item in document(text).resources if item.address == address)


def test_work_has_one_order_whatever_the_document_s() -> None:
    text = (
        HOSTS
        + APP
        + (
            "deploy: {from: {host: pc, directory: dist}, to: {host: stb, directory: "
            "/root/b/dist}}\n"
            "build: {host: pc, directory: ., inputs: [src/], run: make, outputs: [dist/]}\n"
            "patches: [{host: pc, file: src/wa.ts, set: s, edits: [{id: a, replace: x, "
            "content: y}]}]\n"
            "dns: {host: stb, servers: [8.8.8.8]}\n"
        )
    )
    assert [item.address for item in document(text).resources] == [
        "dns",
        "patch.s",
        "build",
        "pm2_ecosystem",
        "deploy",
        "pm2_process.b",
        "pm2_process.c",
    ]


def test_relative_paths_start_in_the_hosts_folder_and_that_where_the_document_stands() -> None:
    text = (
        HOSTS
        + "build: {host: pc, directory: ./app, inputs: [./src/], run: [make, 'a b'], outputs: [dist/]}\n"
    )
    assert spec(text, "build") == build.Spec(
        host="pc",
        document="bot",
        directory="/home/u/bot/app/",
        inputs=("src/",),
        outputs=("dist/",),
        run=("make", "a b"),
        check=(),
        timeout=600,
    )


@pytest.mark.parametrize(
    ("local", "folder"),
    [
        ("D:/BOT/BOT INPUT", "D:/BOT/BOT INPUT/"),
        ("'D:\\BOT'", "D:/BOT/"),
        (".", "/home/u/states/"),
        ("/srv//bot/", "/srv/bot/"),
        ("~/bot", "/home/u/bot/"),
    ],
)
def test_the_folder_of_this_machine(local: str, folder: str) -> None:
    text = f"kjpstate: 1\nhosts:\n  pc: {{local: {local}}}\n"
    assert document(text, HOME="/home/u").hosts["pc"].folder == folder


def test_patches_have_every_default_filled_in() -> None:
    text = HOSTS + (
        "patches:\n  - host: pc\n    file: ./src/wa.ts\n    set: s\n    edits:\n"
        "      - {id: a, replace: 'x;', content: 1.10}\n"
        "      - {id: b, insert_inside: 'f {', content: y, within: 'g {'}\n"
    )
    assert spec(text, "patch.s") == patch.Spec(
        host="pc",
        document="bot",
        path="/home/u/bot/src/wa.ts",
        display="./src/wa.ts",
        set="s",
        sets=("s",),
        on_drift="apply",
        state="present",
        edits=(
            patch.EditSpec("a", "replace", ("x;",), "1.10"),
            patch.EditSpec("b", "insert_inside", ("f {",), "y", at="start", within="g {"),
        ),
    )


def test_a_deploy_knows_the_build_that_fills_its_folder_and_a_process_the_folder_it_runs_from() -> (
    None
):
    text = (
        HOSTS
        + APP
        + (
            "build: {host: pc, directory: ., inputs: [src/], run: make, outputs: [dist/]}\n"
            "deploy: {from: {host: pc, directory: dist}, to: {host: stb, directory: "
            "/root/b/dist},\n"
            "         with: [package.json], install: npm ci --omit=dev}\n"
        )
    )
    assert spec(text, "deploy") == deploy.Spec(
        host="stb",
        document="bot",
        from_host="pc",
        from_directory="/home/u/bot/dist/",
        to_directory="/root/b/dist/",
        built="/home/u/bot/",
        with_files=("package.json",),
        install=("npm", "ci", "--omit=dev"),
    )
    assert spec(text, "pm2_process.b").app.tree == "/root/b/dist/"
    assert spec(text, "pm2_process.c").app.tree == ""


def test_a_process_on_the_box_runs_from_the_output_of_the_build_there() -> None:
    text = (
        HOSTS
        + APP
        + "build: {host: stb, directory: /root/b, inputs: [src/], run: make, outputs: [dist/]}\n"
    )
    assert spec(text, "pm2_process.b").app.tree == "/root/b/dist/"


def test_an_app_knows_the_others_of_this_document_on_its_host() -> None:
    more = (
        "  - {host: %s, ecosystem: /root/d/d.config.js, apps: [{name: d, script: d.js, cwd: "
        "/root/d}]}\n"
    )
    listed = "pm2:\n  - " + APP.removeprefix("pm2:\n  ").replace("\n", "\n  ").rstrip(" ")
    assert spec(HOSTS + APP, "pm2_process.b").beside == ("c",)
    assert spec(HOSTS + listed + more % "stb", "pm2_process.b").beside == ("c", "d")
    assert spec(HOSTS + listed + more % "pc", "pm2_process.d").beside == ()


@pytest.mark.parametrize("name", ["My Bot", "b,d", "-f", "/b/"])
def test_a_name_that_pm2_would_split_or_read_otherwise(name: str) -> None:
    (problem,) = problems(HOSTS + APP.replace("name: b", f'name: "{name}"'))
    assert codes(problem)[0] == "document.unlike"
    assert "without a blank: PM2 takes two words for two apps" in values(problem, "text")[0]


def test_scalars_are_what_the_writer_meant() -> None:
    env = '{OFF: no, MODE: 0644, TIME: 1:30, VERSION: 1.10, DATE: 2026-02-26, BIG: 1_000, YES: true, T: "~"}'
    text = HOSTS + APP.replace("cwd: /root/b/}", f"cwd: /root/b, env: {env}}}")
    assert spec(text, "pm2_process.b").app.keys["env"] == {
        "OFF": "no",
        "MODE": "0644",
        "TIME": "1:30",
        "VERSION": "1.10",
        "DATE": "2026-02-26",
        "BIG": "1_000",
        "YES": "true",
        "T": "~",
    }


def test_pointers_lead_to_their_lines() -> None:
    resources = {item.address: item for item in document(HOSTS + APP).resources}
    assert str(resources["pm2_process.c"].line("/app/max_restarts")) == "/home/u/states/bot.yaml:9"
    assert resources["pm2_process.c"].line("/app/nothing").line == 9
    assert resources["pm2_ecosystem"].line("/apps/1/max_restarts").line == 9
    assert resources["pm2_ecosystem"].line("/host").line == 5
    assert resources["pm2_ecosystem"].where.line == 4


def test_several_sections_are_told_apart_by_host_then_by_folder() -> None:
    text = (
        "kjpstate: 1\nhosts: {a: {local: /a}, b: {local: /b}}\nbuild:\n"
        "  - {host: a, directory: one, inputs: [x], run: make, outputs: [dist/]}\n"
        "  - {host: a, directory: two, inputs: [x], run: make, outputs: [dist/]}\n"
        "  - {host: b, directory: one, inputs: [x], run: make, outputs: [dist/]}\n"
    )
    assert [item.address for item in document(text).resources] == [
        "build.a.one",
        "build.a.two",
        "build.b",
    ]


def test_a_fleet_is_the_same_sections_for_each_of_its_hosts() -> None:
    text = (
        FLEET
        + APP
        + (
            "dns: {host: stb, servers: [8.8.8.8]}\n"
            "deploy: {from: {host: pc, directory: dist/}, to: {host: stb, directory: "
            "/root/b/dist/}}\n"
            "checks: [{name: A, app: {host: stb, name: b, alive: true}}]\n"
            "guardrails:\n  may_change: {stb: [/root/b/]}\n"
            "  unchanged: [{host: stb, file: /root/x.json, pointer: /v}]\n"
        )
    )
    loaded = document(text)
    first, second = "stb[10.0.0.1]", "stb[10.0.0.2:2222]"
    assert list(loaded.hosts) == ["pc", first, second]
    assert [spec.member_of for spec in loaded.hosts.values()] == ["", "stb", "stb"]
    assert (loaded.hosts[second].address, loaded.hosts[second].port, loaded.hosts[first].user) == (
        "10.0.0.2",
        2222,
        "root",
    )
    assert [item.address for item in loaded.resources if item.host == second] == [
        "dns[10.0.0.2:2222]",
        "pm2_ecosystem[10.0.0.2:2222]",
        "deploy[10.0.0.2:2222]",
        "pm2_process.b[10.0.0.2:2222]",
        "pm2_process.c[10.0.0.2:2222]",
    ]
    assert [item.address for item in loaded.checks] == [
        "check.A[10.0.0.1]",
        "check.A[10.0.0.2:2222]",
    ]
    assert loaded.guardrails.may_change == {first: ("/root/b/",), second: ("/root/b/",)}
    assert [pin.host for pin in loaded.guards] == [first, second]
    assert [pin.address for pin in loaded.guards] == [
        "unchanged.v[10.0.0.1]",
        "unchanged.v[10.0.0.2:2222]",
    ]
    assert all(item.spec.from_host == "pc" for item in loaded.resources if item.kind == "deploy")


def test_a_pin_is_called_by_the_last_word_of_its_pointer_and_where_that_is_not_enough_by_more():
    text = (
        FLEET
        + "guardrails:\n  unchanged:\n"
        + "  - {host: pc, file: lock.json, pointer: /packages/node_modules~1baileys/version, value: 7}\n"
        + "  - {host: pc, file: other.json, pointer: /baileys}\n"
        + "  - {host: stb, file: /root/lock.json, pointer: /baileys}\n"
        + "  - {host: pc, file: lock.json, pointer: /version}\n"
    )
    loaded = document(text)
    assert [(item.address, item.where.line) for item in loaded.guards] == [
        ("unchanged.pc.baileys", 6),
        ("unchanged.baileys'", 7),
        ("unchanged.stb.baileys[10.0.0.1]", 8),
        ("unchanged.stb.baileys[10.0.0.2:2222]", 8),
        ("unchanged.lock.json", 9),
    ]
    assert loaded.resources == () and loaded.guards[0].spec.value == "7"


def test_checks_bring_what_they_need_of_other_sections() -> None:
    text = (
        HOSTS
        + APP
        + (
            "dns: {host: stb, servers: [8.8.8.8]}\n"
            "checks:\n"
            "  - {name: D, dns: {host: stb, effective: true, resolves: a.b}}\n"
            "  - {name: L, log: {host: stb, app: c, absent: ENOTFOUND}}\n"
            "  - {name: C, cpu: {host: stb, app: b, below: 30.5%}}\n"
            "  - {name: R, command: {host: pc, run: 'node --check \"a b.js\"', directory: dist}}\n"
            "  - {name: M, manual: look}\n"
        )
    )
    loaded = document(text)
    found = {item.spec.name: item.spec for item in loaded.checks}
    apps = {app.name: app for _, app in questions(loaded.resources, Declared)}
    assert found["D"] == DnsCheck(
        name="D", document="bot", host="stb", effective=True, resolves=("a.b",),
        servers=Wanted(("8.8.8.8",)),
    )  # fmt: skip
    assert found["L"] == LogCheck(
        name="L", document="bot", host="stb", absent=("ENOTFOUND",), since="apply", app=apps["c"]
    )
    assert (found["C"].below, found["C"].over, found["C"].app) == (30.5, 5, apps["b"])
    assert (found["R"].run, found["R"].cwd) == (
        ("node", "--check", "a b.js"),
        "/home/u/bot/dist/",
    )
    assert found["M"] == ManualCheck(name="M", document="bot", text="look")


def test_the_long_form_of_a_host() -> None:
    text = (
        "kjpstate: 1\nhosts:\n  stb:\n"
        "    ssh: {address: box.lan, user: bot, port: 2222, become: sudo, jump: gate,\n"
        "          identity: [~/.ssh/id, keys/two]}\n"
    )
    host = document(text, HOME="/home/u").hosts["stb"]
    assert (host.address, host.port, host.user, host.become, host.jump) == (
        "box.lan",
        2222,
        "bot",
        "sudo",
        "gate",
    )
    assert host.identity == ("/home/u/.ssh/id", "/home/u/states/keys/two")
    assert isinstance(host, Ssh)


def test_monitor_in_numbers_and_the_name_of_the_file_when_none_is_given() -> None:
    text = (
        "kjpstate: 1\nmonitor: {for: 30m, limits: {cpu: 30%, crash_restarts: 0, log: "
        "{ENOTFOUND: 3}}}\n"
    )
    loaded = load("a/My bot.state.yaml", environ={}, text=text.encode())
    assert loaded.monitor == {
        "for": 1800,
        "every": 30,
        "limits": {"cpu": 30.0, "crash_restarts": 0, "log": {"ENOTFOUND": 3}},
    }
    assert loaded.name == "My-bot"
    assert document("kjpstate: 1\n").guardrails.may_change is None


# ---- secrets

TOKEN = "s3cret-TOKEN-value"
WITH_SECRET = HOSTS + APP.replace(
    "cwd: /root/b/}", "cwd: /root/b, env: {TOKEN: 'Bearer ${env:TOKEN}'}}"
)


def test_a_secret_is_a_secret_with_its_reference() -> None:
    loaded = document(WITH_SECRET, TOKEN=TOKEN)
    process = next(item for item in loaded.resources if item.kind == "pm2_process")
    value = process.spec.app.keys["env"]["TOKEN"]
    assert isinstance(value, Secret)
    assert (value.open(), value.reference) == (f"Bearer {TOKEN}", "Bearer ${env:TOKEN}")
    assert loaded.secrets == {TOKEN, f"Bearer {TOKEN}"}


def test_no_repr_of_anything_holds_a_secret() -> None:
    loaded = document(WITH_SECRET, TOKEN=TOKEN)
    assert TOKEN not in repr(loaded)
    assert TOKEN not in str(loaded)
    assert all(TOKEN not in repr(item) for item in (*loaded.resources, *loaded.checks))
    process = next(item for item in loaded.resources if item.kind == "pm2_process")
    assert any(TOKEN in text for text in secrets_in(process.spec.app.keys))


def test_no_problem_shows_a_secret() -> None:
    broken = (
        WITH_SECRET
        + "dns: {host: nowhere, servers: ['${env:TOKEN}', 'x${env:TOKEN}']}\nname: '${env:TOKEN}'\n"
    )
    broken = broken.replace("name: bot\n", "")
    with pytest.raises(DocumentError) as caught:
        document(broken, TOKEN=TOKEN)
    assert len(caught.value.problems) == 4
    assert TOKEN not in str(caught.value) + repr(caught.value)


def test_a_secret_from_a_file_beside_the_document(tmp_path: Path) -> None:
    (tmp_path / "token.txt").write_bytes(f"{TOKEN}\n".encode())
    text = WITH_SECRET.replace("Bearer ${env:TOKEN}", "${file:token.txt}")
    loaded = load(str(tmp_path / "bot.yaml"), environ={}, text=text.encode())
    process = next(item for item in loaded.resources if item.kind == "pm2_process")
    assert opened(process.spec.app.keys["env"]) == {"TOKEN": TOKEN}


def test_a_secret_file_is_text_of_a_sane_size(tmp_path: Path) -> None:
    for content, code in (
        (b"\xff\xfe", "document.secret-no-text"),
        (b"x" * 70_000, "document.secret-too-large"),
    ):
        (tmp_path / "token.txt").write_bytes(content)
        text = WITH_SECRET.replace("Bearer ${env:TOKEN}", "${file:token.txt}")
        with pytest.raises(DocumentError) as caught:
            load(str(tmp_path / "bot.yaml"), environ={}, text=text.encode())
        assert codes(caught.value.message)[-1] == code


def test_a_secret_file_may_lie_at_home_and_is_never_something_that_waits(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN, "utf-8")
    (tmp_path / "folder").mkdir()
    text = WITH_SECRET.replace("Bearer ${env:TOKEN}", "${file:~/token}")
    assert document(text, HOME=str(tmp_path)).secrets == {TOKEN}
    assert problems(text.replace("~/token", "~/folder"), HOME=str(tmp_path)) == [
        say("document.secret-no-file", file="~/folder")
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("$${env:X}", "${env:X}"),
        ("`${retryCount}`", "`${retryCount}`"),
        ("$${price}", "$${price}"),
        ("$$$", "$$$"),
    ],
)
def test_code_keeps_its_dollars(written: str, meant: str) -> None:
    edit = f"{{id: a, replace: x, content: '{written}'}}"
    text = HOSTS + f"patches: [{{host: pc, file: a.ts, set: s, edits: [{edit}]}}]\n"
    assert spec(text, "patch.s").edits[0].content == meant


def test_a_document_that_is_not_there_is_a_matter_of_the_command_line(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(UsageError) as caught:
            load(str(path), environ={})
        assert codes(caught.value.message) == ["document.unreadable"]
        assert values(caught.value.message, "path") == [str(path)]


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    text = ("\ufeff" + HOSTS + APP).replace("\n", "\r\n")
    assert len(document(text).resources) == 3


def test_problems_of_all_sections_come_at_once() -> None:
    found = problems(
        HOSTS
        + "dns: {host: sbt, servers: [8.8.8]}\nx: 1\n"
        + "build: {host: pc, directory: ., inputs: [a], run: a && b}\n"
    )
    assert len(found) == 5


def test_a_section_with_a_problem_is_not_said_to_be_missing_in_the_checks() -> None:
    app = (
        "pm2: {host: stb, ecosystem: /b/e.config.js, "
        "apps: [{name: b, script: i.js, cwd: /b, env: {T: '${env:T}'}}]}\n"
    )
    dns = "dns: {host: stb, servers: [nonsense]}\n"
    checks = (
        "checks:\n"
        "  - {name: a, app: {host: stb, name: b, alive: true}}\n"
        "  - {name: d, dns: {host: stb, effective: true}}\n"
    )
    found = problems(HOSTS + app + dns + checks)
    assert found == [
        say("document.variable-not-set", name="T"),
        say("document.no-dns-server", found="'nonsense'"),
    ]
    assert problems(
        HOSTS + app + dns.replace("nonsense", "8.8.8.8") + checks.replace("name: b", "name: c"),
        T="tttt",
    ) == [say("document.no-such-app", host="stb", app="c")]
