"""Saved plans on the controller: written beside and renamed, told from a document by content, used
once."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from kjpstate import disk, errors, reconcile, saved
from kjpstate.cli.session import Session
from kjpstate.cli.state_folder import digest_key, state_folder
from kjpstate.cli.work import Work, head
from kjpstate.formats.times import seconds, utc_minute
from kjpstate.model import Plan, RunInfo, Scope
from kjpstate.render.diffs import diff_lines, new_rows
from kjpstate.render.masks import mask_for
from kjpstate.said import Text, say
from kjpstate.saved import Saved

LASTS = "24h"
_LONGEST = 999_999 * 86_400
_HEAD = 256
_FORGET = 90 * 86400
"""Seconds after its end for which a used plan's note is kept, should a clock jump back."""
_AGAIN = say("stale-plan.saved.cure")


# ---- telling one from a document


def found(argument: str | None) -> Path | None:
    """The file that `argument` names, when it is (or was) a saved plan; None for a document or no
    file.

    Raises NoPlan for a file that is called a plan and is none.
    """
    if not argument or not Path(argument).is_file():
        return None
    path = Path(argument)
    try:
        with path.open("rb") as file:
            beginning = file.read(_HEAD)
    except OSError as error:
        raise errors.UsageError(
            say("cli.can-not-read", file=argument, reason=error.strerror)
        ) from None
    if saved.is_one(beginning):
        return path
    if path.suffix == ".plan":
        raise saved.NoPlan(say("cli.no-saved-plan", file=argument), _AGAIN)
    return None


def read(session: Session, path: Path) -> Saved:
    """The plan as it was saved on this controller; raises NoPlan, Failed."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise errors.UsageError(say("cli.no-such-file", file=str(path)), _AGAIN) from None
    except OSError as error:
        raise errors.Failed(
            say("cli.can-not-read", file=str(path), reason=error.strerror)
        ) from None
    return saved.parse(text, str(path), digest_key(state_folder(session.environ)))


# ---- saving


def lasting(text: str) -> int:
    """`30m`, `24h`, `7d` in seconds; raises UsageError."""
    found = seconds(text, "m h d")
    if not found or found > _LONGEST:
        raise errors.UsageError(say("cli.expires", text=text))
    return int(found)


def must_be_free(out: str) -> None:
    """Raises UsageError when `out` is a file of another sort: a document is not overwritten by
    mistake."""
    path = Path(out)
    if path.is_dir():
        raise errors.UsageError(say("cli.out-is-a-folder", out=out, folder=out.rstrip("/")))
    if path.is_file() and path.stat().st_size:
        with path.open("rb") as file:
            if not saved.is_one(file.read(_HEAD)):
                raise errors.UsageError(say("cli.out-is-there", out=out))


def save(work: Work, plan: Plan, seconds: float, *, out: str, lasts: int) -> Saved:
    """Write the plan to `out`, mode 0600. Raises RefusedError with an unfinished run, Unreachable,
    Failed."""
    for host, cut in plan.unfinished.items():
        raise errors.RefusedError(
            say("cli.cut-off", run=cut.run, host=host),
            say("cli.cut-off.cure"),
        )
    for host, why in plan.unreachable.items():
        if not work.document.hosts[host].member_of:
            raise errors.Unreachable(host, why, say("cli.no-plan-saved"))
    body = {
        **body_of(work, plan),
        "scope": asdict(work.scope),
        "screen": {
            "seconds": round(seconds, 1),
            "pins": dict(head(work, plan, seconds).pins),
            "diff": new_rows(diff_lines(plan, work.session.mask())),
        },
    }
    made = saved.made(secrets.token_hex(16), body, work.key, now=int(time.time()), lasts=lasts)
    _write(Path(out), saved.text_of(made, work.key))
    return made


def body_of(work: Work, plan: Plan) -> dict[str, Any]:
    """What a plan is compared by."""
    document = work.document
    used = [name for name in head(work, plan, 0).hosts if name not in plan.unreachable]
    resources = [
        item
        for item in reconcile.in_scope(document, work.scope)
        if item.host not in plan.unreachable
    ]
    packed = saved.packed(
        plan,
        resources,
        document.hosts,
        {name: work.hosts[name].identity for name in used},
        key=work.key,
        mask=mask_for(document.secrets | plan.secrets),
    )
    path = str(Path(document.path).absolute())
    return {
        "document": {"path": path, "name": document.name, "digest": document.digest},
        **packed,
    }


def _write(path: Path, text: str) -> None:
    try:
        disk.replace(path, text.encode("ascii"))
    except OSError as error:
        raise errors.Failed(
            say("cli.can-not-write", file=str(path), reason=str(error.strerror or error))
        ) from None


# ---- applying


def opening(session: Session, path: Path) -> Saved:
    """The plan to be applied; raises StalePlan when it is over, used, or without its document."""
    plan = read(session, path)
    saved.refuse_unusable(plan, str(path), int(time.time()))
    used = _used(session, plan)
    if used is not None:
        raise _used_already(path, used)
    document = document_of(plan)
    if not Path(document).is_file():
        why = say("stale-plan.no-document", document=document, path=str(path))
        raise errors.StalePlan(why, say("stale-plan.no-document.cure"), "stale-plan")
    return plan


def document_of(plan: Saved) -> str:
    """The path of the document that it is a plan of."""
    return str(plan.body["document"]["path"])


def scope_of(plan: Saved) -> Scope:
    """The scope of a saved plan as it was typed."""
    scope = plan.body["scope"]
    only, limit, exclude = (tuple(scope.get(name, ())) for name in ("only", "limit", "exclude"))
    return Scope(only, limit, exclude, scope["here"])


def scope_to_apply(plan: Saved) -> Scope:
    """The scope of a saved plan; a member of a fleet that was out of reach stays left out."""
    scope = scope_of(plan)
    return replace(scope, limit=tuple(plan.body["hosts"])) if plan.body["unreachable"] else scope


def refuse_stale(work: Work, plan: Plan, before: Saved, path: Path) -> None:
    """Raises StalePlan, naming all that moved since the plan was saved."""
    for host, cut in plan.unfinished.items():
        raise errors.StalePlan(
            say("stale-plan.cut-off", run=cut.run, host=host, path=str(path)),
            say("stale-plan.cut-off.cure"),
            "stale-plan",
        )
    why = saved.stale(before.body, body_of(work, plan), plan)
    if why:
        raise errors.StalePlan(say("stale-plan.moved", why=why), _AGAIN, "stale-plan")


@contextlib.contextmanager
def used(work: Work, plan: Saved | None, path: Path | None, run: RunInfo) -> Iterator[None]:
    """The block uses the plan up, unless it ends before anything was written. Two at once: one gets
    it."""
    if plan is None or path is None:
        yield
        return
    note = _notes(work.session) / f"{plan.id}.json"
    value = {"run": run.id, "at": int(time.time()), "expires": plan.expires, "file": str(path)}
    try:
        disk.create(note, json.dumps(value).encode())
    except FileExistsError:
        raise _used_already(path, _used(work.session, plan) or {}) from None
    except OSError as error:
        raise errors.Failed(
            say("cli.use-not-noted", path=str(path), reason=str(error.strerror or error))
        ) from None
    try:
        yield
    except (errors.StalePlan, errors.Locked, errors.Unreachable, errors.RefusedError):
        note.unlink(
            missing_ok=True
        )  # raised before the first write only: the plan may still be used
        raise


def _notes(session: Session) -> Path:
    """The folder with a note of each used plan; those long over are forgotten."""
    folder = state_folder(session.environ) / "plans"
    folder.mkdir(mode=0o700, exist_ok=True)
    for note in folder.glob("*.json"):
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            if json.loads(note.read_text("utf-8"))["expires"] + _FORGET < time.time():
                note.unlink()
    return folder


def _used(session: Session, plan: Saved) -> Mapping[str, Any] | None:
    """Who used the plan and when; {} when its note is there and can't be read."""
    note = _notes(session) / f"{plan.id}.json"
    if not note.exists():
        return None
    try:
        value = json.loads(note.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _used_already(path: Path, note: Mapping[str, Any]) -> errors.StalePlan:
    used = say("stale-plan.used", path=str(path))
    if note.get("run"):
        at = utc_minute(int(note.get("at", 0)))
        used = say("stale-plan.used-by", path=str(path), run=note["run"], at=at)
    return errors.StalePlan(used, _AGAIN, "stale-plan")


def use_of(session: Session, plan: Saved) -> Text:
    """For a screen: whether the plan is used, over, or still good."""
    note = _used(session, plan)
    if note is not None:
        run = note.get("run")
        return say("cli.plan-used-by", run=run) if run else say("cli.plan-used")
    fault = saved.fault(plan, int(time.time()))
    if fault is not None:
        return saved.told(plan, fault)
    return say("cli.good-until", until=utc_minute(plan.expires))
