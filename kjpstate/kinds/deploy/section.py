"""The section `deploy` of the document: a folder that travels from one host to another."""

from __future__ import annotations

from collections.abc import Sequence

from kjpstate.formats.written import argv, relative
from kjpstate.kinds.deploy.spec import Spec
from kjpstate.model import overlap
from kjpstate.said import say
from kjpstate.section import Made, Section


def deployed(source: Section, target: Section, earlier: Sequence[Made]) -> Made:
    """One deploy; `source` and `target` are the same section on its two hosts."""
    value = target.value
    origin = source.path("/from/directory", value["from"]["directory"], folder=True)
    folder = target.path("/to/directory", value["to"]["directory"], folder=True)
    if source.host == target.host and overlap(origin, folder):
        target.add("/to/directory", say("document.deploy-onto-itself"))
    spec = Spec(
        host=target.host.name,
        document=target.document,
        from_host=source.host.name,
        from_directory=origin,
        to_directory=folder,
        built=_built(source, origin, earlier),
        with_files=tuple(relative(text) for text in value.get("with", ())),
        install=argv(value["install"]) if "install" in value else (),
    )
    return Made(
        "deploy",
        target,
        spec,
        tail=folder.rstrip("/").rpartition("/")[2],
        identity=folder,
        lines=target.lines(),
        fills=(folder,),
    )


def _built(source: Section, origin: str, earlier: Sequence[Made]) -> str:
    """The home of what fills `origin` and is made before it, or ""."""
    homes = (
        made.home
        for made in earlier
        if made.home
        and made.section.host == source.host
        and origin.startswith(made.home)
        and any(overlap(path, origin) for path in made.fills)
    )
    return next(homes, "")
