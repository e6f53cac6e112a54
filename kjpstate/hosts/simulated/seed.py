"""The two machines of the demo: a computer with a bot's source, and a set-top box that runs the
built bot.

Called by `kjpstate demo` and by tests.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from kjpstate.formats.pm2.probe import App
from kjpstate.hosts.simulated import pm2, resolver, tools
from kjpstate.hosts.simulated.box import Box

PC, STB = "pc", "stb"


def seed_demo(folder: Path) -> None:
    """Lay out `folder/pc` (the bot's source, built once) and `folder/stb` (`/` of the box, the bot
    running).

    The box is as its owner left it: a stock resolved.conf, no ecosystem file, PM2 told by hand to
    run the bot, which has been restarted 33 times.
    """
    _copy(resources.files("kjpstate.hosts.simulated") / "seed", folder)
    tools.build(folder / PC)
    (folder / PC / "node_modules").mkdir()
    Box(PC, folder).save()
    box = Box(STB, folder)
    home = box.real("/root/bot-kjp")
    shutil.copytree(folder / PC / "dist", home / "dist")
    (home / "dist/db.json").write_text('{"messages": 1204}\n', "utf-8")
    box.state["resolved"] = resolver.fresh()
    box.state["pm2"] = pm2.fresh()
    box.real(f"{pm2.HOME}/logs").mkdir(parents=True)
    app = _started_by_hand(box)
    box.state["pm2"] |= {"apps": [app], "next_id": 1}
    pm2.spawn(box, app)
    box.tick(600)


def _copy(source: Traversable, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for item in source.iterdir():
        if item.is_dir():
            _copy(item, target / item.name)
        else:
            (target / item.name).write_bytes(item.read_bytes())


def _started_by_hand(box: Box) -> dict[str, Any]:
    """`pm2 start dist/index.js --name bot-kjp`, typed over SSH: the shell's environment is in it
    for good."""
    fields = {
        **pm2.DEFAULTS,
        "name": "bot-kjp",
        "pm_exec_path": "/root/bot-kjp/dist/index.js",
        "pm_cwd": "/root/bot-kjp",
        "pm_err_log_path": f"{pm2.HOME}/logs/bot-kjp-error.log",
        "pm_out_log_path": f"{pm2.HOME}/logs/bot-kjp-out.log",
        "pm_pid_path": f"{pm2.HOME}/pids/bot-kjp-0.pid",
    }
    env = {"HOME": "/root", "PATH": "/usr/local/bin:/usr/bin:/bin", "SSH_TTY": "/dev/pts/0"}
    return asdict(App(name="bot-kjp", restart_time=33, unique_id="5eed", fields=fields, env=env))
