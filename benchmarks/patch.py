"""How long the plan of a large patched file takes, against tree-sitter parsing that file twice; in
one run.

    python benchmarks/patch.py [LINES]

Each ratio is of the whole way from the file on disk to the screen: read and look, both states,
difference, proof of the new bytes, fingerprints, the lines of the plan. Target: under 2.0 for a
file of 8,000 lines.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from kjpstate.apply import readings_by_host
from kjpstate.formats.typescript import source
from kjpstate.formats.typescript.grammar import tree_of
from kjpstate.hosts.local import LocalHost
from kjpstate.kinds import patch
from kjpstate.model import Plan, Resource, Where, WriteFile
from kjpstate.plan import Scene, build
from kjpstate.render.masks import mask_for
from kjpstate.render.plans import Head, plan_lines
from tests.support.patch_cases import cases

_FILLER = b"""
export function f%d(a: A, list: string[]): void {
  if (a.b) {
    console.log(`nomor ${list.length}`, ['d', 1], a.c);
  } else if (list.includes('x')) {
    e({ jid: a.jid, text: 'halo kak', mentions: list.map((i) => i + '@s.whatsapp.net') });
  }
}
"""
_ROUNDS = 9


def main(lines: int) -> bool:
    """Measure, print one line a ratio, and say whether all are under the target."""
    case = next(case for case in cases() if case.name == "owner-plan")
    filler = b"".join(_FILLER % number for number in range(lines // _FILLER.count(b"\n")))
    anchor = b"async function connectToWhatsApp"
    content = case.content.replace(anchor, filler + anchor, 1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "wa.ts"
        spec = replace(case.spec, path=file.as_posix(), display="wa.ts")
        host = LocalHost("pc", state_dir=Path(folder), lock_dir=Path(folder), may_change=("/",))
        file.write_bytes(content)
        (write,) = _plan(host, spec).changes[0].actions
        assert isinstance(write, WriteFile)
        after = write.after
        assert after is not None and after != content
        other = tuple(replace(edit, content=f"{edit.content}\nmore();") for edit in case.spec.edits)
        print(
            f"{content.count(bytes([10])):,} lines, {len(content) / 1e3:.0f} kB, best of {_ROUNDS}"
        )
        rows: dict[str, Callable[[], object]] = {}
        for name, data, chosen in (
            ("first plan", content, spec),
            ("plan in sync", after, spec),
            ("plan of an update", after, replace(spec, edits=other)),
            ("plan of a removal", after, replace(spec, state="absent")),
        ):
            rows[name] = _planned(host, file, data, chosen)
        took = _best(
            {"parse twice": lambda: [tree_of(content, "typescript") for _ in range(2)], **rows}
        )
    twice = took.pop("parse twice")
    print(f"parse twice         {twice * 1e3:7.1f} ms")
    for name, seconds in took.items():
        print(f"{name:<18}  {seconds * 1e3:7.1f} ms   {seconds / twice:.2f} x")
    return max(took.values()) < 2.0 * twice


def _planned(
    host: LocalHost, file: Path, data: bytes, spec: dict[str, Any]
) -> Callable[[], object]:
    def work() -> object:
        if file.read_bytes() != data:
            file.write_bytes(data)
        return plan_lines(_plan(host, spec), Head(), mask_for(()))

    return work


def _plan(host: LocalHost, spec: dict[str, Any]) -> Plan:
    resource = Resource(f"patch.{spec.set}", "patch", "pc", spec, Where("bot.yaml", 1, 1))
    bare = Scene("bot", (resource,), {}, b"key", {"patch": patch}, {"pc": ("/",)})
    readings = readings_by_host(bare)["pc"]
    return build(replace(bare, answers=asyncio.run(host.look(readings))))


def _best(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The shortest of some rounds of each, in turns, in seconds of the processor; what an earlier
    round parsed or found is forgotten each time."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(_ROUNDS):
        for name, work in works.items():
            source._file.cache_clear()
            before = time.process_time()
            work()
            times[name].append(time.process_time() - before)
    return {name: min(found) for name, found in times.items()}


if __name__ == "__main__":
    sys.exit(0 if main(int(sys.argv[1]) if len(sys.argv) > 1 else 8_000) else 1)
