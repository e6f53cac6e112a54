"""What a plan says before it is applied, and an apply while it acts."""

MESSAGES = {
    "outside-may-change": (
        "{path} on {host} is not among the paths that guardrails.may_change names"
    ),
    "outside-may-change.cure": "add {path} to guardrails.may_change.{host} if that is right",
    "no-cure": "{address} differs in {keys} and nothing here can cure that",
    "advice.lapsed": "{reason:clause} (accepted until {until}: {why})",
    "plan.moved": "{address} ({facts})",
    "plan.moved-in-more": "{address} ({facts}, …)",
    "plan.bytes-of": "the bytes of {path}",
    "stale-plan": "{moved} is no longer as the plan saw it; nothing was done",
    "stale-plan.cure": "kjpstate plan   shows what it is now",
    "one-machine-two-names": (
        "{names:ands} are one machine: it has one lock, and this run holds it already"
    ),
    "one-machine-two-names.cure": (
        "give that machine one name in hosts, and use it in every section"
    ),
    # One action in a few words.
    "act.write": "write {path}",
    "act.remove": "remove {path}",
    "act.switch": "switch {path}",
    "act.note": "note {name}",
    "act.make": "make {path}",
    "act.prune": "remove {count} backups",
    "act.back-up": "back up {path}",
    "act.restore": "restore {path}",
    "act.undo": "undo",
    "act.again": "{what}, on the restored source",
    "act.by-hand": "# {what}",
    # How it ended.
    "act.ended": "{what}: {reason}",
    "act.ended-with": "{what}: {reason} (exit code {code})",
    "act.moved": "is not as the plan saw it any more",
    "act.failed": "failed",
    "act.refused": "refused",
    "act.unknown": "unknown",
    "act.rule": "{said} [{rule}]",
    # What became of a change.
    "apply.waits-for": "waits for {address}",
    "apply.not-needed": "nothing was needed",
    "apply.interrupted": "interrupted",
    "apply.not-well": "{what}: {reason} after {seconds:.0f} s",
    "apply.unread": "could not be read: {why}",
    "apply.other-actions": (
        "what is left is not what the plan showed any more, since the link was lost: {actions}"
    ),
    "apply.more-actions": "now needs more than the plan showed: {actions}",
    "apply.changed-meanwhile": "{keys} changed meanwhile, by somebody else; that stands as it is",
    "apply.still-differs": "done, but read again it still differs: {left:semicolons}",
    "apply.is-not": "{key} is {actual}, wanted {desired}",
    "apply.not-put-back": "could not be put back: {trouble}",
    "apply.failed": "put back, since {address} failed",
    "apply.not-reached": "put back, since {address} was not reached",
    "apply.failed-and-stands": "{reason}\nand could not be put back: {trouble}",
    "apply.trouble": "{trouble:semicolons}",
    "apply.check-not-run": "The check could not be run on the restored source: {why}",
    "apply.link-lost": (
        "{why}; whether its last action happened is not known, the next run reads again"
    ),
    # What is waited for.
    "wait.running-action": "the running action to end; Ctrl-C again stops at once",
    "wait.host": "{host} to be back: {why}",
    # What was settled of an earlier run.
    "settled.between": "{run} ended on {host} before its time: nothing was half done",
    "settled.untouched": (
        "{run} ended on {host} before its time: {what} had not happened; it is as it was"
    ),
    "settled.whole": "{run} ended on {host} before its time: {what} had happened, whole",
    "settled.finished": (
        "{run} ended on {host} before its time: {what} was half done and was finished"
    ),
    "settled.undone": (
        "{run} ended on {host} before its time: {what} was half done and was undone"
    ),
    "settled.foreign": (
        "{run} ended on {host} before its time: {what} stands as it is: it is neither what it"
        " was nor what that run wrote"
    ),
    "settled.unknown": (
        "{run} ended on {host} before its time: it was at a command ({command}); what that did"
        " is read again"
    ),
    "settled.run": "run {id} of {who} ({when})",
    "settled.of.write": "write of {path}",
    "settled.of.switch": "switch of {path}",
    "settled.of.restore": "putting back of {path}",
    "settled.of.remove": "removing of {path}",
    "settled.of.backup": "keeping of {path}",
    "settled.of.make": "making of {path}",
    "settled.of.run": "run of {path}",
    "settled.of.stamp": "stamp of {path}",
}
