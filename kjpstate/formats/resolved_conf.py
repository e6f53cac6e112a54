"""resolved.conf and its drop-ins, read and edited by systemd's own rules. Pure.

`settings` says what the daemon would take from the files, each value with the file and line it
comes from; `edited` is the least edit of the main file after which the named values are right.
Called by the kind dns, by the checks and by the simulated box.

The rules (systemd's conf-parser): keys and sections are case-sensitive, lists add up over lines and
files, an empty assignment clears a list, a backslash at the end of a line continues it (comment
lines between are skipped), comments stand on their own line, an unusable word is dropped with a
warning and never an error. A broken section header, or a line that is not UTF-8, ends the reading
of this file and of all later ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from itertools import permutations
from string import ascii_letters, digits
from types import MappingProxyType
from typing import TypeAlias

MAIN = "/etc/systemd/resolved.conf"
DROP_IN = "/etc/systemd/resolved.conf.d/zz-kjpstate.conf"
"""Our own drop-in, where the document asks for one: its name sorts behind those that people give.
"""
TREES = ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")
"""Folders of `systemd/resolved.conf.d/`, the strongest first."""
SERVERS, FALLBACK, DOMAINS = "DNS", "FallbackDNS", "Domains"
ROOT = "~."
"""The routing domain that every name lies in: with it in Domains, the global servers are asked for
all."""

Interfaces: TypeAlias = Mapping[int, str]

_KEYS = (SERVERS, FALLBACK, DOMAINS)
_BLANK = " \t\n\r"
_BOM = b"\xef\xbb\xbf"
_ENDS = sorted(
    ("".join(end) for n in (1, 2, 3) for end in permutations("\0\n\r", n)), key=len, reverse=True
)
_LINE = re.compile(f"(?s)(.*?)({'|'.join(map(re.escape, _ENDS))}|\\Z)".encode())
_OWN_STUB = ("127.0.0.53", "127.0.0.54")
_PLAIN = frozenset(ascii_letters + digits + "-_")
_ESCAPE = re.compile(rb"([0-9]{3})|[.\\]")


@dataclass(frozen=True)
class ConfFile:
    """One file as the daemon sees it; a masked one (a link to /dev/null) has no content."""

    path: str
    content: bytes


@dataclass(frozen=True)
class Entry:
    """One server or domain in its canonical form, and the line that gave it
    (lines count from 1)."""

    value: str
    file: str
    line: int


@dataclass(frozen=True)
class Ignored:
    """A word or line that the daemon drops with no more than a warning in its journal."""

    word: str
    file: str
    line: int
    why: str


@dataclass(frozen=True)
class Settings:
    """What the files say. `entries` has only keys that were assigned at all; `cleared` the last
    empty assignment of each key; `broken` the line at which systemd stops reading all of this, if
    there is one."""

    entries: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    ignored: tuple[Ignored, ...] = ()
    cleared: Mapping[str, Entry] = field(default_factory=dict)
    broken: Ignored | None = None

    def values(self, key: str) -> tuple[str, ...] | None:
        """The key's values in order; None when no line assigns it."""
        return tuple(entry.value for entry in self.entries[key]) if key in self.entries else None

    @property
    def exclusive(self) -> bool:
        """Whether Domains holds the root."""
        return ROOT in (self.values(DOMAINS) or ())


@dataclass(frozen=True)
class Wanted:
    """What the document names; None: not named, so not touched."""

    servers: tuple[str, ...] | None = None
    fallback: tuple[str, ...] | None = None
    exclusive: bool | None = None


# ---- reading


@dataclass(frozen=True)
class _Line:
    """A logical line: its text and the indexes of the physical lines it is written on, comments
    left out."""

    text: bytes
    rows: tuple[int, ...]
    open: bool = False


@dataclass(frozen=True)
class _Assignment:
    key: str
    value: str
    line: _Line


class _Stop(Exception):
    def __init__(self, line: _Line) -> None:
        super().__init__()
        self.line = line


def settings(files: Sequence[ConfFile], interfaces: Interfaces = MappingProxyType({})) -> Settings:
    """What the daemon takes from `files`: the main one first, then the drop-ins in their order.

    `interfaces`: number -> name of all there are; a server of another one is dropped. Empty: not
    known.
    """
    entries: dict[str, list[Entry]] = {}
    cleared: dict[str, Entry] = {}
    ignored: list[Ignored] = []
    for file in files:
        try:
            for item in _assignments(file.content):
                place = item.line.rows[0] + 1
                if not item.value:
                    entries[item.key] = []
                    cleared[item.key] = Entry("", file.path, place)
                    continue
                listed = entries.setdefault(item.key, [])
                for word, value, why in _values(item, interfaces):
                    if value:
                        _add(item.key, listed, Entry(value, file.path, place))
                    else:
                        ignored.append(Ignored(word, file.path, place, why))
        except _Stop as stop:
            text = stop.line.text.decode(errors="replace").strip()
            why = "a broken section header" if text.startswith("[") else "a line that is not UTF-8"
            broken = Ignored(text, file.path, stop.line.rows[0] + 1, why)
            return Settings(_frozen(entries), tuple(ignored), cleared, broken)
    return Settings(_frozen(entries), tuple(ignored), cleared)


def in_order(files: Iterable[ConfFile]) -> tuple[ConfFile, ...]:
    """Drop-ins as systemd reads them: by file name, and of the same name only
    the strongest tree's."""
    chosen: dict[str, ConfFile] = {}
    for file in sorted(files, key=lambda file: _strength(file.path)):
        chosen.setdefault(file.path.rpartition("/")[2], file)
    return tuple(chosen[name] for name in sorted(chosen, key=str.encode))


def server(word: str) -> tuple[str, str]:
    """(canonical form, "") of `ADDRESS[:port][%interface][#name]`, or ("", why the daemon drops
    it)."""
    rest, hash_sign, name = word.partition("#")
    rest, percent, interface = rest.partition("%")
    if (hash_sign and not name) or (percent and not interface):
        return "", "incomplete"
    split = _split_port(rest)
    if split is None:
        return "", "not an address"
    address, port = split
    if address.is_unspecified or str(address) in _OWN_STUB:
        return (
            "",
            "an address of resolved itself" if not address.is_unspecified else "no host's address",
        )
    text = str(address)
    if (
        address.is_loopback and interface == "lo"
    ):  # where the daemon itself says so, and nobody else needs to
        percent, interface = "", ""
    if port not in (None, 53, 853):
        text = f"[{text}]:{port}" if address.version == 6 else f"{text}:{port}"
    return text + percent + interface + hash_sign + name, ""


def at_interface(canonical: str, why: str, interfaces: Interfaces) -> tuple[str, str]:
    """What `server` said, with an interface's number as its name; dropped when there is no such
    interface."""
    rest, hash_sign, name = canonical.partition("#")
    rest, _, interface = rest.partition("%")
    if not interface or not interfaces:
        return canonical, why
    if interface.isdecimal() and int(interface) in interfaces:
        interface = interfaces[int(interface)]
    if interface not in interfaces.values():
        return "", f"there is no interface {interface}"
    split = _split_port(rest)
    loops = (
        split is not None and split[0].is_loopback
    )  # the daemon takes lo for it, whatever is written
    return f"{rest}{'' if loops else '%' + interface}{hash_sign}{name}", why


def spelled(words: Iterable[str], interfaces: Interfaces) -> tuple[str, ...]:
    """In resolved's own spelling and without repeats; a word it would drop stays, and so never
    matches."""
    return tuple(
        dict.fromkeys(at_interface(*server(word), interfaces)[0] or word for word in words)
    )


def bare(canonical: str) -> str:
    """The address alone of a server in canonical form."""
    rest = canonical.partition("#")[0].partition("%")[0]
    split = _split_port(rest)
    return str(split[0]) if split else rest


def domain(word: str) -> tuple[str, str]:
    """(canonical form, "") of a search domain, `~` for route only; or ("", why the daemon drops
    it)."""
    route, name = word.startswith("~"), word.removeprefix("~")
    if name in ("", ".", "*"):
        return (ROOT, "") if word else ("", "empty")
    labels = _labels(name.encode(errors="surrogateescape"))
    escaped = ".".join(_escaped(label) for label in labels or ())
    if not labels or any(not 0 < len(label) <= 63 for label in labels) or len(escaped) > 253:
        return "", "not a domain name"
    return ("~" if route else "") + escaped, ""


def _labels(name: bytes) -> list[bytes] | None:
    """The labels of a name without its escapes (`\\.`, `\\\\`, `\\032`); None: not a name. A final
    dot counts for nothing."""
    labels, rest = [b""], name
    while rest:
        letter, rest = rest[:1], rest[1:]
        if letter == b".":
            if rest:
                labels.append(b"")
            continue
        if letter == b"\\":
            match = _ESCAPE.match(rest)
            if match is None or (match[1] and int(match[1]) > 255):
                return None
            letter = bytes([int(match[1])]) if match[1] else match[0]
            rest = rest[match.end() :]
        if letter < b" " or letter == b"\x7f":
            return None
        labels[-1] += letter
    return labels


def _escaped(label: bytes) -> str:
    """As resolved writes a label: only letters, digits, `-` and `_` stand for themselves."""
    return "".join(
        chr(code)
        if chr(code) in _PLAIN
        else f"\\{chr(code)}"
        if chr(code) in ".\\"
        else f"\\{code:03d}"
        for code in label
    )


def _split_port(text: str) -> tuple[IPv4Address | IPv6Address, int | None] | None:
    try:
        return ip_address(text), None
    except ValueError:
        host, colon, digits = text.rpartition(":")
    if not colon or not re.fullmatch("[0-9]{1,5}", digits) or not 0 < int(digits) < 65536:
        return None
    try:
        if host.startswith("[") and host.endswith("]"):
            return IPv6Address(host[1:-1]), int(digits)
        return IPv4Address(host), int(digits)
    except AddressValueError:
        return None


def _add(key: str, listed: list[Entry], entry: Entry) -> None:
    """A repeat keeps its first place and spelling; the last one says whether a
    domain only routes."""
    for place, old in enumerate(listed):
        name = old.value.removeprefix("~")
        if old.value == entry.value:
            return
        if key == DOMAINS and name.lower() == entry.value.removeprefix("~").lower():
            listed[place] = replace(old, value=("~" if entry.value.startswith("~") else "") + name)
            return
    listed.append(entry)


def _values(item: _Assignment, interfaces: Interfaces) -> Iterator[tuple[str, str, str]]:
    """(word, its canonical form or "", why it is dropped) of each word of an assignment."""
    words, whole = _words(item.value, quotes=item.key == DOMAINS)
    for word in words:
        yield (
            word,
            *(domain(word) if item.key == DOMAINS else at_interface(*server(word), interfaces)),
        )
    if not whole:
        yield item.value, "", "a quote is not closed"


def _words(value: str, *, quotes: bool) -> tuple[list[str], bool]:
    """The words of a value, and whether it was read to its end; quotes count in Domains only."""
    words: list[str] = []
    word: str | None = None
    quote, escaped = "", False
    for letter in value:
        if escaped:
            word, escaped = (word or "") + letter, False
        elif letter == "\\":
            word, escaped = word or "", True
        elif quote:
            quote, word = ("", word) if letter == quote else (quote, (word or "") + letter)
        elif quotes and letter in "'\"":
            quote, word = letter, word or ""
        elif letter in _BLANK:
            words, word = (words if word is None else [*words, word]), None
        else:
            word = (word or "") + letter
    whole = not (quote or escaped)
    return ([*words, word] if word is not None and whole else words), whole


def _assignments(content: bytes) -> Iterator[_Assignment]:
    """Those of our keys that stand in a [Resolve] section; raises _Stop where systemd stops
    reading."""
    section = ""
    for line in _logical(_physical(content)):
        text = _text(line.text)
        if text is None:
            raise _Stop(line)
        if text.startswith("["):
            if not text.endswith("]") or re.search("[\x01-\x1f\"'\\\\\x7f]", text[1:-1]):
                raise _Stop(line)
            section = text[1:-1]
        elif section == "Resolve":
            key, equals, value = text.partition("=")
            if equals and key.strip(_BLANK) in _KEYS:
                yield _Assignment(key.strip(_BLANK), value.strip(_BLANK), line)


def _physical(content: bytes) -> list[tuple[bytes, bytes]]:
    """(text, line end) of each line: \\n, \\r and \\0 end one, and so does a
    run of different ones."""
    lines = [(match[1], match[2]) for match in _LINE.finditer(content)]
    return lines[:-1] if lines and lines[-1] == (b"", b"") else lines


def _logical(rows: Sequence[tuple[bytes, bytes]]) -> Iterator[_Line]:
    text, begun, bom_seen = b"", list[int](), False
    for row, (line, _) in enumerate(rows):
        if line.lstrip(_BLANK.encode()).startswith((b"#", b";")):
            continue
        marked = not bom_seen and line.startswith(_BOM)
        bom_seen = bom_seen or marked
        text, begun = text + (line.removeprefix(_BOM) if marked else line), [*begun, row]
        if (len(text) - len(text.rstrip(b"\\"))) % 2:
            text = text[:-1] + b" "
            continue
        yield _Line(text, tuple(begun))
        text, begun = b"", []
    if begun:
        yield _Line(text, tuple(begun), open=True)


def _text(raw: bytes) -> str | None:
    """The line as text, "" for a comment; None when it is not UTF-8."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    if any(0xFDD0 <= ord(letter) <= 0xFDEF or ord(letter) & 0xFFFE == 0xFFFE for letter in text):
        return None
    text = text.strip(_BLANK)
    return "" if text.startswith(("#", ";")) else text


def _strength(path: str) -> int:
    return next(
        (place for place, tree in enumerate(TREES) if path.startswith(tree + "/")), len(TREES)
    )


def _frozen(entries: Mapping[str, Sequence[Entry]]) -> dict[str, tuple[Entry, ...]]:
    return {key: tuple(listed) for key, listed in entries.items()}


def assigned(content: bytes) -> tuple[str, ...]:
    """The assignments of our keys in a file, each as `KEY=value`, as far as systemd reads it."""
    return tuple(f"{item.key}={item.value}" for item in _readable(content))


# ---- editing


def drop_in(main: bytes | None, others: Sequence[ConfFile], wanted: Wanted, document: str) -> bytes:
    """Our own drop-in: it clears each wanted list and gives it anew, so what stands before it does
    not count.

    `others`: all other drop-ins. Of Domains only the root is ours: it is added, or all others given
    again.
    """
    lines = [
        f"# Written by kjpstate for {document}; read last, it wins over resolved.conf.",
        "[Resolve]",
    ]
    for key, values in ((SERVERS, wanted.servers), (FALLBACK, wanted.fallback)):
        if values is not None:
            lines += [f"{key}="] + ([f"{key}={' '.join(values)}"] if values else [])
    before = settings([ConfFile(MAIN, main or b""), *others])
    if wanted.exclusive is not None and before.exclusive != wanted.exclusive:
        kept = [value for value in before.values(DOMAINS) or () if value != ROOT]
        again = [f"{DOMAINS}={' '.join(kept)}".replace("\\", "\\\\")] if kept else []
        lines += [f"{DOMAINS}={ROOT}"] if wanted.exclusive else [f"{DOMAINS}=", *again]
    return "".join(f"{line}\n" for line in lines).encode()


def is_ours(content: bytes) -> bool:
    """Whether a drop-in bears our first line."""
    return content.startswith(b"# Written by kjpstate ")


def written_for(content: bytes) -> str:
    """The document whose drop-in it is; "" for one that is not ours."""
    match = re.match(rb"# Written by kjpstate for ([\w.-]+);", content)
    return match[1].decode() if match else ""


def edited(
    main: bytes | None,
    dropins: Sequence[ConfFile],
    wanted: Wanted,
    interfaces: Interfaces = MappingProxyType({}),
) -> bytes | None:
    """The main file's bytes after the least edit that makes the wanted values effective.

    `main` itself when they are so already. A drop-in may make it impossible: ask `unmet` about the
    result.
    """
    content = main
    for key, values in ((SERVERS, wanted.servers), (FALLBACK, wanted.fallback)):
        if values is not None and _effective(content, dropins, interfaces).values(key) != values:
            content = _assigned_alone(content or b"", key, f"{key}={' '.join(values)}")
    if (
        wanted.exclusive is not None
        and _effective(content, dropins, interfaces).exclusive != wanted.exclusive
    ):
        content = _routed(content or b"", wanted.exclusive)
    return content


def unmet(
    main: bytes | None,
    dropins: Sequence[ConfFile],
    wanted: Wanted,
    interfaces: Interfaces = MappingProxyType({}),
) -> tuple[str, ...]:
    """The keys whose effective value is not the wanted one."""
    found = _effective(main, dropins, interfaces)
    keys = []
    for key, values in ((SERVERS, wanted.servers), (FALLBACK, wanted.fallback)):
        if values is not None and found.values(key) != values:
            keys.append(key)
    if wanted.exclusive is not None and found.exclusive != wanted.exclusive:
        keys.append(DOMAINS)
    return tuple(keys)


def _effective(main: bytes | None, dropins: Sequence[ConfFile], interfaces: Interfaces) -> Settings:
    return settings([ConfFile(MAIN, main or b""), *dropins], interfaces)


def _assigned_alone(content: bytes, key: str, text: str) -> bytes:
    """The file with just one assignment of `key`, also where one was hidden behind a second byte
    order mark: systemd passes over the first one alone, and that line may go."""
    content = _assigned(content, key, text)
    while sum(item.key == key for item in _readable(content)) > 1:
        content = _assigned(content, key, text)
    return content


def _assigned(content: bytes, key: str, text: str) -> bytes:
    """The file with just one assignment of `key`: in place of the first one, else where ours
    belong."""
    found = [item.line for item in _readable(content) if item.key == key]
    if not found:
        return _inserted(content, text)
    rows = _physical(content)
    for line in found[1:]:
        rows = _without(rows, line)
    return _joined(_replaced(rows, found[0], text))


def _routed(content: bytes, exclusive: bool) -> bytes:
    """The file with the root among its Domains, or with no line that names it."""
    if exclusive:
        return _inserted(content, f"{DOMAINS}={ROOT}")
    rows = _physical(content)
    for item in [item for item in _readable(content) if item.key == DOMAINS]:
        words, _ = _words(item.value, quotes=True)
        others = [word for word in words if domain(word)[0] != ROOT]
        if len(others) == len(words):
            continue
        rows = (
            _replaced(rows, item.line, f"{DOMAINS}={' '.join(others)}")
            if others
            else _without(rows, item.line)
        )
    return _joined(rows)


def _inserted(content: bytes, text: str) -> bytes:
    """The file with a new line below our last key in it, else below the first [Resolve], else at
    its end."""
    rows = _physical(content)
    lines = [item.line for item in _readable(content)][-1:] or _headers(content)[:1]
    if not lines:
        return _appended(content, rows, text)
    row = lines[0].rows[-1]
    end = _end(rows, row)
    final = rows[row][1] == b""
    rows[row] = (rows[row][0], rows[row][1] or end)
    blank = [(b"", end)] if lines[0].open else []
    rows[row + 1 : row + 1] = [*blank, (text.encode(), b"" if final else end)]
    return _joined(rows)


def _appended(content: bytes, rows: Sequence[tuple[bytes, bytes]], text: str) -> bytes:
    """A section of our own at the end, which is without a line end if the file was."""
    end = _end(rows, len(rows) - 1) if rows else b"\n"
    closed = not rows or rows[-1][1] != b""
    continued = any(line.open for line in _logical(rows))
    joint = (b"" if closed else end) + (end if continued else b"")
    return content + joint + b"[Resolve]" + end + text.encode() + (end if closed else b"")


def _readable(content: bytes) -> list[_Assignment]:
    """The assignments up to where systemd stops reading."""
    found = []
    with suppress(_Stop):
        for item in _assignments(content):
            found.append(item)
    return found


def _headers(content: bytes) -> list[_Line]:
    return [line for line in _logical(_physical(content)) if _text(line.text) == "[Resolve]"]


def _replaced(
    rows: Sequence[tuple[bytes, bytes]], line: _Line, text: str
) -> list[tuple[bytes, bytes]]:
    """`text` where the logical line began; comments inside it stay, and so does
    a byte order mark."""
    first = line.rows[0]
    changed = _without(rows, line)
    changed[first] = (
        (_BOM if rows[first][0].startswith(_BOM) else b"") + text.encode(),
        rows[first][1],
    )
    return changed


def _without(rows: Sequence[tuple[bytes, bytes]], line: _Line) -> list[tuple[bytes, bytes]]:
    """The rows with those of `line` emptied, so that the numbers of all others stay."""
    return [(b"", b"") if row in line.rows else item for row, item in enumerate(rows)]


def _joined(rows: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join(text + end for text, end in rows)


def _end(rows: Sequence[tuple[bytes, bytes]], row: int) -> bytes:
    """The line end to use for a new line beside `row`."""
    for end in (rows[row][1], *(end for _, end in rows)):
        if end in (b"\n", b"\r\n", b"\r"):
            return end
    return b"\n"
