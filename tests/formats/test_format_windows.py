"""Windows' traps as tables: names, paths, programs, the command lines of batch files."""

from __future__ import annotations

import ntpath
import subprocess

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from kjpstate.formats import windows
from kjpstate.said import say

# ---- names


@pytest.mark.parametrize(
    "name",
    [
        *(
            "nul",
            "NUL",
            "con",
            "Aux.ts",
            "prn.tar.gz",
            "com1",
            "COM9.js",
            "lpt0",
            "com¹",
            "CONIN$",
            "conout$",
        ),
        *("nul ", "nul .js", "con:", "a:b", "C:", "a.js:stream", "a.js::$DATA"),
        *("a.", "a..", "a ", ". ", ". .", "...", ".", ".."),
        *("..\\z", "a\\b", "\\\\srv", "a*b", "what?", "<a", 'a"', "a|b", "a\tb", "a\nb", "\0"),
    ],
)
def test_a_name_that_windows_would_take_for_another_thing(name: str):
    assert windows.odd_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "wa.ts",
            "null",
            "console.js",
            "auxiliary",
            "com",
            "com10",
            "lpt",
            "a.nul",
            ".con",
            "conin",
        ),
        *(
            " a",
            ".env",
            "..a",
            "a b",
            "a;b",
            "a=b,c",
            "x (86)",
            "日本",
            "f~1",
            "100%",
            "a&b",
            "it's",
            "@s",
            "[a]",
        ),
    ],
)
def test_a_name_that_is_itself(name: str):
    assert not windows.odd_name(name)


@pytest.mark.parametrize(
    "path", ["C:/a/nul", "C:/a./b", "C:/a/b:c", "/etc/a:b", "C:/a\\..\\b", "//srv/a/con"]
)
def test_a_path_with_such_a_name(path: str):
    assert windows.odd_path(path)


@pytest.mark.parametrize(
    "path", ["C:/a/b", "C:/", "/etc/systemd/resolved.conf", "//srv/C$/a/", "dist/a.js", ""]
)
def test_a_path_without(path: str):
    assert not windows.odd_path(path)


# ---- paths


@pytest.mark.parametrize(
    ("path", "code", "told"),
    [
        ("/w2/a", "no-drive", {"path": "/w2/a"}),
        ("/", "no-drive", {"path": "/"}),
        ("D:rel", "no-slash", {"path": "D:/rel"}),
        ("D:", "no-slash", {"path": "D:/"}),
        ("//srv", "no-share", {"path": "//srv"}),
        ("//srv/", "no-share", {"path": "//srv/"}),
        ("//", "no-share", {"path": "//"}),
        ("//?/C:/w2", "device-path", {"path": "//?/C:/w2"}),
        ("//./nul", "device-path", {"path": "//./nul"}),
        ("C:/w2/nul", "odd-name", {"name": "nul"}),
        ("src/wa.ts.", "odd-name", {"name": "wa.ts."}),
        ("src/wa.ts:stream", "odd-name", {"name": "wa.ts:stream"}),
        ("C:/a /b", "odd-name", {"name": "a "}),
    ],
)
def test_a_path_that_is_another_place_on_windows(path: str, code: str, told: dict[str, str]):
    assert windows.misleading(path) == say(f"windows.{code}", **told)


@pytest.mark.parametrize(
    "path", ["C:/", "D:/BOT/INPUT DATA", "//srv/share", "//srv/share/bot/", "../a", ".", "a"]
)
def test_a_path_that_is_one_place(path: str):
    assert windows.misleading(path) == ""


@pytest.mark.parametrize(
    ("path", "on_windows", "elsewhere"),
    [
        ("//srv/share/bot", "//srv/share/bot", "/srv/share/bot"),
        ("//srv/share", "//srv/share/", "/srv/share"),
        ("//srv/share/../../x/./y//z", "//srv/share/x/y/z", "/x/y/z"),
        ("C:/a/../b", "C:/b", "C:/b"),
        ("C:/../..", "C:/", "C:/"),
        ("C:/a//b/", "C:/a/b", "C:/a/b"),
        ("/a/./b", "/a/b", "/a/b"),
    ],
)
def test_a_path_is_tidied_and_stays_where_it_is(path: str, on_windows: str, elsewhere: str):
    assert windows.tidied(path, folder=False, windows=True) == on_windows
    assert windows.tidied(path, folder=False, windows=False) == elsewhere
    folder = windows.tidied(path, folder=True, windows=True)
    assert folder == on_windows.rstrip("/") + "/"


# ---- programs

FILES = {
    r"C:\node\node.exe",
    r"C:\node\npm.cmd",
    r"C:\node\npm.ps1",
    r"C:\node\npm",
    r"C:\old\npm.exe",
    r"C:\Windows\System32\where.exe",
    r"C:\here\npm.cmd",
    r"C:\here\node.exe",
    r"D:\bot\b.cmd",
    r"D:\bot\node.exe",
    r"D:\bot\node_modules\.bin\tsc",
    r"D:\bot\node_modules\.bin\tsc.cmd",
    r"D:\bot\two.exe.cmd",
    r"\\srv\share\tools\up.exe",
    r"D:\bot\script.js",
}
PATH = r'C:\old;"C:\node";C:\Windows\System32'
ENDINGS = ".COM;.EXE;.BAT;.CMD;.VBS;.JS"


@pytest.mark.parametrize(
    ("word", "path", "file"),
    [
        ("node", PATH, r"C:\node\node.exe"),
        ("node.exe", PATH, r"C:\node\node.exe"),
        ("npm", PATH, r"C:\old\npm.exe"),
        ("npm.cmd", PATH, r"C:\node\npm.cmd"),
        ("NPM.CMD", PATH, r"C:\node\NPM.CMD"),
        ("node", "", None),
        ("node", r";.;here;C:here;\here;..\here;;", None),
        ("b", PATH, None),
        ("b.cmd", PATH, None),
        ("./b.cmd", PATH, r"D:\bot\b.cmd"),
        (r".\b", PATH, r"D:\bot\b.cmd"),
        ("node_modules/.bin/tsc", PATH, r"D:\bot\node_modules\.bin\tsc.cmd"),
        ("two.exe", PATH, None),
        ("./two.exe", PATH, r"D:\bot\two.exe.cmd"),
        ("C:/node/npm", PATH, r"C:\node\npm.cmd"),
        ("/bot/b.cmd", PATH, r"D:\bot\b.cmd"),
        ("C:b.cmd", PATH, None),
        ("./script.js", PATH, None),
        ("//srv/share/tools/up", PATH, r"\\srv\share\tools\up.exe"),
        ("up", r"\\srv\share\tools", r"\\srv\share\tools\up.exe"),
        ("./b.cmd.", PATH, None),
        ("./b.cmd ", PATH, None),
    ],
)
def test_a_program_is_found_from_the_commands_folder_or_on_path(
    word: str, path: str, file: str | None
):
    there = {name.lower() for name in FILES}
    found = windows.program(word, "D:/bot/", path, ENDINGS, lambda name: name.lower() in there)
    assert found == file or (
        found is not None and file is not None and found.lower() == file.lower()
    )


@pytest.mark.parametrize("endings", ["", ".JS;.PY", ".cmd", " .CMD ; .EXE "])
def test_endings_that_the_system_can_start(endings: str):
    assert windows.program("npm", "", r"C:\node", endings, FILES.__contains__) == r"C:\node\npm.cmd"


@given(st.text('abC:./\\;" ~', max_size=6), st.text('abC:./\\;" ', max_size=12))
def test_whatever_is_found_stands_for_itself(word: str, path: str):
    asked: list[str] = []
    windows.program(word or "a", r"C:\bot", path, "", lambda file: bool(asked.append(file)))
    assert all(ntpath.splitdrive(file)[0] and ntpath.isabs(file) for file in asked)


# ---- what cmd.exe reads


@pytest.mark.parametrize(
    "word",
    [
        'a" & echo x>C:\\pwn & "',
        *(f"a{sign}b" for sign in '"%&|<>^()!\n\r\0\x1a\x0b'),
        "%USERNAME%",
        "!PATH!",
        "%~dp0",
        "^",
    ],
)
def test_a_word_that_cmd_would_read(word: str):
    assert windows.read_by_cmd(r"C:\b.cmd", ("fine", word))


def test_the_file_itself_may_be_anywhere_but_below_a_variable():
    assert windows.read_by_cmd(r"C:\Program Files (x86)\Tom & Jerry\npm.cmd", ()) == ""
    assert windows.read_by_cmd(r"C:\%TEMP%\npm.cmd", ()) == "%"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("run", "build"), "run build"),
        (("--no-install", "tsc", "--noEmit"), "--no-install tsc --noEmit"),
        (("a b",), '"a b"'),
        (("a=b,c;d@~e",), '"a=b,c;d@~e"'),
        (("",), '""'),
        (("C:\\a b\\",), '"C:\\a b\\\\"'),
        (("C:\\a\\",), "C:\\a\\"),
        (("a\tb", "*.ts", "日本"), '"a\tb" "*.ts" "日本"'),
        (("@scope/x", "~", "it's", "[a]", "#1", "x@1.2"), "@scope/x ~ it's [a] #1 x@1.2"),
    ],
)
def test_the_line_of_a_batch_file(words: tuple[str, ...], line: str):
    assert windows.read_by_cmd("b.cmd", words) == ""
    assert windows.batch_line(r"C:\a b\b.cmd", words) == rf'"C:\a b\b.cmd" {line}'


def crt(line: str) -> list[str]:
    """A command line as Microsoft's C library parts it, of quotes and backslashes before them."""
    words, word, quoted, at = [], None, False, 0
    while at < len(line):
        slashes = len(line[at:]) - len(line[at:].lstrip("\\"))
        behind = line[at + slashes : at + slashes + 1]
        if slashes:
            word = (word or "") + "\\" * (slashes // 2 if behind == '"' else slashes)
            at += slashes
            if behind == '"' and slashes % 2:
                word, at = word + '"', at + 1
        elif line[at] == '"':
            word, quoted, at = word or "", not quoted, at + 1
        elif line[at] in " \t" and not quoted:
            words, word, at = [*words, *([] if word is None else [word])], None, at + 1
        else:
            word, at = (word or "") + line[at], at + 1
    return [*words, *([] if word is None else [word])]


@given(
    st.lists(
        st.text(st.characters(codec="utf-8"), max_size=8) | st.text("\\ab =;,\t", max_size=6),
        max_size=4,
    )
)
@example(["C:\\a b\\", "\\\\", "\\", "a\\\\ ", ""])
def test_each_word_arrives_behind_a_batch_file_or_is_refused(words: list[str]):
    if not windows.read_by_cmd(r"C:\b.cmd", words):
        line = windows.batch_line(r"C:\b.cmd", words)
        assert crt(line) == [r"C:\b.cmd", *words]
        outside = "".join(line.split('"')[::2])
        assert not set(outside) & set("&|<>^()%!\r\n=;,\t")


def test_the_parting_of_the_c_library_is_modelled_right():
    words = ["a b", 'q"q', "c\\", "d e\\", "", '\\"', "f\\\\g"]
    assert crt(subprocess.list2cmdline(words)) == words
