"""All checks of a host travel together, over a real shell."""

from __future__ import annotations

import asyncio
from pathlib import Path

from kjpstate import document, reconcile
from tests.support.bodies import shell_bench
from tests.support.demo_world import KEY

DOCUMENT = """
kjpstate: 1
name: bot
hosts: {{box: {{ssh: {{address: 127.0.0.1, user: root}}}}}}
pm2:
  host: box
  ecosystem: {root}/ecosystem.config.js
  apps: [{{name: bot, script: a.js, cwd: "{root}"}}]
checks:
  - {{name: file, file: {{host: box, path: {root}/a.js, contains: [hello]}}}}
  - {{name: other, file: {{host: box, path: {root}/a.js, contains: [bye]}}}}
  - {{name: command, command: {{host: box, run: [cat, {root}/a.js]}}}}
  - {{name: log, log: {{host: box, app: bot, absent: [ENOTFOUND]}}}}
  - {{name: alive, app: {{host: box, name: bot, alive: true}}}}
"""


def test_all_checks_of_a_host_are_one_message(tmp_path: Path):
    bench = shell_bench(tmp_path, "dash")
    bench.put("a.js", "hello\n")
    file = tmp_path / "kjpstate.yaml"
    file.write_text(DOCUMENT.format(root=bench.root), "utf-8")
    loaded = document.load(str(file), environ={})

    async def go():
        host = bench.host()
        results = await reconcile.verify(loaded, {"box": host}, key=KEY)
        cost = host.cost
        await host.close()
        return results, cost

    results, cost = asyncio.run(go())
    assert [item.result for item in results][:3] == ["passed", "failed", "passed"]
    assert len(results) == 5 and cost.execs == 1
