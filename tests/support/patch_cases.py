"""The cases of the kind `patch`, the owner's edits, and a second, simpler way
to take blocks out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from kjpstate.kinds import patch
from kjpstate.kinds.patch.problems import Problem
from kjpstate.kinds.patch.spec import Spec, edit_of
from kjpstate.model import File, Note, ReadFile, Refuse, Told, WriteFile
from tests.support.one_kind import steps

ROOT = Path(__file__).parents[2]
SET = "reconnect-backoff"

IF, ELSE = "if (shouldReconnect)", "else console.log($$$);"
WIDE = [
    f"{IF} connectToWhatsApp();\n{ELSE}",
    f"{IF} {{\n  connectToWhatsApp();\n}} else {{\n  console.log($$$);\n}}",
    f"{IF} {{\n  connectToWhatsApp();\n}}",
    f"{IF} connectToWhatsApp();",
]

_CODE = (
    "(lastDisconnect?.error as Boom)",
    "(lastDisconnect.error as Boom)",
    "lastDisconnect?.error",
    "lastDisconnect.error",
)
README: list[dict[str, Any]] = [
    {"id": "state", "insert_after": "imports", "content": "let tries = 0;"},
    {
        "id": "should",
        "replace": [
            "const shouldReconnect = statusCode !== DisconnectReason.loggedOut;",
            *(
                f"const shouldReconnect = {code}?.output?.statusCode !== "
                "DisconnectReason.loggedOut;"
                for code in _CODE
            ),
        ],
        "content": "const shouldReconnect = tries < 10;",
    },
    {
        "id": "call",
        "replace": [
            "if (shouldReconnect) { $START(); } else { $$$ }",
            "if (shouldReconnect) { $START(); }",
            "if (shouldReconnect) $START();",
        ],
        "content": "if (shouldReconnect) {\n  tries += 1;\n  setTimeout(mulaiLagi, 3000 * 2 ** tries);\n}",
    },
    {"id": "reset", "insert_inside": "if (connection === 'open') {", "content": "tries = 0;"},
]
"""Edits for a handler as Baileys' own README has it, and the forms that bots made of it."""


def owner_edits(forms: list[str] | None = None) -> list[dict[str, Any]]:
    """The edits as states/bot-kjp.yaml has them; `forms` for reconnect-call."""
    document = yaml.safe_load((ROOT / "states" / "bot-kjp.yaml").read_text("utf-8"))
    edits = [dict(edit) for edit in document["patches"][0]["edits"]]
    for edit in edits:
        if forms and edit["id"] == "reconnect-call":
            edit["replace"] = forms
    return edits


def spec_of(edits: list[dict[str, Any]], path: str = "/bot/src/wa.ts", **more: Any) -> Spec:
    """The spec of one set in one file on `pc`."""
    said = tuple(map(edit_of, edits))
    base = Spec("pc", "bot-kjp", path, path.removeprefix("/bot/"), SET, said)
    return replace(base, **more)


def answers_of(spec: Spec, content: bytes | None) -> dict[Any, Any]:
    """What the host answers when the file holds `content`."""
    file = None if content is None else File(spec.path, content, 0o644)
    return {ReadFile(spec.host, spec.path): file}


def run(spec: Spec, content: bytes | None) -> bytes | Refuse | None:
    """The file after the set was applied, its refusal, or None when it is in sync."""
    found = steps(patch, spec, answers_of(spec, content))
    if not found:
        return None
    (step,) = found
    if isinstance(step, WriteFile):
        assert (step.host, step.path, step.before) == (spec.host, spec.path, content)
        assert step.after is not None
        return step.after
    assert isinstance(step, Refuse)
    return step


def problems_of(spec: Spec, content: bytes | None) -> tuple[Problem, ...]:
    """All that is wrong with the set over what is on disk."""
    return view_of(spec, content).disk.problems


def view_of(spec: Spec, content: bytes | None) -> patch.View:
    """What the kind sees when the file holds `content`."""
    return patch.see(spec, answers_of(spec, content), {})


def notes(told: Told) -> list[Note]:
    """The rows of what a plan tells, one for each edit."""
    assert told.rows is not None
    return [row for row in told.rows if isinstance(row, Note)]


@dataclass(frozen=True)
class Case:
    """One file of tests/cases/patch. `data`: marker text stands in it that is no marker; `told`:
    what else it says of the plan: `headline`, `notes`, `rows`, `orphans`, `advice`."""

    name: str
    spec: Spec
    content: bytes
    result: Any
    after: str | None
    adopted: list[str]
    data: bool
    told: dict[str, Any]

    @property
    def origin(self) -> bytes:
        """The file without any block of the set."""
        return self.content if self.data else without_blocks(self.content)


def cases() -> list[Case]:
    """All of them, by name."""
    return [_case(path) for path in sorted((ROOT / "tests" / "cases" / "patch").glob("*.yaml"))]


def _case(path: Path) -> Case:
    told = yaml.safe_load(path.read_text("utf-8"))
    edits = told["edits"]
    if isinstance(edits, str):
        forms = {"owner": None, "wide": WIDE, "narrow": WIDE[3:]}
        edits = README if edits == "readme" else owner_edits(forms[edits])
    text = told["source"] if told.get("final_newline", True) else told["source"].removesuffix("\n")
    content = text.encode(told.get("encoding", "utf-8"))
    if told.get("eol") == "mixed":
        content = content.replace(b"\n", b"\r\n", 1)
    elif "eol" in told:
        content = content.replace(b"\n", {"crlf": b"\r\n", "cr": b"\r"}[told["eol"]])
    if told.get("bom"):
        content = b"\xef\xbb\xbf" + content
    after = told.get("after")
    if after is not None and not told.get("final_newline", True):
        after = after.removesuffix("\n")
    spec = spec_of(edits, told.get("path", "/bot/src/wa.ts"), **told.get("options", {}))
    more = {
        key: told[key] for key in ("headline", "notes", "rows", "orphans", "advice") if key in told
    }
    adopted, data = told.get("adopted", []), told.get("data", False)
    return Case(path.stem, spec, content, told["result"], after, adopted, data, more)


_BEGIN = re.compile(rb"[ \t]*// kjpstate:begin reconnect-backoff/\S+ .*")
_WAS = re.compile(rb"[ \t]*// kjpstate:was (?:\|(?: (.*))?|j (.*))")


def without_blocks(content: bytes) -> bytes:
    """`content` as it was before the blocks of SET: line by line, knowing nothing of TypeScript."""
    mark = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
    kept: list[bytes] = [mark]
    inside: list[bytes] | None = None
    for line in content.removeprefix(mark).splitlines(keepends=True):
        bare, ending = line.rstrip(b"\r\n"), line[len(line.rstrip(b"\r\n")) :]
        if inside is None:
            if not _BEGIN.fullmatch(bare):
                kept.append(line)
                continue
            inside, adopted = [], b" adopted=1" in bare
        elif b"// kjpstate:end " in bare:
            if inside:
                inside[-1] = inside[-1].rstrip(b"\r\n") + ending
            elif not ending and kept:
                kept[-1] = kept[-1].rstrip(b"\r\n")
            kept += inside
            inside = None
        elif match := _WAS.fullmatch(bare):
            old = json.loads(match[2]).encode() if match[2] else match[1] or b""
            inside.append(old + ending)
        elif adopted:
            inside.append(line)
    return b"".join(kept)
