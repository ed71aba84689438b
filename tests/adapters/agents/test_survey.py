"""All agents looked at together, with real programs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ralph_wiggum.adapters.agents.preflight import look
from ralph_wiggum.adapters.agents.survey import survey
from ralph_wiggum.adapters.clock import SystemClock
from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.adapters.process import Family
from ralph_wiggum.core.login import Login, Readiness
from ralph_wiggum.core.settings import AgentSettings
from tests.adapters.agents.conftest import Program, Watching


@pytest.fixture
def own() -> Iterator[Keeper]:
    """Return a keeper of this test alone."""
    keeper = Keeper.start()
    yield keeper
    keeper.close()


@pytest.fixture
def agents(program: Program) -> list[AgentSettings]:
    version = program("print('tool 1.4.2')")
    out = program("import sys; print('Not logged in'); sys.exit(1)")
    return [
        AgentSettings(name="new", command=("true",), version=(version,), minimum_version="1.4", login=("true",)),
        AgentSettings(name="old", command=("true",), version=(version,), minimum_version="2.0"),
        AgentSettings(name="out", command=("true",), login=(out,)),
        AgentSettings(name="keyed", command=("true",), login=(out,), credentials=("THE_KEY",), env={"THE_KEY": "x"}),
        AgentSettings(name="keyless", command=("true",), credentials=("NO_SUCH_KEY", "~/no/such/file")),
        AgentSettings(name="absent", command=("no-such-agent",), version=("no-such-agent",), install_hint="get it"),
        AgentSettings(name="lost", command=("true",), login=("no-such-login",)),
        AgentSettings(name="plain", command=("true",)),
    ]


def test_all_are_looked_at(own: Keeper, agents: list[AgentSettings], tmp_path: Path) -> None:
    found = survey(agents, own, SystemClock(), tmp_path, os.environ)
    assert found["new"] == Readiness(agent="new", installed=True, login=Login.YES, version="1.4.2")
    assert found["old"].words == "old 1.4.2 is too old: 2.0 or newer is needed, update it"
    assert found["out"].login is Login.NO
    assert (found["keyed"].login, found["keyed"].by) == (Login.YES, "THE_KEY")
    assert found["keyless"].words.endswith("no key found: NO_SUCH_KEY, ~/no/such/file")
    assert (found["absent"].installed, found["absent"].hint) == (False, "get it")
    assert found["lost"].words.endswith("no-such-login was not found")
    assert found["plain"] == Readiness(agent="plain", installed=True)


def test_a_night_sees_what_the_list_shows(
    own: Keeper, family: Family, agents: list[AgentSettings], tmp_path: Path
) -> None:
    """One rule for both; the list alone tells versions that nothing depends on."""
    found = survey(agents, own, SystemClock(), tmp_path, os.environ)
    assert {agent.name: look(agent, family, tmp_path, os.environ, Watching()) for agent in agents} == found


def test_logins_are_not_asked_where_that_is_not_wanted(own: Keeper, program: Program, tmp_path: Path) -> None:
    touches = program("import pathlib; pathlib.Path('asked').touch()")
    agents = [
        AgentSettings(name="a", command=("true",), login=(touches,)),
        AgentSettings(name="b", command=("true",), login=(touches,), credentials=("B_KEY",)),
    ]
    found = survey(agents, own, SystemClock(), tmp_path, {**os.environ, "B_KEY": "x"}, login=False)
    assert found["a"] == Readiness(agent="a", installed=True)
    assert found["b"].by == "B_KEY"
    assert not (tmp_path / "asked").exists()
