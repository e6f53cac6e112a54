"""Shares and amounts as a document writes them -> numbers. Called by all that load a section."""

from __future__ import annotations


def percent(text: str) -> float:
    """`30%` as 30.0."""
    return float(text.removesuffix("%"))


def bytes_of(text: str) -> int:
    """`300M` in bytes, with PM2's units: K, M and G of 1024 each."""
    return int(text[:-1]) << {"K": 10, "M": 20, "G": 30}[text[-1]]
