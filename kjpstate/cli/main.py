"""The group of verbs: `--help` knows each by one line, and a verb's module is imported when it is
typed."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from kjpstate import __version__
from kjpstate.cli import interrupts
from kjpstate.cli.failures import end, end_late, leave
from kjpstate.cli.session import Session
from kjpstate.said import say

EVERY_DAY = {
    "plan": "look, and show what apply would do",
    "apply": "do it: backups first, only what differs, then check",
    "drift": "for cron: silent when in sync, else one line a drift",
    "status": "five lines: the bot, last apply, last check, what to type next",
    "verify": "run the document's acceptance checks",
    "monitor": "watch the bot for a while, and say whether all was well",
    "rollback": "put the originals of a run back",
}
NOW_AND_THEN = {
    "validate": "check the document alone; no host is touched",
    "backups": "what was kept, and where",
    "history": "what past runs saw and did",
    "show": "a saved plan, or one past run, in full",
    "patch": "show a file's blocks; keep a hand edit in the document",
    "schedule": "have drift run every ten minutes, by cron, a timer or a task",
    "trust": "show a host's key, ask, remember it",
    "unlock": "show who holds a host's lock; break a dead run's",
    "pm2": "what runs, what its file says, what a reboot brings back",
    "explain": "what a rule means and what to do about it",
    "schema": "print the document's JSON Schema, for an editor",
    "demo": "try it: two simulated machines, nothing of yours is touched",
}
VERBS = {**EVERY_DAY, **NOW_AND_THEN}

_EPILOG = (
    "Without DOCUMENT: $KJPSTATE_DOCUMENT, kjpstate.yaml here or above, or the only file in "
    "states/. "
    "Exit codes: 0 in sync or done, 1 failed, 2 drift, 3 unreachable, 4 locked, 5 stale plan, "
    "6 checks failed, 7 failed and restored, 8 refused, 64 usage, 65 document, 130 interrupted."
)


class Verbs(click.Group):
    """Knows the verbs without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in the order of the help."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of `kjpstate/cli/NAME.py`; None for an unknown word."""
        if name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"kjpstate.cli.{name}").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """As click does, with `did you mean` over our own words."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], VERBS, n=1)
            unknown = say("cli.no-verb", verb=args[0])
            if close:
                unknown = say("cli.no-verb-but", verb=args[0], close=close[0])
            raise click.UsageError(str(unknown), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The daily verbs, a line, the others."""
        with formatter.section("Every day"):
            formatter.write_dl(list(EVERY_DAY.items()), col_max=12)
        with formatter.section("Now and then"):
            formatter.write_dl(list(NOW_AND_THEN.items()), col_max=12)


@click.group(
    cls=Verbs,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    invoke_without_command=True,
    options_metavar="",
    subcommand_metavar="VERB [DOCUMENT]",
)
@click.version_option(__version__, "-V", "--version", message="kjpstate %(version)s")
@click.option("--lang", metavar="LANG", default="", help="The language of what is said, as `en`.")
@click.pass_context
def verbs(ctx: click.Context, lang: str) -> None:
    """One document says how a bot's machine should be; kjpstate plans and applies only the
    difference."""
    interrupts.hears()
    if lang:
        ctx.obj.speak(lang)
    if ctx.invoked_subcommand is None:
        raise click.UsageError(str(say("cli.needs-verb")), ctx)


def main(argv: Sequence[str]) -> int:
    """Run one command line over this process's streams."""
    session = Session(list(argv), os.environ, sys.stdin, sys.stdout, sys.stderr)
    session.speak()
    try:
        code = verbs.main(list(argv), prog_name="kjpstate", standalone_mode=False, obj=session)
        if session.late is not None:
            return end_late(session.late, session, int(code or 0))
        session.stdout.flush()
        return int(code or 0)
    except SystemExit:
        raise
    except BaseException as error:
        with interrupts.unheard():
            return end(error, session)
    finally:
        leave(session)
