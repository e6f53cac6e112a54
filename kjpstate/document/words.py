"""What a single text of a document must be: commands, paths, addresses, code. Pure; called by
`shape`.

A checker is given a text and yields (line of the text from 0, reason); nothing means it is well.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from kjpstate.formats.written import relative
from kjpstate.said import Text, say

Flaw: TypeAlias = tuple[int, Text]

_OPERATOR = re.compile(
    r"""(?P<windows>\\[\w.])|\\.|'[^']*'|(?P<quoted>"(?:\\.|[^"\\])*")|(?P<bare>&&|\|\||\$\(|\$\{|\$\w+|[|&;<>`\n])"""
)
_IN_QUOTES = re.compile(r"\\.|(?P<bare>\$\(|\$\{|\$\w+|`)")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_MARKER = re.compile(r"kjpstate:(begin|end|was)\b")
_DRIVE = re.compile(r"[A-Za-z]:")
_SSH = re.compile(
    r"(?:(?P<user>[A-Za-z_][\w.-]*\$?)@)?(?:\[(?P<six>[0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|(?P<name>[^@:\[\]/]+))"
    r"(?::(?P<port>[0-9]{1,5}))?"
)
_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.(?!-)[A-Za-z0-9_-]{1,63})*\.?")
_WITH_PORT = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<four>[^:]+)):(?P<port>[0-9]{1,5})")
_DROPPED = ("127.0.0.53", "127.0.0.54", "0.0.0.0")


def command(text: str) -> Iterator[Flaw]:
    """A command is split into words; what only a shell would understand is
    refused with the cure."""
    for match in _OPERATOR.finditer(text):
        if match["windows"]:
            yield 0, say("document.slashes-in-command", command=text.replace(chr(92), "/"))
            return
        quoted = match.group("quoted")
        bare = match.group("bare") if quoted is None else _first_bare(quoted)
        if bare:
            yield 0, _no_shell(bare)
            return
    try:
        words = shlex.split(text)
    except ValueError:
        yield 0, say("document.quote-open")
        return
    if not words or not words[0]:
        yield 0, say("document.command-empty")
    elif _ASSIGNMENT.match(words[0]):
        yield 0, say("document.variable-as-program", word=words[0])


def _first_bare(quoted: str) -> str:
    return next((found["bare"] for found in _IN_QUOTES.finditer(quoted[1:-1]) if found["bare"]), "")


def _no_shell(sign: str) -> Text:
    match sign:
        case "\n":
            return say("document.no-shell.line-break")
        case "&&":
            return say("document.no-shell.and", sign=sign)
        case ";":
            return say("document.no-shell.semicolon", sign=sign)
        case _ if len(sign) > 2:
            return say("document.no-shell.word", sign=sign)
        case _:
            return say("document.no-shell.sign", sign=sign)


def path(text: str) -> Iterator[Flaw]:
    """A path with `/`, on any host; whether it may be relative is the host's matter."""
    if "\\" in text:
        yield 0, say("document.slashes", path=text.replace(chr(92), "/"))
    elif ".." in text.split("/"):
        yield 0, say("document.dots")
    elif "\n" in text or text != text.strip():
        yield 0, say("document.path-with-blanks")
    elif _DRIVE.match(text) and text[2:3] != "/":
        yield 0, say("document.drive", path=f"{text[:2]}/{text[2:]}")


def relative_path(text: str) -> Iterator[Flaw]:
    """A path that starts from the section's directory, judged as `relative` will have it."""
    if relative(text).startswith(("/", "~")) or _DRIVE.match(relative(text)):
        yield 0, say("document.not-relative")
    else:
        yield from path(text)


def address(text: str) -> Iterator[Flaw]:
    """A host's name or IP address."""
    if not _is_address(text):
        yield 0, say("document.no-host-name", found=repr(text))


def ssh_address(text: str) -> Iterator[Flaw]:
    """[user@]address[:port]."""
    if parse_ssh(text) is None:
        yield 0, say("document.no-ssh-address", found=repr(text))


def parse_ssh(text: str) -> tuple[str, str, int] | None:
    """(user or "", address, port) of `[user@]address[:port]`, None for no address. IPv6 in
    brackets."""
    match = _SSH.fullmatch(text)
    if match is None:
        return None
    host = match["six"] or match["name"]
    port = int(match["port"] or 22)
    return (match["user"] or "", host, port) if _is_address(host) and 0 < port < 65536 else None


def _is_address(text: str) -> bool:
    if _is_ip(text.partition("%")[0]):
        return True
    # A name of digits and dots alone is a mistyped IPv4 address.
    return len(text) < 254 and bool(_HOST.fullmatch(text)) and not re.fullmatch(r"[0-9.]+", text)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def dns_server(text: str) -> Iterator[Flaw]:
    """An IP address with [:port][%interface][#name], as resolved.conf takes it."""
    bare, port = text.partition("#")[0].partition("%")[0], 53
    if match := _WITH_PORT.fullmatch(bare):
        bare, port = match["six"] or match["four"], int(match["port"])
    if not _is_ip(bare) or not 0 < port < 65536:
        yield 0, say("document.no-dns-server", found=repr(text))
    elif bare in _DROPPED:
        yield 0, say("document.dropped-server", server=bare)


def anchor(text: str) -> Iterator[Flaw]:
    """Code to find."""
    yield from _double_encoded(text)
    if not text.strip():
        yield 0, say("document.nothing-to-find")


def content(text: str) -> Iterator[Flaw]:
    """Code to write; our markers around it must stay the only ones."""
    yield from _double_encoded(text)
    for line, written in enumerate(text.split("\n")):
        if found := _MARKER.search(written):
            yield line, say("document.marker-in-content", marker=found.group())


def _double_encoded(text: str) -> Iterator[Flaw]:
    for line, written in enumerate(text.split("\n")):
        mended = repaired(written)
        if mended != written:
            yield line, say("document.double-encoded", meant=mended.strip())


def _byte_of() -> dict[str, int]:
    """What a byte from 0x80 looks like to a program that took UTF-8 for the Windows code page."""
    table = {chr(byte): byte for byte in range(0x80, 0x100)}
    for byte in range(0x80, 0xA0):
        seen = bytes([byte]).decode("cp1252", "ignore")
        table |= {seen: byte} if seen else {}
    return table


_BYTE_OF = _byte_of()
# Two letters are taken for one only after Â or Ã: other pairs stand in real words.
_UTF8 = re.compile(
    b"[\xc2-\xc3][\x80-\x9f\xa1-\xac\xae-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)


def repaired(text: str) -> str:
    """`text` with every double-encoded character (`â›”` for `⛔`) as it was meant."""
    as_bytes = bytes(_BYTE_OF.get(character, 0x20) for character in text)
    out, position = [], 0
    for match in _UTF8.finditer(as_bytes):
        try:
            meant = match.group().decode("utf-8")
        except UnicodeDecodeError:
            continue
        out += [text[position : match.start()], meant]
        position = match.end()
    return "".join(out) + text[position:]


CHECKERS: Mapping[str, Callable[[str], Iterator[Flaw]]] = {
    "command": command,
    "path": path,
    "relative-path": relative_path,
    "address": address,
    "ssh-address": ssh_address,
    "dns-server": dns_server,
    "anchor": anchor,
    "content": content,
}
