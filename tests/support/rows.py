"""The rows that `drift` prints, as the tests need them."""

from __future__ import annotations


def addresses(text: str) -> set[str]:
    """The addresses that rows such as `~ dns  stb  …` and `! DEAD bot-kjp  stb  …` are about."""
    return {_address(row) for row in text.splitlines()}


def _address(row: str) -> str:
    _, word, more = row.split(maxsplit=2)
    return f"pm2_process.{more.split()[0]}" if word == "DEAD" else word
