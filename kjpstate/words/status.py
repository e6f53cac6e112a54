"""The words of how things stand."""

MESSAGES = {
    "status.alive": "{app} on {host} is alive: {why}",
    "status.and-then": "{told}; {failing}",
    "status.apply": "{when} by {who}: {result} (run {run})",
    "status.apply-settles": "kjpstate apply   settles it first, then shows the plan",
    "status.bot": "bot",
    "status.busy": "run {run} of {who} is at work on {host} ({why})",
    "status.check": "{since}: {result}",
    "status.check-again": "{since}: {result}, {times:,} times in a row",
    "status.check-now": (
        "kjpstate drift   checks now; kjpstate schedule --show   shows what should run it"
    ),
    "status.cut": "run {run} of {who} ({when}) was cut on {host}",
    "status.dead": "{app} on {host} is DEAD: {why}",
    "status.failed": "{when} it failed ({result})",
    "status.failed-saying": "{when} it failed ({result}: {said})",
    "status.is-it-on": "is it on, and in this network?   kjpstate status   asks again",
    "status.last-apply": "last apply",
    "status.last-check": "last check",
    "status.next": "next",
    "status.no-apply": "none that is remembered here or on the hosts",
    "status.no-bot": "none in this document",
    "status.no-check": "none that is remembered here",
    "status.no-history": (
        "STALE: whether the checker itself runs is not known: no history can be read"
    ),
    "status.none-looked": "none that looked; {failing}",
    "status.not-known": "{app} on {host}: not known: {why}",
    "status.not-reached": "{host} was not reached: {why}",
    "status.nothing": "nothing",
    "status.nothing-to-do": "nothing to do",
    "status.plan": "kjpstate plan",
    "status.plan-shows": "kjpstate plan   shows what an apply would do",
    "status.schedule": "kjpstate schedule   has drift run by itself",
    "status.stale": "STALE: the checker itself has not run since {since}",
    "status.unfinished": "unfinished",
    "status.wait": "wait until that run ends",
    "status.yet-to-come": "STALE: by this clock the last check, {since}, is yet to come",
}
