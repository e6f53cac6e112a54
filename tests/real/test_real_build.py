"""build and deploy with the real npm and tsc, on real folders, through the real host body of this
machine."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from kjpstate import apply
from kjpstate.hosts.local import LocalHost
from kjpstate.kinds import build, deploy
from kjpstate.model import Answer, Plan, Reading, Report, Resource, RunInfo, Where
from kjpstate.plan import Scene
from kjpstate.plan import build as plan_of
from tests.support.npm import installed

pytestmark = pytest.mark.real
KINDS: dict[str, Any] = {"build": build, "deploy": deploy}
TSCONFIG = {
    "compilerOptions": {
        "outDir": "dist",
        "rootDir": "src",
        "module": "commonjs",
        "target": "es2020",
    }
}


@pytest.fixture(scope="session")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node_modules with TypeScript in it: that of $KJPSTATE_TOOLS, or one npm installs for this
    session."""
    tools = installed(tmp_path_factory.mktemp("tools"), "typescript-5", "typescript@5")
    return tools / "node_modules"


@dataclass(frozen=True)
class Scenery:
    """A bot's source on `pc`, its box `stb`, and the two resources between them."""

    pc: Path
    box: Path
    hosts: dict[str, LocalHost]
    resources: tuple[Resource, ...]

    def plan(self) -> Plan:
        """What would be done now."""
        return plan_of(self._scene())

    def apply(self) -> Report:
        """Plan and apply."""
        scene = self._scene()
        info = RunInfo(os.urandom(3).hex(), "20260301T000000Z", "bot", "tests")
        return asyncio.run(apply.run(plan_of(scene), scene, self.hosts, info, lambda event: None))

    def _scene(self) -> Scene:
        bare = Scene("bot", self.resources, {}, b"key", KINDS, dict.fromkeys(self.hosts, ("/",)))
        answers: dict[Reading, Answer] = {}
        for host, readings in apply.readings_by_host(bare).items():
            answers.update(asyncio.run(self.hosts[host].look(readings)))
        return replace(bare, answers=answers)


@pytest.fixture
def scenery(tmp_path: Path, typescript: Path) -> Scenery:
    pc, box = tmp_path / "pc", tmp_path / "box"
    (pc / "src").mkdir(parents=True)
    (box / "dist").mkdir(parents=True)
    (pc / "node_modules").symlink_to(typescript)
    (pc / "package.json").write_text(json.dumps({"name": "bot", "scripts": {"build": "tsc"}}))
    (pc / "tsconfig.json").write_text(json.dumps(TSCONFIG))
    (pc / "src/index.ts").write_text("import { greet } from './wa';\nconsole.log(greet('KJP'));\n")
    (pc / "src/wa.ts").write_text(
        "export function greet(name: string): string { return `halo ${name}`; }\n"
    )
    (box / "dist/db.json").write_text("{}")
    hosts = {
        name: LocalHost(
            name, state_dir=tmp_path / f"{name}-state", lock_dir=tmp_path / name, may_change=("/",)
        )
        for name in ("pc", "stb")
    }
    built = build.Spec(
        host="pc",
        document="bot",
        directory=f"{pc}/",
        inputs=("src/", "package.json", "tsconfig.json"),
        outputs=("dist/",),
        check=("npx", "--no-install", "tsc", "--noEmit"),
        run=("npm", "run", "build"),
        timeout=120,
    )
    deployed = deploy.Spec(
        host="stb",
        document="bot",
        from_host="pc",
        from_directory=f"{pc}/dist/",
        to_directory=f"{box}/dist/",
        built=f"{pc}/",
    )
    where = Where("bot.yaml", 1, 1)
    resources = (
        Resource("build", "build", "pc", built, where),
        Resource("deploy", "deploy", "stb", deployed, where),
    )
    return Scenery(pc, box, hosts, resources)


def results(report: Report) -> list[str]:
    assert not any("Traceback" in str(step.reason) for step in report.steps)
    return [step.result for step in report.steps]


def test_source_to_box_edit_to_box_and_nothing_in_between(scenery: Scenery) -> None:
    assert results(scenery.apply()) == ["applied", "applied"]
    ran = subprocess.run(
        ["node", str(scenery.box / "dist/index.js")], capture_output=True, check=True
    )
    assert ran.stdout == b"halo KJP\n"
    assert (scenery.box / "dist/db.json").read_text() == "{}"
    assert scenery.plan().empty
    (scenery.box / "dist/db.json").write_text('{"messages": 1}')
    (scenery.pc / "dist/db.json").write_text('{"developer": true}')
    assert scenery.plan().empty
    (scenery.pc / "src/wa.ts").write_text(
        "export const greet = (name: string): string => `apa kabar ${name}`;\n"
    )
    assert results(scenery.apply()) == ["applied", "applied"]
    ran = subprocess.run(
        ["node", str(scenery.box / "dist/index.js")], capture_output=True, check=True
    )
    assert ran.stdout == b"apa kabar KJP\n"
    assert (scenery.box / "dist/db.json").read_text() == '{"messages": 1}'
    assert scenery.plan().empty


def test_a_comment_is_built_and_deploys_nothing(scenery: Scenery) -> None:
    config = {"compilerOptions": {**TSCONFIG["compilerOptions"], "removeComments": True}}
    (scenery.pc / "tsconfig.json").write_text(json.dumps(config))
    scenery.apply()
    with (scenery.pc / "src/wa.ts").open("a") as file:
        file.write("// nothing new\n")
    assert results(scenery.apply()) == ["applied", "shrunk"]
    assert scenery.plan().empty


def test_a_type_error_is_told_and_leaves_both_folders_as_they_were(scenery: Scenery) -> None:
    scenery.apply()
    before = (scenery.pc / "dist/wa.js").read_bytes(), (scenery.box / "dist/wa.js").read_bytes()
    (scenery.pc / "src/wa.ts").write_text("export const greet = (name: string): string => 7;\n")
    report = scenery.apply()
    assert results(report) == ["restored", "held"] and report.exit_code == 7
    assert "src/wa.ts(1,48): error TS2322" in str(report.steps[0].reason)
    assert before == (
        (scenery.pc / "dist/wa.js").read_bytes(),
        (scenery.box / "dist/wa.js").read_bytes(),
    )


@pytest.mark.parametrize("install", [("npm", "ci"), ("npm", "install")])
def test_the_backup_of_node_modules_stays_what_it_was_whatever_npm_does(
    tmp_path: Path, install
) -> None:
    """`npm ci` removes the folders first, so they are kept as they are; anything else gets a whole
    copy."""
    pc, box = tmp_path / "pc", tmp_path / "box"
    for folder in (pc / "dist", box):
        folder.mkdir(parents=True)
    (pc / "dist/index.js").write_text("console.log(1)\n")
    spec = deploy.Spec(
        host="stb",
        document="bot",
        from_host="pc",
        from_directory=f"{pc}/dist/",
        to_directory=f"{box}/dist/",
        with_files=("package.json", "package-lock.json"),
        install=(*install, "--omit=dev", "--no-audit", "--no-fund"),
    )
    hosts = {
        name: LocalHost(
            name, state_dir=tmp_path / f"{name}-state", lock_dir=tmp_path / name, may_change=("/",)
        )
        for name in ("pc", "stb")
    }
    scenery = Scenery(
        pc, box, hosts, (Resource("deploy", "deploy", "stb", spec, Where("bot.yaml", 1, 1)),)
    )
    kept: dict[str, bytes] = {}
    for version in ("2.1.2", "2.1.3"):
        wanted = {
            "name": "bot",
            "version": "1.0.0",
            "private": True,
            "dependencies": {"ms": version},
        }
        (pc / "package.json").write_text(json.dumps(wanted))
        command = ["npm", "install", "--package-lock-only", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(command, cwd=pc, check=True, timeout=120)
        kept = _contents(box / "node_modules")
        assert results(scenery.apply()) == ["applied"]
    (backup,) = box.glob("node_modules.backup.*")
    assert _contents(backup) == kept
    assert (
        b'"2.1.2"' in kept["ms/package.json"]
        and b'"2.1.3"' in (box / "node_modules/ms/package.json").read_bytes()
    )
    assert scenery.plan().empty


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
