"""The README: its document loads, its verbs exist, both languages show the same, its links lead
somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from kjpstate import document
from kjpstate.cli.main import verbs as command

ROOT = Path(__file__).parents[1]
READMES = [ROOT / "README.md", ROOT / "README.id.md"]


def blocks(readme: Path, language: str = "") -> list[str]:
    """The fenced blocks of that language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", readme.read_text(encoding="utf-8"), re.M | re.S)
    return [text for word, text in found if word == language]


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_the_first_document_loads(readme: Path, tmp_path: Path) -> None:
    (text,) = blocks(readme, "yaml")
    path = tmp_path / "kjpstate.yaml"
    path.write_text(text, encoding="utf-8")
    loaded = document.load(str(path), environ={})
    assert [item.address for item in loaded.resources] == [
        "dns",
        "pm2_ecosystem",
        "pm2_process.bot-kjp",
    ]
    assert len(loaded.checks) == 2


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_every_verb_it_names_exists(readme: Path) -> None:
    text = readme.read_text(encoding="utf-8")
    typed = re.findall(r"`kjpstate (\w+)", text) + re.findall(
        r"kjpstate (\w+)", "\n".join(shell_lines(readme))
    )
    verbs = set(command.list_commands(click.Context(command)))
    assert typed and set(typed) <= verbs, set(typed) - verbs


def shell_lines(readme: Path) -> list[str]:
    """The lines to type: those of every block but the document and the screen of a plan."""
    return [block for block in blocks(readme) if "Plan:" not in block]


def test_both_languages_show_the_same_commands() -> None:
    english, indonesian = (
        [block for block in blocks(readme) if "venv" in block or "cron" in block]
        for readme in READMES
    )
    assert english == indonesian and len(english) == 3


@pytest.mark.parametrize(
    "page", [*READMES, *sorted((ROOT / "docs").glob("*.md"))], ids=lambda path: path.name
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
