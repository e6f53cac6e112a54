"""The words of a document's problems, and of the ways not to find one."""

MESSAGES = {
    "document.a-list": "a list",
    "document.a-mapping": "a mapping",
    "document.a-number": "a number",
    "document.a-text": "a text",
    "document.a-whole-number": "a whole number",
    "document.alias": "alias *{name} is not supported; write the value out",
    "document.alias-of-pm2": "`{key}` is only another name of PM2's `{name}`; write `{name}`",
    "document.all-excluded": "--exclude leaves no host to look at",
    "document.app-twice": "the app {app} stands twice on {host}; first at line {line}",
    "document.asks-nothing": "it asks nothing; expected one of {keys}",
    "document.an-empty-text": "an empty text",
    "document.anchor": "anchor &{name} is not supported; write the value out",
    "document.binary": (
        "a zero byte: this is binary, or damaged; a document is text, saved as UTF-8"
    ),
    "document.carriage-return": (
        "a line end that is a carriage return alone (U+000D); save the file with LF line ends"
    ),
    "document.channel-twice": "the channel {channel} stands twice",
    "document.check-twice": "the check {check} stands twice; first at line {line}",
    "document.command-empty": "the command is empty",
    "document.deploy-onto-itself": "the folder is deployed onto itself; leave `deploy` out",
    "document.did-you-mean": "{reason}; did you mean `{meant}`?",
    "document.dots": "`..` is not allowed in a path; write the folder itself",
    "document.double-encoded": "double-encoded text; it was meant as: {meant}",
    "document.drive": "expected / after the drive: {path}",
    "document.dropped-server": (
        "systemd-resolved drops {server} silently; expected another machine's address"
    ),
    "document.edit-twice": "the id {edit} stands twice in this set; first at line {line}",
    "document.either": "{forms:ors}",
    "document.empty": (
        "the document is empty; expected keys such as `kjpstate: 1`, `hosts:` and `dns:`"
    ),
    "document.file-not-folder": "expected a file, found the folder {path}",
    "document.folder": "{path} is a folder, not a document",
    "document.folder-from-environ": (
        "{path} (from $KJPSTATE_DOCUMENT) is a folder, not a document"
    ),
    "document.folder.cure": "Name a file, such as {file}",
    "document.from-a-fleet": "{host} is a fleet; expected one host to deploy from",
    "document.goes-with": "`{key}` goes with `{partner}`",
    "document.guardrail-accepted": (
        "a guardrail can't be accepted; change its `value`, or take it out"
    ),
    "document.here-is-many": "--here {host}: {count} machines bear that name",
    "document.here-is-many.cure": "one of {first}, …",
    "document.invisible": "an invisible character ({sign}); delete it",
    "document.is-not": "{found} is not {expected}",
    "document.item-twice": "{item} stands twice in the list",
    "document.json-lines": (
        "the app's lines are JSON, with no date in front; expected apply, or for the app no "
        "log_type"
    ),
    "document.key-missing": "the key `{key}` is missing",
    "document.key-missing-for": "the key `{key}` is missing: {description:gist}",
    "document.key-no-text": "a key must be a text, not a list or a mapping",
    "document.key-twice": "the key {key} stands twice; it stands first at line {line}",
    "document.known-shapes": "one of its known shapes",
    "document.list-each": "a list, each {item}",
    "document.list-empty": "the list is empty; expected at least one entry",
    "document.machine-twice": "{address} stands twice; it is {host} (line {line}) already",
    "document.mapping-empty": "the mapping is empty; expected {expected}",
    "document.mapping-with": "a mapping with {keys}",
    "document.marker-in-content": (
        "the content holds a marker of ours ({marker}); write only what stands between them"
    ),
    "document.may-mean": "{found} may mean {meant} or a text; write {meant}, or quotes",
    "document.merge-key": "merge keys (<<) are not supported; write the keys out",
    "document.more": "and {count} more",
    "document.name-empty": "the document's name is empty",
    "document.name-one": "Name one: kjpstate VERB DOCUMENT",
    "document.no-address-at-all": "no such address {address}; the document has none",
    "document.no-brace": "{reference} has no closing brace",
    "document.no-date": (
        "{text} is no date; expected apply, a time such as 30m or 2h, or a moment like "
        "2026-11-25 21:00"
    ),
    "document.no-day": "{day} is not a day of the calendar",
    "document.no-dns-server": (
        "{found} is not the IP address of a DNS server, such as 8.8.8.8 or "
        "[2606:4700:4700::1111]:53"
    ),
    "document.no-edits": "the key `edits` is missing: a set without edits changes nothing",
    "document.no-host-name": "{found} is not a host name or an IP address",
    "document.no-hosts": "unknown host {host}; declare it under `hosts`",
    "document.no-line-to-look-for": "expected a text of one line to look for",
    "document.no-logs": (
        "the app keeps no logs; expected one whose out_file or error_file is kept"
    ),
    "document.no-mapping": (
        "the document is not a mapping; expected keys such as `kjpstate: 1`, `hosts:` and `dns:`"
    ),
    "document.no-quotes": "{reason}; leave the quotes out",
    "document.no-secret": (
        "a secret is not allowed here; `env` of an app takes them, and of `notify` URLs, "
        "`headers` and `env`"
    ),
    "document.no-section-dns": (
        "`{key}` compares with a section dns, and there is none for {host}"
    ),
    "document.no-shell.and": (
        "no shell reads this command, so `{sign}` would do nothing; write each command at a key "
        "of its own (`check`, `run`), and the folder as `directory`"
    ),
    "document.no-shell.line-break": (
        "no shell reads this command, so a line break would do nothing; write the command as a "
        "list of words, if the sign is meant literally"
    ),
    "document.no-shell.semicolon": (
        "no shell reads this command, so `{sign}` would do nothing; write each command at a key "
        "of its own (`check`, `run`)"
    ),
    "document.no-shell.sign": (
        "no shell reads this command, so `{sign}` would do nothing; write the command as a list "
        "of words, if the sign is meant literally"
    ),
    "document.no-shell.word": (
        "no shell reads this command, so {sign} would do nothing; write the command as a list of "
        "words, if the sign is meant literally"
    ),
    "document.no-ssh-address": (
        "{found} is not an address; expected [user@]address[:port] such as root@192.168.100.104"
    ),
    "document.no-such-address": "no such address {address}",
    "document.no-such-address-of": "no such address {address}; the document has {addresses}",
    "document.no-such-app": "no section pm2 of {host} has an app {app}",
    "document.no-such-host": "{option} {host}: no such host; the document has {hosts}",
    "document.no-such-rule": "no such rule {rule}",
    "document.no-url": (
        "expected a URL that starts with https:// or http://, has a host, and is plain ASCII; a "
        "user or password goes into `headers`"
    ),
    "document.no-variable-name": "{name} is not the name of an environment variable",
    "document.none-here": (
        "no document: neither {name} here or in a folder above, nor one *.yaml in states/"
    ),
    "document.none-of-the-keys": "expected exactly one of the keys {keys}; found none",
    "document.not-absolute": "expected an absolute path on {host}, starting with /; found {found}",
    "document.not-allowed": "{found} is not allowed here",
    "document.not-relative": (
        "expected a path that starts from the section's directory, such as src/ or package.json"
    ),
    "document.not-there": "no such document: {path}",
    "document.not-there-from-environ": "no such document: {path} (from $KJPSTATE_DOCUMENT)",
    "document.not-there.cure": "Name an existing file: kjpstate VERB DOCUMENT",
    "document.not-utf-8": "not UTF-8 text; save the file as UTF-8",
    "document.nothing-to-find": "the code to find is empty",
    "document.number-from": "a whole number from {low}",
    "document.number-from-to": "a whole number from {low} to {high}",
    "document.numbered-logs": (
        "PM2 puts a number into the names of this app's logs, as it has instances or runs in a "
        "cluster; expected for the app merge_logs: true"
    ),
    "document.objection": "the schema's `{word}` does not allow this value",
    "document.odd-name": "no folder on Windows can be called {name}; choose another name",
    "document.one-key-of": "expected one of the keys {keys}",
    "document.one-of": "one of {choices}",
    "document.only-beside": "`{key}` is of use only beside `{other}`; the key `{other}` is missing",
    "document.path-with-blanks": ("a path with a line break or with blanks around it; delete them"),
    "document.problem": "{file}:{line}:{column}: {reason}",
    "document.quiet-for-ever": (
        "{hours} has no end, and nothing but a dead bot would ever be told"
    ),
    "document.quote-open": "a quote is not closed",
    "document.schema-text": "{text:schema}",
    "document.second": "a second document; write only one in a file",
    "document.secret-no-file": "{file} is not a file",
    "document.secret-no-text": "it is not UTF-8 text",
    "document.secret-too-large": (
        "the file {file} does not hold a secret of at most 64 KiB of text"
    ),
    "document.secret-unreadable": "the file {file} can't be read: {why}",
    "document.section-twice": "{what} stands twice for {host}; first at line {line}",
    "document.several": "several documents here: {names}",
    "document.several-of-the-keys": "expected exactly one of the keys {keys}; found {given:ands}",
    "document.several.cure": "Name one: kjpstate VERB {name}",
    "document.slashes": "write the path with /: {path}",
    "document.slashes-in-command": "write paths with /: {command}",
    "document.tag": "the tag {tag} is not supported; write the value alone",
    "document.together": "{keys:ands} together; expected only one of them",
    "document.too-deep": "the document goes deeper than {most} levels",
    "document.too-large": "the document is larger than {most} KiB",
    "document.too-many": "the document goes beyond {most} values",
    "document.true-or-false": "true or false",
    "document.undated-lines": (
        "the app's lines bear no date that could be compared; expected apply, or for the app "
        'log_date_format: "YYYY-MM-DD HH:mm:ss"'
    ),
    "document.unknown-host": "unknown host {host}",
    "document.unknown-host-of": "unknown host {host}; hosts has {hosts}",
    "document.unknown-key": "unknown key `{key}`",
    "document.unknown-key-of": "unknown key `{key}`; expected one of {keys}",
    "document.unlike": "expected {expected}, found {found}",
    "document.unreadable": "{path} can't be read: {why}",
    "document.unreadable-yaml": "not readable as YAML from here on: {why}",
    "document.unreadable.cure": "Name the document: kjpstate VERB DOCUMENT",
    "document.until-missing": (
        "an accepted difference needs `until`, the last day on which it is, such as 2027-01-31"
    ),
    "document.utf-16": "not UTF-8 text; save the file as UTF-8: it is UTF-16 now",
    "document.value-missing": "the value is missing; expected {expected}",
    "document.value-missing-empty": (
        'the value is missing; expected {expected}; for an empty text write ""'
    ),
    "document.value-missing-this": (
        'the value is missing; expected {expected}; for this text write "{text}"'
    ),
    "document.variable-as-program": (
        "no shell reads this command, so `{word}` would be taken for a program; start it with `env`"
    ),
    "document.variable-not-set": (
        "the environment variable {name} is not set; set it and run again"
    ),
    "document.write": "{reason}; write {meant}",
    "document.yaml": "not valid YAML: {problem}",
    "document.yaml-colon": "{reason}; put a text that holds `: ` in quotes",
    "document.yaml-escape": "{reason}; write paths with / or put the text in single quotes",
    "document.yaml-sign": "{reason}; put a text that starts with this character in quotes",
    "document.yaml-tab": "{reason}; indent with spaces, not with a tab",
    "document.yaml-unexpected": "not valid YAML: unexpected text",
    "document.zeros": (
        "the file holds nothing but zero bytes, as a power cut leaves it; take it from a backup"
    ),
}
