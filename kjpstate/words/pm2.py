"""What is said of PM2, its apps and their files."""

MESSAGES = {
    "ecosystem-esm": '{package} says "type": "module", so node refuses module.exports in {path}',
    "ecosystem-esm.cure": "name it ecosystem.config.cjs in the document: that loads everywhere",
    "ecosystem-name": "PM2 takes {path} for a script, not for an ecosystem file",
    "ecosystem-name.cure": "name it ecosystem.config.cjs or ecosystem.config.js",
    "ecosystem-unreadable": "{path} can't be read: {why}",
    "ecosystem-unreadable.cure": "look at it on the host",
    "ecosystem-unreadable.link": "{path} is a link to {to}; it stays as it is",
    "ecosystem.new": "{path}   new, {count} settings",
    "ecosystem.not-ours": ("{path}   not ours: replaced whole, its backup stays; {count} settings"),
    "ecosystem.of-another": "{path}   was of the document {document}; {count} settings",
    "ecosystem.settings": "{path}   {count} settings",
    "env-block-unused": "{key} acts only with `--env {name}`, which kjpstate never says to PM2",
    "env-block-unused.cure": "move its names into env",
    "env-overrides-setting": "PM2 takes the environment's {name} for its own setting {name}",
    "env-overrides-setting.cure": "name it otherwise, or write {name} outside env",
    "instances-cluster": "`instances` makes PM2 run it in cluster mode",
    "instances-cluster.cure": "drop instances, or add exec_mode: fork",
    "instances-cluster.many": (
        "`instances` makes PM2 run it in cluster mode: several bots on one WhatsApp session log "
        "each other out"
    ),
    "log-date-format": "with it PM2 loses what the app writes without a final line end",
    "log-date-format.cure": "drop it; let the app stamp its own lines",
    "log-date-format.no-zone": (
        "with it PM2 loses what the app writes without a final line end and its stamps name no "
        "time zone"
    ),
    "log-folder-taken": "{folder} should be the folder of the logs, but a file stands there",
    "log-folder-taken.cure": "name another folder for error_file and out_file",
    "max-restarts-inert": (
        "crashes count only in the first {window:about} after a start, and the delays before the "
        "last of {starts} take {waits:about}: it is restarted for ever"
    ),
    "pm2-gives-up": (
        "{crashes} crashes under {life} s each: PM2 stops for good after about {after:about}"
    ),
    "pm2-gives-up.cure": "write exp_backoff_restart_delay: 1000",
    "pm2-gives-up.cure-drop": "write exp_backoff_restart_delay: 1000; drop {keys:ands}",
    "pm2.drop-key": "drop {key}",
    "restart-delay-ignored": (
        "exp_backoff_restart_delay overrides it: the first retry comes after {backoff} ms, not "
        "{delay} ms"
    ),
    "secrets-readable.cure": "chmod 600 {path}",
    "secrets-readable.will": "{path} will hold secrets and others may read it (mode {mode})",
    "watches-own-logs": "it watches the folder its own logs grow in: each line restarts it",
    "watches-own-logs.cure": "drop watch, or add the log folder to ignore_watch",
    "zero-dropped": "PM2 throws {value} away for {key} and does what it does without it",
    "zero-dropped.empty": (
        "PM2 throws an empty text away for {key} and does what it does without it"
    ),
    "pm2.keeps-list": "keep PM2's list in {path}",
}
