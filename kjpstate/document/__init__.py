"""The document: one YAML text -> hosts, resources, checks and guardrails, or every problem with its
line.

The face of this package: `load`, `find`, `bundled_schema`, `spliced`, and what `load` gives back.
"""

from kjpstate.document.find import find
from kjpstate.document.guardrails import Guardrails
from kjpstate.document.loading import Document, load
from kjpstate.document.narrowed import narrowed, seen_from
from kjpstate.document.schema import bundled_schema
from kjpstate.document.splicing import spliced

__all__ = [
    "Document",
    "Guardrails",
    "bundled_schema",
    "find",
    "load",
    "narrowed",
    "seen_from",
    "spliced",
]
