"""The words of a watch on a terminal."""

MESSAGES = {
    "live.app": "app",
    "live.notes": "notes",
    "live.of": "of {length:clock}, Ctrl-C ends it",
    "live.out-of-sight": "out of sight",
    "live.seen-again": "seen again",
    "live.time": "time",
    "live.unresolved": "no",
}
