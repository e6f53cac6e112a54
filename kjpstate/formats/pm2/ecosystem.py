"""Our ecosystem.config.js: `module.exports = <JSON>;` under a comment that names the document. And
back.

A file that does not read back is somebody else's: opaque, never evaluated. Called by pm2_ecosystem
and pm2_process.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kjpstate.formats.logs import NOWHERE
from kjpstate.model import join
from kjpstate.secret import opened

_OURS = re.compile(
    r"\A// Managed by kjpstate, document ([^\r\n]+?)\. Change[^\r\n]*\r?\n"
    r"module\.exports = (\{.*\});\s*\Z",
    re.S,
)
_NAMES = (".config.js", ".config.cjs")


@dataclass(frozen=True)
class Ours:
    """An ecosystem file of ours: who wrote it, and its apps by name, keys as they stand."""

    document: str
    apps: Mapping[str, Mapping[str, Any]]


def render(document: str, apps: Sequence[Mapping[str, Any]]) -> bytes:
    """The bytes of the file; Secrets are opened here and nowhere else."""
    text = json.dumps({"apps": opened(list(apps))}, indent=2, ensure_ascii=False)
    text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    head = (
        f"// Managed by kjpstate, document {document}. Change the document, then: kjpstate apply\n"
    )
    return f"{head}module.exports = {text};\n".encode()


def parse(content: bytes) -> Ours | None:
    """The file read back by pattern and JSON; None when it is not one of ours."""
    try:
        match = _OURS.match(content.decode())
        value = json.loads(match[2]) if match else None
    except (ValueError, RecursionError):
        return None
    apps = value.get("apps") if isinstance(value, dict) else None
    if match is None or not isinstance(apps, list):
        return None
    if not all(isinstance(app, dict) and isinstance(app.get("name"), str) for app in apps):
        return None
    return Ours(match[1], {app["name"]: app for app in apps})


def name_is_known(path: str) -> bool:
    """Whether PM2 will take the file for an ecosystem at all, and our `module.exports` for its
    content."""
    return path.endswith(_NAMES)


def is_module(package: bytes) -> bool:
    """Whether a package.json makes node take `.js` for an ES module."""
    try:
        value = json.loads(package)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("type") == "module"


def log_folders(ecosystem: str, app: Mapping[str, Any]) -> Iterator[str]:
    """The absolute folders of the app's log files. They must be there before PM2 acts: PM2 makes
    them at a start only, and an app that crashes without them is never restarted."""
    base = join(ecosystem.rpartition("/")[0] + "/", str(app.get("cwd") or ""))
    for key in ("error_file", "out_file", "log_file"):
        value = app.get(key)
        if isinstance(value, str) and value not in ("", *NOWHERE) and not value.startswith("~"):
            yield join(base, value).rpartition("/")[0]
