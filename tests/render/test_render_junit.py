"""JUnit XML: what common readers ask for, held by a parser; hostile texts; secrets."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kjpstate.model import CheckResult
from kjpstate.render.junit import junit_xml
from kjpstate.render.masks import mask_for

OPEN = mask_for(())
CHECKS = (
    CheckResult("AC1", "passed", "the file has both", "stb"),
    CheckResult("AC2 <&>\"'", "failed", "bot-kjp is not alive: stopped\nsince noon", "stb"),
    CheckResult("AC4", "unknown", "stb did not answer", "stb"),
    CheckResult("it answers", "manual", "Kirim pesan ke bot; ia membalas.", ""),
)
# The attributes and children that the schema of Jenkins allows; GitLab, GitHub and others read the
# same.
ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "disabled", "errors"},
    "testsuite": {
        *(
            "name",
            "tests",
            "failures",
            "errors",
            "time",
            "disabled",
            "skipped",
            "timestamp",
            "hostname",
            "id",
        ),
        "package",
    },
    "testcase": {"name", "assertions", "time", "classname", "status"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"message"},
    "system-out": set(),
}
NEEDED = {"testsuite": {"name", "tests"}, "testcase": {"name", "classname"}}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    "testcase": {"skipped", "error", "failure", "system-out"},
}


def parsed(checks, mask=OPEN) -> ElementTree.Element:
    text = junit_xml("bot-kjp", checks, 1.23456, "2026-03-01T10:00:00", mask)
    root = ElementTree.fromstring(text.encode("utf-8"))
    for element in root.iter():
        assert set(element.attrib) <= ATTRIBUTES[element.tag], element.tag
        assert NEEDED.get(element.tag, set()) <= set(element.attrib)
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
    return root


def test_names_failures_errors_and_what_is_skipped():
    root = parsed(CHECKS)
    (suite,) = root
    assert {
        key: suite.get(key) for key in ("name", "tests", "failures", "errors", "skipped", "time")
    } == {
        "name": "bot-kjp",
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
        "time": "1.235",
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", ""))
    cases = {case.get("name"): case for case in suite}
    assert [case.get("classname") for case in suite] == ["bot-kjp.stb"] * 3 + ["bot-kjp"]
    assert cases["AC1"].findtext("system-out") == "the file has both"
    failure = cases["AC2 <&>\"'"].find("failure")
    assert failure is not None
    assert (failure.get("message"), failure.text) == (
        "bot-kjp is not alive: stopped",
        "bot-kjp is not alive: stopped\nsince noon",
    )
    error, skipped = cases["AC4"].find("error"), cases["it answers"].find("skipped")
    assert error is not None and error.text == "stb did not answer"
    assert skipped is not None and skipped.get("message") == "Kirim pesan ke bot; ia membalas."


def test_no_checks_are_an_empty_suite():
    assert [suite.get("tests") for suite in parsed(())] == ["0"]


@given(st.text(), st.text(), st.sampled_from(["passed", "failed", "unknown", "manual"]))
def test_whatever_a_log_holds_it_stays_xml(name: str, reason: str, result):
    hostile = CheckResult(
        f"{name}\x00\x1b]\ud800\ufffe", result, f"{reason}]]>\x08\udfff\uffff", "stb"
    )
    (case,) = next(iter(parsed((hostile,))))
    assert "\\x00" in case.get("name", "")


def test_secrets_are_masked():
    text = junit_xml(
        "d",
        (CheckResult("a", "failed", "token s3cr3t-value", "h"),),
        0,
        "",
        mask_for(["s3cr3t-value"]),
    )
    assert "s3cr3t" not in text


@pytest.mark.parametrize("result", ["passed", "failed", "manual", "unknown"])
def test_each_result_alone(result):
    assert len(list(parsed((CheckResult("a", result, "why", "stb"),)).iter("testcase"))) == 1
