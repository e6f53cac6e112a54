"""Who is told what `drift` found: once per change, by address and reason. Called by `cli.drift`.

The face of this package. `changes` is pure, `store` remembers, `channels` sends, `telling` does one
turn.
"""

from kjpstate.notify.changes import Seen, seen_in
from kjpstate.notify.store import file_of
from kjpstate.notify.telling import Desk, tell

__all__ = ["Desk", "Seen", "file_of", "seen_in", "tell"]
