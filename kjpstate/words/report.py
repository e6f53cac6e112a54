"""The words of an apply, a rollback and their checks."""

from kjpstate.words.plural import Plural

MESSAGES = {
    "checks.by-hand": "by hand",
    "checks.count": "Checks: {parts}.",
    "checks.count-by-hand": "{count} by hand",
    "checks.count-failed": "{count} failed",
    "checks.count-not-known": "{count} not known",
    "checks.count-passed": "{count} passed",
    "checks.failed": "FAILED",
    "checks.none": "No checks in this document.",
    "checks.not-known": "not known",
    "checks.ok": "ok",
    "checks.title": "Checks:",
    "cost.connections": Plural("{count} connection", "{count} connections"),
    "cost.execs": Plural("{count} exec", "{count} execs"),
    "cost.host": "{host}: {spent}, {sent} bytes sent, {received} bytes received",
    "event.done": "{address} done",
    "event.done-so": "{address} done: {how}",
    "event.failed": "{address} failed: {why}",
    "event.waits": "waits for {what}",
    "report.applied": "applied",
    "report.by-hand": "Not as it was. Type on {host}, in this order:",
    "report.counted-applied": "{count} applied",
    "report.counted-failed": "{count} failed",
    "report.counted-held": "{count} held",
    "report.counted-not-tried": "{count} not tried",
    "report.counted-refused": "{count} refused",
    "report.counted-restored": "{count} restored",
    "report.counted-shrunk": "{count} not needed",
    "report.counts": "Apply: {parts}, in {seconds:.1f} s.",
    "report.failed": "FAILED",
    "report.held": "held",
    "report.in-sync": "Looked again: in sync.",
    "report.kept": "Kept, run {run}:",
    "report.not-tried": "not tried",
    "report.refused": "refused",
    "report.restored": "restored",
    "report.shrunk": "nothing was needed",
    "report.so": "{result}: {why}",
    "report.still-differs": "Looked again, this still differs:",
    "undone.all": "Run {run} was rolled back in {seconds:.1f} s, as run {by}.",
    "undone.next": "Next: kjpstate plan   shows what the document would do again",
    "undone.not-to-the-end": (
        "Run {run} was rolled back, as run {by}, but not to the end; see above."
    ),
    "undone.nothing": "Run {run} was not rolled back; see above.",
    "undone.partly": (
        "Run {run} was rolled back on {hosts}, as run {by}, not on {left}; kjpstate rollback "
        "{run}   goes on there"
    ),
    "undone.untouched": Plural(
        "{count} host not reached, untouched by that run: {hosts}",
        "{count} hosts not reached, untouched by that run: {hosts}",
    ),
}
