"""The words of the drawing of PM2's restarts."""

MESSAGES = {
    "restarts.after-reboot": (
        "After a reboot (pm2 resurrect) nothing is counted, and nothing is given up."
    ),
    "restarts.anew": "Once it has been up for 30 to 60 s, the waits begin anew at {wait}.",
    "restarts.at-once": "When each start dies at once ({after:exact}):",
    "restarts.for-ever": "{drawn}   for ever",
    "restarts.from-on": "{first} on",
    "restarts.from-to": "{first} to {last}",
    "restarts.given-up-errored": (
        'start {start}   dies at {at}   given up for good: PM2 says "errored"'
    ),
    "restarts.given-up-waiting": (
        'start {start}   dies at {at}   given up for good: PM2 says "waiting restart" with no pid'
    ),
    "restarts.gives-up": (
        "Gives up when {starts} starts live under {life} each, all within {window} of a start "
        "on purpose. Nothing but a command or a reboot starts it again."
    ),
    "restarts.never": "It is never restarted: autorestart is false.",
    "restarts.never-gives-up": (
        "Never gives up: a crash counts only within {window} of a start on purpose, and the "
        "waits before start {start} alone take {waits}."
    ),
    "restarts.no-effect": "restart_delay {delay} has no effect beside exp_backoff_restart_delay.",
    "restarts.not-when": (
        "Never gives up when the crashes come later than that, or each start lives longer than "
        "{life}."
    ),
    "restarts.title": "{app}: {settings}",
    "restarts.title-plain": "{app}: no restart settings, so what PM2 does by itself",
    "restarts.waits": "start {start}   dies at {at}   waits {wait}",
}
