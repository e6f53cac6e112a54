"""The few lines of shell around PM2, and what acts on the entries of one name. Called by `commands`
only.

Arguments of each but HIDE: node, pm2, then the app's name (KEEP: where to); of BACK also the list
to bring back.
"""

from __future__ import annotations

_NOBODY = 3
"""Exit code of `_EXACTLY` where no daemon is there to ask."""

_EXACTLY = " ".join(
    """
const net = require("net"), path = require("path"), name = process.argv[1], TRIES = 20;
const home = process.env.PM2_HOME || path.join(require("os").homedir(), ".pm2");
const end = (code, why) => { if (why) console.error(why); process.exit(code); };
const socket = net.connect(path.join(home, "rpc.sock")), waiting = {};
let got = Buffer.alloc(0), sent = 0;
const frame = () => {
  const parts = [];
  let at = 1;
  while (got.length > 0 && parts.length < (got[0] & 15)) {
    const start = at + 4;
    if (got.length < start) return null;
    at = start + got.readUInt32BE(at);
    if (got.length < at) return null;
    parts.push(got.toString("utf8", start, at));
  }
  got = got.slice(at);
  return parts.length > 0 ? parts : null;
};
socket.on("error", (e) => end(["ENOENT", "ECONNREFUSED"].includes(e.code) ? NOBODY : 1,
  "the PM2 of " + home + " does not answer (" + e.code + ")"));
socket.on("close", () => end(1, "the PM2 of " + home + " ended meanwhile"));
socket.on("data", (chunk) => {
  got = Buffer.concat([got, chunk]);
  for (let parts = frame(); parts; parts = frame()) waiting[parts[1]](JSON.parse(parts[0].slice(2)));
});
const call = (method, arg) => new Promise((resolve) => {
  const id = "s:" + ++sent, parts = ["j:" + JSON.stringify({ type: "call", method, args: [arg] }), id];
  waiting[id] = resolve;
  socket.write(Buffer.concat([Buffer.from([0x10 | parts.length]), ...parts.map((part) => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(Buffer.byteLength(part), 0);
    return Buffer.concat([size, Buffer.from(part)]);
  })]));
});
const main = async () => {
  for (let round = 0; ; round++) {
    const seen = await call("getMonitorData", {});
    if (seen.error) end(1, "PM2 does not tell its list: " + seen.error);
    const ids = seen.args[0].filter((item) => (item.pm2_env || item).name === name).map((item) => item.pm_id);
    if (ids.length === 0) end(0);
    if (round === TRIES) end(1, name + " was deleted " + TRIES + " times and is in the list of PM2 again: "
      + "something starts it anew");
    if (round > 0) await new Promise((resolve) => setTimeout(resolve, 100));
    await Promise.all(ids.map((id) => call("deleteProcessId", id)));
  }
};
main().catch((e) => end(1, String(e)));
""".replace("NOBODY", str(_NOBODY)).split()
)
"""Deletes the entries that bear exactly this name, until PM2 has none: one that crashes at that
very moment outlives a delete. `pm2 delete` takes a text for a name or the path of a script, else
for a namespace, else for a number; the daemon itself takes only its numbers. It is looked at and
told over one connection: a daemon that is started anew has other numbers, and ends it. One line: a
person may have to type it."""

DELETE = f'"$1" -e \'{_EXACTLY}\' -- "$3"'
AWAY = f"{DELETE} || [ $? = {_NOBODY} ]"
BACK = f'{{ {AWAY}; }} || exit; PM2_DUMP_FILE_PATH=$4 "$1" "$2" resurrect'
KEEP = (
    'umask 077; export PM2_DUMP_FILE_PATH="$3" PM2_DUMP_BACKUP_FILE_PATH="$3.bak"; '
    '"$1" "$2" save --force && chmod 600 "$3"'
)
HIDE = 'for file in "$1" "$1.bak"; do [ ! -f "$file" ] || chmod 600 "$file" || exit; done'

_BY_NAME = 'n=0; while "$1" "$2" delete "$3" '
"""How the undo began that runs noted before 2026-12: it deleted a whole namespace."""


def undo_of_ours(argv: tuple[str, ...]) -> tuple[str, ...] | None:
    """An undo that a run has noted, as it is done today; None when it is no undo of ours."""
    if argv[:2] != ("sh", "-c") or len(argv) < 7:
        return None
    if argv[2] in (BACK, AWAY):
        return argv
    if argv[2].startswith(_BY_NAME):
        return (*argv[:2], BACK if "resurrect" in argv[2] else AWAY, *argv[3:])
    return None
