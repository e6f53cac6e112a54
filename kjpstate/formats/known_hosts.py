"""A known_hosts file as OpenSSH reads it: which lines count for a name, and what they say of a key.

Called by `hosts.known_hosts`. A name is bytes in lower case, `host` or `[host]:port`; a key is its
blob, the bytes that `ssh-ed25519 AAAA…` has in base64. Pure. Source: hostfile.c, match.c and
sshconnect.c of OpenSSH 9.2, as they judge with StrictHostKeyChecking yes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

AUTHORITY, REVOKED = b"@cert-authority", b"@revoked"

TRUSTED, UNKNOWN, CHANGED, IS_REVOKED = "trusted", "unknown", "changed", "revoked"
"""What lines say of a key. `unknown`: nothing; `changed`: they name another one."""

_BLANK = b" \t"
_LONGEST_NAME = 1022
_RSA_BITS, _SALT = 1024, 20
_FIELDS = {
    b"ssh-ed25519": 2,
    b"ssh-ed448": 2,
    b"ssh-rsa": 3,
    b"ssh-dss": 5,
    b"ecdsa-sha2-nistp256": 3,
    b"ecdsa-sha2-nistp384": 3,
    b"ecdsa-sha2-nistp521": 3,
    b"sk-ssh-ed25519@openssh.com": 3,
    b"sk-ecdsa-sha2-nistp256@openssh.com": 4,
}
"""How many fields the blob of each type has, its name among them."""


@dataclass(frozen=True)
class Line:
    """A line that can count. `hosts`: a hash, or patterns as written. `marker`:
    nothing for most."""

    number: int
    hosts: bytes
    key: bytes
    marker: bytes = b""


@dataclass(frozen=True)
class File:
    """The readable lines of a file. `plain`: lines of one name each, by it; `others`: those to be
    matched. `broken`: the numbers of lines of which nobody can make anything."""

    plain: Mapping[bytes, Sequence[Line]]
    others: Sequence[Line]
    broken: Sequence[int]

    def naming(self, name: bytes) -> list[Line]:
        """The lines for `name`, in the order of the file."""
        found = [
            *self.plain.get(name, ()),
            *(line for line in self.others if means(line.hosts, name)),
        ]
        return sorted(found, key=lambda line: line.number)


def read(content: bytes) -> File:
    """All lines that OpenSSH would not skip."""
    plain: dict[bytes, list[Line]] = {}
    others: list[Line] = []
    broken: list[int] = []
    for number, text in enumerate(content.split(b"\n"), 1):
        if not (bare := text.strip(_BLANK + b"\r")) or bare.startswith(b"#"):
            continue
        line = _line(number, text)
        if line is None:
            broken += [] if _is_foreign(bare) else [number]
        elif set(line.hosts) & set(b"*?!|,"):
            others.append(line)
        else:
            plain.setdefault(line.hosts.lower(), []).append(line)
    return File(plain, tuple(others), tuple(broken))


def _line(number: int, text: bytes) -> Line | None:
    text, marker = text.partition(b"\0")[0].lstrip(_BLANK), b""
    if text.startswith(b"@"):
        marker, blank, text = text.partition(b" " if b" " in text else b"\t")
        if not blank or marker not in (AUTHORITY, REVOKED):
            return None
    hosts, kind, key = _words(text.lstrip(_BLANK))
    blob = _blob(key)
    wanted = b"ssh-rsa" if kind in (b"rsa-sha2-256", b"rsa-sha2-512") else kind
    if hosts.startswith(b"@") or (hosts.startswith(b"|") and len(_salt(hosts)) != _SALT):
        return None
    return (
        Line(number, hosts, blob, marker)
        if kind_of(blob) == wanted and _is_whole(blob, wanted)
        else None
    )


def _words(text: bytes) -> tuple[bytes, bytes, bytes]:
    """The first three words; only blanks and tabs part words."""
    words = text.replace(b"\t", b" ").split(b" ")
    first, second, third, *_ = (*filter(None, words), b"", b"", b"")
    return first, second, third


def _blob(text: bytes) -> bytes:
    bare = text.translate(None, b"\r\v\f")
    try:
        blob = base64.b64decode(bare, validate=True)
    except ValueError:
        return b""
    return blob if base64.b64encode(blob) == bare else b""  # Python takes a `=` too many


def _is_whole(blob: bytes, kind: bytes) -> bool:
    if b"-cert-v0" in kind:
        return True  # OpenSSH reads it, and it equals no key
    fields = _fields(blob)
    if len(fields) != _FIELDS.get(kind, -1):
        return False
    if kind == b"ssh-rsa":
        return int.from_bytes(fields[2]).bit_length() >= _RSA_BITS
    if kind.startswith(b"ecdsa-"):
        return fields[1] == kind.rpartition(b"-")[2]
    return kind != b"ssh-ed25519" or len(fields[1]) == 32


def _fields(blob: bytes) -> list[bytes]:
    """The fields of a key; none where one is cut."""
    found, at = [], 0
    while at < len(blob):
        end = at + 4 + int.from_bytes(blob[at : at + 4])
        if at + 4 > len(blob) or end > len(blob):
            return []
        found.append(blob[at + 4 : end])
        at = end
    return found


def _is_foreign(text: bytes) -> bool:
    """A line that others can read: a type of key we do not know, or one of SSH's first protocol."""
    words = text.split()
    of_old = len(words) >= 4 and all(word.isdigit() for word in words[1:4])
    hosts, kind, key = _words(text)
    is_known_form = not hosts.startswith(b"|") or len(_salt(hosts)) == _SALT
    return of_old or (is_known_form and kind != b"" and kind_of(_blob(key)) == kind)


def kind_of(blob: bytes) -> bytes:
    """The type that a key says it is of; nothing for no key."""
    size = int.from_bytes(blob[:4])
    return blob[4 : 4 + size] if 0 < size <= len(blob) - 4 else b""


def fingerprint(blob: bytes) -> str:
    """`SHA256:…`, as ssh-keygen -lf prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


# ---- whose line


def means(hosts: bytes, name: bytes) -> bool:
    """True if the words before the key in a line mean `name`."""
    if hosts.startswith(b"|"):
        return hosts == _hashed(_salt(hosts), name)
    patterns = hosts.lower().split(b",")
    if any(len(one) > _LONGEST_NAME for one in patterns):
        return False
    if any(one.startswith(b"!") and fits(name, one[1:]) for one in patterns):
        return False
    return any(fits(name, one) for one in patterns if not one.startswith(b"!"))


def _salt(hosts: bytes) -> bytes:
    """The salt of `|1|SALT|HASH`; nothing for another form."""
    _, magic, salt, *_ = (*hosts.split(b"|"), b"", b"")
    return _blob(salt) if magic == b"1" else b""


def _hashed(salt: bytes, name: bytes) -> bytes:
    words = (b"", b"1", base64.b64encode(salt), base64.b64encode(hmac.digest(salt, name, "sha1")))
    return b"|".join(words)


def fits(text: bytes, pattern: bytes) -> bool:
    """True if `*` and `?` of `pattern` can stand for the signs of `text` there; all else stands for
    itself."""
    at = here = again = 0
    star = -1
    while at < len(text):
        sign = pattern[here : here + 1]
        if sign == b"*":
            star, again, here = here, at, here + 1
        elif sign in (b"?", text[at : at + 1]):
            at, here = at + 1, here + 1
        elif star >= 0:
            again += 1
            at, here = again, star + 1
        else:
            return False
    return not pattern[here:].strip(b"*")


# ---- what lines say


def verdict(key: bytes, steps: Sequence[Sequence[Line]]) -> str:
    """The verdict over `key`. `steps`: the lines for the name with its port, then those for the
    name alone, which is asked where the first say nothing; another key there says nothing of this
    port."""
    for step, lines in enumerate(steps):
        if any(line.marker == REVOKED and line.key == key for line in lines):
            return IS_REVOKED
        plain = [line.key for line in lines if not line.marker]
        if key in plain:
            return TRUSTED
        if plain:
            return UNKNOWN if step else CHANGED
    return UNKNOWN


def keys(steps: Sequence[Sequence[Line]]) -> list[bytes]:
    """The keys of the first name that has any."""
    found = ([line.key for line in lines if not line.marker] for lines in steps)
    return list(dict.fromkeys(next(filter(None, found), [])))


def marked(steps: Sequence[Sequence[Line]], marker: bytes) -> list[bytes]:
    """The keys with this mark, of every name."""
    return list(
        dict.fromkeys(line.key for lines in steps for line in lines if line.marker == marker)
    )


def revoked_with(steps: Sequence[Sequence[Line]]) -> list[bytes]:
    """The keys that no certificate makes good: of the name alone only where that is asked, for a
    key or for who signed it."""
    first, *others = steps
    asked = not keys([first]) or marked(others, AUTHORITY)
    return marked(steps if asked else [first], REVOKED)


# ---- lines changed


def without(content: bytes, name: bytes) -> bytes:
    """The file in which no line trusts a key for `name` any more. Marked lines stay as they are,
    and so does what a line says of other names."""
    kept = []
    for number, text in enumerate(content.split(b"\n"), 1):
        line = _line(number, text)
        if line is None or line.marker or not means(line.hosts, name):
            kept.append(text)
        elif set(line.hosts) & set(b"*?,"):
            kept.append(text.replace(line.hosts, line.hosts + b",!" + name, 1))
    return b"\n".join(kept)
