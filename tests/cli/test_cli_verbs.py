"""The verbs over a real document on this machine: plan, apply, drift, verify, backups, validate,
schema."""

from __future__ import annotations

import json
import sys
from xml.etree import ElementTree

import pytest

from kjpstate.document.keys import all_keys
from kjpstate.render.pages import wordings
from kjpstate.rules import RULES
from kjpstate.said import say
from tests.support.commands import Desk, Shown, Terminal
from tests.support.words import said


def test_plan_shows_and_changes_nothing(desk: Desk):
    shown = desk.kjpstate("plan")
    assert shown.code == 0
    assert shown.err == ""
    assert shown.out.splitlines()[0].startswith("little   pc (this machine)   looked in ")
    assert "  + build  pc  never built here" in shown.out
    assert shown.out.endswith(
        "Next: kjpstate apply\nPlan: 1 to add, 0 to change, 0 to replace, 0 to remove.\n"
    )
    assert not (desk.folder / "dist").exists()


def test_the_exit_code_of_plan_is_detailed_when_asked(desk: Desk):
    assert desk.kjpstate("plan", "--detailed-exitcode").code == 2
    assert desk.kjpstate("plan", "--json", "--detailed-exitcode").json["exit_code"] == 2


def test_plan_json(desk: Desk):
    value = desk.kjpstate("plan", "--json").json
    assert value["resource_changes"][0]["address"] == "build"
    assert value["resource_changes"][0]["change"]["actions"] == ["create"]
    assert value["applyable"] is True
    assert value["exit_code"] == 0


def test_verbose_tells_the_cost_on_stderr(desk: Desk):
    shown = desk.kjpstate("plan", "-v")
    assert "connections" in shown.err
    assert shown.err.endswith(" ms\n")
    assert "connections" not in shown.out


def test_automation_gets_no_hint(desk: Desk, monkeypatch):
    monkeypatch.setenv("KJPSTATE_IN_AUTOMATION", "1")
    assert "Next:" not in desk.kjpstate("plan").out


def test_the_next_command_keeps_the_scope(desk: Desk):
    shown = desk.kjpstate("plan", "kjpstate.yaml", "--only", "build", "--limit", "pc")
    assert "Next: kjpstate apply kjpstate.yaml --only build --limit pc\n" in shown.out


def test_apply_does_it_checks_it_and_the_second_plan_is_empty(desk: Desk):
    shown = desk.kjpstate("apply", "--yes")
    assert shown.code == 0
    assert (desk.folder / "dist" / "a.js").read_text("utf-8") == "hello\n"
    assert "ok         AC1" in shown.out
    assert "by hand    it answers" in shown.out
    assert said("report.in-sync") in shown.out
    assert "build done" in shown.err
    assert desk.kjpstate("plan", "--detailed-exitcode").code == 0
    assert desk.kjpstate("plan").out.endswith("In sync.\n")
    assert desk.kjpstate("drift").out == ""


def test_an_apply_whose_reader_went_away_is_finished(desk: Desk, monkeypatch):
    class Gone(Terminal):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    shown = desk.kjpstate("apply", "--yes")
    assert shown.code == 0
    assert (desk.folder / "dist" / "a.js").exists()
    assert said("report.in-sync") in shown.out


def test_apply_in_sync_only_checks(desk: Desk):
    desk.kjpstate("apply", "--yes")
    before = (desk.folder / "dist" / "a.js").stat().st_mtime_ns
    shown = desk.kjpstate("apply", "--yes")
    assert shown.code == 0
    assert said("plan.in-sync") in shown.out
    assert "Checks: 1 passed, 0 failed, 1 by hand." in shown.out
    assert (desk.folder / "dist" / "a.js").stat().st_mtime_ns == before


def test_apply_json(desk: Desk):
    value = desk.kjpstate("apply", "--yes", "--json").json
    assert value["exit_code"] == 0
    assert value["steps"][0]["result"] == "applied"
    assert value["second_plan"]["resource_changes"] == []
    assert [check["result"] for check in value["checks"]] == ["passed", "manual"]


def test_a_failed_check_is_6_and_stays_6(desk: Desk):
    desk.write(
        desk.document(
            "checks:", "  - {name: AC1, file: {host: pc, path: dist/a.js, contains: [bye]}}"
        )
    )
    assert desk.kjpstate("apply", "--yes").code == 6
    assert desk.kjpstate("apply", "--yes").code == 6
    shown = desk.kjpstate("verify")
    assert shown.code == 6
    assert "FAILED     AC1" in shown.out
    assert desk.kjpstate("verify", "--json").json["checks"][0]["result"] == "failed"


def test_verify_writes_junit_for_a_ci_server(desk: Desk):
    shown = desk.kjpstate("verify", "--junit", "checks.xml")
    assert shown.code == 6
    root = ElementTree.parse(desk.folder / "checks.xml").getroot()
    assert {key: root.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "2",
        "failures": "1",
        "errors": "0",
    }
    assert [[child.tag for child in case] for case in root.iter("testcase")] == [
        ["failure"],
        ["skipped"],
    ]
    lost = desk.kjpstate("verify", "--junit", "no/such/folder/checks.xml")
    assert lost.code == 1 and lost.out == ""
    assert "can't be written" in lost.err


def test_verify_asks_nothing_where_its_results_can_not_be_kept(desk: Desk):
    asked = json.dumps([sys.executable, "-c", "open('asked', 'w')"])
    desk.write(
        desk.document(
            "checks:", f"  - {{name: A, command: {{host: pc, run: {asked}, directory: .}}}}"
        )
    )
    assert desk.kjpstate("verify", "--junit", "no/such/folder/checks.xml").code == 1
    assert not (desk.folder / "asked").exists()
    assert desk.kjpstate("verify", "--junit", "checks.xml").code == 0
    assert (desk.folder / "asked").exists()


def test_verify_takes_names(desk: Desk):
    desk.kjpstate("apply", "--yes")
    shown = desk.kjpstate("verify", "--check", "AC1")
    assert shown.code == 0
    assert "it answers" not in shown.out


def test_a_build_that_fails_is_restored_with_7(desk: Desk):
    desk.kjpstate("apply", "--yes")
    text = desk.document().replace("out = pathlib", "raise SystemExit(3); out = pathlib")
    desk.write(text)
    shown = desk.kjpstate("apply", "--yes")
    assert shown.code == 7
    assert "exit code 3" in shown.out
    assert (desk.folder / "dist" / "a.js").read_text("utf-8") == "hello\n"


def test_drift_is_one_row_and_2(desk: Desk):
    desk.kjpstate("apply", "--yes")
    (desk.folder / "dist" / "a.js").write_text("edited\n", "utf-8")
    shown = desk.kjpstate("drift")
    assert shown.code == 2
    assert len(shown.out.splitlines()) == 1
    assert shown.out.startswith("~ build  pc  ")
    assert desk.kjpstate("drift", "--json").json["exit_code"] == 2
    assert desk.kjpstate("apply", "--yes").code == 0
    assert desk.kjpstate("drift").code == 0


def test_backups_name_what_was_kept(desk: Desk):
    assert desk.kjpstate("backups").out == said("backups.none") + "\n"
    desk.kjpstate("apply", "--yes")
    (desk.folder / "dist" / "a.js").write_text("edited\n", "utf-8")
    desk.kjpstate("apply", "--yes")
    shown = desk.kjpstate("backups")
    assert shown.code == 0
    assert f"  pc  {desk.folder.as_posix()}/dist" in shown.out
    row = desk.kjpstate("backups", "--json").json["backups"][0]
    fields = {
        "host",
        "run",
        "path",
        "backup",
        "sha256",
        "type",
        "condition",
        "size",
        "first_original",
    }
    assert set(row) == fields
    assert (row["condition"], row["first_original"]) == ("kept", True)
    assert row["backup"].startswith(f"{desk.folder.as_posix()}/dist.backup.")


def test_a_question_is_only_answered_by_yes_in_full(desk: Desk, monkeypatch):
    for answer, code, built in (("y\n", 1, False), ("", 1, False), ("yes\n", 0, True)):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stdin", Terminal(answer))
        monkeypatch.setattr(sys, "stderr", terminal)
        assert desk.kjpstate("apply", "--no-color").code == code
        assert "Apply this? Only yes, in full, is a yes: " in terminal.getvalue()
        assert (desk.folder / "dist").exists() is built


def test_validate_touches_no_host(desk: Desk):
    shown = desk.kjpstate("validate")
    assert (shown.code, shown.out, shown.err) == (
        0, "kjpstate.yaml is valid: 1 resource, 2 checks, 1 host.\n", "",
    )  # fmt: skip
    assert desk.kjpstate("validate", "--json").json["valid"] is True


def test_a_wrong_document_is_65_with_every_line(desk: Desk):
    desk.write(desk.document("pm3: {}", "dns: {host: nowhere, servers: [8.8.8.8]}"))
    shown = desk.kjpstate("validate")
    assert shown.code == 65
    assert shown.out == ""
    unknown = say("document.unknown-key", key="pm3")
    meant = say("document.did-you-mean", reason=unknown, meant="pm2")
    place = {"file": "kjpstate.yaml", "line": 6, "column": 1}
    assert said("document.problem", **place, reason=meant) in shown.err
    value = desk.kjpstate("plan", "--json").json
    assert value["exit_code"] == 65
    assert value["error"]["problems"][0]["line"] == 6


def test_a_secret_of_the_document_is_on_no_screen(desk: Desk, monkeypatch):
    monkeypatch.setenv("BOT_TOKEN", "hunter22")
    (desk.folder / "src" / "a.ts").write_text("hunter22\n", "utf-8")
    apps = "[{name: b, script: x.js, cwd: /srv, env: {TOKEN: '${env:BOT_TOKEN}'}}]"
    desk.write(
        desk.document(
            "pm2: {host: pc, ecosystem: /srv/hunter22/ecosystem.config.js, apps: " + apps + "}",
            "checks:",
            "  - {name: it answers, manual: say hunter22}",
        )
    )
    for words in (["plan", "--diff"], ["plan", "--json"], ["drift"], ["validate"], ["verify"]):
        shown = desk.kjpstate(*words)
        assert "hunter22" not in shown.out + shown.err
    assert "(hidden)" in desk.kjpstate("verify").out


def test_schema_is_json(desk: Desk):
    shown = desk.kjpstate("schema")
    assert shown.code == 0
    assert shown.json["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_explain(desk: Desk):
    page = desk.kjpstate("explain", "fallback-dns")
    assert page.code == 0
    assert page.out.startswith("fallback-dns: ")
    cure = said("explain.cure", cure=say("fallback-dns.page-cure"))
    assert " ".join(cure.split()) in " ".join(page.out.split())
    listed = desk.kjpstate("explain").out
    assert "\nfallback-dns " in listed and "\nhosts " in listed


@pytest.mark.parametrize("word", [*RULES, *all_keys(), *wordings()])
def test_every_rule_key_and_code_has_a_page(desk: Desk, word: str):
    page = desk.kjpstate("explain", word)
    assert page.code == 0
    assert page.out.startswith(f"{word}: ") and len(page.out.splitlines()) > 2


def test_a_key_is_found_by_its_last_word(desk: Desk):
    page = desk.kjpstate("explain", "servers").out
    example = said("explain.example", key="servers", value='["8.8.8.8", "1.1.1.1"]')
    assert page.startswith("dns.servers: ") and example in page
    alike = desk.kjpstate("explain", "host").out
    (description,) = all_keys()["dns.host"].described
    assert alike.count(str(description)) == 1 and "pm2.host" in alike and "dns.host" in alike
    below = desk.kjpstate("explain", "pm2.apps").out
    assert "\npm2.apps.max_restarts " in below
    shown = desk.kjpstate("explain", "server")
    meant = said("cli.no-page-but", word="server", close="servers")
    assert (shown.code, meant in shown.err) == (64, True)


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_version(desk: Desk, option: str):
    assert desk.kjpstate(option).out.startswith("kjpstate 0.")


def test_explain_pm2_draws_the_apps_of_the_document(desk: Desk):
    """Below the section's page, where there is a document; a rule's page takes none."""
    page = desk.kjpstate("explain", "pm2").out
    assert page.startswith("pm2: ")
    desk.write(
        "kjpstate: 1\nname: bot\nhosts: {stb: {ssh: root@192.0.2.1}}\n"
        "pm2:\n  host: stb\n  ecosystem: /root/bot/ecosystem.config.js\n"
        "  apps:\n    - {name: bot, script: index.js, cwd: /root/bot, "
        "exp_backoff_restart_delay: 1000}\n"
    )
    shown = desk.kjpstate("explain", "pm2")
    assert shown.code == 0
    settings = "exp_backoff_restart_delay 1000"
    title = said("restarts.title", app="bot (kjpstate.yaml:8)", settings=settings)
    assert shown.out.startswith(f"{page}\n{title}\n")
    for_ever = said("restarts.for-ever", drawn="#").rpartition("#")[2].strip()
    assert f" {for_ever}\n" in shown.out
    assert desk.kjpstate("explain", "pm2", "kjpstate.yaml").out == shown.out
    assert desk.kjpstate("explain", "pm2", "nowhere.yaml").code == 64
    assert desk.kjpstate("explain", "fallback-dns", "kjpstate.yaml").code == 64


def test_an_accepted_difference_is_left_alone_by_every_verb(desk: Desk):
    desk.write(desk.document("accept: [{address: build, why: not yet, until: 2999-01-01}]"))
    assert (
        "Accepted until 2999-01-01, left as it is: build on pc: not yet"
        in desk.kjpstate("plan").out
    )
    assert desk.kjpstate("drift") == Shown(0, "", "")
    assert desk.kjpstate("apply", "--yes").code == 0
    assert not (desk.folder / "dist").exists()
    desk.write(desk.document("accept: [{address: build, why: not yet, until: 2001-01-01}]"))
    late = desk.kjpstate("drift")
    assert (late.code, late.out.strip().endswith("was accepted until 2001-01-01: not yet")) == (
        2,
        True,
    )


def test_a_language_that_is_not_offered_is_64_and_names_those_that_are(desk: Desk):
    shown = desk.kjpstate("--lang", "xx", "explain")
    assert shown.code == 64
    assert said("cli.no-language", language="xx", offered=("en",)) in shown.err
    assert desk.kjpstate("--lang", "en", "explain").code == 0


def test_what_is_typed_outranks_the_environment_and_that_the_document(
    desk: Desk, with_noise, monkeypatch
):
    def reason(*typed: str) -> str:
        checked = desk.kjpstate(*typed, "verify", "--json").json
        return checked["checks"][0]["reason"]

    monkeypatch.delenv("KJPSTATE_LANG", raising=False)
    english, other = reason("--lang", "en"), reason("--lang", "id")
    assert english != other and "dist/a.js" in english and "dist/a.js" in other
    monkeypatch.setenv("KJPSTATE_LANG", "id")
    assert (reason(), reason("--lang", "en")) == (other, english)
    monkeypatch.delenv("KJPSTATE_LANG")
    checks = "checks: [{name: AC1, file: {host: pc, path: dist/a.js}}]"
    desk.write(desk.document("lang: id", checks))
    assert (reason(), reason("--lang", "en")) == (other, english)
    monkeypatch.setenv("KJPSTATE_LANG", "en")
    assert reason() == english
