"""The examples of docs/document.md are what they claim to be, and its tables
name keys that exist."""

import re
import textwrap
from pathlib import Path

from kjpstate.document import bundled_schema, load

PAGE = (Path(__file__).parents[2] / "docs" / "document.md").read_text("utf-8")


def examples() -> dict[str, str]:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    return {block.partition(":")[0].strip("# "): block for block in blocks}


def test_the_examples_load() -> None:
    found = examples()
    sections = found["hosts"] + found["guardrails"] + found["monitor"]
    env = textwrap.indent(found["env"].replace("${file:secrets/key.txt}", "x"), " " * 6)
    app = "pm2:\n  host: stb\n  ecosystem: /b/e.config.js\n  apps:\n    - name: b\n"
    app += "      script: x\n      cwd: /b\n"
    document = load(
        "x.yaml", environ={"BOT_TOKEN": "t0ken"}, text=f"kjpstate: 1\n{sections}{app}{env}".encode()
    )
    assert list(document.hosts) == ["pc", "stb", "tv", "fleet[10.0.0.1]", "fleet[10.0.0.2]"]
    assert document.guards[0].spec.value == "7.0.0-rc.9"
    assert document.secrets == {"t0ken"}


def test_every_key_of_the_schema_has_its_line() -> None:
    parts = bundled_schema()["$defs"]
    keys = {
        key
        for name in ("dns", "patch", "build", "deploy", "guardrails", "monitor", "accept", "notify")
        for key in parts[name]["properties"]
    }
    keys |= set(parts["patch"]["$defs"]["edit"]["properties"]) | set(
        parts["hosts"]["$defs"]["ssh"]["properties"]
    )
    keys |= set(parts["pm2"]["properties"]) | set(bundled_schema()["properties"])
    assert [key for key in sorted(keys) if not re.search(rf"\b{key}\b", PAGE)] == []
