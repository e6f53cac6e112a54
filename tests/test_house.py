"""What stands for one thing bears one name: kinds, schemas, tests, rules; no file names a
stranger's host."""

from __future__ import annotations

import ast
import importlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from kjpstate.kinds import KINDS
from kjpstate.rules import RULES
from kjpstate.words import messages

ROOT = Path(__file__).resolve().parents[1]
KINDS_FOLDER = ROOT / "kjpstate" / "kinds"
STEMS = sorted({path.stem for path in KINDS_FOLDER.iterdir() if not path.name.startswith("_")})
# A kind whose section of the document has another name: one section makes two of them, or it is a
# guardrail.
SECTION = {"pm2_ecosystem": "pm2", "pm2_process": "pm2", "unchanged": "guardrails"}
NAMES = (
    "resources",
    "reads",
    "see",
    "actual",
    "desired",
    "writes",
    "refusals",
    "actions",
    "advice",
    "told",
)

RULE_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
BEARERS = {"Refuse", "Advice", "Problem"}

SKIPPED_FOLDERS = {".git", ".venv", "__pycache__", "node_modules", "build", "dist"}
# Hosts of package registries, and folders of one developer's machine; in pieces, so that this file
# is clean.
FOREIGN = re.compile(
    "|".join(
        "".join(pieces)
        for pieces in (
            ("registry", r"\.npm"),
            ("npm", r"js\.(org|com)"),
            ("py", r"pi\.org"),
            ("python", "hosted"),
            ("deb", r"\.debian\.org"),
            ("snapshot", r"\.debian"),
            ("artifact", "registry"),
            ("/wo", "rk/"),
            ("/opt", "/kjp"),
            (r"\.\.", "/shared"),
            ("/root/", r"\.pyenv"),
        )
    )
)


@pytest.mark.parametrize("stem", STEMS)
def test_a_kind_is_a_module_a_schema_and_tests_of_one_name(stem: str):
    kind = importlib.import_module(f"kjpstate.kinds.{stem}")
    assert stem == kind.KIND
    assert isinstance(kind.ORDER, int) and isinstance(kind.UNIT, str)
    assert (ROOT / "schemas" / f"{SECTION.get(stem, stem)}.schema.json").is_file()
    assert list((ROOT / "tests/kinds").glob(f"test_kind_{stem}*.py")), (
        f"no tests/kinds/test_kind_{stem}*.py"
    )
    assert KINDS[stem] is kind, "not in kinds.KINDS"


@pytest.mark.parametrize("stem", STEMS)
def test_a_kind_has_its_functions_and_no_class_of_its_own_to_inherit(stem: str):
    tree = ast.parse(_face(stem).read_text(encoding="utf-8"))
    lines = {node.name: node.lineno for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert [name for name in NAMES if name not in lines] == []
    assert sorted(NAMES, key=lines.__getitem__) == list(NAMES), "in the order of the table in docs"
    assert not [node.name for node in tree.body if isinstance(node, ast.ClassDef) and node.bases]


def _face(stem: str) -> Path:
    package = KINDS_FOLDER / stem / "__init__.py"
    return package if package.exists() else KINDS_FOLDER / f"{stem}.py"


def test_every_schema_is_json_schema_2020_12_with_a_word_on_what_it_is_for():
    for path in sorted((ROOT / "schemas").glob("*.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        assert schema["$schema"].endswith("draft/2020-12/schema"), path.name
        assert schema.get("description") or schema.get("$defs"), path.name


def test_every_rule_that_is_used_is_in_the_table():
    missing = {rule: place for rule, place in used_rules() if rule not in RULES}
    assert not missing, f"no entry in kjpstate/rules.py: {missing}"


def test_every_rule_of_the_table_is_used():
    # a rule, or one of its wordings: RULE.variant
    literals = {text.partition(".")[0] for path in sources() for text in strings(path)}
    assert sorted(set(RULES) - literals) == []


def test_the_rules_stand_in_order_and_are_whole():
    assert list(RULES) == sorted(RULES)
    for rule in RULES:
        assert RULE_ID.fullmatch(rule), rule
        page = [messages()[f"{rule}.{part}"] for part in ("page-title", "page-text", "page-cure")]
        assert all(isinstance(text, str) and text and "\n" not in text for text in page), rule


def used_rules() -> Iterator[tuple[str, str]]:
    """(id, file:line) of what is told as a rule: the first argument of a Refuse, an Advice, or
    `rule=`."""
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            told = [word.value for word in node.keywords if word.arg == "rule"]
            if ast.unparse(node.func).split(".")[-1] in BEARERS:
                told += node.args[:1]
            for value in told:
                if isinstance(value, ast.Constant) and RULE_ID.fullmatch(str(value.value)):
                    yield str(value.value), f"{path.relative_to(ROOT)}:{node.lineno}"


@cache
def sources() -> tuple[Path, ...]:
    return tuple(
        path for path in sorted((ROOT / "kjpstate").rglob("*.py")) if path.name != "rules.py"
    )


def strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_the_changelog_has_a_place_for_what_comes_next():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    unreleased = text.partition("\n## Unreleased\n")[2].partition("\n## ")[0]
    assert "\n- " in unreleased


def test_no_file_names_a_registry_or_a_folder_of_somebodys_machine():
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in tracked()
        if path != Path(__file__)
        for number, line in enumerate(_text(path).splitlines(), 1)
        if FOREIGN.search(line) or any(host in line for host in own_mirrors())
    ]
    assert not wrong, "\n".join(wrong)


def tracked() -> list[Path]:
    """The files of the project: what git knows, or, in an unpacked copy, all
    but what tools made."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        listed = subprocess.run(
            [git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
        ).stdout
        paths = [ROOT / name for name in listed.decode().split("\0") if name]
    else:
        paths = [
            path
            for path in ROOT.rglob("*")
            if not SKIPPED_FOLDERS & set(path.relative_to(ROOT).parts)
        ]
    return [path for path in paths if path.is_file()]


@cache
def own_mirrors() -> frozenset[str]:
    """The hosts from which this machine gets its packages, by its own settings."""
    settings = (*Path("/etc/apt").glob("sources.list*"), *Path("/etc/apt/sources.list.d").glob("*"))
    texts = [
        _text(path)
        for path in (*settings, Path("/etc/pip.conf"), Path("/etc/npmrc"))
        if path.is_file()
    ]
    return frozenset(
        host for text in texts for host in re.findall(r"https?://([\w.-]+\.\w+)", text)
    )


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace")
