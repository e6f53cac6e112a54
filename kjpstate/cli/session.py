"""One command line: its words, its streams, the secrets it has met. Made by `main`, used by every
verb."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO, cast

from kjpstate import errors
from kjpstate.cli import interrupts
from kjpstate.render.lines import Line
from kjpstate.render.masks import Mask, mask_for
from kjpstate.render.stream import put, wants_colour
from kjpstate.said import Text, say
from kjpstate.words import languages


@dataclass
class Session:
    """`secrets` grows as documents and hosts are read; every screen passes through their mask.
    `late`: the first thing that could not be shown while something was owed; `main` tells it at the
    end."""

    argv: list[str]
    environ: Mapping[str, str]
    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    no_colour: bool = False
    secrets: set[str] = field(default_factory=set, repr=False)
    late: Exception | None = None
    lang: str = ""
    """The language that was typed."""

    def __post_init__(self) -> None:
        """A stream that was closed (`>&-`, pythonw) is None: nobody listens there."""
        self.stdin = self.stdin or _nothing("r")
        self.stdout = self.stdout or _nothing("w")
        self.stderr = self.stderr or _nothing("w")

    @property
    def wants_json(self) -> bool:
        """Known from the words themselves: an error while they are parsed is JSON too."""
        return "--json" in self.argv

    @property
    def in_automation(self) -> bool:
        """Whether hints at what to type next would only be noise."""
        return bool(self.environ.get("KJPSTATE_IN_AUTOMATION"))

    def speak(self, typed: str = "", written: str = "") -> str:
        """Choose the run's language: the one typed, else the environment's, that `written` in the
        document, the system's; its name. Raises UsageError for a typed one that is not offered."""
        self.lang = typed or self.lang
        spoken = languages.speak(self.environ, self.lang, written)
        if self.lang and spoken != self.lang:
            known = languages.offered(self.environ)
            unknown = say("cli.no-language", language=self.lang, offered=known)
            raise errors.UsageError(unknown, say("cli.no-language.cure"))
        return spoken

    @contextmanager
    def in_language_of_document(self, written: str) -> Iterator[None]:
        """Speak the language `written` in the document, whatever was typed; then the run's."""
        offered = written in languages.offered(self.environ)
        languages.speak(self.environ, written if offered else self.lang)
        try:
            yield
        finally:
            self.speak(written=written)

    def mask(self) -> Mask:
        """Hides every secret met so far."""
        return mask_for(self.secrets)

    def out(self, lines: Iterable[Line]) -> None:
        """Results: to stdout."""
        self._put(lines, self.stdout)

    def tell(self, lines: Iterable[Line]) -> None:
        """Progress, questions and errors: to stderr."""
        self._put(lines, self.stderr)

    def follow(self, line: Line) -> None:
        """Progress of an apply; never raises: hosts are not left half done since nobody reads any
        more."""
        with suppress(OSError):
            self.tell([line])

    def out_json(self, value: Any) -> None:
        """One JSON value to stdout, in ASCII so that no code page can break it."""
        self.stdout.write(json.dumps(value, indent=2, ensure_ascii=True) + "\n")
        self.stdout.flush()

    def out_json_line(self, value: Any) -> None:
        """One JSON value in one line of a stream of them."""
        self.stdout.write(json.dumps(value, ensure_ascii=True) + "\n")
        self.stdout.flush()

    def answer(
        self, as_json: bool, value: Callable[[], Any], lines: Callable[[], Iterable[Line]]
    ) -> None:
        """The result of a verb: one JSON value where that was asked for, else lines."""
        if as_json:
            self.out_json(value())
        else:
            self.out(lines())

    @contextmanager
    def owing(self, owed: bool = True) -> Iterator[None]:
        """Show something between an act and what is still to be done: that it can't be shown waits
        for the end. Not `owed`: nothing is done yet, and it stops here."""
        try:
            yield
        except Exception as error:
            if not owed:
                raise
            self.late = self.late or error

    def has_terminal(self) -> bool:
        """Whether somebody can be asked."""
        return self.stdin is not None and self.stdin.isatty() and self.stderr.isatty()

    def confirmed(self, question: Text) -> bool:
        """Ask on stderr; only the full word `yes` is a yes. Raises Interrupted
        at the first Ctrl-C."""
        words = str(say("cli.question", question=question))

        def asked() -> str:
            self.stderr.write(words)
            self.stderr.flush()
            return self.stdin.readline()

        try:
            return interrupts.answered(asked).strip() == "yes"
        except KeyboardInterrupt:
            self.stderr.write("\n")
            raise errors.Interrupted(say("cli.interrupted-asking")) from None

    def _put(self, lines: Iterable[Line], stream: TextIO) -> None:
        colour = wants_colour(stream, self.environ, self.no_colour)
        put(lines, stream, self.mask(), colour=colour)


def _nothing(mode: str) -> TextIO:
    return cast(TextIO, Path(os.devnull).open(mode, encoding="utf-8"))
