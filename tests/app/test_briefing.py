"""O36: what the settings say reaches the agent's prompt."""

from __future__ import annotations

from pathlib import Path

from ralph_wiggum.core.settings import Settings, limits
from tests.app.nights import NightOfFakes, writes


def test_the_persons_own_long_commands_are_named_and_the_usual_ones_told_in_words(tmp_path: Path) -> None:
    """O21, O36: the built-in patterns would fill the list, and say less than a word does."""
    holder: dict[str, NightOfFakes] = {}
    settings = Settings(command_timeouts=(("our-slow-generator", 900.0), (r"\bnode-gyp\b", 120.0)))
    night = NightOfFakes("- [ ] 1. A\n", writes(holder), tmp_path, limits=limits(settings))
    holder["it"] = night
    night.run()
    prompt = night.agent.requests[0].prompt
    assert "`our-slow-generator` 15 minutes" in prompt
    assert "`\\bnode-gyp\\b` 2 minutes" in prompt
    assert "Installs, downloads, builds, type checks and test runs by the usual tools: 5 minutes." in prompt
    assert "pytest|py" not in prompt
