"""What an acceptance check says of what it saw."""

from kjpstate.words.plural import Plural

MESSAGES = {
    "check.parts": "{parts:semicolons}",
    # An app
    "check.alive": "{app} is alive",
    "check.not-alive": "{app} is not alive: {why}",
    "check.restarts": "{app} {rises}",
    "check.steady": "the restarts of {app} stand still",
    "check.settings": "{app} runs with every setting of the document",
    "check.other-settings": "{app} runs with {settings}",
    "check.no-settings": "no settings at all: it is not running",
    "check.setting": "{key} {found} instead of {wanted}",
    "check.setting-unset": "{key} unset instead of {wanted}",
    "check.setting-too-many": "{key} {found} instead of unset",
    "check.other-variable": "another env.{name}",
    "check.fresh": "{app} started after its files were put there",
    "check.stale": "{app} runs older code: {why}",
    "check.not-put-there": "nothing in this document puts its files there",
    # Its logs
    "check.log-unread": "{path} {why}",
    "check.log-has": "its logs have {texts:quoted} {since}",
    "check.log-lacks": "its logs lack {texts:quoted} {since}",
    "check.log-not": 'its logs have no "{text}" {since}',
    "check.log-found": Plural(
        'its logs have "{text}" once {since}, at last: {last}',
        'its logs have "{text}" {count} times {since}, at last: {last}',
    ),
    "check.log-undated": (
        'its logs have "{text}" in lines without a date; whether {since} is not known'
    ),
    "check.since-apply": "since the last apply",
    "check.since": "since {moment}",
    "check.in-last": "in the last {span}",
    "check.in-last-bytes": "in the last {size} KiB",
    "check.still-to-come": "{moment} is still to come: the host's own time is {now}",
    # Its CPU
    "check.cpu-unknown": "{app}: {why}",
    "check.cpu-gone": "{app} ended or was restarted while its CPU was measured",
    "check.cpu": "{app} used {percent:.0f}% of one core over {seconds:g} s",
    "check.cpu-over": (
        "{app} used {percent:.0f}% of one core over {seconds:g} s; the limit is {limit:g}%"
    ),
    # A file, a command
    "check.file-unread": "{path} could not be read: {why}",
    "check.no-file": "{path} is not there",
    "check.file-is-there": "{path} is there",
    "check.file-has": "{path} has {texts:quoted}",
    "check.file-lacks": "{path} lacks {texts:quoted}",
    "check.no-answer": "no answer",
    "check.not-run": "{command} could not be run: {why}",
    "check.ended-well": "{command} ended with 0",
    "check.killed": "{command} was killed",
    "check.killed-saying": "{command} was killed: {said}",
    "check.ended": "{command} ended with {code}",
    "check.ended-saying": "{command} ended with {code}: {said}",
    # Names
    "wan-down": (
        "every server is silent and not one of their machines can be reached: the way out of the"
        " host is down, so nothing is known about names [{rule}]"
    ),
    "check.no-resolved": "systemd-resolved does not run",
    "check.servers-untold": "this systemd-resolved does not tell the servers",
    "check.fallback-untold": "this systemd-resolved does not tell the fallback servers",
    "check.servers": "the servers are {found:words-or-none}",
    "check.servers-differ": (
        "the servers are {found:words-or-none}, the document says {wanted:words}"
    ),
    "check.fallback": "the fallback servers are {found:words-or-none}",
    "check.fallback-differ": (
        "the fallback servers are {found:words-or-none}, the document says {wanted:words}"
    ),
    "check.in-the-path": "programs ask systemd-resolved",
    "check.not-in-the-path": (
        "programs do not ask systemd-resolved: /etc/resolv.conf is not its own"
    ),
    "check.goes-to-ours": "{name} goes to them",
    "check.goes-to-link": "{name} goes to the servers of {links} instead",
    "check.goes-to-nobody": "{name} goes to the servers of nobody instead",
    "check.no-tool": "{name} could not be asked for: neither getent nor node is there",
    "check.not-resolved": "{name} does not resolve the way the bot asks ({tools})",
    "check.tool-said": "{tool}: {said}",
    "check.resolved": "{name} is {address}, the way the bot asks",
    "check.no-server-tool": (
        "{server} could not be asked: no dig, host, node or nslookup is there"
    ),
    "check.server-answers": "{server} answers",
    "check.server-fails": "{server} {failure}",
}
