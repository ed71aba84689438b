"""Whether somebody is logged in, by what the agent's own command said (B1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core.login import Login, Readiness, Reply, judge, readiness
from ralph_wiggum.core.settings import AgentSettings

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


CODEX = AgentSettings(name="codex", command=("codex",), login=("codex", "login", "status"), credentials=("CODEX_API_KEY",), version=("codex", "-V"), minimum_version="0.46")  # fmt: skip
PLAIN = AgentSettings(name="plain", command=("plain",))
KEYED = AgentSettings(name="keyed", command=("keyed",), credentials=("A_KEY", "~/.keyed"))
NO, YES, ODD = Reply(1, "Not logged in\n"), Reply(0, "Logged in\n"), Reply(2, "usage: codex\n")


@pytest.mark.parametrize(
    ("agent", "reply", "credential", "login", "by", "words"),
    [
        pytest.param(CODEX, YES, "", Login.YES, "", "", id="the command says yes"),
        pytest.param(CODEX, YES, "CODEX_API_KEY", Login.YES, "", "", id="it counts before a key"),
        pytest.param(CODEX, NO, "", Login.NO, "", "codex is not logged in", id="it says no"),
        pytest.param(CODEX, NO, "CODEX_API_KEY", Login.YES, "CODEX_API_KEY", "", id="no, but a key that it does not look at"),
        pytest.param(CODEX, ODD, "", Login.UNKNOWN, "", "nobody can tell whether codex is logged in: codex login status: it ended with exit code 2: usage: codex", id="it does not tell"),
        pytest.param(CODEX, ODD, "CODEX_API_KEY", Login.YES, "CODEX_API_KEY", "", id="it does not tell, a key does"),
        pytest.param(CODEX, Reply(None, "", "it did not end within 10 s"), "", Login.UNKNOWN, "", "nobody can tell whether codex is logged in: codex login status: it did not end within 10 s", id="it hangs"),
        pytest.param(CODEX, None, "", Login.UNKNOWN, "", "", id="it was not asked"),
        pytest.param(KEYED, None, "A_KEY", Login.YES, "A_KEY", "", id="a key alone"),
        pytest.param(KEYED, None, "", Login.UNKNOWN, "", "nobody can tell whether keyed is logged in: no key found: A_KEY, ~/.keyed", id="no key: never a no"),
        pytest.param(PLAIN, None, "", Login.UNKNOWN, "", "", id="nothing to ask"),
    ],
)  # fmt: skip
def test_command_and_credentials_together(
    agent: AgentSettings, reply: Reply | None, credential: str, login: Login, by: str, words: str
) -> None:
    found = readiness(agent, login=reply, version=None, credential=credential)
    assert (found.login, found.by, found.words) == (login, by, words)
    assert found.ready is (login is not Login.NO)
    assert bool(found.hint) is (login is Login.NO)


@pytest.mark.parametrize(
    ("reply", "version", "words"),
    [
        pytest.param(Reply(0, "codex-cli 0.169.0\n"), "0.169.0", "", id="new enough"),
        pytest.param(Reply(0, "codex-cli 0.45.9\n"), "0.45.9", "codex 0.45.9 is too old: 0.46 or newer is needed, update it", id="too old"),
        pytest.param(Reply(0, "hello\n"), "", "", id="it tells none"),
        pytest.param(Reply(1, "node 0.10 is too old\n"), "", "nobody can tell the version of codex: codex -V: it ended with exit code 1: node 0.10 is too old", id="it fails"),
        pytest.param(Reply(None, "0.1.1\n", "it was ended by SIGSEGV"), "", "nobody can tell the version of codex: codex -V: it was ended by SIGSEGV: 0.1.1", id="it crashes"),
        pytest.param(None, "", "", id="it was not asked"),
    ],
)  # fmt: skip
def test_a_version_is_told_and_never_speaks_against_an_agent(reply: Reply | None, version: str, words: str) -> None:
    found = readiness(CODEX, login=YES, version=reply)
    assert (found.version, found.words, found.ready) == (version, words, True)


def test_all_that_is_wrong_is_said() -> None:
    found = readiness(CODEX, login=NO, version=Reply(0, "0.1.0"))
    assert found.words == "codex is not logged in; codex 0.1.0 is too old: 0.46 or newer is needed, update it"
