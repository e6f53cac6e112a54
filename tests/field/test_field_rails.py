"""What may be changed: an empty list, names that only begin like ours, paths that are not what they
seem."""

from __future__ import annotations

import pytest

from tests.support.trial import Trial

pytestmark = pytest.mark.root

PATCH = """
kjpstate: 1
name: t
hosts: {{pc: {{local: "."}}}}
guardrails: {{may_change: {rails}}}
patches:
  - host: pc
    file: {file}
    set: s
    edits: [{{id: one, insert_before: "function f(", scope: module, content: "let n = 0;"}}]
"""
SOURCE = "function f() {\n}\n"


@pytest.mark.parametrize("rails", ["{pc: []}", "{'pc': []}", "{pc: [other.ts]}"])
def test_an_empty_list_of_what_may_change_forbids(trial: Trial, rails: str) -> None:
    trial.write("kjpstate.yaml", PATCH.format(rails=rails, file="a.ts"))
    source = trial.write("a.ts", SOURCE)
    done = trial.kjpstate("apply", "--yes")
    assert done.code == 8, done.said
    assert "outside-may-change" in done.said
    assert source.read_text() == SOURCE
    assert sorted(path.name for path in trial.folder.iterdir()) == ["a.ts", "kjpstate.yaml"]


def test_an_empty_list_forbids_a_rollback_too(trial: Trial) -> None:
    trial.write("kjpstate.yaml", PATCH.format(rails="{pc: [a.ts]}", file="a.ts"))
    source = trial.write("a.ts", SOURCE)
    assert trial.kjpstate("apply", "--yes").code == 0
    patched = source.read_text()
    trial.write("kjpstate.yaml", PATCH.format(rails="{pc: []}", file="a.ts"))
    done = trial.kjpstate("rollback", "--yes")
    assert done.code == 8, done.said
    assert source.read_text() == patched


BESIDE = (
    "ok.backup.evil/dist/a.ts",
    "ok.backup.20260101T000000Z-abcdef.d/a.ts",
    "ok.backup.20260101T000000Z-abcdef/a.ts",
    "ok.kjpstate-/etc/a.ts",
    "ok.kjpstate-new.abcdef/a.ts",
    ".ok.kjpstate-x/y/a.ts",
    ".ok.kjpstate-new.abcdef.ts",
    "ok.kjpstate-.ts",
)


@pytest.mark.parametrize("file", BESIDE)
def test_a_name_that_begins_like_ours_is_outside(trial: Trial, file: str) -> None:
    trial.write("kjpstate.yaml", PATCH.format(rails="{pc: [ok/]}", file=file))
    source = trial.write(file, SOURCE)
    done = trial.kjpstate("apply", "--yes")
    assert done.code == 8, done.said
    assert source.read_text() == SOURCE


DEPLOY = """
kjpstate: 1
name: t
hosts: {{pc: {{local: "."}}}}
build: {{host: pc, directory: app/, inputs: [{inputs}], run: [sh, b.sh], outputs: [{outputs}]}}
deploy:
  from: {{host: pc, directory: app/dist/}}
  to: {{host: pc, directory: live/dist/}}
  with: [{beside}]
"""
PLAIN = {"inputs": "src/", "outputs": "dist/", "beside": "package.json"}
TRICKS = ".//{outside}/x", "././/{outside}/x", ".///{outside}/x"


@pytest.mark.parametrize("name", ["ok.backup.20260101T000000Z-abcdef", ".ok.kjpstate-new.abcdef"])
def test_nothing_is_laid_at_a_name_of_ours(trial: Trial, name: str) -> None:
    deploy = (
        f"deploy: {{from: {{host: pc, directory: new/}}, to: {{host: pc, directory: {name}/}}}}\n"
    )
    head = "kjpstate: 1\nname: t\nhosts: {pc: {local: .}}\nguardrails: {may_change: {pc: [ok/]}}\n"
    trial.write("kjpstate.yaml", head + deploy)
    trial.write("new/x", "new")
    trial.write(f"{name}/x", "the original")
    done = trial.kjpstate("apply", "--yes")
    assert done.code == 8 and "outside-may-change" in done.said, done.said
    assert (trial.folder / name / "x").read_text() == "the original"


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("key", PLAIN)
def test_a_path_is_judged_in_the_form_in_which_it_is_used(
    trial: Trial, key: str, trick: str
) -> None:
    outside = trial.folder.with_name("outside")
    (outside / "x").mkdir(parents=True)
    (outside / "x" / "kept").write_text("kept")
    path = trick.format(outside=str(outside).lstrip("/")) + ("" if key == "beside" else "/")
    trial.write("kjpstate.yaml", DEPLOY.format(**{**PLAIN, key: f"'{path}'"}))
    trial.write("app/src/a.ts", SOURCE)
    trial.write("app/b.sh", "mkdir -p dist; cp src/a.ts dist/a.js")
    trial.write("app/package.json", "{}")
    done = trial.kjpstate("validate")
    assert done.code == 65, done.said
    assert "starts from the section's directory" in done.said


def test_a_path_that_starts_from_the_directory_may_be_written_oddly(trial: Trial) -> None:
    odd = {"inputs": "./src//", "outputs": "././dist/", "beside": "./package.json"}
    trial.write("kjpstate.yaml", DEPLOY.format(**odd))
    trial.write("app/src/a.ts", SOURCE)
    trial.write("app/b.sh", "mkdir -p dist; cp src/a.ts dist/a.js")
    trial.write("app/package.json", "{}")
    assert trial.kjpstate("apply", "--yes").code == 0
    assert (trial.folder / "live/dist/a.js").read_text() == SOURCE
    assert (trial.folder / "live/package.json").read_text() == "{}"
    trial.write("app/src/a.ts", SOURCE + "f();\n")
    assert trial.kjpstate("drift").code == 2, "what stands in src/ is an input"


@pytest.mark.parametrize(
    "words", [("apply", "--yes", ""), ("apply", "--yes", "--here", ""), ("rollback", "--yes", "")]
)
def test_an_empty_word_on_the_command_line_names_nothing(
    trial: Trial, words: tuple[str, ...]
) -> None:
    trial.write("kjpstate.yaml", PATCH.format(rails="{pc: [a.ts]}", file="a.ts"))
    source = trial.write("a.ts", SOURCE)
    if words[0] == "rollback":
        assert trial.kjpstate("apply", "--yes").code == 0
    before = source.read_text()
    done = trial.kjpstate(*words)
    assert done.code == 64, done.said
    assert source.read_text() == before
