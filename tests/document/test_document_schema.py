"""The schemas are good JSON Schema, travel as one, and the loader's verdict is jsonschema's."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from kjpstate.document import bundled_schema, load
from kjpstate.document.nodes import Problems, compose
from kjpstate.document.references import References
from kjpstate.document.schema import resolved
from kjpstate.document.second import objections
from kjpstate.document.shape import MISSING, Shaper
from kjpstate.errors import DocumentError
from kjpstate.said import Text
from kjpstate.secret import Secret, opened
from tests.support.words import codes, values

ROOT = Path(__file__).parents[2]
STATES = sorted((ROOT / "states").rglob("*.yaml"))
DOCUMENTS = [yaml.safe_load(path.read_text("utf-8")) for path in STATES]
VALIDATOR = Draft202012Validator(bundled_schema())


def shaped(text: str) -> tuple[Any, list[Text]]:
    problems = Problems("x.yaml")
    root = compose(text.encode(), "x.yaml")
    value = Shaper(bundled_schema(), problems, References({}, ROOT)).value(root, bundled_schema())
    return value, [problem.reason for problem in problems.found]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "schemas").glob("*.json")), ids=lambda path: path.stem
)
def test_each_file_is_a_schema_with_descriptions_for_editors(path: Path) -> None:
    schema = json.loads(path.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == path.name
    assert schema["description"]
    assert list(undescribed(schema)) == []


def undescribed(schema: Any, at: str = "") -> Any:
    if isinstance(schema, dict):
        for name, item in schema.get("properties", {}).items():
            if not (item.get("description") or item.get("$ref")):
                yield f"{at}/{name}"
        for key, item in schema.items():
            yield from undescribed(item, f"{at}/{key}")
    elif isinstance(schema, list):
        for item in schema:
            yield from undescribed(item, at)


def test_the_bundle_needs_no_other_file() -> None:
    Draft202012Validator.check_schema(bundled_schema())
    text = json.dumps(bundled_schema())
    assert '"$ref": "#/' in text
    assert ".schema.json#" not in text
    for reference in references(bundled_schema()):
        assert resolved({"$ref": reference}, bundled_schema())


def references(schema: Any) -> Any:
    if isinstance(schema, dict):
        for key, item in schema.items():
            if key == "$ref":
                yield item
            else:
                yield from references(item)
    elif isinstance(schema, list):
        for item in schema:
            yield from references(item)


def test_every_example_fits_its_own_schema() -> None:
    found = list(examples(bundled_schema()))
    assert len(found) > 40
    for schema, example in found:
        whole = {**schema, "$defs": bundled_schema()["$defs"]}
        assert Draft202012Validator(whole).is_valid(example), (schema, example)


def examples(schema: Any) -> Any:
    if isinstance(schema, dict):
        yield from ((schema, example) for example in schema.get("examples", ()))
        for key, item in schema.items():
            if key != "examples":
                yield from examples(item)
    elif isinstance(schema, list):
        for item in schema:
            yield from examples(item)


@pytest.mark.parametrize("path", STATES, ids=lambda path: path.stem)
def test_the_states_fit_for_both(path: Path) -> None:
    value, problems = shaped(path.read_text("utf-8"))
    assert problems == []
    assert [error.message for error in VALIDATOR.iter_errors(opened(value))] == []


PIECES: list[Any] = [
    None, True, False, 0, 1, 15, -1, 65536, 1.5, "", "x", "10s", "30%", "stb", "a && b", "8.8.8.8",
    "apply", "reject", [], {}, ["x"], [1, "x"], {"host": "stb"}, {"x": {"y": 1}}, [["x"]],
]  # fmt: skip


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [at, *(path for key, item in inner for path in paths(item, (*at, key)))]


@st.composite
def changed_documents(draw: st.DrawFn) -> Any:
    value = copy.deepcopy(draw(st.sampled_from(DOCUMENTS)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([path for path in paths(value) if path]))
        holder = value
        for key in path[:-1]:
            holder = holder[key]
        match draw(st.sampled_from(["replace", "delete", "add"])):
            case "replace":
                holder[path[-1]] = copy.deepcopy(draw(st.sampled_from(PIECES)))
            case "delete":
                del holder[path[-1]]
            case "add" if isinstance(holder, dict):
                key = draw(
                    st.sampled_from(["x", "host", "name", "env", "ssh", "replace", "manual"])
                )
                holder[key] = copy.deepcopy(draw(st.sampled_from(PIECES)))
    return value


@settings(
    max_examples=3000 if os.environ.get("KJPSTATE_FULL") else 60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(changed_documents())
def test_one_verdict(value: Any) -> None:
    """The loader takes only what jsonschema takes; beyond that it refuses single texts alone."""
    typed, problems = shaped(yaml.safe_dump(value, allow_unicode=True))
    if not problems:
        assert typed is not MISSING
        assert [error.message for error in VALIDATOR.iter_errors(opened(typed))] == []
    if VALIDATOR.is_valid(value):
        assert [problem for problem in problems if not about_a_text(problem)] == []


def about_a_text(problem: Text) -> bool:
    """Problems of `format` words and of a text that YAML would take for something else."""
    return codes(problem)[0].startswith("document.no-shell.") or codes(problem)[0] in (
        "document.command-empty",
        "document.may-mean",
        "document.no-dns-server",
        "document.no-ssh-address",
        "document.not-relative",
        "document.nothing-to-find",
        "document.quote-open",
        "document.slashes-in-command",
        "document.variable-as-program",
    )


@pytest.mark.parametrize("path", STATES, ids=lambda path: path.stem)
def test_a_thorough_load_asks_jsonschema_too(path: Path) -> None:
    assert load(str(path), environ={}, thorough=True) == load(str(path), environ={})


def test_a_word_that_only_jsonschema_knows_is_not_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    schema = {**bundled_schema(), "maxProperties": 1}
    text = b"kjpstate: 1\nname: bot\n"
    monkeypatch.setattr("kjpstate.document.loading.bundled_schema", lambda: schema)
    assert load("x.yaml", environ={}, text=text).name == "bot"
    with pytest.raises(DocumentError) as caught:
        load("x.yaml", environ={}, text=text, thorough=True)
    assert values(caught.value.message, "word") == ["maxProperties"]


def test_jsonschema_never_sees_a_secret() -> None:
    value = {"kjpstate": 1, "name": Secret("s3cret-TOKEN", "${env:TOKEN} x")}
    found = list(objections(value, bundled_schema()))
    assert [pointer for pointer, _ in found] == ["/name"]
    assert "s3cret" not in repr(found)
