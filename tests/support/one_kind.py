"""One resource of one kind through the straight line: what the tables of the kinds' tests are made
with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from kjpstate import plan
from kjpstate.model import (
    Advice,
    Answers,
    Difference,
    Refuse,
    Resource,
    Tree,
    TreeFile,
    Upstream,
    Where,
)
from kjpstate.plan import Assessment, Scene
from kjpstate.render.rows import row_text


def sha(text: str) -> str:
    """The digest of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def tree(root: str, files: Mapping[str, str], others: tuple[str, ...] = ()) -> Tree:
    """A tree of text files; `changed` is the digest, so that equal content is an untouched file."""
    return Tree(
        root,
        {
            path: TreeFile(sha(text), len(text), 0o644, sha(text)[:8])
            for path, text in files.items()
        },
        others,
    )


def stamp(values: Mapping[str, Any]) -> bytes:
    """The bytes of a stamp."""
    return json.dumps(values).encode()


def assess(
    kind: ModuleType, spec: Any, answers: Answers, upstream: Upstream | None = None
) -> Assessment:
    """What the plan has of the resource: its states, its drift, what is told, what was seen."""
    unasked = set(answers) - set(kind.reads(spec))
    assert not unasked, f"the kind does not look at {unasked}"
    resource = Resource(kind.KIND, kind.KIND, spec.host, spec, Where("bot.yaml", 1, 1))
    scene = Scene(spec.document, (resource,), answers, b"key", {kind.KIND: kind})
    return plan.assess(resource, scene, upstream or {})


def difference(
    kind: ModuleType, spec: Any, answers: Answers, upstream: Upstream | None = None
) -> tuple[Difference, ...]:
    """The differences; empty when in sync."""
    drift = assess(kind, spec, answers, upstream).drift
    return drift.differences if drift else ()


def steps(
    kind: ModuleType, spec: Any, answers: Answers, upstream: Upstream | None = None
) -> list[Any]:
    """What the kind would do, or its first refusal alone; empty when in sync."""
    found = assess(kind, spec, answers, upstream)
    if found.drift is None:
        return []
    refused: list[Any] = list(kind.refusals(found.view))[:1]
    return refused or list(kind.actions(found.view, found.drift))


def problems(
    kind: ModuleType, spec: Any, answers: Answers, upstream: Upstream | None = None
) -> list[Refuse]:
    """All that the kind refuses, in its order; drift by itself."""
    found = assess(kind, spec, answers, upstream)
    refused = list(kind.refusals(found.view))
    compared = [(item["rule"], item["why"]) for item in found.actual.values["problems"]]
    assert compared == [(item.rule, item.reason) for item in refused]
    return refused


def advised(kind: ModuleType, spec: Any, answers: Answers) -> list[Advice]:
    """The kind's advice; with no answers as `validate` gives it."""
    return list(kind.advice(kind.see(spec, answers, {})))


def headline(
    kind: ModuleType, spec: Any, answers: Answers, upstream: Upstream | None = None
) -> str:
    """What stands after the address on a plan's screen."""
    return assess(kind, spec, answers, upstream).told.headline


def rows(
    kind: ModuleType, spec: Any, answers: Answers, upstream: Upstream | None = None
) -> list[str]:
    """The lines below it; empty when in sync or when the differences are shown instead."""
    return [row_text(row) for row in assess(kind, spec, answers, upstream).told.rows or ()]


def fingerprint(kind: ModuleType, spec: Any, answers: Answers) -> str:
    """What must not move between a plan and its apply."""
    return json.dumps(dict(assess(kind, spec, answers).facts), sort_keys=True)
