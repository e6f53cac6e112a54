"""One table of rule ids and texts: for advice, refusals and errors, and for `kjpstate explain`.

A text is one paragraph, plain words, no markup; ready to be translated. Kept in the order of the ids.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """`title`: one line. `text`: what happens and why. `cure`: what to write or type."""

    title: str
    text: str
    cure: str


RULES: dict[str, Rule] = {
    "input-missing": Rule(
        "The build's input is not there",
        "A build is judged by the bytes of what it reads. An input that the document names and that "
        "is not on the host (and that no patch of the same plan writes) would make every build look "
        "fresh, so nothing is built and what would be deployed from it stays as it is.",
        "put the file or folder there, or correct `inputs` and `directory` in the section build",
    ),
    "modules-missing": Rule(
        "npm has installed nothing here",
        "The folder has a package.json and no node_modules, so the type-check and the build will not "
        "find their own tools. kjpstate does not install them by itself: what npm brings in is your "
        "decision.",
        "npm ci in that folder",
    ),
    "needs-other-host": Rule(
        "Only another host can cure this",
        "The files on this host are not those of the last deploy, and the host they come from can't "
        "be seen from here. The difference is real and is reported; the cure is an apply that sees "
        "both hosts.",
        "kjpstate apply from a machine that reaches both hosts",
    ),
    "source-missing": Rule(
        "What should be deployed is not there",
        "The folder that `deploy.from` names, or a file of `deploy.with`, does not exist or is empty "
        "on its host, and nothing earlier in this plan will make it. Deploying it would empty the "
        "target, so the target stays as it is.",
        "build first, or correct `from` and `with` in the section deploy",
    ),
    "target-unreadable": Rule(
        "The deploy's target can't be looked at",
        "Something stands at the target that is not a folder of files we may read: a link, a file, or"
        " a folder without permission. Writing over it would be guessing.",
        "look at it on the host; name the real folder in `deploy.to`",
    ),
}
