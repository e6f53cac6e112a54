"""Single texts: commands without a shell, addresses, DNS servers, double-encoded text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kjpstate.document import words
from kjpstate.said import say


@pytest.mark.parametrize(
    "text",
    [
        "npm run build",
        "npx --no-install tsc --noEmit",
        "echo 'a && b' \"c | d\"",
        "node -e 'console.log(`x`, \"$y\")'",
        "echo a\\;b a\\$b",
        "grep -E '^x$' file",
    ],
)
def test_commands_that_need_no_shell(text: str) -> None:
    assert list(words.command(text)) == []


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("a && b", "&&"),
        ("a||b", "||"),
        ("a; b", ";"),
        ("a > f", ">"),
        ("a < f", "<"),
        ("a &", "&"),
        ("a $(b)", "$("),
        ("a `b`", "`"),
        ("a $HOME/x", "$HOME"),
        ("a ${HOME}", "${"),
        ('a "$(b)"', "$("),
        ('a "`b`"', "`"),
        ("a\nb", ""),
    ],
)
def test_shell_operators_are_named(text: str, sign: str) -> None:
    ((_, reason),) = words.command(text)
    code = {
        "&&": "document.no-shell.and",
        ";": "document.no-shell.semicolon",
        "$HOME": "document.no-shell.word",
    }.get(sign, "document.no-shell.sign")
    assert reason == (say(code, sign=sign) if sign else say("document.no-shell.line-break"))


def test_a_long_text_in_quotes_is_no_trap() -> None:
    assert list(words.command("echo " + "'x' " * 20_000)) == []
    assert list(words.command('echo "' + "\\" * 50_000)) == [(0, say("document.quote-open"))]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("root@192.168.100.104", ("root", "192.168.100.104", 22)),
        ("box.lan:2222", ("", "box.lan", 2222)),
        ("a@[fe80::1%eth0]:22", ("a", "fe80::1%eth0", 22)),
        ("set_top-box", ("", "set_top-box", 22)),
        ("fe80::1", None),
        ("192.168.100", None),
        ("192.168.100.256", None),
        ("ssh://root@h", None),
        ("root@", None),
        ("root@h:0", None),
        ("root@h:65536", None),
        ("-oProxyCommand=id", None),
        ("a b", None),
        ("h;id", None),
        ("", None),
    ],
)
def test_ssh_addresses(text: str, parts: tuple[str, str, int] | None) -> None:
    assert words.parse_ssh(text) == parts
    assert bool(list(words.ssh_address(text))) == (parts is None)


@pytest.mark.parametrize(
    "text",
    [
        "8.8.8.8",
        "8.8.8.8:53",
        "2606:4700:4700::1111",
        "[2606:4700:4700::1111]:853",
        "1.1.1.1#cloudflare-dns.com",
        "1.1.1.1:853%eth0#cloudflare-dns.com",
        "fe80::1%eth0",
    ],
)
def test_dns_servers(text: str) -> None:
    assert list(words.dns_server(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8.8.8",
        "8.8.8.8,1.1.1.1",
        "8.8.8.8 1.1.1.1",
        "dns.google",
        "8.8.8.8:0",
        "[::1",
        "127.0.0.53",
        "1.10",
    ],
)
def test_no_dns_servers(text: str) -> None:
    assert len(list(words.dns_server(text))) == 1


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("â›” Sesi logout", "⛔ Sesi logout"),
        ("ðŸ”„ Reconnect", "🔄 Reconnect"),
        ("âœ… WhatsApp Terhubung!", "✅ WhatsApp Terhubung!"),
        ("cap 60s â€” lalu", "cap 60s — lalu"),
        ("rÃ©sumÃ©", "résumé"),
        ("1Â°C", "1°C"),
    ],
)
def test_double_encoded_text_is_shown_as_it_was_meant(text: str, meant: str) -> None:
    assert words.repaired(text) == meant
    assert list(words.anchor(text)) == [(0, say("document.double-encoded", meant=meant))]


@pytest.mark.parametrize(
    "text", ["⛔ 🔄 ✅", "résumé, São Paulo, À la carte", "Ünïcödé", "â la", "日本語", "«À demain»"]
)
def test_text_that_is_well_stays(text: str) -> None:
    assert words.repaired(text) == text


@given(
    st.text(
        alphabet=st.characters(min_codepoint=0x2000, exclude_categories=["Cs"]),
        min_size=1,
        max_size=8,
    )
)
def test_what_was_double_encoded_is_repaired(meant: str) -> None:
    broken = "".join(chr(byte) for byte in meant.encode("utf-8"))
    assert words.repaired(broken) == meant


@given(st.text())
def test_no_word_breaks_a_checker(text: str) -> None:
    for checker in words.CHECKERS.values():
        assert all(reason for _, reason in checker(text))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("src/", "src/"),
        ("./src//", "src/"),
        ("././src/./a", "src/a"),
        ("src/.", "src/"),
        (".", "./"),
        ("./", "./"),
        (".//", None),
        (".//etc/x", None),
        ("././/etc/x", None),
        (".///etc/x", None),
        ("./~/x", None),
        ("./D:/x", None),
        ("/etc/x", None),
        ("~/x", None),
        ("./../x", None),
    ],
)
def test_a_relative_path_is_judged_as_it_is_used(written: str, meant: str | None) -> None:
    flaws = list(words.CHECKERS["relative-path"](written))
    assert bool(flaws) is (meant is None), flaws
    if meant is not None:
        assert words.relative(written) == meant
