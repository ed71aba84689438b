"""The person's settings -> those of a rehearsal: what matters to survival is kept, times are shortened (B8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ralph_wiggum.core.drill.scenario import AGENT, SPARE, Scenario, Stage
from ralph_wiggum.core.settings import CheckSettings, MachineSettings, Settings

ATTEMPTS = 2  # identical failures before a skip; ten would take the drill's time
NO_PROGRESS_SECONDS = 60.0
CHECK_SECONDS = 40.0
SMALL_FLOOR = "1 MB"


def scratch_settings(settings: Settings, scenario: Scenario, actor: Sequence[str]) -> dict[str, object]:
    """Return the content of the scratch copy's ralph.yaml. `actor` starts the scripted agent; its name is added.

    Kept are the settings about commits and branches, memory and logs and, where they are rehearsed, the checks. The
    rest of what a scenario relies on is said outright, so that no other layer of settings gets between.
    """
    names = [AGENT, SPARE] if scenario.spare else [AGENT]
    content: dict[str, object] = {
        "agent": names if scenario.spare else AGENT,
        "agents": {name: {"command": [*actor, name], "driver": "pipe", "prompt": "stdin"} for name in names},
        "setup": [],
        "visual_validation": {"enabled": False},
        "machine": {
            "keep_awake": False,
            "min_disk": _floor(scenario),
            "min_battery": 0,
            "max_memory": _memory(settings.machine),
        },
        "logs": {
            "attempt": _bytes(settings.logs.attempt),
            "runs": settings.logs.runs,
            "total": _bytes(settings.logs.total),
        },
        "git": {"commit": settings.commit, "branch": settings.branch},
        "continue_mode": "auto_until_complete",
        "failure_handling": "never_stop",
        "max_iterations": 30,
        "max_attempts": 30,
        "max_task_time": 5400,
        "overnight_mode": {
            "checkpoint_pause": False,
            "user_input_wait": False,
            "skip_on_stagnation": True,
            "stagnation_threshold": ATTEMPTS,
            "max_task_timeout": scenario.task_seconds,
            "no_progress_timeout": NO_PROGRESS_SECONDS,
        },
        "state_storage": {
            "task_status": ".kiro/specs/{feature}/tasks.md",
            "activity_log": ".kiro/specs/{feature}/activity.md",
        },
    }
    if scenario.stage is not Stage.CHECKS:
        content["quality_checks"] = {}
    elif settings.quality_checks is not None:
        content["quality_checks"] = {check.kind: _check(check) for check in settings.quality_checks}
    return content


def _memory(machine: MachineSettings) -> str | int:
    if machine.max_memory is None:
        return f"{100 * machine.memory_share:g}%"
    return _bytes(machine.max_memory) if machine.max_memory else 0


def _bytes(count: int) -> str:
    return f"{count} B"


def _floor(scenario: Scenario) -> str | int:
    """Return the room below which nothing is started: what the machine is short of now is not the drill's."""
    return SMALL_FLOOR if scenario.stage is Stage.SMALL_DISK else 0


def _check(check: CheckSettings) -> Mapping[str, object]:
    """Return a kind of checks as it stands in a settings file, with a limit that fits into the drill."""
    found: dict[str, object] = {
        "commands": list(check.commands),
        "timeout": min(check.timeout, CHECK_SECONDS),
    }
    if check.paths:
        found["paths"] = list(check.paths)
    if check.cwd:
        found["cwd"] = check.cwd
    return found
