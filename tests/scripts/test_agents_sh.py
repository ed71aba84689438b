"""scripts/agents.sh: agent CLIs for the tests of real ones are installed once a machine, or it is said why not."""

from pathlib import Path

import pytest

from tests.scripts.checkout import agent_packages, make_checkout
from tests.scripts.test_browser_sh import NODE, NOTHING, NPM, Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine that has a browser and Node.js, and no agent CLI."""
    ready = Machine(make_checkout(tmp_path))
    ready.put("chromium", NOTHING, "node", NODE, "npm", NPM)
    for stamp in ready.checkout.agents.iterdir():
        stamp.unlink()
    return ready


def test_they_are_installed_once_into_a_folder_of_their_own(machine: Machine) -> None:
    code, asked, err = machine.run("--all")
    packages, folder = agent_packages(), machine.checkout.agents
    assert code == 0
    assert [call for call in asked if "--ignore-scripts" not in call] == [
        f"npm install --prefix {folder}/npm --no-audit --no-fund --no-update-notifier --loglevel=error {packages['npm']}"
    ]
    assert f"venv {folder}/mini" in machine.checkout.calls()
    assert any(call.endswith(packages["mini"]) for call in machine.checkout.calls())
    assert f"installing agent CLIs into {folder}" in err
    assert (folder / "npm.stamp").read_text() == f"{packages['npm']}\n"
    assert machine.run("--all") == (0, [], "")


def test_a_registry_that_fails_is_said_and_asked_twice(machine: Machine) -> None:
    """The tests that need them fail in CI, and say which one is missing."""
    code, asked, err = machine.run(CI="true", BROKEN="npm")
    assert code == 0
    assert sum(agent_packages()["npm"] in call for call in asked) == 2
    assert "the tests of real agent CLIs have to do without those of npm" in err
    assert not (machine.checkout.agents / "npm.stamp").exists()


def test_nothing_is_installed_for_the_ordinary_tests(machine: Machine) -> None:
    assert machine.run() == (0, [], "")
