"""A watch that found something: what the tests of its screens show."""

from __future__ import annotations

from dataclasses import replace

from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.soak import Finding, Hole, Limits, Sample, Soak, Subject, Verdict
from kjpstate.render.masks import mask_for

OPEN = mask_for(())
LIMITS = Limits(cpu=30, memory=200 << 20, crash_restarts=0, unresolved=2, log={"ENOTFOUND": 3})
SAMPLE = Sample(
    at=30,
    host="stb",
    app="bot-kjp",
    cpu=2.04,
    memory=84 << 20,
    logs={"ENOTFOUND": 0},
    names={"web.whatsapp.com": True},
)
BAD = replace(
    SAMPLE,
    at=90,
    sick="stopped",
    cpu=None,
    memory=None,
    crashes=2,
    planned=1,
    logs={"ENOTFOUND": None},
    names={"web.whatsapp.com": False},
    notes=("the box was restarted",),
)
HOLE = Hole("stb", 40, 70, "the link to stb was lost")
SOAK = Soak(
    "bot-kjp",
    "20260301T100000Z",
    1800,
    30,
    90,
    "early",
    LIMITS,
    (replace(SAMPLE, at=0, cpu=None), SAMPLE, BAD),
    (HOLE,),
    (
        Verdict(
            "stb", "bot-kjp", "failed", (Finding(90, "restarts by crashes: 2; the limit is 0"),)
        ),
    ),
)
SUBJECTS = (Subject(Declared("stb", "d", "/srv/ecosystem.config.js", {"name": "bot-kjp"})),)
