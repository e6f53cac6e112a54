"""Parts of sentences that every room needs."""

MESSAGES = {
    "list.ands": " and ",
    "list.none": "(none)",
    "list.and": "{list} and {last}",
    "rows": "{rows:lines}",
    "verbatim": "{text}",
    "list.or": "{list} or {last}",
    "list.ors": " or ",
}
