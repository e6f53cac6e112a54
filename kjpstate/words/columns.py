"""The words of the screen of PM2."""

MESSAGES = {
    "columns.after-reboot": "after a reboot",
    "columns.alive": "alive: {why}",
    "columns.all-the-same": "They all say the same.",
    "columns.at-boot": "at boot: {unit}, {parts}",
    "columns.brings-back": "brings back {home}",
    "columns.brings-back-another": "brings back {home}, which is another home",
    "columns.daemon": "PM2: daemon {pid} of {home}, {runs}; pm2 {version} {pm2}",
    "columns.daemon-in": "PM2: daemon {pid} of {home}, {runs}, in {unit}; pm2 {version} {pm2}",
    "columns.differ": "{count} of {rows} differ (!).",
    "columns.enabled": "enabled",
    "columns.file": "file: {path}",
    "columns.file-but": "file: {path} ({why})",
    "columns.file-says": "file says",
    "columns.list": "saved list: {home}/dump.pm2 is {state}",
    "columns.list-of-mode": "saved list: {home}/dump.pm2 is {state}, mode {mode}",
    "columns.list-of-mode-with": (
        "saved list: {home}/dump.pm2 is {state}, mode {mode}, with {names}"
    ),
    "columns.list-with": "saved list: {home}/dump.pm2 is {state}, with {names}",
    "columns.no-daemon": "PM2: no daemon of {home}; pm2 {version} {pm2}",
    "columns.no-daemon-no-pm2": "PM2: no daemon of {home}; pm2 not found",
    "columns.no-node": "node: not found",
    "columns.node": "node: {node}",
    "columns.not-alive": "NOT ALIVE: {why}",
    "columns.not-enabled": "not enabled",
    "columns.nothing-at-boot": "at boot: nothing starts PM2",
    "columns.other": "also here: the PM2 {version} of {user} in {home}",
    "columns.other-unseen": (
        "also here: the PM2 {version} of {user} in {home}; its list can't be seen"
    ),
    "columns.other-with": "also here: the PM2 {version} of {user} in {home}, which has {apps}",
    "columns.program-gone": "its {program} is gone",
    "columns.runs": "runs",
    "columns.unknown-home": "an unknown home",
}
