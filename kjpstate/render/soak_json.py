"""A watch -> JSON: one value a look or hole, and the verdict at the end."""

from __future__ import annotations

from typing import Any

from kjpstate.formats.soak import Finding, Hole, Limits, Sample, Soak
from kjpstate.render.as_json import opening
from kjpstate.render.masks import Mask, plain


def seen_json(seen: Sample | Hole, mask: Mask) -> dict[str, Any]:
    """One line of the stream: `type` is sample or hole; a hole comes twice, open (`end` null) and
    closed."""
    return {**opening(), **(_sample(seen, mask) if isinstance(seen, Sample) else _hole(seen, mask))}


def soak_json(soak: Soak, mask: Mask, *, exit_code: int) -> dict[str, Any]:
    """The last line of the stream: `type` verdict, and `result` passed, failed or unknown."""
    return {**opening(), "type": "verdict", **monitor_json(soak, mask), "exit_code": exit_code}


def monitor_json(soak: Soak, mask: Mask) -> dict[str, Any]:
    """A whole watch without its samples."""
    return {
        "document": mask(soak.document),
        "result": soak.result,
        "started": soak.started,
        "seconds": round(soak.seconds, 1),
        "for": soak.wanted,
        "every": soak.every,
        "ended": soak.ended,
        "limits": _limits(soak.limits, mask),
        "looks": len(soak.samples),
        "holes": [_hole(hole, mask) for hole in soak.holes],
        "verdicts": [
            {
                "host": mask(verdict.host),
                "app": mask(verdict.app),
                "result": verdict.result,
                "findings": [_finding(finding, mask) for finding in verdict.findings],
            }
            for verdict in soak.verdicts
        ],
    }


def _sample(sample: Sample, mask: Mask) -> dict[str, Any]:
    return {
        "type": "sample",
        "at": round(sample.at, 1),
        "host": mask(sample.host),
        "app": mask(sample.app),
        "alive": not sample.sick,
        "reason": mask(sample.sick),
        "cpu_percent": None if sample.cpu is None else round(sample.cpu, 2),
        "memory_bytes": sample.memory,
        "crash_restarts": sample.crashes,
        "planned_restarts": sample.planned,
        "log": {mask(text): times for text, times in sample.logs.items()},
        "resolves": {mask(name): well for name, well in sample.names.items()},
        "notes": plain(sample.notes, mask),
    }


def _hole(hole: Hole, mask: Mask) -> dict[str, Any]:
    return {
        "type": "hole",
        "host": mask(hole.host),
        "start": round(hole.start, 1),
        "end": None if hole.end is None else round(hole.end, 1),
        "reason": mask(hole.why),
    }


def _finding(finding: Finding, mask: Mask) -> dict[str, Any]:
    return {
        "at": None if finding.at is None else round(finding.at, 1),
        "reason": mask(finding.what),
    }


def _limits(limits: Limits, mask: Mask) -> dict[str, Any]:
    return {
        "cpu_percent": limits.cpu,
        "memory_bytes": limits.memory,
        "crash_restarts": limits.crash_restarts,
        "unresolved": limits.unresolved,
        "log": {mask(text): most for text, most in limits.log.items()},
    }
