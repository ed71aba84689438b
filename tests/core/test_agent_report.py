"""What `ralph agents` says: who is asked, what is usable, the table in every width, JSON (O11, B1)."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from ralph_wiggum.core.agent_choice import asked_for, in_order
from ralph_wiggum.core.agent_report import Row, as_json, paragraph, table, usable
from ralph_wiggum.core.agents import BUILT_IN, ORDER
from ralph_wiggum.core.login import Login, Readiness
from ralph_wiggum.core.settings import AgentSettings, Prices, Settings
from ralph_wiggum.core.status_text import cells

MINE = AgentSettings(name="mine", command=("my-agent",), install_hint="ask Bob")
SETTINGS = Settings(agents={**BUILT_IN, "mine": MINE})


def row(
    name: str, *, place: int = 0, path: str = "/usr/bin/it", agent: AgentSettings | None = None, **learnt: object
) -> Row:
    known: dict[str, object] = {"installed": True, **learnt}
    readiness = Readiness(agent=name, **known)  # type: ignore[arg-type]  # a field each
    return Row(agent=agent or SETTINGS.agents[name], readiness=readiness, path=path, place=place)


ROWS = [
    row("claude", place=1, login=Login.NO, version="2.1.197", words="claude is not logged in", hint="log in"),
    row("codex", login=Login.YES, by="CODEX_API_KEY", version="0.2", words="codex 0.2 is too old"),
    row("kiro", path="", installed=False, words="kiro-cli is not installed", hint="get kiro"),
    row("mine", path="/home/somebody/with/a/long/path/to/my-agent"),
]


@pytest.mark.parametrize(
    ("chosen", "installed", "asked"),
    [
        pytest.param((), set(ORDER), ("kiro",), id="the first of the order"),
        pytest.param((), {"aider", "codex", "shell"}, ("codex",), id="the first that is there"),
        pytest.param((), {"shell", "mine"}, (), id="what nobody chose is not taken by itself"),
        pytest.param((), set(), (), id="none"),
        pytest.param(("mine", "codex"), {"codex"}, ("mine", "codex"), id="the setting, whatever is there"),
        pytest.param(("shell",), set(), ("shell",), id="the embedded one by its name"),
    ],
)
def test_who_is_asked(chosen: tuple[str, ...], installed: set[str], asked: tuple[str, ...]) -> None:
    assert asked_for(replace(SETTINGS, agent=chosen), installed) == asked


def test_the_order_is_that_in_which_they_are_asked_and_each_stands_once() -> None:
    names = [agent.name for agent in in_order(replace(SETTINGS, agent=("mine", "aider")))]
    assert names[:3] == ["mine", "aider", "kiro"]
    assert names[-1] == "shell"
    assert sorted(names) == sorted(SETTINGS.agents)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(ROWS, True, id="one that is logged in"),
        pytest.param([ROWS[0], ROWS[2]], False, id="logged out, and not installed"),
        pytest.param([row("gemini")], True, id="nobody can tell"),
        pytest.param([row("shell")], False, id="the embedded one is no agent that works by itself"),
        pytest.param([row("shell", place=1)], True, id="but it counts where it was chosen"),
        pytest.param([], False, id="none at all"),
    ],
)
def test_whether_any_can_be_used(rows: list[Row], *, expected: bool) -> None:
    assert usable(rows) is expected


def test_the_table_in_full() -> None:
    assert table(ROWS, SETTINGS, 500, colour=False) == [
        "   agent   version  login             driver  dialect  resumes  tells    program",
        "1  claude  2.1.197  not logged in     pipe    claude   yes      cost     /usr/bin/it",
        "   codex   0.2      by CODEX_API_KEY  pipe    codex    yes      tokens   /usr/bin/it",
        "   mine             -                 pipe    text     no       nothing  /home/somebody/with/a/long/path/to/my-agent",
        "",
        "Not installed",
        "  kiro  get kiro",
        "",
        "Notes",
        "  claude  claude is not logged in; log in",
        "  codex   codex 0.2 is too old",
        "",
        "Default: claude (the first that is installed; set agent: to choose), which cannot work now; there is also codex, mine",
    ]


@pytest.mark.parametrize("width", [1, 20, 39, 60, 80, 100, 300])
@pytest.mark.parametrize("colour", [True, False])
def test_the_table_fits_every_width(width: int, *, colour: bool) -> None:
    lines = table(ROWS, SETTINGS, width, colour=colour)
    bare = [re.sub(r"\x1b\[\d+m", "", line) for line in lines]
    assert max(map(cells, bare)) <= max(width, 20)
    assert all(line.count("\x1b[") in ({0, 2} if colour else {0}) for line in lines)
    assert any(line.startswith("1  claude") for line in bare)


@pytest.mark.parametrize(
    ("settings", "rows", "words"),
    [
        pytest.param(SETTINGS, [row("shell")], "Default: none of those that a run looks for is installed", id="none"),
        pytest.param(SETTINGS, [row("codex", place=1)], "Default: codex (the first that is installed; set agent: to choose)", id="one"),
        pytest.param(replace(SETTINGS, agent=("mine", "codex"), origin={"agent": "here.yaml"}), [row("codex", place=2), row("mine", place=1)], "Default: mine, then codex (agent: in here.yaml)", id="a list"),
    ],
)  # fmt: skip
def test_who_is_asked_is_said(settings: Settings, rows: list[Row], words: str) -> None:
    assert table(rows, settings, 500, colour=False)[-1].startswith(words)


@pytest.mark.parametrize(
    ("agent", "tells"),
    [
        (BUILT_IN["claude"], "cost"),
        (BUILT_IN["codex"], "tokens"),
        (replace(BUILT_IN["codex"], prices=Prices(input=1, output=2)), "cost"),
        (BUILT_IN["kiro"], ""),
        (replace(BUILT_IN["kiro"], prices=Prices(input=1, output=2)), ""),
    ],
    ids=["dollars", "tokens", "tokens with prices", "nothing", "prices of nothing"],
)
def test_what_an_agent_tells_of_a_run(agent: AgentSettings, tells: str) -> None:
    assert row(agent.name, agent=agent).tells == tells


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (row("gemini"), "nobody can tell"),
        (row("gemini", login=Login.YES, by="GEMINI_API_KEY"), "by GEMINI_API_KEY"),
        (row("claude", login=Login.YES), "logged in"),
        (row("claude", login=Login.NO), "not logged in"),
        (row("mine"), "-"),
        (ROWS[2], ""),
    ],
)
def test_the_login_in_a_few_words(found: Row, words: str) -> None:
    assert found.login == words


def test_json_has_the_keys_that_the_help_names() -> None:
    claude, codex, kiro, mine = map(as_json, ROWS)
    assert json.loads(json.dumps(claude)) == {
        "name": "claude",
        "default": 1,
        "usable": False,
        "installed": True,
        "path": "/usr/bin/it",
        "install_hint": BUILT_IN["claude"].install_hint,
        "version": "2.1.197",
        "minimum_version": "2.0",
        "version_ok": True,
        "login": "no",
        "login_by": None,
        "driver": "pipe",
        "dialect": "claude",
        "resume": True,
        "tells": "cost",
        "docs": BUILT_IN["claude"].docs,
        "words": "claude is not logged in",
        "hint": "log in",
    }
    assert (codex["login"], codex["login_by"], codex["version_ok"], codex["usable"]) == (
        "yes",
        "CODEX_API_KEY",
        False,
        True,
    )
    assert (kiro["installed"], kiro["path"], kiro["version"], kiro["version_ok"]) == (False, None, None, None)
    assert (mine["login"], mine["default"], mine["tells"], mine["docs"]) == ("unknown", None, None, None)


def test_what_others_wrote_cannot_rewrite_the_screen() -> None:
    evil = replace(MINE, name="mi\x1b[2Jne\nx", install_hint="\x1b]0;title\x07do\rit")
    there = row("mine", agent=evil, path="/tmp/\x1b[31mred", words="\x1b[5mblink\n\nx")
    absent = row("mine", agent=evil, path="", installed=False, hint=evil.install_hint)
    text = "\n".join(table([there, absent], SETTINGS, 100, colour=False))
    assert "\x1b" not in text
    assert "\r" not in text
    assert "mine x" in text


def test_a_paragraph_stands_below_its_head_where_there_is_room() -> None:
    assert list(paragraph("one two three", 12, "  a  ")) == ["  a  one two", "     three"]
    assert list(paragraph("one two", 12, "a long head ")) != []
    assert max(map(len, paragraph("w" * 100, 30, "  a  "))) <= 30
