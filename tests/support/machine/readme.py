"""README's two commands, typed by an ordinary user of Debian 13, whose Python is newer than this
machine's.

`python -m tests.support.machine.readme`, as root; words that follow go to pytest. Called by
`.ci/run`. A root of that Debian is built once and kept, as are the wheels; a clone of the checkout
is laid over it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.machine.image import bootstrap, cached
from tests.support.machine.tools import run

ROOT = Path(__file__).resolve().parents[3]
SUITE, PYTHON = "trixie", "3.13"
PACKAGES = ("dropbear-bin", "git", "procps", "python3", "python3-venv")
USER = "budi"
WITHOUT_NETWORK = (
    f"export PIP_NO_INDEX=1 PIP_FIND_LINKS=/home/{USER}/wheels PIP_DISABLE_PIP_VERSION_CHECK=1"
)
IN_THE_ROOT = f"""
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
exec chroot "$1" su -l {USER} -c "$2"
"""


def commands() -> list[str]:
    """The lines of the README that set up and run the demo, and the tests."""
    text = (ROOT / "README.md").read_text("utf-8")
    return re.findall(r"^python3 -m venv .*$", text, re.M)


def debian() -> Path:
    """A root of Debian 13 with its Python and an ordinary user."""
    recipe = hashlib.sha256(repr((SUITE, PACKAGES, USER)).encode()).hexdigest()[:12]
    return cached(f"{SUITE}-{recipe}", _build)


def _build(folder: Path) -> None:
    bootstrap(folder, SUITE, PACKAGES)
    run(["chroot", folder, "useradd", "--create-home", "--shell", "/bin/bash", USER])


def wheels() -> Path:
    """What pip needs there, fetched here: the root has no mirror of its own."""
    file = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project, extras = file["project"], file["project"]["optional-dependencies"]
    needs = [
        *file["build-system"]["requires"],
        "editables",
        *project["dependencies"],
        *extras["plot"],
    ]
    needs += [need for need in extras["test"] if not need.startswith("kjpstate[")]

    def fetch(folder: Path) -> None:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--dest",
            folder,
            "--only-binary=:all:",
        ]
        run([*pip, f"--python-version={PYTHON}", *needs], timeout=600)

    return cached(
        f"wheels-{hashlib.sha256(repr((PYTHON, needs)).encode()).hexdigest()[:12]}", fetch
    )


@contextmanager
def at_home(checkout: Path) -> Iterator[Callable[[str], int]]:
    """The exit code of a line of shell, typed in a clone of `checkout`; all that it leaves goes
    away."""
    upper = Path(tempfile.mkdtemp(prefix="readme-"))
    try:
        root = _laid(upper, checkout)
        yield lambda line: _typed(root, line)
    finally:
        run(["umount", "--lazy", upper / "root"])
        run(["rm", "-rf", upper])


def _laid(upper: Path, checkout: Path) -> Path:
    for name in ("root", "upper", "work"):
        (upper / name).mkdir()
    parts = f"lowerdir={debian()},upperdir={upper / 'upper'},workdir={upper / 'work'}"
    run(["mount", "-t", "overlay", "-o", parts, "kjpt", upper / "root"])
    home = upper / "root/home" / USER
    run(["cp", "-r", wheels(), home / "wheels"])
    run(["git", "clone", "--quiet", "--no-hardlinks", checkout, home / "kjpstate"])
    run(["chroot", upper / "root", "chown", "-R", f"{USER}:", f"/home/{USER}"])
    return upper / "root"


def _typed(root: Path, line: str) -> int:
    words = [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "sh",
        "-ec",
        IN_THE_ROOT,
        "sh",
        root,
    ]
    done = subprocess.run(
        [*words, f"{WITHOUT_NETWORK} && cd kjpstate && {line}"],
        stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"]},
        check=False,
    )
    return done.returncode


def main(words: Sequence[str]) -> int:
    """Exit code of the first command that failed; 0 when both passed."""
    demo, tests = commands()
    with at_home(ROOT) as typed:
        for line in (f"{demo} >/dev/null", f"CI=true; export CI; {tests} {shlex.join(words)}"):
            print(f"$ {line}", flush=True)
            if code := typed(line):
                return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
