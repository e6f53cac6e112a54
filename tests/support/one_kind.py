"""One resource of one kind through the straight line: what the tables of the kinds' tests are made
with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from kjpstate.model import (
    Action,
    Answers,
    Difference,
    Refuse,
    Resource,
    Spec,
    Tree,
    TreeFile,
    Upstream,
    Where,
)
from kjpstate.plan import Scene, assess


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


def difference(
    kind: ModuleType, spec: Spec, answers: Answers, upstream: Upstream | None = None
) -> tuple[Difference, ...]:
    """The differences; empty when in sync."""
    drift = _assess(kind, spec, answers, upstream).drift
    return drift.differences if drift else ()


def steps(
    kind: ModuleType, spec: Spec, answers: Answers, upstream: Upstream | None = None
) -> list[Action | Refuse]:
    """What the kind would do; empty when in sync."""
    drift = _assess(kind, spec, answers, upstream).drift
    return list(kind.actions(spec, drift)) if drift else []


def headline(
    kind: ModuleType, spec: Spec, answers: Answers, upstream: Upstream | None = None
) -> str:
    """What stands after the address on a plan's screen."""
    text: str = _assess(kind, spec, answers, upstream).desired.beside["headline"]
    return text


def fingerprint(kind: ModuleType, spec: Spec, answers: Answers) -> str:
    """What must not move between a plan and its apply."""
    return json.dumps(_assess(kind, spec, answers, None).facts, sort_keys=True)


def _assess(kind: ModuleType, spec: Spec, answers: Answers, upstream: Upstream | None) -> Any:
    unasked = set(answers) - set(kind.reads(spec))
    assert not unasked, f"the kind does not look at {unasked}"
    resource = Resource(kind.KIND, kind.KIND, spec["host"], spec, Where("bot.yaml", 1, 1))
    scene = Scene(spec["document"], (resource,), answers, b"key", {kind.KIND: kind})
    return assess(resource, scene, upstream or {})
