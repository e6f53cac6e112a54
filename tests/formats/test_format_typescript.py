"""formats/typescript: leaves, digests, patterns, whole statements and names."""

from __future__ import annotations

import pytest

from kjpstate.formats.typescript import (
    BadPattern,
    find,
    fragment,
    grammar_of,
    nearest,
    pattern_of,
    patterns,
    read,
)
from kjpstate.formats.typescript import token_digest as digest_of
from kjpstate.formats.typescript.structure import (
    Place,
    at_module_level,
    declared,
    declared_in,
    leading_comments,
    shadows,
    statement,
    whole,
)


def texts(source: str, path: str = "a.ts") -> list[str]:
    return read(source.encode(), path).texts


def digest(content: str, path: str = "a.ts") -> str:
    parsed = fragment(content, path)
    assert parsed is not None
    source, start, end = parsed
    return digest_of(source.leaves(start, end))


# ---- leaves


@pytest.mark.parametrize(
    ("source", "leaves"),
    [
        ("a = 'b'", ["a", "=", '"b"']),
        ("a = `x${b + `c`}y`", ["a", "=", "`x${b + `c`}y`"]),
        ("a = /x'y/g.test(b)", ["a", "=", "/x'y/g", ".", "test", "(", "b", ")"]),
        ("a / b / c", ["a", "/", "b", "/", "c"]),
        ("let a: A<B<C>> = d >> 1", ["let", *"a:A<B<C>>=d>>1"]),
        ("if (a) {", ["if", "(", "a", ")", "{"]),
        ("// x\na /* y */;", ["a", ";"]),
        ("type T = `a-${string}`", ["type", "T", "=", "`a-${string}`"]),
    ],
)
def test_leaves(source: str, leaves: list[str]) -> None:
    assert texts(source) == leaves


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('"it\'s"', "'it\\'s'"),
        ("'\\u26d4'", "'⛔'"),
        ("'\\u{1F504}'", "'🔄'"),
        ("'\\x41\\\nB'", "'AB'"),
        ("'a\\nb'", "'a\\u000ab'"),
        ("`a\r\nb`", "`a\nb`"),
    ],
)
def test_strings_count_by_value(one: str, other: str) -> None:
    assert texts(f"x({one})") == texts(f"x({other})")


def test_strings_of_other_value_are_other_strings() -> None:
    assert texts("x('a')") != texts("x('b')")
    assert texts("x('a')") != texts("x(a)")
    assert texts("x('`a`')") != texts("x(`a`)")


def test_what_the_parser_supposed_is_no_leaf() -> None:
    assert texts("foo(a") == ["foo", "(", "a"]


def test_text_between_tags_folds_its_blanks() -> None:
    assert texts("x = <p>it's   a\n  day</p>", "a.tsx") == texts("x = <p>it's a day</p>", "a.tsx")


@pytest.mark.parametrize(
    ("path", "grammar"),
    [
        ("a.ts", "typescript"),
        ("a.d.mts", "typescript"),
        ("a.CJS", "typescript"),
        ("a.jsx", "tsx"),
        ("a.py", None),
    ],
)
def test_grammar_by_the_name(path: str, grammar: str | None) -> None:
    assert grammar_of(path) == grammar


def test_javascript_that_only_reads_with_tags_is_read_so() -> None:
    assert read(b"const a = () => <p>hi</p>;", "a.js").fault() is None
    assert read(b"const a = <T>(x) => x;", "a.js").fault() is None


@pytest.mark.parametrize(
    ("source", "line"), [("a();\nb(;\nc();\n", 2), ("if (a) {\n  b();\n", 2), ("a();\n\n}\n", 3)]
)
def test_fault_has_a_line(source: str, line: int) -> None:
    parsed = read(source.encode(), "a.ts")
    fault = parsed.fault()
    assert fault is not None
    assert parsed.line(fault) == line


def test_lines_after_a_byte_order_mark() -> None:
    parsed = read(b"\xef\xbb\xbfa();\r\nb();", "a.ts")
    assert parsed.line_start(3) == 3
    assert [parsed.line_text(1), parsed.line_text(2)] == ["a();", "b();"]
    assert parsed.line_end(3) == 9


# ---- digests


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("foo('a');", 'foo("a")'),
        ("a = [\n  1,\n  2,\n];", "a = [1, 2]"),
        ("if (a) b(); // x   y", "if (a)\n  b() // x y"),
        ("a: 1,\nb: 2,", "a: 1, b: 2"),
    ],
)
def test_the_same_digest(one: str, other: str) -> None:
    assert digest(one) == digest(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("foo(1);", "foo(2);"),
        ("foo(1); // a", "foo(1); // b"),
        ("foo(1); // a", "foo(1);"),
        ("a; b;", "b; a;"),
        ("// a\n", "a"),
        ("a[1]", "a(1)"),
    ],
)
def test_another_digest(one: str, other: str) -> None:
    assert digest(one) != digest(other)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "// only words",
        "a: 1,",
        "private a = 1;\nget b() { return 1; }",
        "case 1:\n  a();",
        "'a',\n'b',",
        "A = 1,",
    ],
)
def test_texts_that_stand_by_themselves(content: str) -> None:
    assert fragment(content, "a.ts") is not None


@pytest.mark.parametrize(
    "content", ["if (a) {", "}", "} function f() {", "a(", "else b()", "const a =", "`a"]
)
def test_texts_that_do_not(content: str) -> None:
    assert fragment(content, "a.ts") is None


# ---- patterns


def places(pattern: str, source: str) -> list[str]:
    parsed = read(source.encode(), "a.ts")
    return [
        parsed.data[parsed.starts[match.first] : parsed.ends[match.last - 1]].decode()
        for match in find(pattern_of(pattern, "a.ts"), parsed)
    ]


@pytest.mark.parametrize(
    ("pattern", "source", "found"),
    [
        ("foo()", "foo(); x.foo(); y?.foo(); foo()", ["foo()", "foo()"]),
        ("foo();", "foo()\nbar()", ["foo()"]),
        ("foo();", "foo()\n.bar()", []),
        ("foo();", "{ foo() }", ["foo()"]),
        ("foo()\nbar()", "foo(); bar();", ["foo(); bar()"]),
        ("foo(a, b)", "foo(a, b,)", ["foo(a, b,)"]),
        ("foo(a, b,)", "foo(a, b)", ["foo(a, b)"]),
        ("[]", "x = [,]", []),
        ("foo('a')", 'foo("a")', ['foo("a")']),
        ("foo('a')", "foo('b')", []),
        ("foo($$$)", "foo(); foo(1, [2, (3)], `)`)", ["foo()", "foo(1, [2, (3)], `)`)"]),
        ("foo($$$, x)", "foo(1, bar(x), x)", ["foo(1, bar(x), x)"]),
        ("{ $$$ }", "if (a) { b({ c }); }", ["{ b({ c }); }", "{ c }"]),
        ("$A = $A + 1", "x = x + 1; x = y + 1", ["x = x + 1"]),
        ("$A()", "if (x) y(); new Z()", ["y()", "Z()"]),
        (
            "if (a) b();",
            "if (a) /* why */\n  // not\n  b();",
            ["if (a) /* why */\n  // not\n  b();"],
        ),
        ("if (a) {", "// if (a) {\nx = `if (a) {`; if (a) { }", ["if (a) {"]),
        ("} else if (b) {", "if (a) { } else if (b) { }", ["} else if (b) {"]),
        (
            "for (let i = 0; i < n; i++)",
            "for (let i = 0; i < n; i++) go()",
            ["for (let i = 0; i < n; i++)"],
        ),
        ("async function f(", "export async function f() {}", ["async function f("]),
    ],
)
def test_find(pattern: str, source: str, found: list[str]) -> None:
    assert places(pattern, source) == found


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("", "no code"),
        ("// a", "no code"),
        ("log('a", "never closes"),
        ("log(`a", "never closes"),
        ("$$$ a", "begins or ends"),
        ("a $$$", "begins or ends"),
        ("$$$", "begins or ends"),
        ("f(" + ", ".join(["$$$"] * 17) + ")", "more than 16"),
    ],
)
def test_bad_patterns(pattern: str, why: str) -> None:
    with pytest.raises(BadPattern, match=why):
        pattern_of(pattern, "a.ts")


def test_many_wildcards_are_no_trap() -> None:
    pattern = "f(" + ", x, ".join(["$$$"] * 16) + ", y)"
    source = "f(" + ", ".join(["x"] * 400) + ");"
    assert places(pattern, source) == []


def test_nearest_lines_come_best_first() -> None:
    source = read(
        b"start();\nif (connection === 'close') {\n} else if (connection == 'open') {\n}\n", "a.ts"
    )
    assert nearest(pattern_of("if (connection === 'open') {", "a.ts"), source) == [3, 2]
    assert nearest(pattern_of("nothing.like(it)", "a.ts"), source) == []


# ---- structure

SOURCE = """import a, { b as c } from 'x'
// words
/** doc */
export async function run({ z }: P, q = 1) {
  const { d, e: [f = 1], ...g } = y;
  foo.on('x', async (u) => {
    if (connection === "close") {
      if (again) run() // why
      else console.log('x') /* end */
      for (const i of xs) go(i)
      setTimeout(() => connect(), 3)
    }
    try { w() } catch (err) { v() }
  })
  const sock = make({
    first: 1,
    second: 2,
  })
}
"""


def at(text: str) -> tuple[int, int]:
    start = SOURCE.encode().index(text.encode())
    return start, start + len(text.encode())


PARSED = read(SOURCE.encode(), "a.ts")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("if (again) run()", "partial-statement"),
        ("if (again) run() // why\n      else console.log('x')", "statement_block"),
        ("run() // why\n      else console.log('x')", "partial-statement"),
        ("console.log('x')", "unbraced-body"),
        ("go(i)", "unbraced-body"),
        ("connect()", "unbraced-body"),
        ("first: 1", "object"),
        ("first: 1,\n    second: 2,", "object"),
        ("const { d, e: [f = 1], ...g } = y;", "statement_block"),
        ("import a", "partial-statement"),
        ("import a, { b as c } from 'x'", "program"),
        ("(i)\n      setTimeout", "partial-statement"),
    ],
)
def test_whole_statements(text: str, verdict: str) -> None:
    found = whole(PARSED, *at(text))
    assert (found.container.type if isinstance(found, Place) else found) == verdict


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("async function run", "export async function run"),
        ("again", "if (again)"),
        ("second", "second: 2"),
        ("d, e", "const { d"),
    ],
)
def test_the_statement_around_a_word(text: str, found: str) -> None:
    place = statement(PARSED, at(text)[0])
    assert isinstance(place, Place)
    assert SOURCE.encode()[place.start : place.end].startswith(found.encode())


def test_module_level() -> None:
    assert at_module_level(PARSED, *at("import a, { b as c } from 'x'"))
    assert not at_module_level(PARSED, *at("const { d, e: [f = 1], ...g } = y;"))


def test_comments_above_a_statement_but_not_those_of_the_whole_file() -> None:
    start = at("export")[0]
    assert leading_comments(PARSED, start, 0) == at("// words")[0]
    assert leading_comments(PARSED, start, at("/** doc")[0]) == at("/** doc")[0]
    checked = read(b"// @ts-nocheck\n/* a\n b */\nfoo();\n", "a.ts")
    assert leading_comments(checked, checked.data.index(b"foo"), 0) == checked.data.index(b"/* a")
    apart = read(b"// other\n\nfoo();\n", "a.ts")
    assert leading_comments(apart, 10, 0) == 10


def test_names() -> None:
    assert {name for name, _ in declared(PARSED.tree.root_node)} == {"a", "c", "run"}
    kinds = (
        "class A {}\nenum B {}\ntype C = 1\ninterface D {}\nnamespace E {}\nimport * as F from 'f'"
    )
    parsed = read(f"{kinds}\nvar g, h = 1".encode(), "a.ts")
    assert declared_in(parsed, 0, len(parsed.data)) == {"A", "B", "C", "D", "E", "F", "g", "h"}


def test_shadows() -> None:
    names = {"u", "f", "g", "z", "q", "i", "err", "sock", "c"}
    assert [name for name, _ in shadows(PARSED, at("connect()")[0], names)] == [
        "u",
        "f",
        "g",
        "q",
        "sock",
        "z",
    ]
    assert [name for name, _ in shadows(PARSED, at("go(i)")[0], {"i"})] == ["i"]
    assert [name for name, _ in shadows(PARSED, at("v()")[0], {"err"})] == ["err"]


# ---- how long a pattern is looked for


def steps_of(text: str, lines: int) -> int:
    """How many leaves are compared until the search ends, found or not."""
    source = read("".join(f"a{number};\n" for number in range(lines)).encode(), "a.ts")
    pattern = pattern_of(text, "a.ts")
    search = patterns._Search(pattern, source, source.texts, len(source.texts), 10**9)
    for start in patterns._starts(search, 0):
        patterns._match(search, 0, start, {})
    return 10**9 - search.steps


@pytest.mark.parametrize(
    "text", ["$A; $$$ b;", "$A; $$$ $B; $$$ $C; $$$ b;", "a0; $$$ $B; $$$ $C; b;"]
)
def test_the_steps_of_a_search_grow_with_the_file_and_no_faster(text: str) -> None:
    assert steps_of(text, 800) < 12 * steps_of(text, 100)


def test_a_search_that_would_not_end_says_what_is_too_free() -> None:
    source = read("".join(f"a{number};\n" for number in range(2000)).encode(), "a.ts")
    with pytest.raises(patterns.TooFree, match=r"`\$A` at its beginning is too free"):
        find(pattern_of("$A; $$$ $B; $$$ $A; $$$ $B; b;", "a.ts"), source)
    same = read(b"a();\n" * 8000, "a.ts")
    with pytest.raises(patterns.TooFree, match="repeats itself"):
        find(pattern_of("a();\n" * 2000 + "b();", "a.ts"), same)


def test_patterns_of_one_file_that_together_would_not_end_are_too_free() -> None:
    source = read("".join(f"a{number};\n" for number in range(8000)).encode(), "a.ts")
    spent = patterns.Spent()
    assert find(pattern_of("a1; $$$ b;", "a.ts"), source, spent=spent) == []
    with pytest.raises(patterns.TooFree, match=r"`\$A` at its beginning is too free"):
        for number in range(1000):
            find(pattern_of(f"$A; $$$ b{number};", "a.ts"), source, spent=spent)
    plain = patterns.Spent()
    for number in range(1000):
        find(pattern_of(f"a{number};", "a.ts"), source, spent=plain)
    assert plain.steps == {}


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("$A = 1;", 2),
        ("$A(b)", 1),
        ("$A\n= 1", 2),
        ("$A)", 2),
        ("$A = 1\n$A(b)", 0),
        ("$A", 5),
        ("$A.b = 1", 0),
    ],
)
def test_a_name_at_the_beginning(text: str, places: int) -> None:
    source = read(b"a = 1;\nb = 1\na(b);\nif (c) {}", "a.ts")
    assert len(find(pattern_of(text, "a.ts"), source)) == places


def test_places_that_overlap_are_all_found() -> None:
    source = read(b"a(); x(); a(); y(); b();", "a.ts")
    assert len(find(pattern_of("a(); $$$ b();", "a.ts"), source)) == 2
