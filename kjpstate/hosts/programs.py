"""What we send to a host: our constant scripts, then calls of their functions.

Called by `ssh`. The only place where a value enters a shell: `call` quotes each one by shlex.
`command` wraps a program so that any login shell (fish and csh too) hands it to /bin/sh unharmed.
"""

from __future__ import annotations

import functools
import math
import re
import shlex
from collections.abc import Collection, Iterable
from importlib import resources
from typing import TypeAlias

from kjpstate.formats.pm2.keys import FIELDS
from kjpstate.formats.tree import AS_BYTES
from kjpstate.hosts.names import FILE_CAP, plain_name
from kjpstate.model import (
    Probe,
    ReadClock,
    ReadCommand,
    ReadFile,
    ReadGlob,
    Reading,
    ReadLock,
    ReadStat,
    ReadState,
    ReadTree,
)

Places: TypeAlias = tuple[str, str]
"""The folders of a host for our state and its lock; empty: where they always are."""

COMMAND_CAP, OPENSSH_CAP = 8_000, 30_000
"""Bytes of a remote command line; a longer program goes over standard input, for one round trip
more. No packet of SSH need be longer than 35,000 (RFC 4253 6.1), and Dropbear ends the connection
from 9,000 on."""

_PADDING = b"\n" * 16
"""Comes before a program on standard input: what a login's own files read there is none of it."""

_SAFE = frozenset(
    b'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.,:;/+=%@#$"{}()[]<>|&*?~^'
)


_COMMENT = re.compile(r"^[ \t]*((#[ !]|// ).*)?\n", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_HEAD = re.compile(r"^(kj_\w+\(\) [{(]) # .*$", re.MULTILINE)


_FUNCTION = re.compile(r"^(kj_\w+)\(\) [{(]$.*?^[})]$\n?", re.MULTILINE | re.DOTALL)
_WORD = re.compile(r"kj_\w+")


@functools.cache
def script(name: str) -> str:
    """The text of one of our scripts in `remote/`, without comments, indents and empty lines: they
    would travel."""
    return _INDENT.sub("", _bare(name))


@functools.cache
def _bare(name: str) -> str:
    text = resources.files("kjpstate.hosts").joinpath("remote", f"{name}.sh").read_text("utf-8")
    return _HEAD.sub(r"\1", _COMMENT.sub("", text)).replace("@FIELDS@", " ".join(FIELDS))


def needed(names: Iterable[str], program: str) -> str:
    """The functions of our scripts that `program` calls, those that they call in turn, and all that
    stands in no function."""
    texts = [_bare(name) for name in names]
    functions = {found[1]: found[0] for text in texts for found in _FUNCTION.finditer(text)}
    loose = [_FUNCTION.sub("", text) for text in texts]
    wanted: set[str] = set()
    found = set(_WORD.findall("\n".join([program, *loose])))
    while found := (found & functions.keys()) - wanted:
        wanted |= found
        found = {word for name in found for word in _WORD.findall(functions[name])}
    called = (text for name, text in functions.items() if name in wanted)
    return _INDENT.sub("", "".join([*called, *loose]))


def _with(names: Iterable[str], program: str) -> str:
    """A program, and before it what it needs of our scripts and of `hands`."""
    whole = needed(names, program) + program
    return _handed(needed(["hands"], whole)) + whole


def _handed(hands: str) -> str:
    """Functions that are read here, and that are a text for the shells that this one starts."""
    return f'KJ_HANDS={shlex.quote(hands)}\neval "$KJ_HANDS"\n'


def call(function: str, *values: str | int) -> str:
    """One line: a function of ours with its values, each quoted."""
    return shlex.join((function, *map(str, values)))


def probes(readings: Iterable[Reading], sent: Collection[str] = ()) -> dict[str, str]:
    """The probes that `readings` need and that were not sent yet: name -> its
    script as a function."""
    names = dict.fromkeys(reading.name for reading in readings if isinstance(reading, Probe))
    return {
        name: f"kj_probe_{plain_name(name)}() (\n{script(f'probe_{name}')}\n)"
        for name in names
        if name not in sent
    }


def calls(readings: Iterable[Reading], within: float | None = None) -> list[str]:
    """The calls that answer `readings`, in their order; no command of them takes longer than
    `within`."""
    return [line for reading in readings for line in (_call_for(reading, within), "kj_say end")]


def _call_for(reading: Reading, within: float | None) -> str:
    match reading:
        case ReadFile(path=path):
            return call("kj_file", path, FILE_CAP)
        case ReadStat(path=path):
            return call("kj_status", path.rstrip("/") or "/")
        case ReadGlob(patterns=patterns):
            return call("kj_glob", FILE_CAP, *patterns)
        case ReadTree(root=root, paths=paths, whole=whole):
            names = dict.fromkeys(_below(path) for path in paths)
            return call("kj_whole_tree" if whole else "kj_tree", root.rstrip("/") or "/", *names)
        case ReadState(document=document, name=name):
            return call("kj_state", plain_name(document), plain_name(name))
        case ReadClock():
            return "kj_clock"
        case ReadCommand(argv=argv, cwd=cwd, timeout=timeout):
            return call("kj_command", math.ceil(min(timeout, within or timeout)), cwd, *argv)
        case ReadLock():
            return "kj_holder"
        case Probe(name=name, args=args):
            return call("kj_probe", f"kj_probe_{plain_name(name)}", *args)


def _below(path: str) -> str:
    bare = path.removeprefix("./").rstrip("/")
    return f"./{bare}" if bare else "."


def _setup(nonce: str, places: Places, hand: str) -> str:
    return call("kj_setup", nonce, *places, hand)


def look_program(
    readings: list[Reading],
    nonce: str,
    places: Places = ("", ""),
    within: float | None = None,
    hand: str = "",
) -> str:
    """All readings of one host as one program; `within`: seconds after which it ends itself."""
    program = "\n".join(
        [
            *probes(readings).values(),
            _setup(nonce, places, hand),
            *([call("kj_deadline", math.ceil(within))] if within else []),
            *calls(readings, within),
            "kj_say over",
        ]
    )
    return _with(("lib", "look", "lock", "deadline"), program)


def session_program(
    begin: str, readings: list[Reading], nonce: str, places: Places = ("", ""), hand: str = ""
) -> str:
    """The session: its lock, then `readings` under it, then the messages."""
    setup = _setup(nonce, places, hand)
    parts = [
        _handed(script("hands")),
        *map(script, ("lib", "look", "lock", "where", "journal", "session")),
        *probes(readings).values(),
    ]
    return "\n".join([*parts, setup, begin, *calls(readings), "kj_say over", "kj_loop"])


def lock_program(line: str, nonce: str, places: Places = ("", ""), hand: str = "") -> str:
    """One call of `remote/lock.sh` without a session: who holds the lock, or break it."""
    program = "\n".join([_setup(nonce, places, hand), line, "kj_say over"])
    return _with(("lib", "lock"), program)


def command(program: str, prefix: str = "", cap: int = COMMAND_CAP) -> tuple[str, bytes]:
    """The remote command line for `program`, at most `cap` bytes of it, and what has to come first
    on its standard input.

    All that a shell might take for its own is written in octal, which printf %b turns back: no
    newline, quote, double backslash or `!` reaches the login shell. `prefix`: words before /bin/sh
    (`sudo -n`).
    """
    line = f"exec {prefix}/bin/sh -c 'eval \"$(printf %b \"$1\")\"' kjpstate '{_escaped(program)}'"
    if len(line) <= cap:
        return line, b""
    text = program.encode(*AS_BYTES)
    mark = f"#kjpstate-{len(text)}"
    whole = text + f"\n{mark}".encode()
    return f"exec {prefix}/bin/sh -c '{_READER}' kjpstate {len(whole)} '{mark}'", (
        _PADDING + f"{mark}\n".encode() + whole
    )


_READER = "; ".join(
    (
        'until [ "$kj_line" = "$2" ]; do IFS= read -r kj_line || exit 74; done',
        'if [ "$(printf ab | dd bs=2 count=1 iflag=fullblock 2>/dev/null)" = ab ]',
        'then kj_text=$(dd bs="$1" count=1 iflag=fullblock 2>/dev/null)',
        'else kj_text=$(dd bs=1 count="$1" 2>/dev/null)',
        "fi",
        'case $kj_text in *"$2") eval "$kj_text" ;; *) exit 74 ;; esac',
    )
)
"""Reads as many bytes as it is told and not one more, and does nothing that was cut."""


def _escaped(program: str) -> str:
    """Escapes of printf %b. A zero and three digits are never read on, whatever follows."""
    return "".join(
        "\\n" if byte == 10 else chr(byte) if byte in _SAFE else f"\\0{byte:03o}"
        for byte in program.encode(*AS_BYTES)
    )
