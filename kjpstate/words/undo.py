"""A run that is taken back: its plan, and what forbids it."""

MESSAGES = {
    "changed-since": "{paths} was changed after that run, by somebody else",
    "changed-since.and-more": "{paths}, … was changed after that run, by somebody else",
    "changed-since.cure": (
        "kjpstate rollback --force   overwrites it; what stands there now is kept first"
    ),
    "backup-damaged.cure": "put that file back by hand, or from a backup of your own",
    "rolled-back-later": "run {run} changed {what} after it; roll that back first",
    "rolled-back-later.cure": "roll the later run back first",
    "ledger.no-file": "it is not a file",
    "ledger.unread": "the list of backups on {host} can't be read: {why}",
    "ledger.damaged": "the list of backups on {host} is damaged in line {line}: {text!r}",
    "rollback.run": "run {run} of {started}, by {who}",
    "rollback.online-again": "{app} to be online again",
    "rollback.unread": "{path} {why}",
    "rollback.no-original": (
        "the list of backups names no original of {path} for run {run}, nor does its record say"
        " that nothing stood there"
    ),
    "rollback.original-lost": (
        "the list of backups names no original of {path} for run {run}, though a {stood} stood"
        " there; look for {backup}"
    ),
    "rollback.original-gone": "{backup}, the original of {path}, is not there any more",
    "rollback.original-unread": "{backup}, the original of {path}, {why}",
    "rollback.original-changed": "{backup} is not as it was kept: it is no original any more",
    "rollback.all-as-before": "every file is as it was before that run",
    "rollback.by-files": "{path}   {back} as they were, {gone} removed; all others stay",
    "rollback.not-known": "{path}   its original is not known",
    "rollback.removed": "{path}   removed: that run made it",
    "rollback.removed-over": (
        "{path}   removed: that run made it; changed after that run: overwritten, its text of now"
        " is kept"
    ),
    "rollback.restored": "{path}   as it was, from {backup}",
    "rollback.restored-over": (
        "{path}   as it was, from {backup}; changed after that run: overwritten, its text of now"
        " is kept"
    ),
}
