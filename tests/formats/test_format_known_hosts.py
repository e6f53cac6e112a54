"""formats.known_hosts: what OpenSSH reads in a line. tests/hosts/test_host_known_hosts.py asks ssh
itself."""

from __future__ import annotations

import base64

import pytest

from kjpstate.formats import known_hosts as lines


def blob(kind: str, *fields: bytes) -> bytes:
    return b"".join(len(field).to_bytes(4) + field for field in (kind.encode(), *fields))


def text(key: bytes) -> str:
    return f"{lines.kind_of(key).decode()} {base64.b64encode(key).decode()}"


ONE, OTHER = blob("ssh-ed25519", b"1" * 32), blob("ssh-ed25519", b"2" * 32)
RSA = blob("ssh-rsa", b"\1\0\1", b"\0" + b"\xff" * 128)
HASHED = b"|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg="  # of 192.168.1.61

COUNTS = {
    "plain": (f"a {text(ONE)}", b"a"),
    "with a comment": (f"a {text(ONE)} me@pc", b"a"),
    "tabs": (f"\ta\t{text(ONE)}", b"a"),
    "CRLF": (f"a {text(ONE)}\r\n", b"a"),
    "capitals": (f"StB {text(ONE)}", b"stb"),
    "a list": (f"b,a {text(ONE)}", b"a"),
    "a star": (f"10.0.0.* {text(ONE)}", b"10.0.0.7"),
    "a question": (f"a? {text(ONE)}", b"ab"),
    "brackets are no set": (f"[a?]:22* {text(ONE)}", b"[ab]:2222"),
    "not another": (f"a*,!ab {text(ONE)}", b"ac"),
    "hashed": (f"{HASHED.decode()} {text(ONE)}", b"192.168.1.61"),
    "what stands behind a NUL": (f"a {text(ONE)} x\0\xff", b"a"),
    "RSA by how it signs": (f"a rsa-sha2-512 {text(RSA).split()[1]}", b"a"),
    "the last line without its end": (f"x y\na {text(ONE)}", b"a"),
}
SKIPPED = {
    "another name": (f"b {text(ONE)}", b"a"),
    "a part of it": (f"ab {text(ONE)}", b"a"),
    "negated": (f"*,!a {text(ONE)}", b"a"),
    "only negated": (f"!b {text(ONE)}", b"a"),
    "a network is no pattern": (f"10.0.0.0/8 {text(ONE)}", b"10.0.0.1"),
    "a set of letters": (f"[ab] {text(ONE)}", b"a"),
    "a comment": (f"# a {text(ONE)}", b"a"),
    "two marks": (f"@revoked @revoked a {text(ONE)}", b"a"),
    "an unknown mark": (f"@foo a {text(ONE)}", b"a"),
    "a mark and a tab": (f"@revoked\ta {text(ONE)}", b"a"),
    "a mark in capitals": (f"@Revoked a {text(ONE)}", b"a"),
    "another kind of hash": (f"|2|{HASHED.decode()[3:]} {text(ONE)}", b"192.168.1.61"),
    "a hash of nonsense": (f"|1|xx|yy {text(ONE)}", b"a"),
    "a hash and a name": (f"{HASHED.decode()},192.168.1.61 {text(ONE)}", b"192.168.1.61"),
    "a type that is not the key's": (f"a ssh-rsa {text(ONE).split()[1]}", b"a"),
    "a cut key": (f"a {text(ONE)[:-8]}", b"a"),
    "a key with more behind": (f"a {text(ONE + b'more')}", b"a"),
    "a small RSA": (f"a {text(blob('ssh-rsa', b'1', b'1' * 64))}", b"a"),
    "a curve that is not its own": (
        f"a {text(blob('ecdsa-sha2-nistp256', b'nistp384', b'x'))}",
        b"a",
    ),
    "no key": ("a ssh-ed25519", b"a"),
    "a word": ("a", b"a"),
    "a byte order mark": (f"\ufeffa {text(ONE)}", b"a"),
    "a NUL before the key": (f"a\0 {text(ONE)}", b"a"),
    "UTF-16": (f"a {text(ONE)}".encode("utf-16"), b"a"),
}


def read(content: str | bytes) -> lines.File:
    return lines.read(content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize("name", COUNTS)
def test_a_line_that_counts(name: str) -> None:
    content, host = COUNTS[name]
    assert len(read(content).naming(host)) == 1


@pytest.mark.parametrize("name", SKIPPED)
def test_a_line_that_does_not(name: str) -> None:
    content, host = SKIPPED[name]
    assert read(content).naming(host) == []


def test_what_nobody_can_read_is_named_by_its_line() -> None:
    old = "old 1024 35 1234567890"
    new = f"a {text(blob('ssh-new'))}"
    content = f"# x\n\n \t\r\na {text(ONE)}\nword\n@foo * {text(ONE)}\n{old}\n{new}\n"
    assert read(content).broken == (5, 6)
    assert read(f"|2|a|b {text(ONE)}").broken == (1,)
    assert read(b"\xff\n@revoked \n@revoked\n@revoked x\n").broken == (1, 2, 3, 4)


def test_a_pattern_that_never_ends_elsewhere() -> None:
    assert not lines.fits(b"a" * 200, b"*a" * 100 + b"b")
    assert lines.fits(b"", b"**") and lines.fits(b"ab", b"*b*") and not lines.fits(b"a", b"a?")


def at(*steps: str) -> list[list[lines.Line]]:
    return [read(step).naming(b"a") for step in steps]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((), lines.UNKNOWN),
        (("",), lines.UNKNOWN),
        ((f"a {text(ONE)}",), lines.TRUSTED),
        ((f"a {text(OTHER)}\na {text(ONE)}",), lines.TRUSTED),
        ((f"a {text(OTHER)}",), lines.CHANGED),
        ((f"a {text(RSA)}",), lines.CHANGED),
        ((f"@cert-authority a {text(ONE)}",), lines.UNKNOWN),
        ((f"a {text(ONE)}\n@revoked a {text(ONE)}",), lines.IS_REVOKED),
        ((f"a {text(ONE)}\n@revoked a {text(OTHER)}",), lines.TRUSTED),
        (("", f"a {text(ONE)}"), lines.TRUSTED),
        ((f"@cert-authority a {text(RSA)}", f"a {text(ONE)}"), lines.TRUSTED),
        ((f"a {text(OTHER)}", f"a {text(ONE)}"), lines.CHANGED),
        ((f"a {text(ONE)}", f"@revoked a {text(ONE)}"), lines.TRUSTED),
        (("", f"@revoked a {text(ONE)}"), lines.IS_REVOKED),
        (("", f"a {text(OTHER)}"), lines.UNKNOWN),
    ],
)
def test_the_name_with_its_port_says_it_or_else_the_name_alone(
    steps: tuple[str, ...], said: str
) -> None:
    assert lines.verdict(ONE, at(*steps)) == said


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"a {text(ONE)}\nb {text(ONE)}\n", f"b {text(ONE)}\n"),
        (f"{HASHED.decode()} {text(ONE)}\n", ""),
        (f"b,a {text(ONE)}\n", f"b,a,!a {text(ONE)}\n"),
        (f"* {text(ONE)} x", f"*,!a {text(ONE)} x"),
        (f"@revoked a {text(ONE)}\nnonsense\n\xff", f"@revoked a {text(ONE)}\nnonsense\n\xff"),
    ],
)
def test_a_name_leaves_a_file(before: str, after: str) -> None:
    name = b"192.168.1.61" if before.startswith("|") else b"a"
    assert lines.without(before.encode("latin-1"), name) == after.encode("latin-1")
    assert not [line for line in lines.read(after.encode()).naming(name) if not line.marker]


def test_a_fingerprint_is_what_ssh_keygen_prints() -> None:
    key = base64.b64decode("AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl")
    assert lines.fingerprint(key) == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
