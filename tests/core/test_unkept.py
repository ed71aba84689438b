"""Settings that an agent cannot keep are said, not ignored (O34)."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.agents import BUILT_IN
from ralph_wiggum.core.settings import AgentSettings, Prices, Settings
from ralph_wiggum.core.unkept import unkept

MINE = AgentSettings(name="mine", command=("mine",))
PRICED = AgentSettings(name="codex", command=("codex",), dialect="codex", prices=Prices(input=1, output=2))


@pytest.mark.parametrize(
    ("settings", "names", "expected"),
    [
        pytest.param(Settings(), ("kiro", "codex", "aider"), [], id="nothing was set"),
        pytest.param(Settings(max_task_cost=5), ("claude", "opencode", "mini"), [], id="all tell what they cost"),
        pytest.param(
            Settings(max_task_cost=5), ("claude", "codex", "kiro"), ["max_task_cost: codex and kiro"], id="two do not"
        ),
        pytest.param(Settings(max_turns=9), ("kiro", "codex", "aider"), ["max_turns: kiro"], id="it prints text"),
        pytest.param(Settings(retry_session="resume"), ("claude", "aider"), ["sessions: aider"], id="it cannot resume"),
        pytest.param(
            Settings(context_mode="continuous_with_checkpoint_reset"), ("kiro",), ["sessions: kiro"], id="nor go on"
        ),
        pytest.param(
            Settings(max_task_cost=5, max_turns=9, retry_session="alternate"), ("shell",), [], id="no model is asked"
        ),
    ],
)
def test_what_does_not_hold_is_said_with_the_names_of_the_agents(
    settings: Settings, names: tuple[str, ...], expected: list[str]
) -> None:
    said = unkept(settings, [BUILT_IN[name] for name in names])
    assert len(said) == len(expected)
    for words, wanted in zip(said, expected, strict=True):
        setting, _, named = wanted.partition(": ")
        assert setting in words
        assert f" {named}" in words


def test_prices_and_a_bound_of_its_own_make_limits_hold() -> None:
    assert unkept(Settings(max_task_cost=5), [PRICED]) == ()
    bounded = AgentSettings(name="mine", command=("mine",), turn_limit=("--turns", "{turns}"))
    assert unkept(Settings(max_turns=5), [bounded]) == ()
    assert len(unkept(Settings(max_turns=5, max_task_cost=1), [MINE])) == 2
