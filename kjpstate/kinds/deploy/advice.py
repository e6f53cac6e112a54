"""Advice on a deploy: files that are left out, and another Baileys where the code runs."""

from __future__ import annotations

import json
from collections.abc import Iterator

from kjpstate.kinds.deploy.spec import Spec
from kjpstate.kinds.deploy.summary import few
from kjpstate.kinds.deploy.view import View
from kjpstate.model import Advice, Answer, File, Tree


def advised(view: View) -> Iterator[Advice]:
    """Tell what of the source is no regular file and stays where it is, and when code is built
    against one Baileys and run with another: it type-checks here and breaks there."""
    spec = view.spec
    if isinstance(view.source, Tree) and view.source.others:
        reason = f"in {spec.from_directory} on {spec.from_host}: {few(view.source.others)}"
        cure = "put the file itself in the place of a link, where it is needed there"
        yield Advice("links-left-out", reason, cure, "/from", "note")
    for pair in spec.baileys:
        built, runs = (_version(view.answers.get(item)) for item in (pair.source, pair.target))
        if built and runs and built != runs:
            reason = (
                f"{pair.name} is {built} on {spec.from_host}, where it is built, and {runs} on "
                f"{spec.host}"
            )
            yield Advice("baileys-differs", reason, _baileys_cure(spec, pair.name, built), "/to")


def _version(answer: Answer) -> str:
    """The version that a package.json says; "" when there is none to be read."""
    if not isinstance(answer, File):
        return ""
    try:
        value = json.loads(answer.content)
    except (ValueError, RecursionError):
        return ""
    return str(value.get("version") or "") if isinstance(value, dict) else ""


def _baileys_cure(spec: Spec, name: str, version: str) -> str:
    if spec.install:
        return f"{' '.join(spec.install)}   there, with the package-lock.json of here"
    return (
        f"npm install {name}@{version} there; or deploy.with package-lock.json, install npm "
        "ci --omit=dev"
    )
