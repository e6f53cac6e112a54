"""Another user of the box who watches a folder and swaps names in it while root works there. For
tests/field.

    python swapper.py MODE FOLDER VICTIM

`names`: each temporary name, copy or backup of ours in FOLDER becomes a link to VICTIM (a folder:
to that of VICTIM) as soon as it is seen, two times in three, so that later names are met too.
`folder`: FOLDER is renamed away and a link to the folder of VICTIM stands there, then the other way
round. Never ends by itself.
"""

from __future__ import annotations

import contextlib
import random
import sys
from pathlib import Path

OURS = (".kjpstate-", ".backup.")


def swap_names(folder: Path, victim: Path) -> None:
    while True:
        for path in folder.iterdir():
            if not any(mark in path.name for mark in OURS) or random.random() < 0.33:
                continue
            with contextlib.suppress(OSError):
                if path.is_symlink():
                    continue
                if path.is_dir():
                    path.rename(folder / f"away{random.random()}")
                    path.symlink_to(victim.parent)
                else:
                    path.unlink()
                    path.symlink_to(victim)


def swap_folder(folder: Path, victim: Path) -> None:
    away = folder.with_name(f"{folder.name}.away")
    while True:
        with contextlib.suppress(OSError):
            folder.rename(away)
            folder.symlink_to(victim.parent)
        with contextlib.suppress(OSError):
            folder.unlink()
            away.rename(folder)


if __name__ == "__main__":
    print("ready", flush=True)
    (swap_names if sys.argv[1] == "names" else swap_folder)(Path(sys.argv[2]), Path(sys.argv[3]))
