"""Checks -> JUnit XML, as Jenkins, GitLab and others read it. Called by `cli` for `verify --junit`.

A check that failed is a failure, one whose host was not reached an error, one for a person skipped
with what it asks. Characters that XML does not know are shown escaped, whoever wrote them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kjpstate.model import CheckResult
from kjpstate.render.masks import Mask, clean

# What XML 1.0 allows, and no more: `clean` leaves tabs and line ends, and knows nothing of U+FFFE.
_ILLEGAL = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CHILD = {"failed": "failure", "unknown": "error", "manual": "skipped"}


def junit_xml(
    document: str, checks: Sequence[CheckResult], seconds: float, when: str, mask: Mask
) -> str:
    """One test suite of the document's name. `when`: the controller's time, as
    2026-03-01T10:00:00."""
    from xml.etree import ElementTree as Tree

    def said(text: str) -> str:
        return _ILLEGAL.sub(lambda found: f"\\u{ord(found[0]):04x}", clean(mask(text)))

    counts = {
        "tests": len(checks),
        "failures": sum(check.result == "failed" for check in checks),
        "errors": sum(check.result == "unknown" for check in checks),
    }
    shared = {**{key: str(number) for key, number in counts.items()}, "time": f"{seconds:.3f}"}
    top = Tree.Element("testsuites", {"name": "kjpstate verify", **shared})
    skipped = str(sum(check.result == "manual" for check in checks))
    name = said(document)
    suite = Tree.SubElement(
        top, "testsuite", {"name": name, **shared, "skipped": skipped, "timestamp": when}
    )
    for check in checks:
        place = ".".join(filter(None, (name, said(check.host))))
        case = Tree.SubElement(
            suite, "testcase", {"name": said(check.name), "classname": place, "time": "0"}
        )
        child = _CHILD.get(check.result)
        if child is None:
            Tree.SubElement(case, "system-out").text = said(str(check.reason))
            continue
        reason = said(str(check.reason))
        attributes = {"message": reason.partition("\n")[0]}
        if child != "skipped":
            attributes["type"] = check.result
        element = Tree.SubElement(case, child, attributes)
        element.text = None if child == "skipped" else reason
    Tree.indent(top)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Tree.tostring(top, encoding="unicode")}\n'
