"""The words of the list of backups."""

from kjpstate.words.plural import Plural

MESSAGES = {
    "backups.bytes": Plural("{count} byte", "{count} bytes"),
    "backups.changed": "NOT as it was kept",
    "backups.first": "first original",
    "backups.first-stay": (
        "The first original of each file and what the last run kept stay. Not to be rolled "
        "back any more: {runs}"
    ),
    "backups.gone": "GONE",
    "backups.none": "No backups yet.",
    "backups.nothing-to-remove": "Nothing to remove: all of it is to be kept.",
    "backups.prune": Plural("Prune: {count} backup, {size}.", "Prune: {count} backups, {size}."),
    "backups.removed": "Removed: {took}.",
    "backups.removed-on": Plural("{count} backup on {host}", "{count} backups on {host}"),
    "backups.run": "run {run}",
    "backups.total": Plural("{count} backup, {size}.", "{count} backups, {size}."),
    "backups.total-odd": Plural(
        "{count} backup, {size}; {odd} not as kept.", "{count} backups, {size}; {odd} not as kept."
    ),
    "backups.unreadable": "can't be read",
}
