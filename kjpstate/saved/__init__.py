"""A plan as one JSON file: what `plan --out` writes, `apply FILE` and `show FILE` read. Pure.

It holds what is to be done and keyed digests of all it was made of; never a secret, the bytes of a
file or an actual value. Called by `cli.saving`, which does the reading and writing. The face of
this package:
"""

from kjpstate.saved.compare import stale
from kjpstate.saved.file import (
    NoPlan,
    Saved,
    fault,
    is_one,
    made,
    parse,
    refuse_unusable,
    text_of,
    told,
)
from kjpstate.saved.pack import packed
from kjpstate.saved.unpack import Shown, shown

__all__ = [
    "NoPlan",
    "Saved",
    "Shown",
    "fault",
    "is_one",
    "made",
    "packed",
    "parse",
    "refuse_unusable",
    "shown",
    "stale",
    "text_of",
    "told",
]
