"""Programs from npm that tests run: installed once, kept in `$KJPSTATE_TOOLS` when that is set."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.support.machine.tools import only_one


def installed(folder: Path, inside: str, *packages: str) -> Path:
    """The folder whose node_modules holds `packages` (`typescript@5`).

    It is `inside` of $KJPSTATE_TOOLS, else of `folder`. Who comes while another installs the same
    waits.
    """
    tools = Path(os.environ.get("KJPSTATE_TOOLS") or folder) / inside
    tools.mkdir(parents=True, exist_ok=True)
    done = tools / "installed"
    wanted = " ".join(packages)
    with only_one(tools / "lock"):
        if not done.exists() or done.read_text() != wanted:
            (tools / "package.json").write_text('{"private": true}')
            command = ["npm", "install", "--no-audit", "--no-fund", "--silent", *packages]
            subprocess.run(command, cwd=tools, check=True, timeout=300)
            done.write_text(wanted)
    return tools
