"""The words of the verbs: what they ask, tell, and can't do."""

from kjpstate.words.plural import Plural

MESSAGES = {
    "cli.drift-hangs": (
        "drift: no answer within {seconds:g} s, and the looking could not be stopped"
    ),
    "cli.apply-asks": "apply asks before it acts, and there is no terminal to ask on.",
    "cli.apply-asks.cure": (
        "add --yes to apply without asking; kjpstate plan   shows the plan first"
    ),
    "cli.apply-json-asks": "apply --json can't ask; add --yes.",
    "cli.apply-json-asks.cure": "kjpstate plan --json   shows the plan first",
    "cli.apply-this": "Apply this?",
    "cli.belongs-to-prune": "--keep, --keep-days and --yes belong to: kjpstate backups prune",
    "cli.break-lock": "Break the lock of run {run} on {host}?",
    "cli.can-not-read": "{file} can't be read: {reason}",
    "cli.can-not-read-there": "{path} on {host} can't be read: {why}",
    "cli.can-not-run": "{program} can't be run: {reason}",
    "cli.can-not-write": "{file} can't be written: {reason}",
    "cli.changed-meanwhile": "{path} was changed meanwhile; nothing was written",
    "cli.checks": Plural("{count} check", "{count} checks"),
    "cli.command-ended": "{command}: exit code {status}",
    "cli.command-said": "{command}: {said}",
    "cli.crashed": "kjpstate itself failed ({kind}): a mistake of ours, not of your document.",
    "cli.crashed-unwritten": (
        "kjpstate itself failed ({kind}): a mistake of ours, not of your document. No report "
        "could be written: {why}"
    ),
    "cli.crashed.cure": "the report is {file}; it holds no secrets that kjpstate knew of",
    "cli.cut-off": "run {run} on {host} was cut off; a plan of what it left is not saved",
    "cli.cut-off.cure": "kjpstate apply   finishes or undoes that run first, then plans",
    "cli.document-not-right": "the document would not be right any more: {error}",
    "cli.every-too-often": "a look every {every:g} s is too often for a small box",
    "cli.every-too-often.cure": "write 1s or more",
    "cli.expires": "--expires {text}: expected a time such as 30m, 24h or 7d",
    "cli.form-not-safe": "{where}: the form of this text can't be rewritten safely",
    "cli.good-until": "good until {until}, once",
    "cli.has-scope": "{file} has its scope from when it was saved",
    "cli.has-scope.cure": "leave --only, --limit, --exclude and --here out",
    "cli.holder-alive": "its process is alive on {host}",
    "cli.holder-dead": "its process is gone, and nothing that it started runs",
    "cli.holder-step": "its process is gone, but a command that it started still runs on {host}",
    "cli.hosts": Plural("{count} host", "{count} hosts"),
    "cli.interrupted-asking": "Interrupted at the question: it was not done.",
    "cli.interrupted.cure": "kjpstate plan   shows how things stand",
    "cli.is-locked": "{host} is locked:",
    "cli.keeps": "{path} now says what stands in {file}: {edits}.",
    "cli.kept-first": "Kept first: {backup}",
    "cli.key-length": "kjpstate's key {file} has {count} bytes, not {wanted}",
    "cli.key-length.cure": (
        "remove the file; a new key is made, and plans saved with the old one become stale"
    ),
    "cli.key-not-read": "kjpstate's key {file} can't be read: {reason}",
    "cli.keys": "Keys of the document",
    "cli.left-half-done": "What that run left half done, the next apply settles first.",
    "cli.lock-broken": "The lock of run {run} on {host} is broken.",
    "cli.lock-cleared": "{what}: it is removed, and {host} is free.",
    "cli.locked-by-another": "{host} is locked by run {run}, not by {wanted}; nothing was done",
    "cli.locked-meanwhile": "{host} is locked by somebody else by now; nothing was done",
    "cli.locked-meanwhile.cure": "look again",
    "cli.more-would-change": "more than these texts would change in the document",
    "cli.name-a-file": "name a local file",
    "cli.needs-verb": "kjpstate needs a verb, such as plan",
    "cli.no-apps": "No apps in this document.",
    "cli.no-matplotlib": "--plot draws with matplotlib, and that is not installed",
    "cli.no-matplotlib.cure": (
        "pipx inject kjpstate matplotlib   (or, where pip installed kjpstate: pip install "
        "matplotlib)"
    ),
    "cli.no-page": "there is no rule or key {word}",
    "cli.no-page-but": "there is no rule or key {word}; did you mean {close}?",
    "cli.no-page.cure": "kjpstate explain   lists them all",
    "cli.no-patches": "{address} is no patch of this document; it has no patches",
    "cli.no-plan-saved": "no plan was saved; leave the host out with --limit, or wait",
    "cli.no-run": "{run} is not the name of a run: six hex digits",
    "cli.no-run-id": "{word} is no id of a run: those are six of the digits 0-9a-f",
    "cli.no-run-id.cure": "kjpstate history   has their ids",
    "cli.no-run.cure": "kjpstate backups   lists them",
    "cli.no-saved-plan": "{file} is no saved plan",
    "cli.no-such-file": "no such file: {file}",
    "cli.no-such-patch": "{address} is no patch of this document; it has {known}",
    "cli.no-such-run": "no run {word} is remembered on this machine",
    "cli.no-such-run.cure": (
        "kjpstate history   has their ids; one that a host told is shown where it was run"
    ),
    "cli.no-language": "--lang {language}: no such language; there is {offered}",
    "cli.no-language.cure": "kjpstate --lang en VERB",
    "cli.no-verb": "there is no verb {verb}",
    "cli.no-verb-but": "there is no verb {verb}; did you mean {close}?",
    "cli.no-while": "{option} {text}: no while",
    "cli.no-while.cure": "such as 30m, 12h, 7d, 4w",
    "cli.not-as-it-stands": "the document can't say this text as it stands in the file",
    "cli.not-locked": "{host} is not locked.",
    "cli.not-trusted": "{host} is not trusted: the answer was not yes. Nothing was remembered.",
    "cli.not-undone": "Run {run} was NOT rolled back, what it changed still stands: {why}",
    "cli.not-undone.cure": "  kjpstate rollback {run}   tries again",
    "cli.not-written": "{why}; nothing was written",
    "cli.not-written.cure": "write it there yourself:\n{text}",
    "cli.not-yes": "Nothing was done: the answer was not yes.",
    "cli.nothing-to-keep": "{address}: no block was edited by hand; nothing to keep.",
    "cli.nothing-to-undo": "Nothing is rolled back: this run changed nothing.",
    "cli.nowhere": "The folder that you are in does not exist any more.",
    "cli.nowhere.cure": "cd to another one",
    "cli.one-document": "backups takes one document, not {documents}",
    "cli.out-is-a-folder": "--out {out} is a folder; name a file, such as {folder}/bot.plan",
    "cli.out-is-there": "--out {out} is there already and is no saved plan; name another file",
    "cli.output": "The output can't be written: {reason}.",
    "cli.own-folder": "kjpstate's own folder can't be made: {reason}",
    "cli.own-folder.cure": "name another one in $KJPSTATE_STATE",
    "cli.page-alone": "the page of {word} needs no document",
    "cli.page-alone.cure": "kjpstate explain {word}",
    "cli.plan-of": "of {words}; old values are not kept in a saved plan",
    "cli.plan-saved": "{file}   saved {created} by kjpstate {tool}   {use}",
    "cli.plan-used": "used by run (not known)",
    "cli.plan-used-by": "used by run {run}",
    "cli.plot-ending": "--plot {plot}: a picture ends in {endings}",
    "cli.plot-ending.cure": "--plot watch.html",
    "cli.plot-not-written": "the plot {file} can't be written: {reason}",
    "cli.plot-not-written.cure": "name another file with --plot",
    "cli.plot-without-watch": "--plot draws what --monitor saw",
    "cli.plot-without-watch.cure": "add --monitor 30m",
    "cli.prune-asks": "prune asks before it removes, and can't ask here.",
    "cli.prune-asks.cure": "add --yes",
    "cli.prune-needs": "backups prune needs --keep N, --keep-days D, or both",
    "cli.prune-these": "Remove these for good?",
    "cli.question": "{question} Only yes, in full, is a yes: ",
    "cli.resources": Plural("{count} resource", "{count} resources"),
    "cli.results-not-written": "the results {file} can't be written: {reason}",
    "cli.results-not-written.cure": "name another file with --junit",
    "cli.roll-back": "Roll run {run} back?",
    "cli.rollback-asks": "rollback asks before it acts, and can't ask here.",
    "cli.rollback-asks.cure": "add --yes to roll back without asking",
    "cli.rolled-back-already": "run {run} is rolled back already; nothing was done",
    "cli.rows": "{rows:lines}",
    "cli.saved": "Saved: {file}   good until {until}, once",
    "cli.several-runs": "{word} begins several runs: {ids}",
    "cli.several-runs.cure": "type more of the id",
    "cli.shows": "{host} ({address} port {port}) shows:",
    "cli.since": "--since {text}: neither a day nor a while",
    "cli.since.cure": "such as 2026-03-01, 30m, 12h, 7d, 4w",
    "cli.timer": "{systemctl} list-timers   shows when; journalctl -u {name} what it said",
    "cli.timer-user": (
        "{systemctl} list-timers   shows when; journalctl -u {name} what it said; loginctl "
        "enable-linger   lets it run while you are logged out"
    ),
    "cli.trial-no-end": "no end within {seconds} s",
    "cli.trust-asks": "trust asks before it remembers a key, and there is no terminal to ask on.",
    "cli.trust-asks.cure": (
        "add --fingerprint SHA256:…, as ssh-keygen -lf prints it on the host itself"
    ),
    "cli.trust-local": "trust {host}: it is this machine; there is no key to remember",
    "cli.trust-no-host": "trust {host}: no such host; the document has {hosts}",
    "cli.trust-pinned": "trust {host}: the document itself says its key, host_key: {key}",
    "cli.trust-pinned.cure": "correct host_key at {where} if the box was set up anew",
    "cli.trust-this": "Is {host} the box you mean?",
    "cli.trusted": "{host} is trusted: {count} of its keys in {file}",
    "cli.undoing": "Rolling run {run} back, since it does not hold:",
    "cli.unlock-alive": (
        "That run is alive. It will stop at its next action, but what it is at now goes on: "
        "{host} may be written by two at once."
    ),
    "cli.unlock-asks": "unlock asks before it breaks a lock, and there is no terminal to ask on.",
    "cli.unlock-asks.cure": "add --run {run} to break just that run's lock",
    "cli.usage.cure": "{command} --help",
    "cli.use-not-noted": "that {path} is used now can't be noted: {reason}",
    "cli.valid": "{path} is valid: {counts}.",
    "demo.apply": "It does just that, backups first, and checks the result.",
    "demo.cure": "The same document cures it.",
    "demo.disturb": "Now somebody edits resolved.conf on the box, and a patch in src/wa.ts.",
    "demo.drift": "What cron would report: one row a drift, exit code 2.",
    "demo.failed": "The demo did not do what it says: {what}. That is a mistake of ours.",
    "demo.failed.cure": "kjpstate demo --keep   leaves the machines for a closer look",
    "demo.folder": "A demo in {folder}.",
    "demo.kept": (
        "The two machines are still in {folder}. Next: kjpstate validate, with a document of "
        "your own."
    ),
    "demo.machines": (
        "Two machines: pc, where the bot is written and built, and stb, where it runs."
    ),
    "demo.must-be-empty": "the second plan is empty",
    "demo.must-be-in-sync": "after the apply all is in sync",
    "demo.must-change": "the first plan has changes",
    "demo.must-end-in-sync": "all is in sync at the end",
    "demo.must-exit": "drift is exit code 2",
    "demo.must-find": "both edits are found",
    "demo.must-hold": "{file} holds {before}",
    "demo.must-succeed": "the apply succeeds and every check passes",
    "demo.plan": "It looks at both machines and shows what differs. Nothing is changed.",
    "demo.plan-again": "The second plan is empty: nothing is done twice.",
    "demo.removed": (
        "{folder} is removed again. Next: kjpstate validate, with a document of your own."
    ),
    "demo.silent": "In sync again: silent, exit code 0.",
    "demo.simulated": (
        "Simulated: SSH, systemd-resolved, PM2, tsc and npm. Real: the files there, and all of "
        "kjpstate."
    ),
    "host-key-changed.trusting": "{host} shows no key {fingerprint}; nothing was remembered",
    "host-key-changed.trusting.cure": (
        "compare with ssh-keygen -lf on the host itself; somebody may stand between"
    ),
    "host-key-revoked.trusting": (
        "{host}: a known_hosts file marks {keys} as revoked for this host; nothing was remembered"
    ),
    "host-key-revoked.trusting.cure": "give the box new host keys, then: kjpstate trust {host}",
    "locked.another-users": "the lock of {host} is not broken: it is {whose}",
    "locked.another-users.cure": (
        "wait for it: add --lock-timeout 5m; or end that run on {host} itself, as that user"
    ),
    "locked.checking": "another check of {document} is still at work, run {run}; nothing was done",
    "locked.not-broken": "the lock of {host} is not broken: {why}",
    "locked.not-broken.cure": (
        "wait for it: add --lock-timeout 5m; or end that process on the host itself"
    ),
    "no-tree-sitter.reading": "{file} can't be read without tree-sitter ({error})",
    "schedule.asks": "schedule asks before it writes, and there is no terminal to ask on.",
    "schedule.asks.cure": "add --yes; kjpstate schedule --show   shows what would be written",
    "schedule.cron-hint": "cron mails you what it prints: nothing while all is in sync",
    "schedule.crontab": "your crontab",
    "schedule.every": (
        "--every {text}: expected minutes that divide the hour, or hours that divide the day"
    ),
    "schedule.every.cure": "such as 5m, 10m, 15m, 30m, 1h, 6h, 24h",
    "schedule.no-scheduler": "there is neither systemd nor cron on this machine",
    "schedule.no-scheduler.cure": (
        "install cron (apt install cron), or run kjpstate drift from a scheduler of your own"
    ),
    "schedule.not-scheduled": "Not scheduled in {place}. kjpstate schedule   would write:",
    "schedule.nothing-there": "{place} has nothing of this document; nothing was done.",
    "schedule.remove-this": "Remove this?",
    "schedule.task-environ": "a Windows task can't carry {names}",
    "schedule.task-environ.cure": "set it for your account (setx), or unset it here",
    "schedule.task-hint": (
        "schtasks /Query /TN {name} /V   shows its last result: 0 in sync, 2 drift"
    ),
    "schedule.task-place": "the Windows task {name}",
    "schedule.there-already": "{place} has it already; nothing was written.",
    "schedule.timer-place": "systemd, {name}.timer",
    "schedule.trial": "A trial run in that environment …",
    "schedule.trial-failed": (
        "in the scheduler's bare environment `drift` ended with exit code {status}: {said}"
    ),
    "schedule.trial-silent": (
        "in the scheduler's bare environment `drift` ended with exit code {status}: it said nothing"
    ),
    "schedule.trial.cure": (
        "nothing was written. A key that only an agent has, or an ${{env:…}}, is not there at night"
    ),
    "schedule.units-not-removed": "the units can't be removed: {reason}",
    "schedule.units-not-written": "the units can't be written: {reason}",
    "schedule.unprintable": "{text!r} has a sign that no schedule can hold",
    "schedule.unprintable.cure": "give that file another name",
    "schedule.works": "It works there: exit code 0, in sync.",
    "schedule.works-drift": "It works there: exit code 2, it found drift.",
    "schedule.works-locked": "It works there: exit code 4, another run is at work.",
    "schedule.works-refused": "It works there: exit code 8, something is refused.",
    "schedule.works-unreachable": "It works there: exit code 3, a host was not reached.",
    "schedule.write-this": "Write this?",
    "schedule.written": "Written. {hint}",
    "stale-plan.saved.cure": "kjpstate plan --out FILE   saves a new one",
    "stale-plan.cut-off": (
        "run {run} on {host} was cut off after {path} was saved; nothing was done"
    ),
    "stale-plan.cut-off.cure": "kjpstate apply   finishes or undoes that run first",
    "stale-plan.moved": "{why:semicolons}; nothing was done",
    "stale-plan.no-document": "{document}, of which {path} is a plan, is not there any more",
    "stale-plan.no-document.cure": "put it back, or save a plan of another document",
    "stale-plan.used": (
        "{path} was used already, whether that run came to its end or not; a plan is used once"
    ),
    "stale-plan.used-by": (
        "{path} was used already by run {run} at {at}, whether that run came to its end or "
        "not; a plan is used once"
    ),
}
