"""Settings: layers of plain data -> one frozen value, each part with where it came from (design: part 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """How one agent program is driven.

    `command` is an argument list with `{prompt_file}`, `{tasks_file}`, `{task}`, `{python}` replaced in each argument
    (and `{package}`, the folder of this package).
    `driver` is "pipe" or "pty"; `prompt` is "stdin", "tty" (typed; pty only) or "file"; `dialect` is "text".
    `answers` maps a regular expression of a question on the terminal to what is typed ("" is Enter); an answer of
    None ends the attempt at once. `root_env` is added to `env` where the runner is root. `footer`
    is a regular expression of lines that the program prints after the agent's own message, such as what it cost.
    """

    name: str
    command: tuple[str, ...]
    driver: str = "pipe"
    prompt: str = "stdin"
    dialect: str = "text"
    env: Mapping[str, str] = field(default_factory=dict)
    answers: tuple[tuple[str, str | None], ...] = ()
    install_hint: str = ""
    root_env: Mapping[str, str] = field(default_factory=dict)
    footer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSettings:
    """Checks of one kind, from the settings: shell commands, run in `cwd` below the project root."""

    kind: str
    commands: tuple[str, ...]
    paths: tuple[str, ...] = ()
    timeout: float = 600.0
    cwd: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPlan:
    """A check to run: a shell command, from `cwd` (relative to the project root, "" for the root itself).

    `paths` are globs of changed paths for which it runs; empty: any path. `origin` says where it came from
    ("settings", "pyproject.toml", "frontend/package.json"). `timeout` is in seconds.
    """

    name: str
    kind: str
    command: str
    cwd: str = ""
    paths: tuple[str, ...] = ()
    timeout: float = 600.0
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Time limits of one attempt, in seconds (O20-O22).

    `command_patterns` are regular expressions searched in the command lines of a command and what runs below it; of
    those that match, the longest limit holds, and it may be longer or shorter than `command_seconds`. `machinery` are
    regular expressions of processes that belong to the agent itself and are never a command.
    """

    task_seconds: float = 600.0
    command_seconds: float = 60.0
    no_progress_seconds: float = 300.0
    command_patterns: tuple[tuple[str, float], ...] = ()
    machinery: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a person can set. Seconds and US dollars; defaults are those of the reference table.

    `quality_checks` None: take them from the manifests; empty: none; else those kinds only. `origin` maps a key path
    to where its value came from ("flag", a file's path, "default").
    """

    agent: tuple[str, ...] = ()
    agents: Mapping[str, AgentSettings] = field(default_factory=dict)
    setup: tuple[str, ...] = ()
    quality_checks: tuple[CheckSettings, ...] | None = None
    command_timeouts: tuple[tuple[str, float], ...] = ()
    machinery: tuple[str, ...] = ()
    visual_tasks: tuple[str, ...] = ()
    commit: str = "per_task"
    branch: str = "ralph/{spec}"
    continue_mode: str = "auto_until_complete"
    tasks_file: str = ".kiro/specs/{feature}/tasks.md"
    activity_file: str = ".kiro/specs/{feature}/activity.md"
    never_stop: bool = True
    max_iterations: int = 100
    retry_limit: int = 10
    max_attempts: int = 30
    max_task_time: float = 5400.0
    checkpoint_detection: bool = True
    checkpoint_pause: bool = False
    checkpoint_skip_on_failure: bool = True
    user_input_wait: bool = False
    max_task_timeout: float = 600.0
    max_command_timeout: float = 60.0
    no_progress_timeout: float = 300.0
    stagnation_threshold: int = 10
    skip_on_stagnation: bool = True
    origin: Mapping[str, str] = field(default_factory=dict)


def limits(settings: Settings) -> Limits:
    """Return the time limits of an attempt: the built-in long commands (O21) with the person's own over them.

    A setting with the pattern of a built-in one replaces it; all others are added.
    """
    from ralph_wiggum.core.commands import LONG_COMMANDS  # noqa: PLC0415 - status reads settings and needs no table

    return Limits(
        task_seconds=settings.max_task_timeout,
        command_seconds=settings.max_command_timeout,
        no_progress_seconds=settings.no_progress_timeout,
        command_patterns=tuple((dict(LONG_COMMANDS) | dict(settings.command_timeouts)).items()),
        machinery=settings.machinery,
    )
