"""`python -m kjpstate`: the same as the command `kjpstate`."""

import sys

from kjpstate.cli import run

sys.exit(run())
