"""The words of what `hosts/` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kjpstate.words.plural import Plural

MESSAGES: Final[Mapping[str, str | Plural]] = {
    "here-other-user.other": (
        "--here {host}: the document knows it as {user}@{address}, and this is {me}"
    ),
    "here-other-user.other.cure": "run it as {user}",
    "here-other-user.windows": "--here {host}: it is a POSIX machine, and this one runs Windows",
    "host-key-changed": "{place} shows {keys}, but we know {known:or}; nothing was sent",
    "host-key-changed.cure": (
        "if the box was set up anew: kjpstate trust {host}   else somebody may stand between"
    ),
    "host-key-changed.pinned.cure": (
        "if the box was set up anew: correct host_key at {where}   else somebody may stand between"
    ),
    "host-key-revoked": (
        "{place} shows {keys}, which a known_hosts file marks as revoked; nothing was sent to it"
    ),
    "host-key-revoked.cure": "give the box new host keys, then: kjpstate trust {host}",
    "host-key-unknown": (
        "{place} shows {keys}, which nobody has confirmed yet; nothing was sent to it"
    ),
    "host-key-unknown.cure": "kjpstate trust {host}   shows it again, asks, remembers it",
    "hosts.at": "{path} {why}",
    "hosts.backup-is-a-link": "{backup} is a symbolic link; it is left alone",
    "hosts.changed-meanwhile": "{path} was changed by somebody else meanwhile; that stands",
    "hosts.denied-or-open": "permission denied, or another program has it open",
    "hosts.failed": "{path}: {reason}",
    "hosts.file-and-folder": (
        "{path}: {name} is a file where a folder must be, or a folder where a file must be"
    ),
    "hosts.file-for-folder": "{path} is a file where a folder must be",
    "hosts.folder-for-file": "{path} is a folder where a file must be",
    "hosts.folder-not-file": "{path} is a folder, not a file",
    "hosts.folder-now": "{path} is a folder now",
    "hosts.is-a-folder": "is a folder",
    "hosts.is-no-folder": "is not a folder",
    "hosts.is-no-regular-file": "is not a regular file",
    "hosts.killed": "was killed by a signal",
    "hosts.lacks-tool": "{host} has no {tool}; kjpstate needs it there",
    "hosts.late-lost": "{path}: what others wrote there meanwhile could not be brought along",
    "hosts.leads-nowhere": "is a symbolic link to {target}, which does not exist",
    "hosts.left-over": "{path} is taken away, but {left} can't be removed: {reason}",
    "hosts.line-end": "{path}: a name with a line end can not be managed",
    "hosts.link-not-replaced": "{path} is a symbolic link; kjpstate does not replace it",
    "hosts.link-not-switched": "{path} is a symbolic link to {target}; kjpstate does not switch it",
    "hosts.link-not-written": (
        "{path} is a symbolic link to {target}; kjpstate does not write through it"
    ),
    "hosts.may-not-change": "{path} is not among what this document may change on {host}",
    "hosts.moved-while-kept": "{path} moved while it was backed up",
    "hosts.moved-while-read": "moved while it was read",
    "hosts.no-command": "{command}: no such command",
    "hosts.no-folder": "no folder {folder}",
    "hosts.no-folder-at": "{path} is not a folder",
    "hosts.no-folder-for": "{path}: its folder does not exist",
    "hosts.no-folder-here": "{folder} is no folder on this machine",
    "hosts.no-folder-here.cure": (
        "correct hosts.{host}.local, or run kjpstate on the machine that has it"
    ),
    "hosts.no-name-for-original": "{path}: no name to keep the original by",
    "hosts.no-name-in-a-tree": "{name!r} can't be the name of a file of a tree",
    "hosts.no-name-of-a-backup": (
        "{backup} bears no name of a backup of run {run}; it is left alone"
    ),
    "hosts.no-name-of-state": "{name!r} can't be the name of a file in the state folder",
    "hosts.no-parent": "{path}: the folder it should be in does not exist",
    "hosts.no-path-on-windows": "{path!r} can't be the path of a file or folder on Windows",
    "hosts.no-proc": "no /proc on this host",
    "hosts.no-regular-file-at": "{path} is not a regular file",
    "hosts.no-such-folder": "there is no folder {folder}",
    "hosts.not-a-folder": "{path} is there and is not a folder",
    "hosts.not-as-planned": "{path} is not as the plan saw it any more",
    "hosts.not-done-by-hosts": "{action} is not done by a host as it stands",
    "hosts.not-in-time": "{command} did not end within {seconds:g} s",
    "hosts.not-kept-first": "{path}, which a command is about to write, was not kept first",
    "hosts.not-known-yet": "{path}: what should be there is not known yet",
    "hosts.not-understood": "the host answered in a way kjpstate does not understand",
    "hosts.not-what-was-put-back": (
        "{path} does not hold what was put back; somebody else is writing it"
    ),
    "hosts.not-what-was-sent": "{path}: what arrived is not what was sent",
    "hosts.not-what-was-written": (
        "{path} does not hold what was written; somebody else is writing it"
    ),
    "hosts.not-written": "{path} can not be written",
    "hosts.of": "{host}: {why}",
    "hosts.original-gone": "{path}: its original {backup} is gone",
    "hosts.others": "other users",
    "hosts.permission-denied": "permission denied",
    "hosts.probe-failed": "the probe {probe} failed: {reason}",
    "hosts.probe-not-in-time": "the probe {probe} did not end in time",
    "hosts.reads-back-differently": "{path}: what was written beside it reads back differently",
    "hosts.source-moved": "{path}: what came is not what the plan saw at its source any more",
    "hosts.source-moved-at": "{path} is not what the plan saw at {source} any more",
    "hosts.still-running": "still running after {seconds:g} s, stopped",
    "hosts.system": "{reason}",
    "hosts.too-large": "is larger than {size} MiB",
    "hosts.too-large-below": "{name}: is larger than {size} MiB",
    "hosts.tool": "{line}",
    "hosts.unread": "{host}: {path}: {reason}",
    "hosts.user": "user {number}",
    "known-hosts.broken-line": (
        "{path}:{line}: nothing can be made of this line; it is skipped, as ssh does"
    ),
    "known-hosts.broken-line.utf-16": (
        "{path}:{line}: nothing can be made of this line (it is UTF-16, such as PowerShell's >> "
        "writes); it is skipped, as ssh does"
    ),
    "known-hosts.broken-lines": (
        "{path}:{line}: nothing can be made of this line, nor of {more} more; it is skipped, as "
        "ssh does"
    ),
    "known-hosts.broken-lines.utf-16": (
        "{path}:{line}: nothing can be made of this line, nor of {more} more (it is UTF-16, such "
        "as PowerShell's >> writes); it is skipped, as ssh does"
    ),
    "known-hosts.byte-order-mark": (
        "{path}:1 begins with a byte order mark, so that line counts for nothing: save it without"
    ),
    "known-hosts.no-file": "{path} is no file: nothing in it counts",
    "known-hosts.unread": "{path} can't be read ({reason}): nothing in it counts",
    "known-hosts.utf-16": "{path} is UTF-16, which ssh can't read either: save it as UTF-8",
    "link.agents-keys": "the agent's keys",
    "link.broke-off": "{host} broke off (exit code {code}): {reason}",
    "link.cut": "{place}: the connection broke off: {reason}",
    "link.cut.cure": "try again; is that port sshd's?",
    "link.dead": "{host} does not answer any more",
    "login-refused": "{place} let {user} in with none of our keys; tried: {tried}",
    "login-refused.cure": "{bring}   or, if that key has a passphrase: ssh-add {key}",
    "login-refused.no-key.cure": (
        "ssh-keygen -t ed25519   then {bring}   or, if that key has a passphrase: ssh-add {key}"
    ),
    "link.lost": "the link to {host} was lost; whether its last action happened is not known",
    "link.lost-by": "the link to {host} was lost: {reason}",
    "link.lost-in-box": "the link to {host} was lost",
    "link.lost-in-box.cure": "apply again",
    "link.lost.cure": "run it again: it reads what is before it acts",
    "link.no-address": "no address",
    "link.no-answer": "{host}: {place} did not answer within {seconds} s",
    "link.no-key": "no key at all: there is none",
    "link.no-key-file": "{host}: the key file {file} does not exist",
    "link.no-key-file.cure": "mend `identity`",
    "link.no-login": "{place} took the connection but no login within {seconds} s",
    "link.no-login.cure": "is that port sshd's?",
    "link.no-private-key": "{host}: {files} is no private key: {reason}",
    "link.no-private-key.cure": (
        "name the file without .pub; of a PuTTY key, what PuTTYgen exports as an OpenSSH key"
    ),
    "link.no-reason": "no reason given",
    "link.no-way": "{host}: no way to {place}: {reason}",
    "link.not-understood": "{host} answered in a way kjpstate does not understand",
    "link.nothing-listens": "{host}: nothing listens at {place} (connection refused)",
    "link.nothing-listens.cure": "does sshd run there, and is this its port?",
    "link.off.cure": "is the box on, and in this network?",
    "link.refused-command": "{host} would not run a command: {reason}",
    "link.silent": "{host} did not answer within {seconds} s",
    "link.some-key": "a key in ~/.ssh",
    "link.this-user": "this user",
    "link.unreachable": "{host} can't be reached",
    "link.unreachable.cure": "wait until it is back",
    "link.unresolved": "{host}: the name {name} can't be resolved",
    "link.unresolved.cure": (
        "write the address in the document, or look whether this machine's own DNS works"
    ),
    "link.was-lost": "the link was lost",
    "lock.again-and-again": "others take it and leave it, again and again",
    "lock.damaged": (
        "{host}: {reason}: it stands where the lock should, so nobody knows whether a run is at"
        " work; nothing was done"
    ),
    "lock.damaged.cure": "kjpstate unlock {host} --force   removes it",
    "lock.foreign": "{path} belongs to user {user}",
    "lock.is-a-folder": "{path} is a folder",
    "lock.is-a-link": "{path} is a symbolic link",
    "lock.is-empty": "{path} is empty",
    "lock.is-no-regular-file": "{path} is not a regular file",
    "lock.is-too-large": "{path} is too large for a lock",
    "lock.left": "{path}, which a dead run left, can not be removed",
    "lock.no-lock": "{path} does not read as a lock",
    "lock.not-taken": "{host} is not locked for a run",
    "lock.place-is-no-folder": "{path} is not a folder",
    "lock.place-is-open": "{path} can be written by others",
    "lock.taken-already": "{host} is already locked by this run",
    "lock.taken-away": "the lock was taken away from this run",
    "lock.too-many-died": "too many have died removing it: remove {path}* by hand",
    "lock.unmade": "{host}: the lock or the state folder can't be made: {reason}",
    "lock.unread": "{host}: the lock {path} can't be read: {reason}",
    "lock.unread-here": "the lock {path} can't be read: {reason}",
    "lock.unread-there": "{host}: the lock can't be read: {reason}",
    "lock.unremovable": "{path} can't be removed: {reason}",
    "lock.unremoved-here": "the lock {path} can't be removed: {reason}",
    "lock.unremoved-there": "{host}: the lock can't be removed: {reason}",
    "lock.unsafe": (
        "{host}: no lock can be kept: {reason}, and what stands there may be anybody's; nothing"
        " was done"
    ),
    "lock.unsafe.cure": (
        "look at it, then remove it or give it back to its owner: kjpstate makes it anew"
    ),
    "lock.untaken": "{host}: the lock {path} can't be taken: {reason}",
    "lock.whose": "{user}'s, {path}",
    "lock.whose-earlier": "an earlier version's, {path}",
    "locked": "{host} is locked by run {run} of {who} since {when} ({doing})",
    "locked.cure": (
        "add --lock-timeout 5m to wait for it; kjpstate unlock {host}   shows whether it lives"
    ),
    "locked.nothing-done": "{held}; nothing was done",
    "locked.step": (
        "{host} is locked by run {run} of {who} since {when} ({doing}), which is lost, but a "
        "command that it started still runs there"
    ),
    "locked.whose": "{held}; the lock is {whose}",
    "trust.key": "the host key {named:and}",
    "trust.keys": "the host keys {named:and}",
    "trust.no-pin": "host_key: neither SHA256:… nor a public key ({reason})",
    "trust.none-to-remember": "{host}: no host key to remember",
    "trust.shows-none": "{host}: something answers there, but it shows no host key",
    "trust.some-key": "a host key",
    "trust.unwritten": "{path} can't be written: {reason}; nothing was remembered",
    "trust.unwritten.cure": "look at it, or name another folder in $KJPSTATE_STATE",
    "unsafe-folder.behind-a-link": (
        "lies behind a link of user {user}, and is not theirs [unsafe-folder]"
    ),
    "unsafe-folder.behind-theirs": (
        "lies behind a link of {user}, and is not theirs [unsafe-folder]"
    ),
    "unsafe-folder.leads-through": (
        "{path} leads through a link that {user} may change, which is not followed; name the "
        "real folder in the document [unsafe-folder]"
    ),
    "unsafe-folder.link": (
        "{path}: {link} is a link that user {user} may change, which is not followed; name the "
        "real folder in the document [unsafe-folder]"
    ),
    "unsafe-folder.moved": "{path}: its folder was moved just now [unsafe-folder]",
    "unsafe-folder.no-way": (
        "{path}: its folder is of user {user}, and this host has no setpriv, runuser or su by "
        "which they could do it; chown root {folder} [unsafe-folder]"
    ),
    "unsafe-folder.no-way-inside": (
        "{path}: it is of user {user}, and this host has no setpriv, runuser or su by which "
        "they could act; chown -R root it [unsafe-folder]"
    ),
    "unsafe-folder.not-theirs": (
        "{path}: user {user}, whose folder it is in, can't read it; chown it to them "
        "[unsafe-folder]"
    ),
    "unsafe-folder.others": (
        "{path}: others than user {user} may change names in its folder; chmod go-w {folder} "
        "[unsafe-folder]"
    ),
    "unsafe-folder.others-inside": (
        "{path}: others than user {user} may change names in it; chmod -R go-w it, or chown -R "
        "it to one user [unsafe-folder]"
    ),
    "unsafe-folder.replaced": "{path} was replaced by another user meanwhile [unsafe-folder]",
}
