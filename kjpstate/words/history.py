"""The words of the history of runs."""

MESSAGES = {
    "history.anothers": "the history {file} was another program's file",
    "history.aside-already": "{fault}; another run has set it aside already",
    "history.damaged": "the history {file} was damaged",
    "history.damaged-as": "the history {file} was damaged ({error})",
    "history.held": "the history {file} was held by another process for more than {seconds:.0f} s",
    "history.newer": (
        "the history {file} was written by a newer kjpstate (tables {tables}, ours {ours}); it "
        "is left alone"
    ),
    "history.no-sqlite": "no history: this Python has no sqlite3 ({error})",
    "history.not-aside": "{fault}, and can't be set aside: {error}",
    "history.not-noted": "{why}; this run is not noted",
    "history.not-writable": "the history {file} may not be written",
    "history.set-aside": "{fault}; it is kept as {name}, and a new one begins",
    "history.unusable": "the history {file} can't be used: {error}",
}
