"""Parts of sentences that every room needs."""

MESSAGES = {
    "list.and": "{list} and {last}",
    "verbatim": "{text}",
}
