"""Is what runs what the document says, or the same bot a second time: paths and scripts compared.
Pure.

/proc and a shell tell real paths, PM2 and a document may name a link; a script may have been found
on PATH. Called by `settings` and by pm2_process.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kjpstate.formats.pm2.argv import words
from kjpstate.formats.pm2.declared import Declared, normal
from kjpstate.formats.pm2.probe import Places
from kjpstate.model import join


def real(path: Any, places: Places) -> str:
    """`path` without its links, as far as the probe followed them."""
    found = normal(str(path))
    for _ in places.links:
        link = max(
            (link for link in places.links if f"{found}/".startswith(f"{link}/")),
            key=len,
            default="",
        )
        if not link:
            break
        found = normal(places.links[link] + found[len(link) :])
    return found


def same_path(one: Any, other: Any, places: Places) -> bool:
    """Whether both lead to one file or folder."""
    return real(one, places) == real(other, places)


def same_script(running: Any, folder: Any, declared: Declared, places: Places) -> bool:
    """Whether `running`, which PM2 runs in `folder`, is what PM2 makes of the declared script. A
    file is known by the name under which it is run: one program may be many (busybox, a shim)."""
    found = _stands_at(running, places) == _stands_at(declared.script, places)
    return found or _from_path(running, folder, declared, places)


def same_place(fields: Mapping[str, Any], declared: Declared, places: Places) -> bool:
    """Whether an app with these `fields` of PM2 runs the script of `declared` in its folder, with
    whatever arguments."""
    running, folder = fields.get("pm_exec_path"), fields.get("pm_cwd")
    return same_path(folder, declared.folder, places) and (
        same_script(running, folder, declared, places)
        or same_path(running, declared.script, places)
    )


def same_arguments(fields: Mapping[str, Any], declared: Declared) -> bool:
    """Whether PM2 gives it the arguments of `declared`."""
    return bool(words(fields.get("args") or ()) == declared.arguments)


def same_bot(fields: Mapping[str, Any], declared: Declared, places: Places) -> bool:
    """Whether an app with these `fields` of PM2 and the declared one would be one bot twice: the
    same script in the same folder. Where one program may be many the arguments must agree too."""
    alone = _stands_at(fields.get("pm_exec_path"), places) == _stands_at(declared.script, places)
    return same_place(fields, declared, places) and (alone or same_arguments(fields, declared))


def _stands_at(path: Any, places: Places) -> str:
    folder, _, name = normal(str(path)).rpartition("/")
    return normal(f"{real(folder, places)}/{name}")


def may_come_from_path(declared: Declared, places: Places) -> bool:
    """Whether PM2 looks the script up on PATH: nothing stands at its place in the app's folder.
    Where no look found it there either, a name without an ending is still taken for a program's."""
    script = declared.written_script
    if "/" in script or places.program == declared.script:
        return False
    return bool(places.program) or "." not in script


def _from_path(running: Any, folder: Any, declared: Declared, places: Places) -> bool:
    script = declared.written_script
    return (
        may_come_from_path(declared, places)
        and str(running).rpartition("/")[2] == script
        and _stands_at(running, places) != _stands_at(join(str(folder), script), places)
    )
