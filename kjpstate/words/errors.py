"""The words of what goes wrong anywhere."""

MESSAGES = {
    "errors.mistake": "kjpstate itself failed ({kind}: {error}): a mistake of ours",
    "errors.with-remedy": "{message}\n{remedy}",
    "errors.with-rule": "{message} [{rule}]\n{remedy}",
}
