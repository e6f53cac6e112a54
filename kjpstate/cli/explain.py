"""`kjpstate explain`: the page of a rule or a key; without a word, all. `explain pm2` draws
restarts, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from kjpstate import errors
from kjpstate.cli import options
from kjpstate.cli.session import Session
from kjpstate.render.lines import BLANK, Line
from kjpstate.render.pages import key_page, message_page, rule_page, rule_title, wordings
from kjpstate.render.restarts import restarts_lines
from kjpstate.rules import RULES
from kjpstate.said import say


@dataclass(frozen=True)
class Asked:
    """The command line."""

    word: str | None = options.argument()
    document: str | None = options.argument()


@options.command(Asked)
def command(session: Session, asked: Asked) -> int:
    """Say what a rule or a key of the document means; without WORD, list them.

    A key is named by its path (dns.servers) or its last word. `explain pm2 [DOCUMENT]` also draws
    when PM2 restarts the document's apps, and when it gives them up.
    """
    word = asked.word
    if asked.document is not None and word != "pm2":
        raise errors.UsageError(
            say("cli.page-alone", word=word), say("cli.page-alone.cure", word=word)
        )
    session.out(_pages(word) if word else _list())
    if word == "pm2":
        session.out(_restarts(session, asked.document))
    return errors.IN_SYNC


def _restarts(session: Session, document: str | None) -> Iterator[Line]:
    """The schedule of each app of the document; nothing where there is no document."""
    for title, app in _apps(session, document):
        yield BLANK
        yield from restarts_lines(title, app)


def _apps(session: Session, document: str | None) -> list[tuple[str, Mapping[str, object]]]:
    from kjpstate.cli.work import load
    from kjpstate.formats.pm2.declared import Declared
    from kjpstate.kinds import questions

    try:
        loaded = load(session, document)
    except errors.UsageError:
        if document is not None or session.environ.get("KJPSTATE_DOCUMENT"):
            raise
        return []
    apps = questions(loaded.resources, Declared)
    return list({f"{app.name} ({item.where})": app.keys for item, app in apps}.items())


def _pages(word: str) -> Iterator[Line]:
    """The page of the rule and of each key of that name."""
    from kjpstate.document.keys import all_keys, below, named

    pages = [rule_page(word)] if word in RULES else []
    if not pages and word in wordings():
        rule = word.partition(".")[0]
        pages = [message_page(word, rule if rule in RULES else "")]
    pages += [
        key_page(alike, [one for key in alike for one in below(key)]) for alike in named(word)
    ]
    if not pages:
        keys = all_keys()
        known = [*RULES, *keys, *(key.name for key in keys.values()), *wordings()]
        close = get_close_matches(word, known, n=1)
        unknown = say("cli.no-page", word=word)
        if close:
            unknown = say("cli.no-page-but", word=word, close=close[0])
        raise errors.UsageError(unknown, say("cli.no-page.cure"))
    for number, page in enumerate(pages):
        if number:
            yield BLANK
        yield from page


def _list() -> Iterator[Line]:
    from kjpstate.document.keys import all_keys

    sections = [key for key in all_keys().values() if "." not in key.path]
    width = max(len(name) for name in [*RULES, *(key.path for key in sections)])
    yield Line(say("cli.keys"), "strong")
    yield from (
        Line(f"{key.path:<{width}}  {key.described[0]}", hang=width + 2) for key in sections
    )
    yield BLANK
    yield Line("Rules", "strong")
    yield from (Line(f"{name:<{width}}  {rule_title(name)}", hang=width + 2) for name in RULES)
