"""Whether somebody is logged in, by what the agent's own command said (B1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core.login import Login, Readiness, judge

HELP = "error: unrecognized subcommand 'whoami'\n\nUsage: kiro-cli [COMMAND]\n\nCommands:\n  login   Log in\n  logout  Log out\n"


@pytest.mark.parametrize(
    ("code", "output", "login"),
    [
        pytest.param(0, "", Login.YES, id="exit 0 without a word"),
        pytest.param(0, "Logged in with Google\nperson@example.com\n", Login.YES, id="who it is"),
        pytest.param(0, '{"loggedIn": true, "authMethod": "api_key"}\n', Login.YES, id="an object that tells"),
        pytest.param(1, '{\n  "loggedIn": true,\n  "x": {"y": 1}\n}\n', Login.YES, id="the object counts, not the code"),
        pytest.param(None, '{"loggedIn": true}\n', Login.YES, id="it answered and then hung"),
        pytest.param(1, '{\n  "loggedIn": false,\n  "authMethod": "none"\n}\n', Login.NO, id="an object that says no"),
        pytest.param(0, '{"loggedIn": false}', Login.NO, id="no, at exit 0"),
        pytest.param(1, 'warning: old node\n{"logged_in": false}\n', Login.NO, id="an object after a warning"),
        pytest.param(1, '{"account":null}', Login.NO, id="no account"),
        pytest.param(0, '{"accountType":"BuilderId","email":"a@example.com"}\n\nProfile:\nx\n', Login.YES, id="an account"),
        pytest.param(1, "Not logged in\n", Login.NO, id="plain words"),
        pytest.param(1, "error: You are not logged in, please log in with x\n", Login.NO, id="after the word error"),
        pytest.param(1, "✗ Please run `tool login` first\n", Login.NO, id="a command to run"),
        pytest.param(1, "Invalid API key · Please run /login\n", Login.NO, id="a bad key"),
        pytest.param(2, "Your session has expired.\n", Login.NO, id="expired"),
        pytest.param(0, "Not signed in\n", Login.NO, id="words at exit 0"),
        pytest.param(1, "", Login.UNKNOWN, id="exit 1 without a word"),
        pytest.param(1, "error: unknown option '--json'\n", Login.UNKNOWN, id="an old version"),
        pytest.param(2, HELP, Login.UNKNOWN, id="a command it does not know"),
        pytest.param(1, "getaddrinfo ENOTFOUND api.example.com\n", Login.UNKNOWN, id="no network"),
        pytest.param(1, "The user was asked whether they are not logged in yet\n", Login.UNKNOWN, id="in the middle of a line"),
        pytest.param(None, "Not logged in\n", Login.UNKNOWN, id="it did not end"),
        pytest.param(1, '{"loggedIn": "no"}', Login.UNKNOWN, id="a field of another kind"),
        pytest.param(1, "{" * 5000, Login.UNKNOWN, id="open braces"),
        pytest.param(137, "Killed\n", Login.UNKNOWN, id="killed"),
    ],
)  # fmt: skip
def test_what_the_command_said_decides(code: int | None, output: str, login: Login) -> None:
    assert judge(code, output) is login


@given(st.none() | st.integers(0, 255), st.text(max_size=200))
def test_no_output_ever_fails(code: int | None, output: str) -> None:
    assert judge(code, output) in Login


@pytest.mark.parametrize(
    ("readiness", "ready"),
    [
        (Readiness(agent="x", installed=True), True),
        (Readiness(agent="x", installed=True, login=Login.YES), True),
        (Readiness(agent="x", installed=True, login=Login.NO), False),
        (Readiness(agent="x", installed=False), False),
    ],
)
def test_only_what_is_known_speaks_against_an_agent(readiness: Readiness, ready: bool) -> None:  # noqa: FBT001 - a column of a table
    assert readiness.ready is ready
