"""argv in, exit code out: one module a verb, loaded when it is used. The only click.

`run` is the console script; nothing else calls this floor.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def run(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit code of errors.py's tree, never a traceback."""
    from kjpstate.cli.main import main

    return main(list(sys.argv[1:] if argv is None else argv))
