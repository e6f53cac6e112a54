"""The pages of `kjpstate explain`."""

MESSAGES = {
    "explain.cure": "Cure: {cure}",
    "explain.told-as": "Told as: {codes}",
    "explain.values": "Its values: {names}",
    "explain.no-values": "It has no values.",
    "explain.of-rule": "It belongs to the rule {rule}: kjpstate explain {rule}",
    "explain.default": "Without it: {value}",
    "explain.example": "Example: {key}: {value}",
    "explain.must-stand": "Must stand where its mapping stands.",
    "explain.or": "or: {text}",
    "explain.takes": "Takes: {what}",
}
