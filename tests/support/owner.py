"""The owner's app as its document says it: what the tests of PM2 start from."""

from __future__ import annotations

from typing import Any

APP: dict[str, Any] = {
    "name": "bot-kjp",
    "script": "dist/index.js",
    "cwd": "/root/bot-kjp",
    "interpreter": "node",
    "watch": False,
    "max_restarts": 15,
    "min_uptime": "10s",
    "exp_backoff_restart_delay": 100,
    "restart_delay": 3000,
    "env": {"NODE_ENV": "production"},
    "log_date_format": "YYYY-MM-DD HH:mm:ss",
    "error_file": "/root/bot-kjp/logs/error.log",
    "out_file": "/root/bot-kjp/logs/out.log",
    "merge_logs": True,
}
