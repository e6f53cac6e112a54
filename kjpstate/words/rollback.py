"""The words of a rollback, and of backups that go."""

MESSAGES = {
    "backups.not-removed": "{host}: {why}; nothing else was removed there",
    "rollback.no-run": "there is no run to roll back: none that changed something still stands",
    "rollback.no-such-run": "no run {run} is noted on any host of this document",
    "rollback.no-such-run.cure": "kjpstate backups   lists them",
    "rollback.unread.cure": "nothing was done; its notes say what can be rolled back",
}
