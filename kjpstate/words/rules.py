"""The pages of the rules: their titles, what happens and why, and what to do."""

MESSAGES = {
    "anchor-ambiguous.page-title": "An edit's anchor fits more than one place",
    "anchor-ambiguous.page-text": (
        "An edit needs exactly one place. Its anchor (or its `within`) was found more than once, "
        "all of them are shown with their lines, and choosing one would be guessing. Blocks that "
        "kjpstate wrote are never searched."
    ),
    "anchor-ambiguous.page-cure": (
        "add `within`, or more of the text that stands around the right one"
    ),
    "anchor-missing.page-title": "An edit's anchor is not in the file",
    "anchor-missing.page-text": (
        "The text is compared word by word: blanks, line breaks, comments, quotes, optional `;` "
        "and trailing commas don't count, everything else does. Nothing fits, so the source has "
        "moved on or was never as the document says. The nearest lines are shown; nothing of the "
        "set is applied."
    ),
    "anchor-missing.page-cure": (
        "compare the nearest line; write it as the anchor, or as a second accepted form of "
        "`replace`"
    ),
    "anchor-shares-line.page-title": "The place shares its line with other code",
    "anchor-shares-line.page-text": (
        "Markers are whole lines, so a block can only stand on lines of its own. Breaking the line "
        "up would change bytes that are not ours."
    ),
    "anchor-shares-line.page-cure": (
        "put the statement, or the braces of a one-line block, on lines of their own in the file"
    ),
    "anchor-too-free.page-title": "An anchor fits so many places that looking for it would not end",
    "anchor-too-free.page-text": (
        "Each place at which an anchor may begin is tried, and after it each run that $$$ may "
        "stand for. Where that takes more steps than any anchor that is meant for one place, the "
        "search is given up."
    ),
    "anchor-too-free.page-cure": (
        "begin the anchor with a word of its own, and write more of what stands around $$$"
    ),
    "anchor-unreadable.page-title": "An anchor can't be looked for",
    "anchor-unreadable.page-text": (
        "An anchor is code: it needs at least one word, closed strings, and $$$ only between other "
        "words. insert_inside needs the text up to the {{ of the block that is meant."
    ),
    "anchor-unreadable.page-cure": "write the code as it stands in the file",
    "backup-damaged.page-title": "A backup is no original any more",
    "backup-damaged.page-text": (
        "Each backup is known by the digest it had when it was made. This one is gone, can't be "
        "read or holds other bytes, so putting it back would not bring the original back. Nothing "
        "of that run is rolled back."
    ),
    "backup-damaged.page-cure": (
        "put that file back by hand, from another backup, or leave it as it is"
    ),
    "baileys-differs.page-title": "Built against one Baileys, run with another",
    "baileys-differs.page-text": (
        "The compiler checks the source against the Baileys of the machine that builds; the bot "
        "runs with the one of its own machine. Where the two differ, what type-checks here may be "
        "missing there, or speak another protocol to WhatsApp."
    ),
    "baileys-differs.page-cure": (
        "let `deploy.with` carry package-lock.json and `deploy.install` run npm ci --omit=dev"
    ),
    "become-failed.page-title": "sudo did not let us in",
    "become-failed.page-text": (
        "The document says `become: sudo`, and the login user may not run commands as root without "
        "a password. kjpstate never types a password: it would stand in a process list or a log."
    ),
    "become-failed.page-cure": "log in as root, or allow the user NOPASSWD in sudoers",
    "binary.page-title": "The file is no source text",
    "binary.page-text": "It holds a zero byte. kjpstate patches text in UTF-8.",
    "binary.page-cure": "name the source file in the document",
    "byte-guard.page-title": "The result would touch bytes outside of our blocks",
    "byte-guard.page-text": (
        "Before anything is written, the blocks are taken out of the new text again; what is left "
        "must be the old text, byte for byte. It was not, so nothing is written. This is an error "
        "of kjpstate."
    ),
    "byte-guard.page-cure": "report it with the file and the document; until then edit by hand",
    "changed-since.page-title": "Something was changed after the run that is to be rolled back",
    "changed-since.page-text": (
        "What the run left is known by its digests. Somebody else, a person or a program, wrote to "
        "the file since; rolling back would take that away too. Nothing of that run is rolled "
        "back."
    ),
    "changed-since.page-cure": (
        "kjpstate rollback --force overwrites it, after keeping it; or put your change aside first"
    ),
    "content-syntax.page-title": "The new text is no whole code",
    "content-syntax.page-text": (
        "The text of an edit must be whole by itself: statements, members, properties or cases, "
        "with every bracket closed. Half a statement could only be checked by chance."
    ),
    "content-syntax.page-cure": (
        "write whole statements; use `replace` with the whole old statement where a part of it "
        "changes"
    ),
    "cr-eol.page-title": "The file has line ends that are carriage returns alone",
    "cr-eol.page-text": (
        "Such a file has one line for most tools, and a `//` marker would turn the rest of it into "
        "a comment."
    ),
    "cr-eol.page-cure": "save it with LF or CRLF line ends",
    "dns-owned.page-title": "Another document sets this host's dns",
    "dns-owned.page-text": (
        "The host remembers which document set the servers of systemd-resolved. With two of them "
        "each apply would undo the other's, and drift would be told for ever."
    ),
    "dns-owned.page-cure": (
        "drop the section dns in this document; or drop it in the other one, and write in this one "
        "takes_over: and the other one's name: the host does not forget by itself whose it was"
    ),
    "double-encoded.page-title": "A text was decoded twice",
    "double-encoded.page-text": (
        "The text looks like UTF-8 that was read as Windows-1252 and saved again: what should be "
        "one sign is three. An anchor with it fits nothing, a message with it reaches the users "
        "like that. kjpstate does not repair it silently."
    ),
    "double-encoded.page-cure": "write the sign itself",
    "ecosystem-esm.page-title": "Node would not load ecosystem.config.js here",
    "ecosystem-esm.page-text": (
        'The nearest package.json says "type": "module", so node takes every .js file below it for '
        "an ES module, where `module.exports` does not exist. PM2 would refuse the file and leave "
        "the app as it is. Files that end in .cjs are always loaded the way PM2 needs."
    ),
    "ecosystem-esm.page-cure": "name the file ecosystem.config.cjs in the document",
    "ecosystem-name.page-title": "PM2 would not take this file for an ecosystem",
    "ecosystem-name.page-text": (
        "PM2 goes by the name: only files that end in .config.js or .config.cjs (of those kjpstate "
        "can write) are read as an ecosystem. Any other name is started as if it were the app "
        "itself."
    ),
    "ecosystem-name.page-cure": "name it ecosystem.config.cjs or ecosystem.config.js",
    "ecosystem-unreadable.page-title": "The ecosystem file can't be looked at",
    "ecosystem-unreadable.page-text": (
        "Something stands at the path that is not a plain file we may read: a link, a folder, or a "
        "file without permission. Replacing it would be guessing what it is for."
    ),
    "ecosystem-unreadable.page-cure": "look at it on the host; name the real path in the document",
    "edited-by-hand.page-title": "A block was edited by hand, and on_drift is refuse",
    "edited-by-hand.page-text": (
        "The words in the block are not those that kjpstate wrote (a formatter's work does not "
        "count as an edit). The document says to leave it then."
    ),
    "edited-by-hand.page-cure": "take the change into `content`, or write on_drift: apply",
    "effective-mismatch.page-title": "systemd-resolved does not have the values after all",
    "effective-mismatch.page-text": (
        "Everything was done, and read again the running service, or its files, still say "
        "something else. A restart is no proof: resolved drops what it can't use and starts green. "
        "The files were put back and the service restarted."
    ),
    "effective-mismatch.page-cure": (
        "resolvectl dns; journalctl -u systemd-resolved -n 20 says what was dropped"
    ),
    "env-block-unused.page-title": "An environment block that nothing asks for",
    "env-block-unused.page-text": (
        "PM2 uses `env_production` and the like only when it is started with `--env production`. "
        "kjpstate never does, so that there is one environment, and the document says it."
    ),
    "env-block-unused.page-cure": "move its names into `env`",
    "env-not-kept.page-title": "The running app has variables the document does not name",
    "env-not-kept.page-text": (
        "PM2 gives an app the whole environment of the shell that started it. kjpstate starts it "
        "with a clean one, so these variables will be gone after the next delete and start. Their "
        "names are listed, never their values."
    ),
    "env-not-kept.page-cure": (
        "name those that the app needs under `env`; secrets as ${{env:NAME}} or ${{file:PATH}}"
    ),
    "env-overrides-setting.page-title": "A variable that PM2 takes for its own setting",
    "env-overrides-setting.page-text": (
        "PM2 keeps an app's environment and its settings in one bag. A variable with the name of a "
        "setting replaces that setting, without a word."
    ),
    "env-overrides-setting.page-cure": "give the variable another name",
    "fallback-dns.page-title": "FallbackDNS is never asked here",
    "fallback-dns.page-text": (
        "FallbackDNS= is used only while no other server is known at all: no DNS=, none from the "
        "network. It is not a second line of defence when the servers of DNS= are down. Beside "
        "`servers` it has no effect."
    ),
    "fallback-dns.page-cure": "move the addresses into `servers`",
    "file-missing.page-title": "The file to patch is not there",
    "file-missing.page-text": "A patch changes a file that exists; it never makes one.",
    "file-missing.page-cure": "put the file there, or correct `file` in the document",
    "file-unreadable.page-title": "The file to patch can't be read",
    "file-unreadable.page-text": (
        "Something is at that path, but it could not be read: no permission, or no regular file."
    ),
    "file-unreadable.page-cure": "look at it on the host",
    "here-other-user.page-title": "This machine is not that host as the document knows it",
    "here-other-user.page-text": (
        "With --here kjpstate takes this machine for the host. Its stamps, its PM2 and its rights "
        "are those of the user that the document logs in as; another user would see another PM2 "
        "and no stamps, and everything would look like drift."
    ),
    "here-other-user.page-cure": (
        "run it as the user that the document names, on the machine itself"
    ),
    "host-key-changed.page-title": "The host shows another key than the one we know",
    "host-key-changed.page-text": (
        "Either the box was set up anew, or somebody stands between. kjpstate sends nothing to it: "
        "no password, no key, no file. Compare the two fingerprints with what the box itself says."
    ),
    "host-key-changed.page-cure": (
        "kjpstate trust HOST   after you have made sure which key is right"
    ),
    "host-key-revoked.page-title": "The host shows a key that was revoked",
    "host-key-revoked.page-text": (
        "A line `@revoked` of kjpstate's or the user's known_hosts says that this key is no longer "
        "good for this host: it may be in somebody else's hands. Neither `host_key` in the "
        "document nor another line makes it good again."
    ),
    "host-key-revoked.page-cure": (
        "give the box new host keys (ssh-keygen -A after removing the old ones), then: kjpstate "
        "trust HOST"
    ),
    "host-key-unknown.page-title": "Nobody has said yet that this key belongs to this host",
    "host-key-unknown.page-text": (
        "The first time, a host's key must be confirmed by a person; from then on it is checked at "
        "every connection. On the box: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
    ),
    "host-key-unknown.page-cure": "kjpstate trust HOST",
    "in-the-way.page-title": (
        "A file stands where a folder must be, or a folder where a file must be"
    ),
    "in-the-way.page-text": (
        "What is deployed has a folder or a file of a name by which something else stands in the "
        "target, and kjpstate did not put it there (or somebody wrote into it since). Taking it "
        "out of its place would be destroying it, so the target stays as it is."
    ),
    "in-the-way.page-cure": (
        "move it away if it is not needed there, or have the source name its own another way"
    ),
    "input-missing.page-title": "The build's input is not there",
    "input-missing.page-text": (
        "A build is judged by the bytes of what it reads. An input that the document names and "
        "that is not on the host (and that no patch of the same plan writes) would make every "
        "build look fresh, so nothing is built and what would be deployed from it stays as it is."
    ),
    "input-missing.page-cure": (
        "put the file or folder there, or correct `inputs` and `directory` in the section build"
    ),
    "instances-cluster.page-title": "`instances` changes the mode",
    "instances-cluster.page-text": (
        "As soon as `instances` is named, even as 1, PM2 runs a node app in cluster mode unless "
        "exec_mode says fork. Several processes of a WhatsApp bot share one session and throw each "
        "other out."
    ),
    "instances-cluster.page-cure": "drop `instances`, or add exec_mode: fork",
    "links-left-out.page-title": "Not all of the folder is deployed",
    "links-left-out.page-text": (
        "Only regular files travel. A link, a socket or a device in the source is left where it "
        "is: what a link names there may be something else, or nothing, on the other host."
    ),
    "links-left-out.page-cure": (
        "put the file itself in the place of a link, where it is needed there"
    ),
    "locked.page-title": "Another run holds the host",
    "locked.page-text": (
        "Only one run at a time may change a host, whichever document or user it comes from. The "
        "lock names its owner; it ends with the run, and a lock whose process is gone is broken by "
        "the next run."
    ),
    "locked.page-cure": "wait until that run ends, then try again",
    "log-date-format.page-title": "PM2's own time stamps lose text",
    "log-date-format.page-text": (
        "With a date format PM2 rewrites the output: text after the last line end of a piece is "
        "lost, long lines are cut into several, and the stamp has no time zone. Lines that the app "
        "stamps itself have none of that."
    ),
    "log-date-format.page-cure": "drop log_date_format (and time); stamp the lines in the app",
    "log-folder-taken.page-title": "The log folder is a file",
    "log-folder-taken.page-text": (
        "The folder for the app's logs is needed before PM2 does anything: an app that crashes "
        "without it is never restarted. A file stands at its place, and kjpstate does not remove "
        "what it did not make."
    ),
    "log-folder-taken.page-cure": "name another folder for error_file and out_file",
    "login-refused.page-title": "The host lets nobody in with the keys that were tried",
    "login-refused.page-text": (
        "The host answered and showed a known key, but took none of ours: the key is not in its "
        "authorized_keys, or it has a passphrase and no agent holds it. In the night there is no "
        "agent, so `schedule` needs a key without one."
    ),
    "login-refused.page-cure": "ssh-copy-id USER@HOST, or name the key file under `identity`",
    "marker-version.page-title": "A block was written by another version of kjpstate",
    "marker-version.page-text": (
        "Its first line names a format that this version does not know, so it is left alone."
    ),
    "marker-version.page-cure": "use the version that wrote it",
    "markers-broken.page-title": "The marker lines are damaged",
    "markers-broken.page-text": (
        "A block needs its begin and its end, each once, alone on its line, as they were written. "
        "One is missing, doubled, crossed or misspelt, so it can't be known which lines are ours. "
        "All of them are shown; nothing is changed."
    ),
    "markers-broken.page-cure": (
        "put the marker lines back (a backup stands beside the file), or take the whole block out "
        "by hand"
    ),
    "markers-in-content.page-title": "The new text looks like a marker",
    "markers-in-content.page-text": (
        "A text that holds kjpstate's own marker words would be taken for a marker at the next "
        "look."
    ),
    "markers-in-content.page-cure": "write the comment in other words",
    "max-restarts-inert.page-title": "max_restarts never acts",
    "max-restarts-inert.page-text": (
        "PM2 counts crashes only during min_uptime times max_restarts after a start on purpose, "
        "and never after a reboot. With these delays that time is over before the count is full, "
        "so the app is restarted for ever."
    ),
    "max-restarts-inert.page-cure": "drop max_restarts",
    "merge-conflict.page-title": "The file holds an unresolved merge conflict",
    "merge-conflict.page-text": (
        "Lines with <<<<<<< or >>>>>>> are left of a merge, and which side is right is not "
        "kjpstate's to say."
    ),
    "merge-conflict.page-cure": "resolve the conflict, then kjpstate plan",
    "misplaced.page-title": "A block stands where it does not belong any more",
    "misplaced.page-text": (
        "The block is whole, but around it the code was moved: it left module level, its `within`, "
        "or the braces it was put into."
    ),
    "misplaced.page-cure": (
        "take the block out by hand, all of its lines; kjpstate then puts it where the document "
        "says"
    ),
    "mixed-eol.page-title": "The lines to replace have mixed line ends",
    "mixed-eol.page-text": (
        "Some of them end in LF and some in CRLF. The original is kept to be brought back byte for "
        "byte, which one kind of line end can't do."
    ),
    "mixed-eol.page-cure": "give these lines one kind of line end",
    "modem-still-asked.page-title": "The network's own resolver is asked too",
    "modem-still-asked.page-text": (
        "systemd-resolved asks the servers of DNS= and those that the network announced (usually "
        "the modem) at the same time; the first good answer wins. Names resolve while the modem's "
        "resolver is down, but the modem sees every name, and an answer that lies (a captive page) "
        "can win."
    ),
    "modem-still-asked.page-cure": (
        "exclusive: true makes the servers of the document the only ones that are asked"
    ),
    "modules-missing.page-title": "npm has installed nothing here",
    "modules-missing.page-text": (
        "The folder has a package.json and no node_modules, so the type-check and the build will "
        "not find their own tools. kjpstate does not install them by itself: what npm brings in is "
        "your decision."
    ),
    "modules-missing.page-cure": "npm ci in that folder",
    "name-shadowed.page-title": "A name of this set is hidden where another edit uses it",
    "name-shadowed.page-text": (
        "One edit declares the name at module level, another uses it; between the two a function, "
        "a parameter or a block has a name of its own that is the same, and the code would use "
        "that one."
    ),
    "name-shadowed.page-cure": "rename it in the document, or rename the other one in the file",
    "name-taken.page-title": "A name of the new text is declared already",
    "name-taken.page-text": (
        "The place where the text goes has the name already: the compiler would refuse two, or the "
        "wrong one would be used. An older patch, made by hand and without markers, often is the "
        "cause."
    ),
    "name-taken.page-cure": (
        "rename it in the document; or take the old code out, if this set shall replace it"
    ),
    "near.page-title": "The new text stands already, but elsewhere",
    "near.page-text": (
        "The same code is in the file without our markers, in another place than the document says "
        "or more than once. Adding it again would run it twice."
    ),
    "near.page-cure": (
        "take the old one out, or move it to where the document says; it is then adopted"
    ),
    "needs-other-host.page-title": "Only another host can cure this",
    "needs-other-host.page-text": (
        "The files on this host are not those of the last deploy, and the host they come from "
        "can't be seen from here. The difference is real and is reported; the cure is an apply "
        "that sees both hosts."
    ),
    "needs-other-host.page-cure": "kjpstate apply from a machine that reaches both hosts",
    "no-cure.page-title": "Different, and nothing here can cure it",
    "no-cure.page-text": (
        "The resource differs from the document in something that none of kjpstate's actions can "
        "change. It is reported as drift, and nothing is done about it by guessing."
    ),
    "no-cure.page-cure": (
        "look at the named value on the host, and change it there or in the document"
    ),
    "no-longer-needed.page-title": "The source says by itself what the edit adds",
    "no-longer-needed.page-text": (
        "The text of the edit stands in the file without markers: whoever writes that source has "
        "taken the change up. Beside its block it would run twice, so that is refused, and nothing "
        "is taken out by guess. Where no block stands, only markers are added, and nothing of the "
        "code changes."
    ),
    "no-longer-needed.page-cure": (
        "delete the block's lines, from begin to end; then take the edit out of the document, or "
        "leave it: the text that stands there is adopted"
    ),
    "no-tree-sitter.page-title": "The TypeScript grammar is not installed",
    "no-tree-sitter.page-text": (
        "Patches are placed by TypeScript's own grammar (tree-sitter). There is no ready build of "
        "it for some small machines, 32-bit ARM among them."
    ),
    "no-tree-sitter.page-cure": (
        "pip install tree-sitter tree-sitter-typescript; or run kjpstate from another machine"
    ),
    "not-in-path.page-title": "Programs do not ask systemd-resolved",
    "not-in-path.page-text": (
        "/etc/resolv.conf decides whom programs ask, and here it is not one of resolved's own "
        "files. What the document sets is then right in resolved and without effect on the bot. "
        "Who writes that file (NetworkManager, a DHCP client, a person) must be known before it is "
        "changed, so kjpstate leaves it alone."
    ),
    "not-in-path.page-cure": (
        "ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf, if nothing else needs "
        "the file"
    ),
    "not-typescript.page-title": "The file is neither TypeScript nor JavaScript",
    "not-typescript.page-text": (
        "Patches know .ts .mts .cts .js .mjs .cjs .tsx and .jsx by the ending of the name."
    ),
    "not-typescript.page-cure": "let `file` name one of these",
    "not-utf8.page-title": "The file is not UTF-8",
    "not-utf8.page-text": (
        "Its bytes are no UTF-8 text, so changing it could garble letters that nobody meant to "
        "touch."
    ),
    "not-utf8.page-cure": "save it as UTF-8",
    "odd-name.page-title": "A file can't be deployed by its name",
    "odd-name.page-text": (
        "A backslash in a name parts folders on Windows, a line end parts the lines of every list, "
        "and `..` leads out of the folder. Rather than fail half way, nothing is deployed."
    ),
    "odd-name.page-cure": "rename it, or take it out of the folder",
    "one-machine-two-names.page-title": "Two names for one machine",
    "one-machine-two-names.page-text": (
        "A machine has one lock, whatever the document calls it. Two names of the document lead to "
        "the same machine, so the run met its own lock there; nothing was done."
    ),
    "one-machine-two-names.page-cure": (
        "give that machine one name in hosts, and use it in every section"
    ),
    "original-reappeared.page-title": "The replaced text is back beside its block",
    "original-reappeared.page-text": (
        "The block stands, and so does what it once replaced: usually a merge kept both sides. The "
        "bot would do both."
    ),
    "original-reappeared.page-cure": "take one of the two out by hand",
    "original-tampered.page-title": "The kept original of a block was changed",
    "original-tampered.page-text": (
        "The `was` lines of a block hold what a removal brings back, with a digest in its first "
        "line. The two don't fit any more, so the original is not known."
    ),
    "original-tampered.page-cure": (
        "put the `was` lines back from the backup beside the file, or from version control"
    ),
    "outside-may-change.page-title": "A write outside what the document allows",
    "outside-may-change.page-text": (
        "guardrails.may_change names all paths that kjpstate itself may write on a host; without "
        "it they are just the paths that the sections name. A change of this plan would write "
        "another path, so the whole unit is left as it is. The host object enforces the same rule "
        "once more for every write."
    ),
    "outside-may-change.page-cure": (
        "add the path to guardrails.may_change of that host, if that is right"
    ),
    "overlap.page-title": "Two edits want the same lines",
    "overlap.page-text": (
        "Each edit needs lines of its own; whichever came second would change the other's text."
    ),
    "overlap.page-cure": "make one edit of the two",
    "overridden-by-dropin.page-title": "A drop-in wins over resolved.conf",
    "overridden-by-dropin.page-text": (
        "systemd reads the files in resolved.conf.d/ after the main file: their servers are added "
        "to its list, and an empty assignment clears it. No edit of the main file can make the "
        "value right, and the drop-ins belong to somebody else."
    ),
    "overridden-by-dropin.page-cure": (
        "remove the named line or file, or make the document say the same"
    ),
    "partial-statement.page-title": "The text to replace is only a part of a statement",
    "partial-statement.page-text": (
        "What is to be replaced goes on after it, an `else` for instance. Taking only the first "
        "part out would leave code that does not compile, or means something else."
    ),
    "partial-statement.page-cure": (
        "write the whole statement in `replace`, with all that follows; $$$ stands for what may "
        "vary"
    ),
    "pm2-gives-up.page-title": "PM2 stops for good before the network is back",
    "pm2-gives-up.page-text": (
        "When the app keeps dying soon after its start, for instance because a modem is "
        "restarting, PM2 counts to max_restarts and then never starts it again: it stays down "
        "until somebody comes. The status it shows then is often `waiting restart`, not `errored`. "
        "The time is computed from the restart settings of the document and PM2's defaults (16 "
        "crashes of an app younger than 1 s). A backoff of 1000 and no limits waits 1, 1.5, 2.25 "
        "... up to 15 s, for ever, and costs nothing."
    ),
    "pm2-gives-up.page-cure": (
        "exp_backoff_restart_delay: 1000, without max_restarts, min_uptime and restart_delay"
    ),
    "pm2-list-incomplete.page-title": "PM2's saved list names more than runs",
    "pm2-list-incomplete.page-text": (
        "`pm2 save` writes down what is in PM2's list now. Apps that stand in the saved list but "
        "not in the running one would be forgotten, and a reboot would not bring them back."
    ),
    "pm2-list-incomplete.page-cure": (
        "pm2 resurrect brings them back; or pm2 save --force by hand if they are really gone"
    ),
    "pm2-missing.page-title": "PM2 or node was not found",
    "pm2-missing.page-text": (
        "Looked for in the running daemon, on the PATH, in the startup unit, beside node, under "
        "nvm and in the usual folders. kjpstate installs nothing by itself."
    ),
    "pm2-missing.page-cure": "npm install -g pm2 on the host, as the user that runs the bot",
    "pm2-name.page-title": "A name that PM2 reads as something else",
    "pm2-name.page-text": (
        "To PM2 `all` means every app, a number means the app with that number, a name between "
        "slashes is a pattern, and blanks and commas part several names. Acting on such a name "
        "could hit other apps."
    ),
    "pm2-name.page-cure": "give the app another name in the document",
    "pm2-not-at-boot.page-title": "Nothing starts PM2 when the host starts",
    "pm2-not-at-boot.page-text": (
        "The saved list is brought back by a startup unit that runs `pm2 resurrect`. There is none "
        "that is enabled, points to a pm2 that exists and uses this PM2 home, so after a reboot or "
        "a power cut the bot stays down."
    ),
    "pm2-not-at-boot.page-cure": (
        "pm2 startup, as the user that runs the bot (it prints or does what is needed)"
    ),
    "pm2-not-linux.page-title": "This host can't say what really runs",
    "pm2-not-linux.page-text": (
        "Whether a process is alive, when it started and which environment it has is read from "
        "/proc, which this host does not have."
    ),
    "pm2-not-linux.page-cure": "manage PM2 on a Linux host",
    "pm2-other-daemon.page-title": "The app belongs to another PM2",
    "pm2-other-daemon.page-text": (
        "PM2 has one daemon for each user and each PM2_HOME. Another one than the login's own runs "
        "this app (or owns this home), so starting it here would run it twice."
    ),
    "pm2-other-daemon.page-cure": (
        "log in as the user that runs the bot; or set PM2_HOME for the login; or delete the app "
        "there first"
    ),
    "pm2-silent.page-title": "PM2's daemon runs but does not answer",
    "pm2-silent.page-text": (
        "A daemon process of this home exists, but its socket does not answer. A pm2 command would "
        "wait for ever or start a second daemon, and with it a second bot."
    ),
    "pm2-silent.page-cure": "look at pm2.log in PM2's home; kill that daemon, then: pm2 resurrect",
    "pm2-two-daemons.page-title": "Two PM2 daemons share one home",
    "pm2-two-daemons.page-text": (
        "Two pm2 commands at the same instant can start two daemons. Each may run a bot, and only "
        "one of them can be asked."
    ),
    "pm2-two-daemons.page-cure": "stop the bot, kill both daemons, then: pm2 resurrect",
    "pm2-unreadable.page-title": "PM2 could not be looked at",
    "pm2-unreadable.page-text": (
        "The probe that asks PM2 on the host did not answer in a way that can be understood, so "
        "nothing about the app is known and nothing is done."
    ),
    "pm2-unreadable.page-cure": "kjpstate plan -v; on the host: node -v",
    "pm2-versions-differ.page-title": "The pm2 command is newer than the running daemon",
    "pm2-versions-differ.page-text": (
        "After an update of PM2 the old daemon runs on until somebody says `pm2 update`, which "
        "restarts every app. kjpstate never does that by itself."
    ),
    "pm2-versions-differ.page-cure": "pm2 update, at a quiet hour",
    "resolved-disabled.page-title": "systemd-resolved is switched off",
    "resolved-disabled.page-text": (
        "The service is masked, or disabled and not running (or running, but not enabled for the "
        "next boot). Somebody chose another resolver; starting this one beside it would be "
        "guessing."
    ),
    "resolved-disabled.page-cure": (
        "systemctl enable --now systemd-resolved, if that is right; or drop the section dns"
    ),
    "resolved-failed.page-title": "systemd-resolved has failed",
    "resolved-failed.page-text": (
        "While it is down nothing on the machine that asks 127.0.0.53 can resolve a name. Six "
        "starts in ten seconds are enough for systemd to give up. An apply forgets the failure and "
        "starts it once; if it fails again, its journal says why."
    ),
    "resolved-failed.page-cure": "journalctl -u systemd-resolved -n 20",
    "resolved-missing.page-title": "There is no systemd-resolved here",
    "resolved-missing.page-text": (
        "The section dns sets the servers of systemd-resolved, which is not installed, or systemd "
        "itself does not run. Installing it takes over /etc/resolv.conf at once, running or not, "
        "so kjpstate never does that by itself."
    ),
    "resolved-missing.page-cure": "install it by hand at a quiet moment, or drop the section dns",
    "resolved-symlink.page-title": "resolved.conf is a link",
    "resolved-symlink.page-text": (
        "The main file leads to a file somewhere else, which its maker owns and may share with "
        "other machines. Replacing the link by a file, or writing through it, would be guessing."
    ),
    "resolved-symlink.page-cure": "make it a file of its own, or change the file it leads to",
    "resolved-unreadable.page-title": "systemd-resolved can't be judged",
    "resolved-unreadable.page-text": (
        "A file of resolved's can't be read (by us, or by resolved itself, which runs as its own "
        "user), or the daemon does not answer. What is in effect can't be known, so nothing is "
        "changed."
    ),
    "resolved-unreadable.page-cure": "systemctl status systemd-resolved; resolvectl dns",
    "restart-delay-ignored.page-title": "restart_delay has no effect beside a backoff",
    "restart-delay-ignored.page-text": (
        "When exp_backoff_restart_delay is set PM2 computes the delay from it alone. The first "
        "retry comes after that many milliseconds, then half as much again each time, at most 15 "
        "s."
    ),
    "restart-delay-ignored.page-cure": "drop restart_delay",
    "restart-failed.page-title": "systemd-resolved did not come up again",
    "restart-failed.page-text": (
        "The restart ended with an error; the end of the service's journal stands below it. The "
        "files were put back as they were, its earlier starts forgotten, and it was started once "
        "more with them."
    ),
    "restart-failed.page-cure": (
        "journalctl -u systemd-resolved -n 20; systemctl status systemd-resolved"
    ),
    "result-syntax.page-title": "The patched file would not be sound",
    "result-syntax.page-text": (
        "With the new text in its place the file can't be read as TypeScript any more, or the text "
        "runs into the code around it. Nothing is written."
    ),
    "result-syntax.page-cure": "check brackets, commas and the `;` at the end of `content`",
    "rolled-back-later.page-title": "A later run changed the same again",
    "rolled-back-later.page-text": (
        "Runs are taken back from the last one on, as far as they touched the same files or the "
        "same app: the originals of an earlier one do not fit what a later one left."
    ),
    "rolled-back-later.page-cure": "kjpstate rollback RUN, with the later run that is named",
    "scope.page-title": "The place is not at module level",
    "scope.page-text": (
        "The edit says scope: module, and the place that was found is inside a function, a class "
        "or a block."
    ),
    "scope.page-cure": "anchor it outside of all functions, or drop `scope`",
    "script-missing.page-title": "The app's script is not there",
    "script-missing.page-text": (
        "PM2 reports success when it is told to reload an app whose script is missing, and goes on "
        "with the old one. Nothing earlier in this plan writes the script."
    ),
    "script-missing.page-cure": "correct `script` and `cwd`, or deploy first",
    "script-runs-twice.page-title": "The same script already runs under another name",
    "script-runs-twice.page-text": (
        "Another process runs this script in this folder, outside the app of this name. Two bots "
        "on one WhatsApp session log each other out."
    ),
    "script-runs-twice.page-cure": (
        "stop the other one: pm2 delete and its number in pm2 ls, or kill its pid; then plan again"
    ),
    "secrets-readable.page-title": "Others on the host may read these secrets",
    "secrets-readable.page-text": (
        "The file keeps the mode it has, and that mode lets other users read it."
    ),
    "secrets-readable.page-cure": "chmod 600 that file",
    "server-closed.page-title": "A DNS server does not listen",
    "server-closed.page-text": (
        "The machine answers, and nobody there listens for DNS: the connection was refused at once."
    ),
    "server-closed.page-cure": (
        "correct the address or the port under `servers`; or start the DNS server there"
    ),
    "server-empty.page-title": "A DNS server has no address for the name",
    "server-empty.page-text": (
        "The server knows the name and has no IPv4 address for it (NODATA). A filter that blocks "
        "names often answers so."
    ),
    "server-empty.page-cure": "ask another name, or another server: dig @SERVER NAME A",
    "server-nxdomain.page-title": "A DNS server says that there is no such name",
    "server-nxdomain.page-text": (
        "NXDOMAIN: a wrong name, or a server that filters, or a modem that has just started and "
        "knows nothing yet."
    ),
    "server-nxdomain.page-cure": (
        "dig @SERVER NAME A; a public server that says so for a name that exists is filtered on "
        "the way"
    ),
    "server-refused.page-title": "A DNS server refuses to answer",
    "server-refused.page-text": (
        "REFUSED: the server answers, but not to us. Often it serves only its own network, or has "
        "just started."
    ),
    "server-refused.page-cure": (
        "use a server that is meant for everybody, or let this machine in there"
    ),
    "server-servfail.page-title": "A DNS server failed to find an answer",
    "server-servfail.page-text": (
        "SERVFAIL: the server is there and could not get an answer further on; a modem whose line "
        "is down says so. systemd-resolved keeps this answer for some seconds."
    ),
    "server-servfail.page-cure": (
        "wait for the line; if it stays so with other names too, take that server out"
    ),
    "server-timeout.page-title": "A DNS server is silent",
    "server-timeout.page-text": (
        "No answer within 2 s. The server is down, or port 53 on the way to it is closed, while "
        "its machine or another server can be reached."
    ),
    "server-timeout.page-cure": (
        "dig @SERVER NAME A from the host; if only this one is silent, take another"
    ),
    "shadowed-by-link.page-title": "A link takes all names for itself",
    "shadowed-by-link.page-text": (
        "A link that carries the routing domain ~. is asked for every name, and the servers of "
        "DNS= are not asked at all while that link has a server. NetworkManager adds it to each "
        "connection with a default route. With `exclusive: true` the global servers carry it too, "
        "and are asked as well."
    ),
    "shadowed-by-link.page-cure": "exclusive: true",
    "source-missing.page-title": "What should be deployed is not there",
    "source-missing.page-text": (
        "The folder that `deploy.from` names, or a file of `deploy.with`, does not exist or is "
        "empty on its host, and nothing earlier in this plan will make it. Deploying it would "
        "empty the target, so the target stays as it is."
    ),
    "source-missing.page-cure": "build first, or correct `from` and `with` in the section deploy",
    "source-too-large.page-title": "The file is larger or deeper than a source file is",
    "source-too-large.page-text": (
        "A file that a person writes is read in a moment. One of many MiB, or with brackets many "
        "hundreds deep, was made by a program, and its text changes whenever that program runs."
    ),
    "source-too-large.page-cure": "patch the source from which the file is made",
    "source-unreadable.page-title": "What should be deployed can't be read",
    "source-unreadable.page-text": (
        "The host of `deploy.from` was asked, and its system does not let kjpstate read the "
        "folder, one of the files in it or one of `deploy.with`. Whether the target is as it "
        "should be is not known then, so it is not called in sync, and stays as it is."
    ),
    "source-unreadable.page-cure": (
        "let the user that kjpstate runs as there read it, or take it out of the folder"
    ),
    "stale-plan.page-title": "What the plan saw has moved",
    "stale-plan.page-text": (
        "Between the plan and the apply somebody or something changed a value that the plan had "
        "compared, or the bytes it was to replace. Nothing was done: a plan is carried out only on "
        "what it saw."
    ),
    "stale-plan.page-cure": "kjpstate plan   and look at the new one",
    "stub-off.page-title": "Nobody listens at 127.0.0.53",
    "stub-off.page-text": (
        "/etc/resolv.conf names resolved's stub, but the stub is switched off or another program "
        "(dnsmasq, AdGuard) holds port 53; resolved then goes without it and says so only in its "
        "journal."
    ),
    "stub-off.page-cure": "ss -lnup 'sport = 53' shows who holds the port",
    "syntax.page-title": "The file is not sound TypeScript",
    "syntax.page-text": (
        "The grammar can't read it, so where a statement begins and ends is not known. If the "
        "compiler takes the file, it uses something newer than the grammar."
    ),
    "syntax.page-cure": "npx tsc --noEmit shows what is wrong; mend it first",
    "target-unreadable.page-title": "The deploy's target can't be looked at",
    "target-unreadable.page-text": (
        "Something stands at the target that is not a folder of files we may read: a link, a file, "
        "or a folder without permission. Writing over it would be guessing."
    ),
    "target-unreadable.page-cure": "look at it on the host; name the real folder in `deploy.to`",
    "unbraced-body.page-title": "The place is a body without braces",
    "unbraced-body.page-text": (
        "After `if (…)`, `else`, a loop or `=>` stands one statement without braces. A second one "
        "there would fall out of it."
    ),
    "unbraced-body.page-cure": "put braces around it in the file",
    "unchanged-differs.page-title": "A value that was to stay has moved",
    "unchanged-differs.page-text": (
        "guardrails.unchanged names a value in a file that nobody may change by accident, such as "
        "the installed version of Baileys. It is another one now. Nothing on that host is changed "
        "until a human has decided."
    ),
    "unchanged-differs.page-cure": (
        "write the new value in guardrails.unchanged if the change is wanted; else put the file "
        "back"
    ),
    "unchanged-unreadable.page-title": "A pinned value can't be found",
    "unchanged-unreadable.page-text": (
        "The file that guardrails.unchanged names is missing, is not JSON, or has nothing at that "
        "pointer, so whether it moved can't be known. Nothing on that host is changed until it "
        "can."
    ),
    "unchanged-unreadable.page-cure": (
        "mend the file, or correct `file` and `pointer` in guardrails.unchanged"
    ),
    "unsafe-folder.page-title": "Another user may lead root elsewhere",
    "unsafe-folder.page-text": (
        "Whoever may rename what lies in a folder can put a link in the place of any name in it, "
        "and root would then write where that link leads. On this machine kjpstate holds such a "
        "folder open and sets owner and mode on what is open; over SSH its owner does what is to "
        "be done there. Where neither can be, nothing is done: a link that another user may "
        "change, a folder of root's that others write in, a host without setpriv, runuser and su, "
        "a file its folder's owner can't read."
    ),
    "unsafe-folder.page-cure": (
        "give the folder, and the file, to one user (chown), take the right to write from others "
        "(chmod go-w), or name the real folder in the document"
    ),
    "unsettled.page-title": "The set would not be in sync where it stands",
    "unsettled.page-text": (
        "Before anything is written, the new text is read as the next plan will read it. That plan "
        "would refuse the set, or write it again, for ever; so nothing is written."
    ),
    "unsettled.page-cure": (
        "name a place that is further from code of the same words: a longer anchor, or `within`"
    ),
    "uplink-list.page-title": "Programs read a plain list of servers",
    "uplink-list.page-text": (
        "/etc/resolv.conf is resolved's list of all servers it knows, those of links included. "
        "Programs go through that list themselves: routing domains, and so `exclusive`, have no "
        "effect on them."
    ),
    "uplink-list.page-cure": "ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf",
    "value-ignored.page-title": "A value that systemd-resolved drops",
    "value-ignored.page-text": (
        "resolved never fails over a value it can't use: a warning goes to its journal, the "
        "service starts green, and the server is missing. Commas, quotes, comments behind a value, "
        "unknown interfaces and its own stub's addresses are such values."
    ),
    "value-ignored.page-cure": "one blank between addresses, nothing else on the line",
    "wan-down.page-title": "The way out of the host is down",
    "wan-down.page-text": (
        "Every DNS server of the document is silent and no connection to any of their machines "
        "comes about, so the line itself is down (the modem restarts, say). What the servers are "
        "like can't be known then: the check is neither passed nor failed, and the section dns is "
        "no drift."
    ),
    "wan-down.page-cure": "wait for the line, then kjpstate verify again",
    "watches-own-logs.page-title": "The app would be restarted by its own log lines",
    "watches-own-logs.page-text": (
        "`watch` looks at the whole folder of the app, its log files stand inside, and nothing is "
        "ignored."
    ),
    "watches-own-logs.page-cure": "drop watch, or name the log folder in ignore_watch",
    "wildcard-in-content.page-title": "A wildcard in the new text means nothing",
    "wildcard-in-content.page-text": (
        "$$$ stands for any code only where something is looked for. In `content` it is written as "
        "it is."
    ),
    "wildcard-in-content.page-cure": "write the code itself",
    "zero-dropped.page-title": "PM2 throws this value away",
    "zero-dropped.page-text": (
        "Because of a slip in how PM2 reads an ecosystem, 0, false and empty texts are dropped for "
        "every key with an underscore; the default, or the value of before, stays."
    ),
    "zero-dropped.page-cure": "drop the key; if a real value is meant, write that",
}
