"""What is said of PM2, its apps and their files."""

from kjpstate.words.plural import Plural

MESSAGES = {
    "ecosystem-esm": '{package} says "type": "module", so node refuses module.exports in {path}',
    "ecosystem-esm.cure": "name it ecosystem.config.cjs in the document: that loads everywhere",
    "ecosystem-name": "PM2 takes {path} for a script, not for an ecosystem file",
    "ecosystem-name.cure": "name it ecosystem.config.cjs or ecosystem.config.js",
    "ecosystem-unreadable": "{path} can't be read: {why}",
    "ecosystem-unreadable.cure": "look at it on the host",
    "ecosystem-unreadable.link": "{path} is a link to {to}; it stays as it is",
    "ecosystem.new": "{path}   new, {count} settings",
    "ecosystem.not-ours": "{path}   not ours: replaced whole, its backup stays; {count} settings",
    "ecosystem.of-another": "{path}   was of the document {document}; {count} settings",
    "ecosystem.settings": "{path}   {count} settings",
    "env-block-unused": "{key} acts only with `--env {name}`, which kjpstate never says to PM2",
    "env-block-unused.cure": "move its names into env",
    "env-not-kept": "the running app has {names}; a delete and start will not give it those",
    "env-not-kept.cure": "name under env what it needs",
    "env-not-kept.many": (
        "the running app has {names} and {more} more; a delete and start will not give it those"
    ),
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
    "pm2-list-incomplete": "`pm2 save` would forget {apps}: in the saved list, but not running",
    "pm2-list-incomplete.cure": "pm2 resurrect, then plan again",
    "pm2-missing": "pm2 was not found for {user}",
    "pm2-missing.cure": "npm install -g pm2",
    "pm2-missing.node": "node was not found for {user}",
    "pm2-missing.node.cure": "install node, then: npm install -g pm2",
    "pm2-name": "PM2 does not read {name!r} as the name of one app",
    "pm2-not-at-boot": "no startup unit brings PM2 back after a reboot",
    "pm2-not-at-boot.forgets": "PM2's saved list does not name {app}: a reboot forgets it",
    "pm2-not-at-boot.forgets.cure": "write save: true in the section pm2",
    "pm2-not-at-boot.gone": "{unit} starts {program}, which is not there any more",
    "pm2-not-at-boot.not-enabled": "{unit} is there, but not enabled",
    "pm2-not-at-boot.other-home": (
        "{unit} brings back the PM2 of {other} after a reboot, not that of {home}"
    ),
    "pm2-not-linux": "this host has no /proc, so nobody can say what PM2 really runs",
    "pm2-other-daemon": "the PM2 of {home} belongs to {owner}, not to {user}",
    "pm2-other-daemon.cure": "log in as {owner}, or set PM2_HOME for this login",
    "pm2-other-daemon.has": "the PM2 of {user} in {home} has {app}",
    "pm2-other-daemon.has.cure": "log in as {user} with PM2_HOME={home}, or delete it there",
    "pm2-other-daemon.has.place": "PM2 daemon {pid}: {script}",
    "pm2-other-daemon.unseen": (
        "the PM2 of {owner} in {home} runs here, too; {user} can't see whether it has {app}"
    ),
    "pm2-other-daemon.unseen.cure": "log in as {owner} and look: pm2 ls",
    "pm2-silent": "PM2's daemon {pid} runs, but its socket in {home} is {socket}",
    "pm2-silent.cure": "kill {pid}, then: pm2 resurrect",
    "pm2-two-daemons": "{count} PM2 daemons share {home}",
    "pm2-two-daemons.cure": "stop them, then: pm2 resurrect",
    "pm2-unreadable": "PM2 could not be looked at: {why}",
    "pm2-unreadable.cure": "on the host: node -v",
    "pm2-unreadable.cut-short": "the look at PM2 was cut short",
    "pm2-unreadable.not-our-format": "the look at PM2 answered in a format that is not ours",
    "pm2-unreadable.not-posix": "PM2 can be looked at only on a POSIX host",
    "pm2-unreadable.unseen": "PM2 could not be looked at",
    "pm2-versions-differ": "the daemon is {daemon}, the pm2 command {command}",
    "pm2-versions-differ.cure": "pm2 update, at a quiet hour",
    "pm2.another-user": "another user",
    "pm2.as-it-should-be": "as it should be",
    "pm2.as-it-was": "PM2: {app} as it was, its settings too",
    "pm2.code-no-stamp": "not known: its files were never put there by kjpstate",
    "pm2.code-older": "started before its files changed",
    "pm2.delete": "delete {app}",
    "pm2.delete-renamed": "delete {app}, its name so far",
    "pm2.down": "down a few seconds",
    "pm2.drop-key": "drop {key}",
    "pm2.dump-lacks": "dump.pm2 does not name {app}",
    "pm2.dump-otherwise": "dump.pm2 has other values: {names}",
    "pm2.dump-state": "dump.pm2 is {state}",
    "pm2.dump-stopped": "dump.pm2 has it stopped",
    "pm2.ended": "ended by itself",
    "pm2.errored": "given up (errored)",
    "pm2.file-not-ours": "not kjpstate's, so not run",
    "pm2.file-unread": "can't be read",
    "pm2.file-without-it": "does not name it",
    "pm2.gone": "online in PM2's list, but process {pid} is gone",
    "pm2.hides-list": "hides PM2's list, which holds a secret, from other users",
    "pm2.idle": (
        "online, but without any connection: given up by itself, {up:rough} after its start"
    ),
    "pm2.keeps-dying": "crash-looping: it keeps dying soon after its start",
    "pm2.keeps-list": "keep PM2's list in {path}",
    "pm2.lasted": "{seconds:rough}",
    "pm2.list-lost": "not in PM2's list, which is empty; the saved list has it",
    "pm2.new-code": "new code",
    "pm2.new-settings": "settings",
    "pm2.new-variables": "variables",
    "pm2.no-daemon": "no PM2 daemon",
    "pm2.no-daemon-but-saved": "no PM2 daemon; the saved list has it",
    "pm2.no-file": "no such file",
    "pm2.no-status": "no status",
    "pm2.not-known": "not known",
    "pm2.not-listed": "not in PM2's list",
    "pm2.not-listed-but-saved": "not in PM2's list; the saved list has it",
    "pm2.not-long-up": "{app}: online for {up:.1f} s of {enough:.0f} s, {restarts} restarts",
    "pm2.not-running": "not running",
    "pm2.not-saved": "not saved",
    "pm2.not-up": "{app}: {status}",
    "pm2.not-up-restarted": "{app}: {status} after {restarts} restarts",
    "pm2.online": "online for {up:rough}",
    "pm2.online-restarted": Plural(
        "online for {up:rough}, {count} restart", "online for {up:rough}, {count} restarts"
    ),
    "pm2.orphaned": "no PM2 daemon, though process {pid} runs its script: nothing restarts it",
    "pm2.reload": "reload",
    "pm2.reloads": "reload: {why}; down a moment",
    "pm2.renames": "delete and start: it was called {names}; down a few seconds",
    "pm2.replaces": "delete and start: {why}; down a few seconds",
    "pm2.replaces-for-keys": (
        "delete and start: {keys} (a reload can't change that); down a few seconds"
    ),
    "pm2.replaces-for-left": (
        "delete and start: a reload can't take away {names}; down a few seconds"
    ),
    "pm2.replaces-for-logs": (
        "delete and start: log paths (a reload can't change them); down a few seconds"
    ),
    "pm2.rises": (
        "was restarted {up:rough} ago, and not on purpose; PM2 counts {restarts} restarts of it"
    ),
    "pm2.rises-ended": "ended, and not on purpose; PM2 counts {restarts} restarts of it",
    "pm2.rises-not-running": "is not running",
    "pm2.save": "pm2 save: so that a reboot brings the same list back",
    "pm2.saves": "pm2 save: {why}",
    "pm2.settings-change": "{count} settings change: {keys}",
    "pm2.short-lives": "crash-looping: its last {count} lives ended after {lasted:and}",
    "pm2.start": "start",
    "pm2.starts": "start: {why}",
    "pm2.still-old": "{app}: still the old process {pid}",
    "pm2.stopped": "stopped",
    "pm2.stuck": (
        "stuck in waiting restart: the folder of {log} is gone, so PM2 never starts it again"
    ),
    "pm2.taken-away": "taken away: {names}",
    "pm2.taken-out": "PM2: {app} is taken out again",
    "pm2.this-user": "this user",
    "pm2.to-be-online": "{app} to be online longer than {seconds:g} s",
    "pm2.too-few": "{app}: {count} of {wanted} in PM2's list",
    "pm2.unknown-home": "an unknown home",
    "pm2.variables-change": Plural("{names} changes", "{names} change"),
    "pm2.waits": "crash-looping: waiting restart",
    "pm2.waits-for-ever": "given up: waiting restart with no pid, and nothing will restart it",
    "restart-delay-ignored": (
        "exp_backoff_restart_delay overrides it: the first retry comes after {backoff} ms, not "
        "{delay} ms"
    ),
    "script-missing": "{path} is not there",
    "script-missing.cure": "deploy it first",
    "script-missing.folder": "{path} is a folder",
    "script-runs-twice": "{script} already runs: {what}",
    "script-runs-twice.also": "{what} also runs {script} here",
    "script-runs-twice.app": "{app} (number {number} in PM2's list)",
    "script-runs-twice.process": "process {pid}, which no PM2 started",
    "secrets-readable.cure": "chmod 600 {path}",
    "secrets-readable.list": (
        "{path} holds the app's environment and others may read it (mode {mode})"
    ),
    "secrets-readable.will": "{path} will hold secrets and others may read it (mode {mode})",
    "watches-own-logs": "it watches the folder its own logs grow in: each line restarts it",
    "watches-own-logs.cure": "drop watch, or add the log folder to ignore_watch",
    "zero-dropped": "PM2 throws {value} away for {key} and does what it does without it",
    "zero-dropped.empty": (
        "PM2 throws an empty text away for {key} and does what it does without it"
    ),
}
