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
    "no-cure": Rule(
        "Different, and nothing here can cure it",
        "The resource differs from the document in something that none of kjpstate's actions can "
        "change. It is reported as drift, and nothing is done about it by guessing.",
        "look at the named value on the host, and change it there or in the document",
    ),
    "outside-may-change": Rule(
        "A write outside what the document allows",
        "guardrails.may_change names all paths that kjpstate itself may write on a host; without it "
        "they are just the paths that the sections name. A change of this plan would write another "
        "path, so the whole unit is left as it is. The host object enforces the same rule once more "
        "for every write.",
        "add the path to guardrails.may_change of that host, if that is right",
    ),
    "source-missing": Rule(
        "What should be deployed is not there",
        "The folder that `deploy.from` names, or a file of `deploy.with`, does not exist or is empty "
        "on its host, and nothing earlier in this plan will make it. Deploying it would empty the "
        "target, so the target stays as it is.",
        "build first, or correct `from` and `with` in the section deploy",
    ),
    "stale-plan": Rule(
        "What the plan saw has moved",
        "Between the plan and the apply somebody or something changed a value that the plan had "
        "compared, or the bytes it was to replace. Nothing was done: a plan is carried out only on "
        "what it saw.",
        "kjpstate plan   and look at the new one",
    ),
    "target-unreadable": Rule(
        "The deploy's target can't be looked at",
        "Something stands at the target that is not a folder of files we may read: a link, a file, or"
        " a folder without permission. Writing over it would be guessing.",
        "look at it on the host; name the real folder in `deploy.to`",
    ),
    "unchanged-differs": Rule(
        "A value that was to stay has moved",
        "guardrails.unchanged names a value in a file that nobody may change by accident, such as the"
        " installed version of Baileys. It is another one now. Nothing on that host is changed until "
        "a human has decided.",
        "write the new value in guardrails.unchanged if the change is wanted; else put the file back",
    ),
    "unchanged-unreadable": Rule(
        "A pinned value can't be found",
        "The file that guardrails.unchanged names is missing, is not JSON, or has nothing at that "
        "pointer, so whether it moved can't be known. Nothing on that host is changed until it can.",
        "mend the file, or correct `file` and `pointer` in guardrails.unchanged",
    ),
}
