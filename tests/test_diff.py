"""diff: what counts as a difference, and how it is named."""

import subprocess
import sys

import pytest

from kjpstate.diff import compare
from kjpstate.model import UNKNOWN, Difference

CASES = {
    "equal": ({"a": 1}, {"a": 1}, []),
    "only named keys": ({"a": 1}, {"a": 1, "b": 2}, []),
    "only named keys, deeper": ({"env": {"A": "1"}}, {"env": {"A": "1", "B": "2"}}, []),
    "missing is None": ({"a": 1}, {}, [(("a",), None, 1)]),
    "None wanted and missing": ({"a": None}, {}, []),
    "leaves, not parents": ({"x": {"a": 1}}, {"x": {"b": 2}}, [(("x", "a"), None, 1)]),
    "private-looking keys count": (
        {"env": {"__T": "1"}},
        {"env": {"__T": "2"}},
        [(("env", "__T"), "2", "1")],
    ),
    "a list is whole": ({"dns": ["a", "b"]}, {"dns": ["a"]}, [(("dns",), ["a"], ["a", "b"])]),
    "order counts": (
        {"dns": ["a", "b"]},
        {"dns": ["b", "a"]},
        [(("dns",), ["b", "a"], ["a", "b"])],
    ),
    "repetition counts": ({"dns": ["a"]}, {"dns": ["a", "a"]}, [(("dns",), ["a", "a"], ["a"])]),
    "a tuple is a list": ({"dns": ("a",)}, {"dns": ["a"]}, []),
    "1 is not True": ({"a": 1}, {"a": True}, [(("a",), True, 1)]),
    "1 is not 1.0, deep in a list": ({"a": [1]}, {"a": [1.0]}, [(("a",), [1.0], [1])]),
    "type changes": ({"a": "1"}, {"a": 1}, [(("a",), 1, "1")]),
    "mapping against nothing": ({"a": {"b": 1}}, {"a": None}, [(("a",), None, {"b": 1})]),
    "unknown differs": ({"a": UNKNOWN}, {"a": "x"}, [(("a",), "x", UNKNOWN)]),
    "unknown differs from nothing": ({"a": UNKNOWN}, {}, [(("a",), None, UNKNOWN)]),
    "document order": ({"z": 1, "a": 1}, {"z": 0, "a": 0}, [(("z",), 0, 1), (("a",), 0, 1)]),
    "whole": (None, {"a": 1}, [((), {"a": 1}, None)]),
}


@pytest.mark.parametrize(("desired", "actual", "expected"), CASES.values(), ids=CASES)
def test_compare(desired, actual, expected):
    assert compare(desired, actual) == tuple(Difference(*difference) for difference in expected)


def test_in_sync_never_imports_deepdiff():
    code = (
        "import sys; from kjpstate import diff; diff.compare([1], [1]); print('deepdiff' in "
        "sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
