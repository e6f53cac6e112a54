"""What bytes with zeros in them are."""

from __future__ import annotations

import pytest

from kjpstate.formats.encodings import zeros

TEXT = "hosts: {pc: {local: '.'}}\n" * 40


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", ""),
        (TEXT.encode(), ""),
        ("ünïcode ⛔".encode(), ""),
        (TEXT.encode("utf-16"), "utf-16"),
        (TEXT.encode("utf-16-le"), "utf-16"),
        (TEXT.encode("utf-16-be"), "utf-16"),
        ("".encode("utf-16"), "utf-16"),
        (b"\0", "empty"),
        (b"\0" * 9000, "empty"),
        (TEXT.encode() + b"\0" * 4096, "binary"),
        (b"\x7fELF\2\1\1\0\0\0" + bytes(range(256)), "binary"),
        (TEXT.encode("utf-32-be"), "binary"),
    ],
)
def test_zeros(data: bytes, kind: str) -> None:
    assert zeros(data) == kind
