"""How long a set of edits takes in a large file, against tree-sitter parsing that file twice; in one run.

    python benchmarks/patch.py [LINES]

Prints the ratios of: a first plan, a plan in sync, a removal. Target: under 1.5 for a file of 8,000 lines.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from kjpstate.formats.typescript import source
from kjpstate.formats.typescript.grammar import tree_of
from kjpstate.kinds.patch.study import study
from tests.support.patch_cases import cases, spec_of

_FILLER = b"""
export function f%d(a: A, list: string[]): void {
  if (a.b) {
    console.log(`nomor ${list.length}`, ['d', 1], a.c);
  } else if (list.includes('x')) {
    e({ jid: a.jid, text: 'halo kak', mentions: list.map((i) => i + '@s.whatsapp.net') });
  }
}
"""
_ROUNDS = 7


def main(lines: int) -> None:
    """Measure, and print one line a ratio."""
    case = next(case for case in cases() if case.name == "owner-plan")
    each = _FILLER.count(b"\n")
    filler = b"".join(_FILLER % number for number in range(lines // each))
    anchor = b"async function connectToWhatsApp"
    content = case.content.replace(anchor, filler + anchor, 1)
    spec = spec_of(case.spec["edits"])
    after = study(spec, content).after
    assert after is not None and after != content
    print(f"{content.count(bytes([10])):,} lines, {len(content) / 1e3:.0f} kB, best of {_ROUNDS}")
    twice = _best(lambda: (tree_of(content, "typescript"), tree_of(content, "typescript")))
    print(f"parse twice         {twice * 1e3:7.1f} ms")
    for name, data, chosen in (
        ("first plan", content, spec),
        ("plan in sync", after, spec),
        ("removal", after, {**spec, "state": "absent"}),
    ):
        took = _best(lambda: study(chosen, data))  # noqa: B023
        print(f"{name:<18}  {took * 1e3:7.1f} ms   {took / twice:.2f} x")


def _best(work: Callable[[], object]) -> float:
    """The shortest of some rounds, each without what an earlier one parsed, in seconds of the processor."""
    times = []
    for _ in range(_ROUNDS):
        source._file.cache_clear()
        before = time.process_time()
        work()
        times.append(time.process_time() - before)
    return min(times)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8_000)
