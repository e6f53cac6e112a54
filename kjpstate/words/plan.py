"""The words of a plan and of a drift."""

from kjpstate.words.plural import Plural

MESSAGES = {
    "advice.at": "{rule} (line {line})",
    "advice.breaks": Plural("{count} breaks", "{count} break"),
    "advice.hint": "kjpstate explain RULE",
    "advice.notes": "{count} to know",
    "advice.short": "{rules}   kjpstate validate has more",
    "advice.title": "Advice: {parts}",
    "advice.useless": Plural("{count} has no effect", "{count} have no effect"),
    "advice.with-cure": "{reason}. Cure: {cure}",
    "drift.busy": (
        "{host}: run {run} of {who} is at work there ({why}, since {when}); not judged now"
    ),
    "drift.cut": "{host}: run {run} of {who} was cut there; the next apply settles it first",
    "drift.dead": "! DEAD {app}",
    "drift.differs": "differs",
    "drift.held": "held by {address}",
    "drift.more": "and {count} more",
    "drift.not-reached": "{host}: not reached: {why}",
    "drift.refused": "refused [{rule}]: {why}",
    "plan.accepted": "Accepted until {until}, left as it is: {address} on {host}: {why}",
    "plan.accepted-differences": Plural(
        "{count} accepted difference", "{count} accepted differences"
    ),
    "plan.also-written": "kjpstate writes nothing else. {also:semicolons}",
    "plan.command-writes": "{program} also writes {paths}",
    "plan.counts": "Plan: {parts}.",
    "plan.cure": "Cure: {cure}",
    "plan.cut-at": (
        "run {run} of {who} ({when}) did not come to its end, at: {kind} {path}; apply will "
        "first settle that"
    ),
    "plan.cut-between": (
        "run {run} of {who} ({when}) did not come to its end, between two actions; apply will "
        "first settle that"
    ),
    "plan.elsewhere": "Not looked at from here: {addresses}",
    "plan.held": "{count} held",
    "plan.in-diff": "{headline}   --diff shows them",
    "plan.in-sync": "In sync.",
    "plan.in-sync-but": "In sync, but for {accepted}.",
    "plan.in-sync-but-unseen": "In sync, but for {accepted}, as far as could be seen: {lost}.",
    "plan.in-sync-unseen": "In sync, as far as could be seen: {lost}.",
    "plan.kept-first": "Kept first: {names}.",
    "plan.lapsed": "was accepted until {until}: {why}",
    "plan.looked": "looked in {seconds:.1f} s, nothing changed",
    "plan.lost": Plural("{count} host not reached", "{count} hosts not reached"),
    "plan.more-hosts": "and {count} more",
    "plan.more-rows": "and {count} more; --json has them all",
    "plan.next": "Next: {command}",
    "plan.not-reached": "not reached: {why}",
    "plan.nothing-else": "kjpstate writes nothing else.",
    "plan.owed": "owed: known after {after}",
    "plan.pm2-list": "PM2's list",
    "plan.refused": "{count} refused",
    "plan.refused-at": "refused, {where}   [{rule}]",
    "plan.stay": Plural("{addresses} stays as it is.", "{addresses} stay as they are."),
    "plan.this-machine": "{host} (this machine)",
    "plan.to-add": "{count} to add",
    "plan.to-change": "{count} to change",
    "plan.to-remove": "{count} to remove",
    "plan.to-replace": "{count} to replace",
    "plan.unchanged": "Unchanged: {pins}",
    "plan.unmanaged": "No longer managed, left as it is: {addresses}",
    "plan.waits": "held: waits for {address}; stays as it is",
}
