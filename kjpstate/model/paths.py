"""What paths and addresses say of each other."""

from __future__ import annotations


def overlap(one: str, other: str) -> bool:
    """Whether two absolute paths contain each other, in either direction (`/a/dist/` and
    `/a/dist/x.js`)."""
    left, right = one.rstrip("/") + "/", other.rstrip("/") + "/"
    return left.startswith(right) or right.startswith(left)


def join(folder: str, path: str) -> str:
    """`path` below `folder` with `/`, `./` dropped; an absolute `path` (also
    `D:/…`) stays itself."""
    if path.startswith("/") or path[1:3] == ":/":
        return path
    path = path.removeprefix("./")
    return folder.rstrip("/") + "/" + path if path else folder.rstrip("/") + "/"


def named(full: str, name: str) -> bool:
    """Whether `name` means `full`: `patch` means `patch.reconnect-backoff`, `stb` means
    `stb[10.0.0.1]`."""
    return full == name or full.startswith((f"{name}.", f"{name}["))
