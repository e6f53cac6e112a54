"""The words of a watch."""

MESSAGES = {
    "watch.early": "the watch ended early, since a limit of another app was passed",
    "watch.interrupted": "the watch was interrupted; nothing was wrong until then",
    "watch.no-answer": "{host} does not answer any more",
    "watch.nothing-to-watch": "monitor watches the apps of a section pm2, and there is none here",
    "watch.nothing-to-watch.cure": (
        "add a section pm2 to the document, or name another host with --limit"
    ),
}
