"""Paths and scripts that PM2, /proc and a document tell in different words:
whether they are one."""

from __future__ import annotations

import pytest

from kjpstate.formats.pm2 import probe
from kjpstate.formats.pm2.declared import Declared
from kjpstate.formats.pm2.probe import Places
from kjpstate.formats.pm2.same import may_come_from_path, real, same_bot, same_path, same_script
from kjpstate.secret import Secret

LINKS = Places(
    {
        "/srv/current": "/srv/releases/1",
        "/srv/releases/1/logs": "/var/log/bot",
        "/opt/bot": "/mnt/disk/bot",
        "/opt/bot/main.js": "/mnt/disk/bot/index.js",
        "/bin/httpd": "/bin/busybox",
        "/root/.volta/bin/npm": "/root/.volta/bin/volta-shim",
        "/root/.volta/bin/yarn": "/root/.volta/bin/volta-shim",
    }
)


def spec(**app):
    keys = {"name": "wa", "script": "bot.js", "cwd": "/srv/current", **app}
    return Declared("stb", "d", "/srv/x/ecosystem.config.js", keys)


@pytest.mark.parametrize(
    ("path", "leads"),
    [
        ("/srv/current", "/srv/releases/1"),
        ("/srv/current/", "/srv/releases/1"),
        ("/srv/current/bot.js", "/srv/releases/1/bot.js"),
        ("/srv/current/logs/e.log", "/var/log/bot/e.log"),
        ("/srv/current-2/bot.js", "/srv/current-2/bot.js"),
        ("/srv/../srv/current", "/srv/releases/1"),
        ("/", "/"),
    ],
)
def test_a_path_without_its_links(path, leads):
    assert real(path, LINKS) == leads
    assert same_path(path, leads, LINKS)


def test_links_that_lead_to_each_other_have_an_end():
    assert real("/a/x", Places({"/a": "/b", "/b": "/a"}))


def test_a_link_to_the_root():
    assert real("/a/x", Places({"/a": "/"})) == "/x"


@pytest.mark.parametrize(
    ("app", "running", "folder", "program", "same"),
    [
        ({}, "/srv/current/bot.js", "/srv/current", "", True),
        ({}, "/srv/releases/1/bot.js", "/srv/releases/1", "", True),
        ({}, "/srv/releases/2/bot.js", "/srv/releases/2", "", False),
        ({"script": "npm"}, "/usr/bin/npm", "/srv/current", "/usr/bin/npm", True),
        ({"script": "npm"}, "/root/.nvm/bin/npm", "/srv/current", "/usr/bin/npm", True),
        ({"script": "npm"}, "/usr/bin/npm", "/srv/current", "", True),
        ({"script": "npm"}, "/usr/bin/yarn", "/srv/current", "/usr/bin/npm", False),
        ({"script": "./npm"}, "/usr/bin/npm", "/srv/current", "", False),
        # a file of the folder, not a program of PATH: it stands there, or PM2 took it from where it
        # ran
        ({"script": "npm"}, "/usr/bin/npm", "/srv/current", "/srv/current/npm", False),
        ({"script": "npm"}, "/srv/old/npm", "/srv/old", "", False),
        (
            {"script": "python3.11"},
            "/usr/bin/python3.11",
            "/srv/current",
            "/usr/bin/python3.11",
            True,
        ),
        ({}, "/opt/other/bot.js", "/srv/current", "", False),
        # one program of many names is run as one of them
        ({"script": "/bin/httpd"}, "/bin/busybox", "/srv/current", "", False),
        ({"script": "/root/.volta/bin/npm"}, "/root/.volta/bin/yarn", "/srv/current", "", False),
    ],
)
def test_what_pm2_makes_of_a_script(app, running, folder, program, same):
    assert same_script(running, folder, spec(**app), Places(LINKS.links, program)) is same


NPM = {"script": "npm", "args": "run start"}


@pytest.mark.parametrize(
    ("app", "fields", "same"),
    [
        ({}, {"pm_exec_path": "/srv/current/bot.js", "pm_cwd": "/srv/releases/1"}, True),
        (
            {},
            {"pm_exec_path": "/srv/current/bot.js", "pm_cwd": "/srv/current", "args": ["x"]},
            True,
        ),
        ({}, {"pm_exec_path": "/srv/current/bot.js", "pm_cwd": "/root"}, False),
        ({}, {}, False),
        (
            NPM,
            {"pm_exec_path": "/usr/bin/npm", "pm_cwd": "/srv/releases/1", "args": ["run", "start"]},
            True,
        ),
        (
            NPM,
            {"pm_exec_path": "/usr/bin/npm", "pm_cwd": "/srv/current", "args": ["run", "web"]},
            False,
        ),
        (NPM, {"pm_exec_path": "/usr/bin/npm", "pm_cwd": "/srv/current"}, False),
        (NPM, {"pm_exec_path": "/usr/bin/npm", "pm_cwd": "/root", "args": ["run", "start"]}, False),
        (
            {"cwd": "/opt/bot", "script": "main.js"},
            {"pm_exec_path": "/mnt/disk/bot/index.js", "pm_cwd": "/mnt/disk/bot"},
            True,
        ),
        (
            {"script": "/root/.volta/bin/npm", "args": "start"},
            {"pm_exec_path": "/root/.volta/bin/yarn", "pm_cwd": "/srv/current", "args": ["web"]},
            False,
        ),
    ],
)
def test_one_bot_twice(app, fields, same):
    assert same_bot(fields, spec(**app), LINKS) is same


@pytest.mark.parametrize(
    ("script", "program", "may"),
    [
        ("npm", "/usr/bin/npm", True),
        ("npm", "", True),
        ("npm", "/srv/current/npm", False),
        ("bot.js", "", False),
        ("python3.11", "/usr/bin/python3.11", True),
        ("bin/npm", "", False),
    ],
)
def test_what_may_come_from_path(script, program, may):
    assert may_come_from_path(spec(script=script), Places({}, program)) is may


def test_what_the_probe_is_asked():
    asked = probe.reading(spec(script="npm", args="start 'a b'")).args
    assert asked[:3] == ("wa", "/srv/current/npm", "cwd=/srv/current")
    assert asked[3].startswith("path=/usr/local/sbin:") and asked[4].startswith("args=")
    assert asked[4] == probe.reading(spec(script="npm", args=["start", "a b"])).args[4]
    assert len(probe.reading(spec(script="npm", args=[Secret("x")])).args) == 4
    assert len(probe.reading(spec(script="dist/bot.js", args="start")).args) == 3
