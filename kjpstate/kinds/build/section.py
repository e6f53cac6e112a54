"""The section `build` of the document: a directory that is checked and built."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kjpstate.formats.written import argv, relative, seconds
from kjpstate.kinds.build.spec import Spec
from kjpstate.section import Made, Page

SECTION = "build"


def resources(page: Page, earlier: Sequence[Made]) -> Iterator[Made]:
    """Make one build of each section on each of its hosts."""
    for section in page.sections(SECTION):
        value = section.value
        spec = Spec(
            host=section.host.name,
            document=section.document,
            directory=section.path("/directory", value["directory"], folder=True),
            inputs=tuple(relative(text) for text in value["inputs"]),
            outputs=tuple(relative(text) for text in value["outputs"]),
            run=argv(value["run"]),
            check=argv(value["check"]) if "check" in value else (),
            timeout=seconds(value.get("timeout", "10m")),
        )
        yield Made(
            "build",
            section,
            spec,
            tail=spec.directory.rstrip("/").rpartition("/")[2],
            identity=spec.directory,
            lines=section.lines(),
            home=spec.directory,
            fills=tuple(spec.path(path) for path in spec.outputs),
        )
