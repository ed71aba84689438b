"""Every key that a person may set: its path, how its value is read, and the field of Settings it fills (O34).

`*` in a path stands for a name that the person chooses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ralph_wiggum.core import setting_values as values
from ralph_wiggum.core.agents import DIALECTS
from ralph_wiggum.core.setting_values import BadValue, Reader
from ralph_wiggum.core.settings import CheckSettings, Prices

Path = tuple[str, ...]
ANY = "*"

FAILURE_HANDLING: Path = ("failure_handling",)
NEVER_STOP: Path = ("overnight_mode", "never_stop")
AGENT: Path = ("agent",)
AGENTS: Path = ("agents",)
COMMAND_TIMEOUTS: Path = ("command_timeouts",)
SERVERS: Path = ("servers",)
VISUAL: Path = ("visual_validation",)
MACHINE: Path = ("machine",)
LOGS: Path = ("logs",)


@dataclass(frozen=True, slots=True)
class Key:
    """One key: `field` is the field of Settings that takes the value, "" where the value goes another way."""

    read: Reader
    field: str = ""


def _agents(value: object) -> tuple[str, ...]:
    """Read the agents in their order: the next takes over where one cannot be had."""
    found = values.names(value)
    if twice := [name for index, name in enumerate(found) if name in found[:index]]:
        raise BadValue(f"{twice[0]} is named twice", "name each agent once, the one to ask first at the front")
    return found


def _hosts(value: object) -> tuple[str, ...]:
    """Read names of hosts, without scheme and port."""
    found = values.names(value)
    for host in found:
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", host):
            raise BadValue(f"{host!r} is no name of a host", "write a bare name, such as api.example.com")
    return found


def _arguments(value: object) -> tuple[str, ...]:
    """Read arguments, none too."""
    return () if value == [] else values.words(value)


def _files(value: object) -> Mapping[str, str]:
    """Read files: plain names, without folders, and what each holds."""
    found = values.mapping(value)
    for name in found:
        if "/" in name or name in {"", ".", ".."} or "\0" in name:
            raise BadValue(
                f"{name!r} is no plain name of a file", "name it without folders, such as settings.json", name
            )
    return {name: values.below(name, values.text, each) for name, each in found.items()}


def _prices(value: object) -> Prices:
    """Read what tokens cost: US dollars for a million of them, in and out."""
    fields: dict[str, float] = {}
    for key, item in values.mapping(value).items():
        if key not in PRICE_KEYS:
            raise BadValue("unknown key" + near(key, PRICE_KEYS), f"choose from {', '.join(sorted(PRICE_KEYS))}", key)
        fields[key] = values.below(key, values.price, item)
    for key in ("input", "output"):
        if key not in fields:
            raise BadValue(f"names no price of {key}", "write {input: 1.25, output: 10} (US dollars, a million tokens)")
    return Prices(input=fields["input"], output=fields["output"], cached=fields.get("cached"))


def _escalate_after(value: object) -> int:
    """Read after how many attempts at a task the next agent is asked; false: never."""
    return 0 if value is False else values.count(value)


def _checks(value: object) -> tuple[CheckSettings, ...]:
    """Read `quality_checks`: kind -> commands, or kind -> {commands, paths, timeout, cwd}."""
    return tuple(values.below(kind, _kind(kind), item) for kind, item in values.mapping(value).items())


def _kind(kind: str) -> Callable[[object], CheckSettings]:
    def read(value: object) -> CheckSettings:
        given = value if isinstance(value, Mapping) else {"commands": value}
        fields: dict[str, object] = {}
        for key, item in values.mapping(given).items():
            if key not in CHECK_KEYS:
                hint = f"choose from {', '.join(CHECK_KEYS)}"
                raise BadValue("unknown key" + near(key, CHECK_KEYS), hint, key)
            fields[key] = values.below(key, CHECK_KEYS[key], item) if isinstance(value, Mapping) else values.texts(item)
        if "commands" not in fields:
            raise BadValue("names no commands", "add commands: [...]")
        return CheckSettings(kind=kind, **fields)  # type: ignore[arg-type]  # each reader gives its field's type

    return read


def server(name: str) -> Reader:
    """Return a reader of server_values, which is loaded where it is needed first."""

    def read(value: object) -> object:
        from ralph_wiggum.core import server_values  # noqa: PLC0415 - most projects, and most commands, have no servers

        return server_values.READERS[name](value)

    return read


def _visual(name: str) -> Reader:
    def read(value: object) -> object:
        from ralph_wiggum.core import visual_values  # noqa: PLC0415 - as for servers

        return visual_values.READERS[name](value)

    return read


PRICE_KEYS = {"input", "output", "cached"}

CHECK_KEYS: Mapping[str, Reader] = {
    "commands": values.texts,
    "paths": values.texts,
    "timeout": values.seconds,
    "cwd": values.inside,
}

_in_feature = values.pattern_with("feature", values.inside, once=True)

KEYS: Mapping[Path, Key] = {
    AGENT: Key(_agents, "agent"),
    (*AGENTS, ANY, "command"): Key(values.words),
    (*AGENTS, ANY, "driver"): Key(values.choice("pipe", "pty", "acp")),
    (*AGENTS, ANY, "prompt"): Key(values.choice("stdin", "tty", "file")),
    (*AGENTS, ANY, "dialect"): Key(values.choice(*DIALECTS)),
    (*AGENTS, ANY, "env"): Key(values.environment),
    (*AGENTS, ANY, "answers"): Key(values.answers),
    (*AGENTS, ANY, "login"): Key(values.words),
    (*AGENTS, ANY, "hosts"): Key(_hosts),
    (*AGENTS, ANY, "args"): Key(_arguments),
    (*AGENTS, ANY, "files"): Key(_files),
    (*AGENTS, ANY, "resume"): Key(values.words),
    (*AGENTS, ANY, "turn_limit"): Key(values.words),
    (*AGENTS, ANY, "cost_limit"): Key(values.words),
    (*AGENTS, ANY, "native"): Key(values.texts),
    (*AGENTS, ANY, "prompt_key"): Key(values.text),
    (*AGENTS, ANY, "permissions"): Key(values.choice("workspace", "allow", "reject")),
    (*AGENTS, ANY, "root_env"): Key(values.environment),
    (*AGENTS, ANY, "footer"): Key(values.regex),
    (*AGENTS, ANY, "credentials"): Key(values.texts),
    (*AGENTS, ANY, "version"): Key(values.words),
    (*AGENTS, ANY, "minimum_version"): Key(values.version),
    (*AGENTS, ANY, "install_hint"): Key(values.text),
    (*AGENTS, ANY, "docs"): Key(values.text),
    (*AGENTS, ANY, "prices"): Key(_prices),
    (*SERVERS, ANY, "command"): Key(values.text),
    (*SERVERS, ANY, "cwd"): Key(values.inside),
    (*SERVERS, ANY, "env"): Key(values.environment),
    (*SERVERS, ANY, "ready"): Key(server("ready")),
    (*SERVERS, ANY, "url"): Key(server("url")),
    (*SERVERS, ANY, "attempts"): Key(values.count),
    (*SERVERS, ANY, "interval"): Key(values.seconds),
    (*SERVERS, ANY, "request_timeout"): Key(values.seconds),
    (*SERVERS, ANY, "setup"): Key(values.texts),
    (*SERVERS, ANY, "setup_timeout"): Key(values.seconds),
    (*SERVERS, ANY, "depends_on"): Key(values.texts),
    (*SERVERS, ANY, "reloads"): Key(server("reloads")),
    ("setup",): Key(values.texts, "setup"),
    ("quality_checks",): Key(_checks, "quality_checks"),
    (*COMMAND_TIMEOUTS, ANY): Key(values.seconds),
    ("machinery",): Key(values.regexes, "machinery"),
    ("visual_tasks",): Key(values.texts, "visual_tasks"),
    ("git", "commit"): Key(values.choice("per_task", "none"), "commit"),
    ("git", "branch"): Key(values.pattern_with("spec", values.branch), "branch"),
    ("context_mode",): Key(values.choice("fresh", "continuous_with_checkpoint_reset"), "context_mode"),
    ("retry_session",): Key(values.choice("fresh", "resume", "alternate"), "retry_session"),
    ("escalate_after",): Key(_escalate_after, "escalate_after"),
    ("continue_mode",): Key(values.choice("auto_until_complete", "until_checkpoint"), "continue_mode"),
    ("task_execution",): Key(values.choice("single_task")),
    ("state_storage", "task_status"): Key(_in_feature, "tasks_file"),
    ("state_storage", "activity_log"): Key(_in_feature, "activity_file"),
    FAILURE_HANDLING: Key(values.choice("never_stop", "stop_on_failure")),
    ("max_iterations",): Key(values.count, "max_iterations"),
    ("retry_limit",): Key(values.count, "retry_limit"),
    ("max_attempts",): Key(values.count, "max_attempts"),
    ("max_task_cost",): Key(values.money, "max_task_cost"),
    ("max_turns",): Key(values.count, "max_turns"),
    ("max_task_time",): Key(values.seconds, "max_task_time"),
    ("checkpoint_detection",): Key(values.truth, "checkpoint_detection"),
    (*VISUAL, "enabled"): Key(values.truth),
    (*VISUAL, "tool"): Key(_visual("tool")),
    (*VISUAL, "browser"): Key(values.text),
    (*VISUAL, "browser_args"): Key(values.texts),
    (*VISUAL, "screenshot_dir"): Key(_in_feature),
    (*VISUAL, "pages"): Key(_visual("pages")),
    (*VISUAL, "viewports"): Key(_visual("viewports")),
    (*VISUAL, "before"): Key(_visual("before")),
    (*VISUAL, "timeout"): Key(values.seconds),
    (*VISUAL, "ignore_console"): Key(values.regexes),
    (*VISUAL, "ignore_requests"): Key(values.regexes),
    (*VISUAL, "compare"): Key(values.truth),
    (*MACHINE, "keep_awake"): Key(values.truth),
    (*MACHINE, "min_disk"): Key(values.size(zero=True)),
    (*MACHINE, "min_battery"): Key(values.per_cent),
    (*MACHINE, "max_memory"): Key(values.memory),
    (*LOGS, "attempt"): Key(values.size("10 kB")),
    (*LOGS, "runs"): Key(values.count),
    (*LOGS, "total"): Key(values.size("1 MB")),
    NEVER_STOP: Key(values.truth, "never_stop"),
    ("overnight_mode", "checkpoint_pause"): Key(values.truth, "checkpoint_pause"),
    ("overnight_mode", "checkpoint_skip_on_failure"): Key(values.truth, "checkpoint_skip_on_failure"),
    ("overnight_mode", "user_input_wait"): Key(values.truth, "user_input_wait"),
    ("overnight_mode", "max_task_timeout"): Key(values.seconds, "max_task_timeout"),
    ("overnight_mode", "max_command_timeout"): Key(values.seconds, "max_command_timeout"),
    ("overnight_mode", "no_progress_timeout"): Key(values.seconds, "no_progress_timeout"),
    ("overnight_mode", "stagnation_threshold"): Key(values.count, "stagnation_threshold"),
    ("overnight_mode", "skip_on_stagnation"): Key(values.truth, "skip_on_stagnation"),
    ("overnight_mode", "server_health_check"): Key(values.truth, "server_health_check"),
    ("overnight_mode", "auto_restart_servers"): Key(values.truth, "auto_restart_servers"),
}

GROUPS: frozenset[Path] = frozenset(path[:depth] for path in KEYS for depth in range(len(path)))


def general(path: Path) -> Path:
    """Return the path as it stands in KEYS and GROUPS: with `*` for a name that the person chose.

    >>> general(("agents", "mine", "driver"))
    ('agents', '*', 'driver')
    """
    parent = general(path[:-1]) if path else ()
    wild = (*parent, ANY)
    return wild if path and (wild in KEYS or wild in GROUPS) else (*parent, *path[-1:])


def dotted(path: Path) -> str:
    """Return a path as a person writes it; what is no plain word stands in quotes."""
    return ".".join(part if part.replace("_", "").replace("-", "").isalnum() else f'"{part}"' for part in path)


def near(word: str, known: Mapping[str, object] | set[str]) -> str:
    """Return "; did you mean …?" for a word that is nearly a known one, or ""."""
    import difflib  # noqa: PLC0415 - only on the way to an error

    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.7)
    return f"; did you mean {close[0]}?" if close else ""


def unknown(path: Path) -> BadValue:
    """Return the error for a path that is no key: with the near miss, or the place where that word is a key."""
    group = general(path[:-1])
    siblings = {known[len(group)] for known in KEYS if known[: len(group)] == group and len(known) > len(group)}
    elsewhere = [dotted(known) for known in KEYS if known[-1] == path[-1]]
    suggestion = f"; did you mean {elsewhere[0]}?" if elsewhere else near(path[-1], siblings)
    return BadValue("unknown key" + suggestion, f"choose from {', '.join(sorted(siblings))}")
