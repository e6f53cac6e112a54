"""Hostile text in every string of a document is data, over a real shell: it runs nothing, writes
nothing.

A document with every key of the schemas; each of its strings is replaced, or made longer, by text
that a shell, a terminal, a glob or a path would take for its own. What the loader refuses is
refused in a sentence; the rest is planned and applied.
"""

from __future__ import annotations

import copy
import io
import json
import os
import random
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from kjpstate import reconcile
from kjpstate.cli import run
from kjpstate.document import load
from kjpstate.errors import DocumentError
from kjpstate.host import Host, Local
from kjpstate.hosts.local import LocalHost
from kjpstate.hosts.ssh import ShellHost
from tests.support.allowed_states import picture
from tests.support.shell_link import ShellLink

SEED, SLICE = 20261125, 24
VERIFIED = ("checks", "hosts", "name", "dns")
"""Sections whose texts reach a check."""
ONLY = ("patch", "build", "deploy", "pm2_ecosystem")
STAND_INS = (
    "tool",
    "dig",
    "host",
    "getent",
    "node",
    "npm",
    "npx",
    "pm2",
    "systemctl",
    "resolvectl",
    "busctl",
)
MARK = "canary"
SCHEMAS = Path(__file__).parents[2] / "schemas"

HOSTILE = {
    "substitution": "$(touch {c}1)",
    "backquotes": "`touch {c}2`",
    "another command": "; touch {c}3;",
    "a pipe": "| touch {c}4",
    "and": "&& touch {c}5 &",
    "out of quotes": "'; touch {c}6; '",
    "out of double quotes": '"; touch {c}7; "',
    "a line of its own": "\ntouch {c}8\n",
    "no blanks": "$(touch${{IFS}}{c}9)",
    "an option": "-oProxyCommand=touch {c}10",
    "a glob": "*?[a-z]{{a,b}}~",
    "a way out": "../../../../{c}11",
    "a process": "<(touch {c}12) >{c}13",
    "a direction mark": "\u202etxt.sj\u2066",
    "a code of terminals": "\x1b]0;title\x07\x1b[2J",
    "percents and backslashes": "%s%n%d \\x41 \\\\ !! #",
    "very long": "A" * 5000 + "$(touch {c}14)",
    "a secret's shape": "${{env:HOME}} {{{{ 7*7 }}}}",
}


def document(folder: Path) -> dict[str, Any]:
    """Every key that may hold a string, with values that are well."""
    box, tool = f"{folder}/box", "tool"
    return {
        "kjpstate": 1,
        "name": "bot",
        "hosts": {
            "pc": {"local": f"{folder}/pc"},
            "box": {
                "ssh": {
                    "address": "127.0.0.1",
                    "user": "root",
                    "host_key": "SHA256:" + "A" * 43,
                    "identity": ["~/.ssh/id"],
                    "jump": "me@gate:22",
                }
            },
        },
        "guardrails": {
            "may_change": {"box": [f"{box}/"], "pc": [f"{folder}/pc/"]},
            "unchanged": [
                {
                    "host": "box",
                    "file": f"{box}/package.json",
                    "pointer": "/version",
                    "value": "1.0",
                }
            ],
        },
        "accept": [
            {"address": "deploy", "why": "till then", "until": "2099-01-01"},
            {"rule": "pm2-gives-up", "why": "so"},
        ],
        "dns": {"host": "box", "servers": ["8.8.8.8"], "fallback": ["8.8.4.4"]},
        "patches": [
            {
                "host": "box",
                "file": f"{box}/src/wa.ts",
                "set": "retry",
                "on_drift": "apply",
                "edits": [
                    {
                        "id": "one",
                        "insert_before": "function connect(",
                        "scope": "module",
                        "content": "let a = 1;",
                    },
                    {
                        "id": "two",
                        "replace": ["start();"],
                        "within": "function connect(",
                        "content": "begin();",
                    },
                ],
            }
        ],
        "build": {
            "host": "box",
            "directory": box,
            "inputs": ["src/"],
            "check": [tool, "check"],
            "run": [tool, "run"],
            "outputs": ["dist/"],
        },
        "deploy": {
            "from": {"host": "pc", "directory": "web/"},
            "to": {"host": "box", "directory": f"{box}/web/"},
            "with": ["package.json"],
            "install": [tool, "install"],
        },
        "pm2": {
            "host": "box",
            "ecosystem": f"{box}/ecosystem.config.js",
            "apps": [
                {
                    "name": "bot",
                    "script": "dist/index.js",
                    "cwd": box,
                    "args": ["one"],
                    "interpreter": "node",
                    "node_args": ["--no-warnings"],
                    "namespace": "ns",
                    "min_uptime": "5s",
                    "max_memory_restart": "300M",
                    "cron_restart": "0 3 * * *",
                    "env": {"KEY": "value"},
                    "filter_env": ["SECRET"],
                    "log_date_format": "YYYY",
                    "error_file": f"{box}/logs/e.log",
                    "out_file": f"{box}/logs/o.log",
                    "log_file": f"{box}/logs/l.log",
                    "pid_file": f"{box}/logs/p.pid",
                    "watch": ["src"],
                    "ignore_watch": ["logs"],
                    "increment_var": "COUNT",
                    "instance_var": "NUMBER",
                    "uid": "root",
                    "gid": "root",
                }
            ],
        },
        "checks": [
            {
                "name": "a",
                "file": {"host": "box", "path": f"{box}/web/i", "contains": ["x"], "absent": ["y"]},
            },
            {"name": "b", "log": {"host": "box", "app": "bot", "present": ["x"], "absent": ["y"]}},
            {
                "name": "c",
                "dns": {
                    "host": "box",
                    "effective": True,
                    "resolves": ["example.org"],
                    "each_server": True,
                },
            },
            {"name": "d", "cpu": {"host": "box", "app": "bot", "below": "30%", "over": "1s"}},
            {"name": "e", "command": {"host": "box", "run": [tool, "look"], "directory": box}},
            {"name": "f", "manual": "look at it"},
            {"name": "g", "app": {"host": "box", "name": "bot", "alive": True}},
        ],
        "monitor": {"for": "1m", "every": "30s", "limits": {"cpu": "30%", "log": {"ENOTFOUND": 3}}},
        "notify": {
            "channels": [{"name": "me", "webhook": "http://127.0.0.1:9/x"}],
            "quiet": "22:00-06:00",
        },
    }


Path_ = tuple[str | int, ...]


def strings(value: Any, at: Path_ = ()) -> Iterator[Path_]:
    """The place of every string below `value`."""
    items: Any = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, below in items:
        yield from strings(below, (*at, key))
    if isinstance(value, str):
        yield at


def changed(whole: dict[str, Any], at: Path_, to: str) -> dict[str, Any]:
    found = copy.deepcopy(whole)
    inside: Any = found
    for key in at[:-1]:
        inside = inside[key]
    inside[at[-1]] = to
    return found


def value_at(whole: Any, at: Path_) -> str:
    for key in at:
        whole = whole[key]
    found: str = whole
    return found


@pytest.fixture(name="folder")
def folder_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two machines' folders, what lies beside them, and stand-ins that run nothing."""
    for name in ("pc/web", "box/src", "beside", "tools", "canaries", "controller"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "pc/web/i").write_text("x")
    (tmp_path / "pc/package.json").write_text('{"version": "1.0"}')
    (tmp_path / "box/package.json").write_text('{"version": "1.0"}')
    (tmp_path / "box/src/wa.ts").write_text("function connect() {\n  start();\n}\n")
    (tmp_path / "beside/sentinel").write_text("untouched")
    for name in STAND_INS:
        (tmp_path / "tools" / name).write_text("#!/bin/sh\nexit 0\n")
        (tmp_path / "tools" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/tools:{os.environ['PATH']}")
    monkeypatch.setenv("KJPSTATE_STATE", f"{tmp_path}/controller")
    monkeypatch.chdir(tmp_path / "beside")
    return tmp_path


def hostile(folder: Path, name: str) -> str:
    return HOSTILE[name].format(c=f"{folder}/canaries/{MARK}")


def cases(folder: Path) -> Iterator[tuple[Path_, str, str]]:
    """(place, name of the hostile text, what stands there then): in the place of the value, and
    behind it."""
    whole = document(folder)
    for at in strings(whole):
        for name in HOSTILE:
            yield at, name, hostile(folder, name)
            yield at, name, value_at(whole, at) + hostile(folder, name)


def accepted(folder: Path, at: Path_, text: str) -> bool:
    """Whether the loader takes it; it never says anything else than yes or a sentence with its
    place."""
    source = json.dumps(changed(document(folder), at, text)).encode()
    try:
        load(str(folder / "kjpstate.yaml"), environ={}, text=source)
    except DocumentError as error:
        assert error.problems and all(problem.reason for problem in error.problems)
        return False
    return True


def test_there_is_a_string_for_every_key_of_the_schemas_that_takes_one(tmp_path):
    """A new key must come into the document above, which itself is well."""
    load(str(tmp_path / "kjpstate.yaml"), environ={}, text=json.dumps(document(tmp_path)).encode())
    keys = {str(key) for at in strings(document(tmp_path)) for key in at}
    apps = json.loads((SCHEMAS / "pm2.schema.json").read_text("utf-8"))["$defs"]["app"][
        "properties"
    ]
    texts = {name for name, rule in apps.items() if '"string"' in json.dumps(rule)}
    assert texts - keys == {"exec_mode", "instances", "log_type", "watch_options"}, (
        "words of a list, not texts"
    )
    sections = json.loads((SCHEMAS / "document.schema.json").read_text("utf-8"))["properties"]
    assert set(sections) - keys == {"kjpstate", "lang"}, "a number, and a word of a few letters"


@pytest.mark.slice
def test_each_hostile_text_in_each_string_is_data(folder, counted):
    every = [(at, name, text) for at, name, text in cases(folder)]
    if not os.environ.get("KJPSTATE_FULL"):
        every = random.Random(SEED).sample(every, 150)
    taken = [case for case in every if accepted(folder, case[0], case[2])]
    counted("hostile texts in a string of a document, loaded or refused", len(every))
    # every field, with another hostile text each time
    random.Random(SEED).shuffle(taken)
    by_field: dict[Path_, list[tuple[Path_, str, str]]] = {}
    for case in taken:
        by_field.setdefault(case[0], []).append(case)
    chosen = [case for found in by_field.values() for case in found[: 6 if len(every) > 150 else 1]]
    chosen = chosen if os.environ.get("KJPSTATE_FULL") else chosen[:SLICE]
    assert len(chosen) >= SLICE
    verified = [(at, name) for at, name, _ in chosen if at[0] in VERIFIED]
    verified = verified if os.environ.get("KJPSTATE_FULL") else verified[:6]
    assert len(verified) >= 6
    before = beside(folder)
    for at, name, text in chosen:
        (folder / "kjpstate.yaml").write_text(json.dumps(changed(document(folder), at, text)))
        only = (word for one in ONLY for word in ("--only", one))
        verbs = (
            ("plan",),
            ("apply", "--yes", *only),
            *([("verify",)] if (at, name) in verified else []),
        )
        for argv in verbs:
            said = kjpstate(folder, *argv)
            assert not list((folder / "canaries").iterdir()), f"{at}: {name} was run by {argv[0]}"
            assert beside(folder) == before, f"{at}: {name} made {argv[0]} write elsewhere"
            assert "\x1b" not in said and "\u202e" not in said, f"{at}: {name} reached the terminal"
    counted("hostile texts planned and applied over a real shell", len(chosen))


def beside(folder: Path) -> Mapping[str, object]:
    """All but what the document may change, what kjpstate itself keeps, and the document."""
    ours = ("pc", "box", "state-", "locks-", "controller", "kjpstate.yaml")
    return {path: thing for path, thing in picture(folder).items() if not path.startswith(ours)}


def kjpstate(folder: Path, *argv: str) -> str:
    """One command line in this process; everything it printed."""

    def hosts(loaded: reconcile.Document, **_: object) -> Mapping[str, Host]:
        return {name: host_of(folder, loaded, name) for name in loaded.hosts}

    out = io.StringIO()
    with (
        mock.patch.object(reconcile, "open_hosts", hosts),
        mock.patch.multiple(sys, stdout=out, stderr=out),
    ):
        run([argv[0], str(folder / "kjpstate.yaml"), *argv[1:]])
    assert "Traceback" not in out.getvalue(), out.getvalue()
    return out.getvalue()


def host_of(folder: Path, loaded: reconcile.Document, name: str) -> Host:
    spec, allowed = loaded.hosts[name], reconcile.may_change(loaded).get(name, ())
    state, locks = folder / f"state-{len(name)}", folder / f"locks-{len(name)}"
    if isinstance(spec, Local):
        return LocalHost(
            name, folder=spec.folder, state_dir=state, lock_dir=locks, may_change=allowed
        )

    async def connect(spec, state_folder):  # type: ignore[no-untyped-def]
        return ShellLink("dash")

    places = {"state": str(state), "locks": str(locks)}
    return ShellHost(
        spec, may_change=allowed, state_folder=folder / "controller", connect=connect, **places
    )
