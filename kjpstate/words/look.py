"""A look at hosts, and what of a document a run is about."""

MESSAGES = {
    "look.not-from-here": "not looked at from here",
    "look.not-who-it-was": "{host} is not who it was",
    "look.unreachable": "{host} is unreachable",
    "look.not-in-time": "{host} did not answer within {seconds:g} s",
    "look.not-in-time.cure": "a longer --timeout, if it is always that slow",
    "look.leave-out": "nothing was done; leave it out with --limit, or wait for it",
    "verify.no-such-check": "no check is called {names}",
    "verify.may-be-starting": "{checks}: the bot may still be starting",
    "only.elsewhere": "--only {name}: it stands on {host}, which can't be seen from here",
    "only.no-such-address": "--only {name}: no such address; the document has {addresses}",
}
