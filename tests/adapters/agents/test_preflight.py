"""The look at an agent before the night, with real programs that misbehave (B1)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ralph_wiggum.adapters.agents.preflight import LOGIN_SECONDS, credential, has, look
from ralph_wiggum.adapters.process import Family
from ralph_wiggum.adapters.process_table import MARK
from ralph_wiggum.core.login import Login, Readiness
from ralph_wiggum.core.settings import AgentSettings
from tests.adapters.agents.conftest import Program, Watching, open_descriptors
from tests.adapters.process_harness import marked, no_survivors

Ready = Callable[..., Readiness]


@pytest.fixture
def ready(family: Family, program: Program, tmp_path: Path) -> Ready:
    """Return a function that looks at an agent whose login command is a program of this code."""

    def of(code: str, seconds: float = LOGIN_SECONDS) -> Readiness:
        agent = AgentSettings(name="mine", command=("true",), login=(program(code), "status"), env={"ASKED": "yes"})
        env = {**os.environ, MARK: f"test-{tmp_path.name}"}
        return look(agent, family, tmp_path, env, Watching(), seconds=seconds)

    return of


def test_somebody_is_logged_in(ready: Ready) -> None:
    assert ready("print('person@example.com')") == Readiness(agent="mine", installed=True, login=Login.YES)


def test_nobody_is_logged_in(ready: Ready) -> None:
    found = ready("import sys\nprint('Not logged in', file=sys.stderr)\nsys.exit(1)")
    assert (found.installed, found.login, found.ready) == (True, Login.NO, False)
    assert found.words == "mine is not logged in"
    assert found.hint.startswith("run true once and log in; ")
    assert found.hint.endswith(" status tells whether that worked")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        pytest.param("import sys; sys.exit('usage: mine [-h]\\n  login   Log in')", "it ended with exit code 1: usage: mine [-h] login Log in", id="a version that does not know it"),
        pytest.param("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "it was ended: crashed", id="a crash"),
        pytest.param("import sys; sys.stdout.buffer.write(b'\\xff\\x1b[31m\\x07'); sys.exit(9)", "it ended with exit code 9: \ufffd", id="no text"),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_that_nobody_can_tell(ready: Ready, code: str, words: str) -> None:
    found = ready(code)
    assert (found.login, found.ready) == (Login.UNKNOWN, True)
    assert found.words.startswith("nobody can tell whether mine is logged in: ")
    assert found.words.endswith(words)


def test_a_command_that_hangs_is_ended_with_all_that_it_started(ready: Ready, tmp_path: Path) -> None:
    code = """
    import os, signal, subprocess, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    print("Not logged in, still trying", flush=True)
    time.sleep(600)
    """
    with no_survivors(f"test-{tmp_path.name}"):
        began = time.monotonic()
        found = ready(code, 1.0)
        assert time.monotonic() - began < 30.0
        assert found.login is Login.UNKNOWN
        assert "it did not end within 1 s: Not logged in, still trying" in found.words
        assert marked(f"test-{tmp_path.name}") == []


def test_what_it_leaves_behind_is_ended_and_does_not_hold_it_up(ready: Ready, tmp_path: Path) -> None:
    code = """
    import subprocess
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    print('{"loggedIn": true}')
    """
    with no_survivors(f"test-{tmp_path.name}"):
        began = time.monotonic()
        assert ready(code).login is Login.YES
        assert time.monotonic() - began < 9.0, "its end is that of the program, not of the pipe"
        assert marked(f"test-{tmp_path.name}") == []


def test_a_flood_is_bounded_and_its_end_is_read(ready: Ready) -> None:
    code = """
    import sys
    for _ in range(40): sys.stdout.write("x" * 1_000_000 + "\\n")
    print("Not logged in")
    sys.exit(1)
    """
    found = ready(code)
    assert found.login is Login.NO
    assert len(found.words) < 400


def test_there_is_nothing_to_read_and_the_agents_environment_is_there(ready: Ready) -> None:
    code = """
    import os, sys
    assert sys.stdin.read() == "" and not sys.stdin.isatty()
    assert os.environ["ASKED"] == "yes" and sys.argv[1:] == ["status"]
    """
    assert ready(code).login is Login.YES


def test_a_program_that_is_not_there_is_told_with_how_to_install_it(family: Family, tmp_path: Path) -> None:
    agent = AgentSettings(name="mine", command=("no-such-agent",), login=("true",), install_hint="install it")
    found = look(agent, family, tmp_path, os.environ, Watching())
    assert found == Readiness(
        agent="mine",
        installed=False,
        words="no-such-agent is not installed: it was not found in PATH",
        hint="install it",
    )


def test_an_agent_without_such_a_command_is_asked_nothing(family: Family, tmp_path: Path) -> None:
    agent = AgentSettings(name="mine", command=("true",))
    assert look(agent, family, tmp_path, os.environ, Watching()) == Readiness(agent="mine", installed=True)


def test_a_login_program_that_is_not_there_tells_nothing(family: Family, tmp_path: Path) -> None:
    agent = AgentSettings(name="mine", command=("true",), login=("no-such-login", "status"))
    found = look(agent, family, tmp_path, os.environ, Watching())
    assert (found.login, found.ready) == (Login.UNKNOWN, True)
    assert "no-such-login was not found" in found.words


def test_a_login_program_that_cannot_be_executed_tells_nothing(family: Family, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    agent = AgentSettings(name="mine", command=("true",), login=(str(broken),))
    assert look(agent, family, tmp_path, os.environ, Watching()).login is Login.UNKNOWN


def test_a_person_may_stop_it(family: Family, tmp_path: Path) -> None:
    agent = AgentSettings(name="mine", command=("true",), login=("sleep", "600"))
    found = look(agent, family, tmp_path, os.environ, Watching(reason="stopped by SIGINT"))
    assert (found.login, found.ready) == (Login.UNKNOWN, True)
    assert "stopped by SIGINT" in found.words


def test_no_descriptor_is_left_open(ready: Ready) -> None:
    ready("print(1)")
    before = open_descriptors()
    for code in ("print(1)", "raise SystemExit(1)"):
        ready(code)
    assert open_descriptors() == before


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("SET", True),
        ("EMPTY", False),
        ("UNSET", False),
        ("~/key.json", True),
        ("~/folder", False),
        ("~/none", False),
        ("/dev/null/none", False),
        ("~/nul\0", False),
    ],
)
def test_a_credential_is_a_variable_that_is_set_or_a_file(tmp_path: Path, name: str, *, there: bool) -> None:
    (tmp_path / "key.json").write_text("{}")
    (tmp_path / "folder").mkdir()
    assert has(name, {"HOME": str(tmp_path), "SET": "x", "EMPTY": ""}) is there


def test_the_first_credential_is_named(tmp_path: Path) -> None:
    agent = AgentSettings(name="mine", command=("true",), credentials=("A", "B", "~/c"))
    (tmp_path / "c").touch()
    assert credential(agent, {"HOME": str(tmp_path), "B": "x"}) == "B"
    assert credential(agent, {"HOME": str(tmp_path)}) == "~/c"
    assert credential(agent, {"HOME": "/nowhere"}) == ""


def test_a_version_that_is_too_old_is_said_and_stops_nothing(family: Family, program: Program, tmp_path: Path) -> None:
    agent = AgentSettings(
        name="mine", command=("true",), login=("true",), version=(program("print('mine 1.9')"),), minimum_version="2.0"
    )
    found = look(agent, family, tmp_path, os.environ, Watching())
    assert (found.ready, found.login, found.version) == (True, Login.YES, "1.9")
    assert found.words == "mine 1.9 is too old: 2.0 or newer is needed, update it"


def test_a_version_that_nothing_depends_on_is_not_asked_before_a_night(family: Family, tmp_path: Path) -> None:
    agent = AgentSettings(name="mine", command=("true",), version=("touch", "asked"))
    assert look(agent, family, tmp_path, os.environ, Watching()) == Readiness(agent="mine", installed=True)
    assert not (tmp_path / "asked").exists()
