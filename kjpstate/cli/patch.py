"""`kjpstate patch show FILE` and `patch keep ADDRESS`: the marked blocks, and what was edited in
them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kjpstate import disk, document, errors, reconcile
from kjpstate.cli import options
from kjpstate.cli.running import over
from kjpstate.cli.session import Session
from kjpstate.cli.state_folder import run_info
from kjpstate.cli.work import Work
from kjpstate.formats.digests import sha256
from kjpstate.formats.typescript import NoParser
from kjpstate.kinds.patch.compare import compare
from kjpstate.kinds.patch.listing import blocks_shown, hand_edits
from kjpstate.kinds.patch.problems import refusal
from kjpstate.kinds.patch.spec import Spec
from kjpstate.model import File, ReadFile, Resource, Scope, Unreadable
from kjpstate.render.as_json import listed_json
from kjpstate.render.blocks import block_json, block_lines, problem_json
from kjpstate.render.lines import Line
from kjpstate.said import Text, say

if TYPE_CHECKING:
    from kjpstate.kinds.patch.problems import Problem


@dataclass(frozen=True)
class _Keeping:
    """`data`: the patched file; `texts`: edit -> what stands in its block and goes into the
    document."""

    work: Work
    resource: Resource
    data: bytes | None
    texts: Mapping[str, str]


@click.group("patch", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Show a file's blocks, or keep what was edited in them by hand."""
    if ctx.invoked_subcommand is None:
        raise click.UsageError("patch needs a word more: show FILE, or keep ADDRESS", ctx)


@dataclass(frozen=True)
class Shown:
    """The command line of `patch show`."""

    file: str = options.argument(required=True)
    as_json: bool = options.as_json()


@options.command(Shown, command.command)
def show(session: Session, asked: Shown) -> int:
    """The blocks in FILE, of whatever set: where, what for, as written or edited, the kept
    original.

    Exit 8 when a marker is broken or the file can't be read.
    """
    file = asked.file
    try:
        data = Path(file).read_bytes()
    except OSError as error:
        raise errors.UsageError(
            say("cli.can-not-read", file=file, reason=error.strerror), say("cli.name-a-file")
        ) from None
    try:
        blocks, problems = blocks_shown(data, Path(file).absolute().as_posix(), "this machine")
    except NoParser as error:
        raise _no_parser(file, error) from None
    code = errors.code_of("refused" for _ in problems)
    if asked.as_json:
        value = listed_json("blocks", [block_json(block) for block in blocks], session.mask())
        session.out_json(
            value | {"problems": [problem_json(problem) for problem in problems], "exit_code": code}
        )
    else:
        session.out(block_lines(file, blocks, problems))
    return code


@dataclass(frozen=True)
class Kept:
    """The command line of `patch keep`."""

    address: str = options.argument(required=True)
    document: str | None = options.argument()
    scope: Scope = options.scope("here")


@options.command(Kept, command.command)
def keep(session: Session, asked: Kept) -> int:
    """Write what was edited by hand in the blocks of ADDRESS into the document, so that it stays.

    Only the `content` of those edits changes; the document as it was is kept beside it.
    """
    return over(session, asked, _keep)


async def _keep(work: Work, asked: Kept) -> int:
    session, address = work.session, asked.address
    resource = _resource(work.document.resources, address)
    data = await _read(resource, work)
    try:
        texts, problems = hand_edits(resource.spec, data)
        if problems:
            raise _refused(resource.spec, problems)
        if not texts:
            session.out([Line(say("cli.nothing-to-keep", address=address), "good")])
            return errors.IN_SYNC
        before = _document_bytes(work)
        keeping = _Keeping(work, resource, data, texts)
        after = _with_texts(before, keeping)
        _prove(before, after, keeping)
    except NoParser as error:
        raise _no_parser(address, error) from None
    backup = _write(Path(work.document.path), before, after, run_info(work.document.name).suffix)
    kept = ", ".join(texts)
    session.out(
        [
            Line(
                say("cli.keeps", path=work.document.path, file=resource.spec.display, edits=kept),
                "good",
            ),
            Line(say("cli.kept-first", backup=str(backup)), hang=4),
        ]
    )
    return errors.IN_SYNC


def _resource(resources: Sequence[Resource], address: str) -> Resource:
    patches = {item.address: item for item in resources if isinstance(item.spec, Spec)}
    if address in patches:
        return patches[address]
    unknown = say("cli.no-patches", address=address)
    if patches:
        unknown = say("cli.no-such-patch", address=address, known=[*patches])
    raise errors.UsageError(unknown, "kjpstate plan")


async def _read(resource: Resource, work: Work) -> bytes | None:
    host, reading = resource.host, ReadFile(resource.host, resource.spec.path)
    answers, unreachable = await reconcile.look(work.hosts, {host: [reading]})
    if host in unreachable:
        raise errors.Unreachable(host, unreachable[host])
    answer = answers[reading]
    if isinstance(answer, Unreadable):
        raise errors.Failed(
            say("cli.can-not-read-there", path=resource.spec.path, host=host, why=answer.why)
        )
    return answer.content if isinstance(answer, File) else None


def _no_parser(what: str, error: NoParser) -> errors.RefusedError:
    rule = "no-tree-sitter"
    return errors.RefusedError(
        say("no-tree-sitter.reading", file=what, error=str(error)), say(f"{rule}.page-cure"), rule
    )


def _refused(spec: Spec, problems: Sequence[Problem]) -> errors.RefusedError:
    told = refusal(spec, problems)
    rows = say("cli.rows", rows=(told.reason, *told.places))
    return errors.RefusedError(rows, told.cure, told.rule)


def _document_bytes(work: Work) -> bytes:
    data = Path(work.document.path).read_bytes()
    if sha256(data) != work.document.digest:
        raise errors.StalePlan(say("cli.changed-meanwhile", path=work.document.path))
    return data


def _with_texts(data: bytes, keeping: _Keeping) -> bytes:
    """The document with every text at its place, the last place first so that the others don't
    move."""
    path, resource, texts = keeping.work.document.path, keeping.resource, keeping.texts
    for number, edit in reversed(list(enumerate(resource.spec.edits))):
        if edit.id not in texts:
            continue
        where = resource.line(f"/edits/{number}/content")
        done = document.spliced(data, path, where, texts[edit.id])
        if done is None:
            raise _by_hand(say("cli.form-not-safe", where=str(where)), texts[edit.id])
        data = done
    return data


def _prove(before: bytes, after: bytes, keeping: _Keeping) -> None:
    """The new document differs in these texts alone, and the file is in sync with it in these
    edits."""
    path, environ = keeping.work.document.path, keeping.work.session.environ
    resource, texts = keeping.resource, keeping.texts
    kept = next(iter(texts.values()))
    try:
        old = document.load(path, environ=environ, text=before)
        new = document.load(path, environ=environ, text=after)
    except errors.DocumentError as error:
        raise _by_hand(say("cli.document-not-right", error=error.message), kept) from None
    changed = _resource(new.resources, resource.address)
    if _but(new, resource, texts) != _but(old, resource, texts):
        raise _by_hand(say("cli.more-would-change"), kept)
    seen = compare(changed.spec, keeping.data)
    if seen.problems:
        raise _refused(changed.spec, seen.problems)
    if any(draft.edit in texts and not draft.marks for draft in seen.drafts):
        raise _by_hand(say("cli.not-as-it-stands"), kept)


def _but(loaded: Any, resource: Resource, texts: Mapping[str, str]) -> Any:
    """All that a document says, but for the contents of these edits; places in it don't count."""

    def bare(item: Resource) -> Any:
        spec = item.spec
        same = isinstance(spec, Spec) and spec.set == resource.spec.set
        if not same or item.where.line != resource.where.line:
            return item.address, spec
        edits = tuple(
            replace(edit, content="") if edit.id in texts else edit for edit in spec.edits
        )
        return item.address, replace(spec, edits=edits)

    said = replace(loaded, digest="", hosts={}, resources=(), guards=(), checks=(), guardrails=None)
    hosts = [replace(spec, where=None) for spec in loaded.hosts.values()]
    rest = (
        loaded.guardrails.may_change,
        [(item.address, item.spec) for item in (*loaded.guards, *loaded.checks)],
    )
    return said, hosts, rest, [bare(item) for item in loaded.resources]


def _by_hand(why: Text, text: str) -> errors.RefusedError:
    return errors.RefusedError(
        say("cli.not-written", why=why), say("cli.not-written.cure", text=text)
    )


def _write(path: Path, before: bytes, after: bytes, suffix: str) -> Path:
    """The document beside itself first, then the new one in its place."""
    real = path.resolve()
    backup = real.with_name(f"{real.name}.backup.{suffix}")
    mode = real.stat().st_mode & 0o7777
    disk.create(backup, before, mode)
    if real.read_bytes() != before:
        backup.unlink()
        raise errors.StalePlan(say("cli.changed-meanwhile", path=str(path)))
    disk.replace(real, after, mode)
    return backup
