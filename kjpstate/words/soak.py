"""The words of what a watch saw."""

from kjpstate.words.plural import Plural

MESSAGES = {
    "soak.alive": "alive",
    "soak.app": "{app} on {host}",
    "soak.counts": "Monitor: {parts}, in {took:clock}.",
    "soak.counts-of": "Monitor: {parts}, in {took:clock} of {wanted:clock}.",
    "soak.cpu": "CPU",
    "soak.crashes": "crashes",
    "soak.limit-cpu": "CPU {percent:g}% of one core",
    "soak.limit-crashes": "{times} restarts by crashes",
    "soak.limit-log": '{times} lines with "{text}"',
    "soak.limit-memory": "memory {size}",
    "soak.limit-unresolved": "{times} looks at which a name does not resolve",
    "soak.limits": "Limits: {limits:semicolons}.",
    "soak.loads": "CPU {mean:.1f}% on average, {most:.1f}% at most",
    "soak.looks": Plural("{count} look: {parts:semicolons}", "{count} looks: {parts:semicolons}"),
    "soak.lost": "{host} was out of sight from {start:clock} to {end:clock}: {why}",
    "soak.lost-to-the-end": (
        "{host} was out of sight from {start:clock} to the end ({end:clock}): {why}"
    ),
    "soak.memory": "memory",
    "soak.most-memory": "memory {size} at most",
    "soak.never-seen": "never seen",
    "soak.no-limits": "Limits: none in this document; it must only be alive.",
    "soak.not-alive": "not alive: {why}",
    "soak.out-of-sight": "{host}  out of sight: {why}",
    "soak.planned": "{crashes} (+{planned} planned)",
    "soak.seen-again": "{host}  seen again after {after:clock}",
    "soak.title": "Watched:",
    "soak.unresolved": "does not resolve",
    "soak.watching": (
        "Watching {apps} for {length:clock}, a look every {every:g} s. Ctrl-C ends it."
    ),
}
