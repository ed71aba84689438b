"""What a person is told where the driver cannot be (O11)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import ralph_wiggum
from ralph_wiggum.adapters.agents import catalogue
from ralph_wiggum.adapters.agents.preflight import not_there
from ralph_wiggum.adapters.process import Family
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.evidence import Ending
from ralph_wiggum.core.settings import AgentSettings
from tests.adapters.agents.conftest import Ask, Watching

PACKAGE = Path(ralph_wiggum.__file__).parent
HINT = "pip install 'ralph-wiggum[acp]'"


def python(*args: str) -> subprocess.CompletedProcess[str]:
    """Run a Python without any package that was installed."""
    return subprocess.run(
        [sys.executable, "-I", "-S", *args], input="", capture_output=True, text=True, timeout=60, check=False
    )


def test_without_the_library_nothing_is_begun() -> None:
    code = (
        f"import sys; sys.path.append({str(PACKAGE.parent)!r})\n"
        "from ralph_wiggum.adapters.agents.acp import require\n"
        "try: require('agents.mine')\n"
        "except Exception as error: print(type(error).__name__, error, error.hint)\n"
    )
    done = python("-c", code)
    assert done.stdout.startswith("RalphError agents.mine.driver: acp needs the Python package agent-client-protocol")
    assert HINT in done.stdout


def test_an_agent_that_needs_it_is_not_there_without_it(tmp_path: Path) -> None:
    """`ralph agents`, and the look in the evening."""
    code = (
        f"import sys; sys.path.append({str(PACKAGE.parent)!r})\n"
        "from pathlib import Path\n"
        "from ralph_wiggum.adapters.agents.preflight import not_there\n"
        "from ralph_wiggum.core.settings import AgentSettings\n"
        "agent = AgentSettings(name='mine', command=('sh',), driver='acp', dialect='acp')\n"
        "found = not_there(agent, Path('.'), {'PATH': '/bin:/usr/bin'})\n"
        "print(found.installed, found.words, found.hint)\n"
    )
    done = python("-c", code)
    assert done.stdout.startswith("False agents.mine.driver: acp needs the Python package"), done.stderr
    assert HINT in done.stdout
    there = AgentSettings(name="mine", command=("sh",), driver="acp", dialect="acp")
    assert not_there(there, tmp_path, {"PATH": "/bin:/usr/bin"}) is None


def test_the_client_says_so_too() -> None:
    done = python(str(PACKAGE / "acp" / "client.py"), "--", "true")
    assert (done.returncode, done.stdout) == (2, "")
    assert HINT in done.stderr


@pytest.mark.parametrize("arguments", [[], ["--"], ["--permissions", "some", "--", "true"], ["--bogus", "--", "true"]])
def test_a_bad_call_of_the_client_is_refused(arguments: list[str]) -> None:
    done = python(str(PACKAGE / "acp" / "client.py"), *arguments)
    assert (done.returncode, "Traceback" in done.stderr, bool(done.stderr)) == (2, False, True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dialect": "text"}, "dialect: text cannot be with driver acp"),
        ({"driver": "pipe"}, "dialect: acp cannot be with driver pipe"),
        ({"prompt": "file"}, "prompt: 'file' cannot be with driver acp"),
        ({"command": ()}, "command is empty"),
    ],
)
def test_settings_that_cannot_be_are_refused(family: Family, changes: dict[str, object], words: str) -> None:
    settings = {"name": "mine", "command": ("true",), "driver": "acp", "dialect": "acp"} | changes
    with pytest.raises(RalphError, match=words):
        catalogue.build(AgentSettings(**settings), family)  # type: ignore[arg-type]  # a table of its fields


def test_a_program_that_is_not_there_is_told_with_how_to_install_it(family: Family, ask: Ask) -> None:
    settings = AgentSettings(
        name="mine", command=("no-such", "acp"), driver="acp", dialect="acp", install_hint="get it"
    )
    outcome = catalogue.build(settings, family).run(ask(), Watching())
    assert outcome.ending is Ending.NOT_STARTED
    assert outcome.error == "no-such is not installed: it was not found in PATH; get it"


def test_a_program_that_cannot_be_executed_is_told(family: Family, ask: Ask, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    settings = AgentSettings(name="mine", command=(str(broken),), driver="acp", dialect="acp")
    outcome = catalogue.build(settings, family).run(ask(), Watching())
    assert (outcome.exit_code, outcome.notices[-1].kind) == (1, "not_started")
    assert "cannot be started" in outcome.notices[-1].text
