"""argv in, exit code out: one module a verb, loaded when it is used. The only click.

`run` is the console script; nothing else calls this floor.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def run(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit code of errors.py's tree, never a traceback."""
    from kjpstate.cli import interrupts

    if argv is not None:
        from kjpstate.cli.main import main

        return main(argv)
    interrupts.leaves_at_once()
    from kjpstate.cli.main import main

    code = main(sys.argv[1:])
    interrupts.is_over()
    return code
