"""The settings of a rehearsal are settings as any others, and keep what matters of the person's."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.drill.catalogue import SCENARIOS
from ralph_wiggum.core.drill.scenario import AGENT, SPARE, Scenario, Stage
from ralph_wiggum.core.drill.scratch_settings import scratch_settings
from ralph_wiggum.core.layers import Layer, merge
from ralph_wiggum.core.settings import CheckSettings, LogSettings, MachineSettings, Settings


def merged(settings: Settings, scenario: Scenario, *others: Layer) -> Settings:
    content = scratch_settings(settings, scenario, ("python", "actor.py"))
    return merge([Layer(source="scratch", data=content), *others])


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_every_rehearsal_has_settings_that_can_be_read(scenario: Scenario) -> None:
    found = merged(Settings(), scenario)
    assert found.agent == ((AGENT, SPARE) if scenario.spare else (AGENT,))
    assert found.agents[AGENT].command == ("python", "actor.py", AGENT)
    assert found.max_task_timeout == scenario.task_seconds
    assert (found.never_stop, found.checkpoint_pause, found.visual.enabled) == (True, False, False)
    assert found.machine.keep_awake is False


def test_no_other_layer_gets_between() -> None:
    person = Layer(
        source="person",
        data={
            "failure_handling": "stop_on_failure",
            "setup": ["exit 1"],
            "continue_mode": "until_checkpoint",
            "machine": {"min_disk": "900 TB", "min_battery": 100},
            "overnight_mode": {"checkpoint_pause": True, "user_input_wait": True, "skip_on_stagnation": False},
        },
    )
    found = merged(Settings(), SCENARIOS[0], person)
    assert found.never_stop
    assert (found.setup, found.continue_mode, found.machine.min_disk) == ((), "auto_until_complete", 0)
    assert (found.checkpoint_pause, found.user_input_wait, found.skip_on_stagnation) == (False, False, True)


def test_settings_of_commits_are_the_persons() -> None:
    found = merged(Settings(commit="none", branch="night/{spec}"), SCENARIOS[0])
    assert (found.commit, found.branch) == ("none", "night/{spec}")


@pytest.mark.parametrize(
    "machine",
    [
        pytest.param(MachineSettings(), id="the default"),
        pytest.param(MachineSettings(memory_share=0.5), id="a share"),
        pytest.param(MachineSettings(max_memory=2_000_000_000), id="bytes"),
        pytest.param(MachineSettings(max_memory=0), id="no limit"),
    ],
)
def test_limits_of_memory_and_logs_are_the_persons(machine: MachineSettings) -> None:
    logs = LogSettings(attempt=1_000_000, runs=3, total=90_000_000)
    found = merged(Settings(machine=machine, logs=logs), SCENARIOS[0])
    assert found.logs == logs
    assert (found.machine.max_memory, found.machine.memory_share) == (machine.max_memory, machine.memory_share)


def test_checks_are_run_in_their_rehearsal_alone() -> None:
    checks = (CheckSettings(kind="docs", commands=("mkdocs build",), paths=("docs/**",), timeout=600, cwd="site"),)
    for scenario in SCENARIOS:
        found = merged(Settings(quality_checks=checks), scenario).quality_checks
        wanted = (CheckSettings(kind="docs", commands=("mkdocs build",), paths=("docs/**",), timeout=40, cwd="site"),)
        assert found == (wanted if scenario.stage is Stage.CHECKS else ())


def test_without_checks_in_the_settings_the_manifests_decide_as_ever() -> None:
    (scenario,) = (each for each in SCENARIOS if each.stage is Stage.CHECKS)
    assert merged(Settings(), scenario).quality_checks is None
