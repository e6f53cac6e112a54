"""What past runs saw and did: one SQLite file in the controller's state folder.

Called by `cli` alone, which masks every text before it comes here. Nothing in here raises for the
sake of the file: a run is never spoilt by what remembers it. What could not be done is a sentence,
empty when all went well. Times are the controller's, UTC, as `YYYYMMDDTHHMMSSZ`; the order of runs
is that in which they were noted, since a clock may jump.
"""

from kjpstate.history.past import ACTS, Item, Past, Wanted
from kjpstate.history.runs import merged, note, run, runs
from kjpstate.history.store import FILE, Used, use

__all__ = ["ACTS", "FILE", "Item", "Past", "Used", "Wanted", "merged", "note", "run", "runs", "use"]
