"""Stamps filled with what was read at the instant of writing. Called by `acting`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kjpstate.apply.work import Stopped, Work
from kjpstate.formats.tree import digests
from kjpstate.model import (
    Answer,
    Clock,
    Reading,
    Stamp,
    Stat,
    Tree,
    Unreadable,
    Written,
    join,
)


def reading_of(item: Reading | Written) -> Reading:
    return item.tree if isinstance(item, Written) else item


def filled(stamp: Stamp, work: Work) -> Stamp:
    """The stamp with its `fill` taken, or the old one when only a clock would move."""
    assert stamp.values is not None
    values = dict(stamp.values)
    clocks = set()
    for name, item in stamp.fill:
        answer = work.fill[reading_of(item)]
        if isinstance(item, Written):
            values[name] = _written(item, answer, work)
        else:
            values[name] = _plain(answer)
        if isinstance(answer, Clock):
            clocks.add(name)
    if stamp.keep is not None and _without(values, clocks) == _without(stamp.keep, clocks):
        values = dict(stamp.keep)
    return replace(stamp, values=values, fill=(), keep=None)


def _without(values: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _written(item: Written, answer: Answer, work: Work) -> dict[str, str]:
    """What the last run wrote (new, or changed since before it), and what `also` names and still
    stands."""
    after = answer.files if isinstance(answer, Tree) else {}
    old = {
        (reading.host, join(reading.root, path)): file
        for reading, tree in work.outputs.items()
        if tree is not None
        for path, file in tree.files.items()
    }
    return {
        path: file.digest
        for path, file in sorted(after.items())
        if path in item.also or old.get((item.tree.host, join(item.tree.root, path))) != file
    }


def _plain(answer: Answer) -> Any:
    """An answer as a stamp holds it."""
    match answer:
        case Tree():
            return digests(answer)
        case Clock(boot_id=boot_id, uptime=uptime):
            return {"boot_id": boot_id, "uptime": uptime}
        case Stat(size=size, changed=changed):
            return {"size": size, "changed": changed}
        case None:
            return None
        case _:
            raise Stopped(
                f"could not be read: {answer.why if isinstance(answer, Unreadable) else answer!r}"
            )
