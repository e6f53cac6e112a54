"""The root file system: Debian 12 by mmdebstrap, Node of this machine, PM2 and the bot from npm.

Built once (in about two minutes) for each content of its recipe, and kept in the cache folder.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.support.machine.tools import MachineFailed, cache_folder, only_one, run

HERE = Path(__file__).resolve().parent
BOT_SOURCE = HERE.parent / "bot"
HERE_IS = "bookworm"
PM2_VERSION = "7.0.4"
OURS = "var/lib/tests"
PACKAGES = (
    "bind9-dnsutils", "ca-certificates", "cron", "dbus", "iproute2", "libnss-resolve", "openssh-server",
    "procps", "python3", "sudo", "systemd", "systemd-resolved", "systemd-sysv",
)  # fmt: skip
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")
ENABLED = ("systemd-networkd", "systemd-resolved", "ssh", "cron")
MASKED = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "systemd-firstboot.service",
)

LINK = """\
[Match]
Name=eth0

[Network]
Address=192.168.100.104/24
Gateway=192.168.100.1
DNS=192.168.100.1
LinkLocalAddressing=no
"""
SSHD = "UseDNS no\nPermitRootLogin prohibit-password\nMaxStartups 100:30:200\nMaxSessions 100\n"


def bot() -> Path:
    """The bot with its node_modules and a first build: a project folder to
    copy, never to change."""
    recipe = _digest(*sorted(path for path in BOT_SOURCE.rglob("*") if path.is_file()))
    return cached(f"bot-{recipe}", _build_bot)


def root() -> Path:
    """The pristine root of the machine, with the bot in /root/bot-kjp; never to be changed."""
    recipe = f"{_digest(Path(__file__), _node(), HERE / 'whatsapp_login.js')}-{bot().name}"
    return cached(f"debian-{recipe}", _build_root)


def key() -> Path:
    """The private key that the machine's root lets in."""
    return root() / OURS / "key"


def whatsapp() -> Path:
    """A folder with the key and certificate (tls.key, tls.pem) of the stand-in for WhatsApp."""
    return root() / OURS


def bare() -> Path:
    """Debian with its packages alone: so that a change of the bot does not cost it again."""
    recipe = hashlib.sha256(repr((PACKAGES, LEFT_OUT)).encode()).hexdigest()[:12]
    return cached(f"bare-{recipe}", _build_bare)


def cached(name: str, build: Callable[[Path], None]) -> Path:
    """A folder of that name in the cache, made by `build` when it isn't there."""
    folder = cache_folder() / name
    with only_one(cache_folder() / f"{name}.lock"):
        if not folder.exists():
            part = folder.with_suffix(".part")
            _remove(part)
            build(part)
            part.rename(folder)
    return folder


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


@functools.cache
def _digest(*files: Path) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _node() -> Path:
    found = shutil.which("node")
    if not found or not shutil.which("npm"):
        raise MachineFailed(
            "the machine gets this machine's Node, and there is no node or npm in PATH"
        )
    return Path(found).resolve()


def _build_bot(folder: Path) -> None:
    shutil.copytree(BOT_SOURCE, folder)
    run(["npm", "ci"], cwd=folder, timeout=300)
    run(["npm", "run", "build"], cwd=folder)


def _build_bare(folder: Path) -> None:
    bootstrap(folder, HERE_IS, PACKAGES)


def bootstrap(folder: Path, suite: str, packages: Sequence[str]) -> None:
    """A root of that suite of Debian, from the mirror that this machine's own apt sources name."""
    options = [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    argv = ["mmdebstrap", "--mode=root", "--variant=minbase", f"--include={','.join(packages)}"]
    argv += [*options, "--dpkgopt=force-unsafe-io", suite, str(folder)]
    with tempfile.TemporaryDirectory() as kept:
        run([*argv, *_apt_sources(suite, Path(kept))], timeout=600)


def _apt_sources(suite: str, folder: Path) -> list[Path]:
    """Copies of this machine's own sources of Debian, with that suite in the place of their own."""
    lists = Path("/etc/apt")
    files = [lists / "sources.list", lists / "sources.list.d/debian.sources"]
    texts = {file.name: file.read_text() for file in files if file.exists()}
    found = {name: text for name, text in texts.items() if HERE_IS in text}
    if not found:
        raise MachineFailed(
            f"this machine's own apt sources are not those of Debian 12 ({HERE_IS})"
        )
    for name, text in found.items():
        (folder / name).write_text(text.replace(HERE_IS, suite))
    return [folder / name for name in found]


def _build_root(folder: Path) -> None:
    run(["cp", "-a", bare(), folder])
    _add_node(folder)
    _add_python(folder)
    run(["cp", "-a", bot(), folder / "root/bot-kjp"])
    _configure(folder)
    _add_keys(folder)
    _add_login(folder)


def _add_node(folder: Path) -> None:
    """This machine's Node and npm (Debian's own Node is too old for Baileys), and PM2 from npm."""
    local = folder / "usr/local"
    shutil.copy2(_node(), folder / "usr/bin/node")
    npm = Path(os.path.realpath(str(shutil.which("npm")))).parents[1]
    shutil.copytree(npm, local / "lib/node_modules/npm", symlinks=True)
    for name in ("npm", "npx"):
        (local / "bin" / name).symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")
    run(
        ["npm", "install", "--global", "--omit=dev", "--prefix", local, f"pm2@{PM2_VERSION}"],
        timeout=300,
    )


def _add_python(folder: Path) -> None:
    """What kjpstate needs to run on the box itself; a test brings kjpstate there."""
    project = tomllib.loads((HERE.parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    home = folder / "usr/local/lib/kjpstate"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--target",
        home,
        "--only-binary=:all:",
    ]
    run([*pip, "--python-version=3.11", *project["dependencies"]], timeout=300)
    (folder / "usr/lib/python3/dist-packages/kjpstate.pth").write_text("/usr/local/lib/kjpstate\n")


def _configure(folder: Path) -> None:
    (folder / "etc/hostname").write_text("stb\n")
    (folder / "etc/hosts").write_text("127.0.0.1 localhost stb\n")
    (folder / "etc/systemd/network/10-eth0.network").write_text(LINK)
    (folder / "etc/ssh/sshd_config.d/tests.conf").write_text(SSHD)
    resolv = folder / "etc/resolv.conf"
    resolv.unlink(missing_ok=True)
    resolv.symlink_to("../run/systemd/resolve/stub-resolv.conf")
    run(["systemctl", f"--root={folder}", "enable", *ENABLED])
    run(["systemctl", f"--root={folder}", "mask", *MASKED])


def _add_keys(folder: Path) -> None:
    """For the tests' ssh, and for the stand-in for WhatsApp, which the bot trusts by its ca.pem."""
    ours = folder / OURS
    ours.mkdir(mode=0o700)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tests", "-f", ours / "key"])
    ssh = folder / "root/.ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    shutil.copy2(ours / "key.pub", ssh / "authorized_keys")
    subject = ["-subj", "/CN=web.whatsapp.com", "-addext", "subjectAltName=DNS:web.whatsapp.com"]
    files = ["-keyout", ours / "tls.key", "-out", ours / "tls.pem", "-days", "3650"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run(["openssl", "req", "-x509", *curve, *files, *subject])
    shutil.copy2(ours / "tls.pem", folder / "root/bot-kjp/ca.pem")


def _add_login(folder: Path) -> None:
    """As after the scan of the QR code."""
    run(["node", HERE / "whatsapp_login.js"], cwd=folder / "root/bot-kjp")
