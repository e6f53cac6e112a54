"""Digests: one form for bytes, for a file that may be missing, for a value."""

import hashlib

from kjpstate.formats.digests import digest_of, sha256, sha256_or_dash, sha256_or_none
from kjpstate.formats.tree import stamp_name


def test_bytes_and_a_file_that_is_not_there():
    known = hashlib.sha256(b"x").hexdigest()
    assert sha256(b"x") == sha256_or_none(b"x") == sha256_or_dash(b"x") == known
    assert (sha256_or_none(None), sha256_or_dash(None)) == (None, "-")
    assert sha256_or_none(b"") == hashlib.sha256(b"").hexdigest()


def test_the_order_of_keys_makes_no_difference_and_the_form_stays_what_stamps_hold():
    written = hashlib.sha256(b'{"a":[1,2],"b":"\\u00e9"}').hexdigest()
    assert digest_of({"b": "é", "a": (1, 2)}) == digest_of({"a": [1, 2], "b": "é"}) == written
    assert digest_of({"a": b"x"}, default=repr) == digest_of({"a": "b'x'"})


def test_names_of_stamps_stay_what_they_are():
    assert stamp_name("tree", "/root/bot/dist/") == stamp_name("tree", "/root/bot/dist")
    assert (
        stamp_name("tree", "/root/bot/dist/")
        == "tree-root-bot-dist-" + sha256(b"/root/bot/dist")[:12] + ".json"
    )
