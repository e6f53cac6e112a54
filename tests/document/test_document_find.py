"""Which document is meant when none is named."""

from pathlib import Path

import pytest

from kjpstate.document import find
from kjpstate.errors import USAGE, UsageError
from kjpstate.said import Said, say


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("kjpstate: 1\n", "utf-8")
    return path


def test_the_argument_wins_then_the_environment(tmp_path: Path) -> None:
    named, other = put(tmp_path / "a.yaml"), put(tmp_path / "b.yaml")
    put(tmp_path / "kjpstate.yaml")
    assert find(str(named), {"KJPSTATE_DOCUMENT": str(other)}, tmp_path) == named.as_posix()
    assert find(None, {"KJPSTATE_DOCUMENT": str(other)}, tmp_path) == other.as_posix()
    assert find("a.yaml", {}, tmp_path) == named.as_posix()


def test_here_then_in_a_folder_above_then_in_states(tmp_path: Path) -> None:
    deep = tmp_path / "one" / "two"
    deep.mkdir(parents=True)
    only = put(deep / "states" / "bot.yaml")
    put(deep / "states" / "variants" / "other.yaml")
    assert find(None, {}, deep) == only.as_posix()
    above = put(tmp_path / "kjpstate.yaml")
    assert find(None, {}, deep) == above.as_posix()
    here = put(deep / "kjpstate.yaml")
    assert find(None, {}, deep) == here.as_posix()


def test_shown_as_a_person_would_type_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "states" / "bot.yaml")
    monkeypatch.chdir(tmp_path)
    assert find(None, {}, Path.cwd()) == "states/bot.yaml"


@pytest.mark.parametrize(
    ("argument", "environ", "message"),
    [
        ("none.yaml", {}, say("document.not-there", path="none.yaml")),
        (None, {"KJPSTATE_DOCUMENT": "x"}, say("document.not-there-from-environ", path="x")),
        (".", {}, say("document.folder", path=".")),
        (None, {}, say("document.none-here", name="kjpstate.yaml")),
    ],
)
def test_nothing_to_find(
    argument: str | None, environ: dict[str, str], message: Said, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        find(argument, environ, tmp_path)
    assert caught.value.message == message
    assert caught.value.exit_code == USAGE
    assert caught.value.remedy


def test_several_are_named_not_chosen_from(tmp_path: Path) -> None:
    names = [put(tmp_path / "states" / f"{name}.yaml").as_posix() for name in "ab"]
    with pytest.raises(UsageError) as caught:
        find(None, {}, tmp_path)
    assert caught.value.message == say("document.several", names=names)
