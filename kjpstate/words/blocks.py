"""The words of the blocks of a patched file."""

from kjpstate.words.plural import Plural

MESSAGES = {
    "blocks.adopted": "{state}, adopted",
    "blocks.as-written": "as written",
    "blocks.by-hand": "edited by hand",
    "blocks.count": Plural(
        "{file}: {count} block, {edited} edited by hand.",
        "{file}: {count} blocks, {edited} edited by hand.",
    ),
    "blocks.lines": "lines {first}-{last}",
    "blocks.of-edit": "edit {edit} {reason}",
    "blocks.was": "was | {line}",
}
