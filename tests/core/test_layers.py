"""O34: settings from layers; every key does something or is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

import pytest

from ralph_wiggum.core import layers, settings
from ralph_wiggum.core.agents import BUILT_IN
from ralph_wiggum.core.commands import LONG_COMMANDS
from ralph_wiggum.core.errors import Exit, RalphError
from ralph_wiggum.core.layers import Layer
from ralph_wiggum.core.settings import CheckSettings, LogSettings, MachineSettings, Settings, VisualSettings
from ralph_wiggum.core.settings_schema import KEYS, dotted


def _merge(*data: Mapping[str, object]) -> Settings:
    return layers.merge([Layer(source=f"layer {number}", data=each) for number, each in enumerate(data, 1)])


def _at(key: str, value: object) -> dict[str, object]:
    return layers.nested({key: value})


def test_without_layers_all_is_default() -> None:
    """Design, part 2: the table of defaults."""
    merged = layers.merge([])
    for field in fields(Settings):
        if field.name not in {"agents", "origin"}:
            assert getattr(merged, field.name) == getattr(Settings(), field.name)
    assert merged.agents == BUILT_IN
    assert set(merged.origin.values()) == {"default"}


WORKING: list[tuple[str, object, str, object]] = [
    ("agent", "claude", "agent", ("claude",)),
    ("agent", ["kiro"], "agent", ("kiro",)),
    ("agent", ["kiro", "claude"], "agent", ("kiro", "claude")),
    ("agent", "claude, kiro", "agent", ("claude", "kiro")),
    ("setup", ["uv run alembic upgrade head"], "setup", ("uv run alembic upgrade head",)),
    ("machinery", ["my-mcp-server"], "machinery", ("my-mcp-server",)),
    ("visual_tasks", ["28.*"], "visual_tasks", ("28.*",)),
    ("visual_tasks", "28.*", "visual_tasks", ("28.*",)),
    ("git.commit", "none", "commit", "none"),
    ("git.branch", "night/{spec}", "branch", "night/{spec}"),
    ("continue_mode", "until_checkpoint", "continue_mode", "until_checkpoint"),
    ("state_storage.task_status", "plans/{feature}.md", "tasks_file", "plans/{feature}.md"),
    ("state_storage.activity_log", "./logs/{feature}.md", "activity_file", "logs/{feature}.md"),
    ("failure_handling", "stop_on_failure", "never_stop", False),
    ("overnight_mode.never_stop", False, "never_stop", False),
    ("max_iterations", 7, "max_iterations", 7),
    ("retry_limit", 3, "retry_limit", 3),
    ("max_attempts", 9, "max_attempts", 9),
    ("max_task_time", 900, "max_task_time", 900.0),
    ("checkpoint_detection", False, "checkpoint_detection", False),
    ("overnight_mode.checkpoint_pause", True, "checkpoint_pause", True),
    ("overnight_mode.checkpoint_skip_on_failure", False, "checkpoint_skip_on_failure", False),
    ("overnight_mode.user_input_wait", True, "user_input_wait", True),
    ("overnight_mode.max_task_timeout", 1.5, "max_task_timeout", 1.5),
    ("overnight_mode.max_command_timeout", 5, "max_command_timeout", 5.0),
    ("overnight_mode.no_progress_timeout", 10, "no_progress_timeout", 10.0),
    ("overnight_mode.stagnation_threshold", 2, "stagnation_threshold", 2),
    ("overnight_mode.skip_on_stagnation", False, "skip_on_stagnation", False),
    ("overnight_mode.server_health_check", False, "server_health_check", False),
    ("overnight_mode.auto_restart_servers", False, "auto_restart_servers", False),
    ("visual_validation.enabled", False, "visual", VisualSettings(enabled=False)),
    ("visual_validation.tool", "tools/agent-browser", "visual", VisualSettings(tool="tools/agent-browser")),
    ("visual_validation.browser", "/usr/bin/chromium", "visual", VisualSettings(browser="/usr/bin/chromium")),
    ("visual_validation.browser_args", ["--no-zygote"], "visual", VisualSettings(browser_args=("--no-zygote",))),
    ("visual_validation.screenshot_dir", "./looks/{feature}", "visual", VisualSettings(screenshot_dir="looks/{feature}")),
    ("visual_validation.pages", "https://x.test/a", "visual", VisualSettings(pages=("https://x.test/a",))),
    ("visual_validation.viewports", ["375x812"], "visual", VisualSettings(viewports=((375, 812),))),
    ("visual_validation.before", ["agent-browser wait 1"], "visual", VisualSettings(before=("agent-browser wait 1",))),
    ("visual_validation.timeout", 5, "visual", VisualSettings(timeout=5.0)),
    ("visual_validation.ignore_console", ["HMR"], "visual", VisualSettings(ignore_console=("HMR",))),
    ("visual_validation.ignore_requests", ["/ads/"], "visual", VisualSettings(ignore_requests=("/ads/",))),
    ("visual_validation.compare", True, "visual", VisualSettings(compare=True)),
    ("context_mode", "continuous_with_checkpoint_reset", "context_mode", "continuous_with_checkpoint_reset"),
    ("retry_session", "alternate", "retry_session", "alternate"),
    ("escalate_after", False, "escalate_after", 0),
    ("max_task_cost", 2.5, "max_task_cost", 2.5),
    ("max_turns", 40, "max_turns", 40),
    ("machine.keep_awake", False, "machine", MachineSettings(keep_awake=False)),
    ("machine.min_disk", "1 GB", "machine", MachineSettings(min_disk=1_000_000_000)),
    ("machine.min_battery", 20, "machine", MachineSettings(min_battery=20.0)),
    ("machine.max_memory", "75%", "machine", MachineSettings(memory_share=0.75)),
    ("logs.attempt", "1 MB", "logs", LogSettings(attempt=1_000_000)),
    ("logs.runs", 3, "logs", LogSettings(runs=3)),
    ("logs.total", "1 GB", "logs", LogSettings(total=1_000_000_000)),
    ("quality_checks", {}, "quality_checks", ()),
    (
        "quality_checks",
        {"backend": ["ruff check", "pytest -q"], "docs": {"paths": ["docs/**"], "commands": "mkdocs", "timeout": 60, "cwd": "./site"}},
        "quality_checks",
        (
            CheckSettings(kind="backend", commands=("ruff check", "pytest -q")),
            CheckSettings(kind="docs", commands=("mkdocs",), paths=("docs/**",), timeout=60.0, cwd="site"),
        ),
    ),
]  # fmt: skip

ACCEPTED: list[tuple[str, object]] = [("task_execution", "single_task")]


@pytest.mark.parametrize(("key", "value", "field", "read"), WORKING, ids=[row[0] for row in WORKING])
def test_keys_fill_their_field_and_no_other(key: str, value: object, field: str, read: object) -> None:
    """O34: every key does what it says."""
    merged = _merge(_at(key, value))
    assert getattr(merged, field) == read
    assert read != getattr(Settings(), field)
    untouched = {other.name for other in fields(Settings)} - {field, "agents", "origin"}
    assert all(getattr(merged, name) == getattr(Settings(), name) for name in untouched)
    assert merged.origin[key] == "layer 1"


@pytest.mark.parametrize(("key", "value"), ACCEPTED)
def test_keys_with_one_value_accept_it(key: str, value: object) -> None:
    assert _merge(_at(key, value)).origin[key] == "layer 1"


def test_no_key_is_left_out_of_these_tables() -> None:
    """O34: a key that is added to the schema shows up here."""
    plain = {dotted(path) for path in KEYS if "*" not in path}
    assert plain == {key for key, *_ in (*WORKING, *ACCEPTED)} - {"agents"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param({"agnet": "x"}, "agnet: unknown key; did you mean agent?", id="a near miss"),
        pytest.param({"max_task_timeout": 3}, "did you mean overnight_mode.max_task_timeout?", id="a key in the wrong place"),
        pytest.param({"overnight_mode": {"max_task_timout": 3}}, "overnight_mode.max_task_timout: unknown key", id="a near miss in a group"),
        pytest.param({"git": {"comit": "none"}}, "git.comit: unknown key; did you mean commit?", id="a near miss in git"),
        pytest.param({"zzz": 1}, "zzz: unknown key", id="a stranger"),
        pytest.param({"zzz": None}, "zzz: unknown key", id="a stranger without a value"),
        pytest.param({"agent": "claud"}, "agent: claud is unknown; did you mean claude?", id="an unknown agent"),
        pytest.param({"agent": []}, "agent: the list is empty", id="no agent"),
        pytest.param({"agent": ["kiro", "claude", "kiro"]}, "agent: kiro is named twice", id="an agent named twice"),
        pytest.param({"agent": "kiro,kiro"}, "agent: kiro is named twice", id="named twice in one text"),
        pytest.param({"agent": "kiro,,claude"}, "the text is empty", id="a comma too many"),
        pytest.param({"agent": "claude,kirro"}, "agent: kirro is unknown; did you mean kiro?", id="one of them unknown"),
        pytest.param({"agents": {"mine": {"command": "x", "dialect": "json"}}}, "agents.mine.dialect: expected text or mini or aider or claude", id="a bad dialect"),
        pytest.param({"agents": {"mine": {"command": "x", "dialect": "codex", "driver": "pty"}}}, "agents.mine.dialect: codex needs a pipe", id="events on a terminal"),
        pytest.param({"agents": {"claude": {"driver": "pty"}}}, "agents.claude.dialect: claude needs a pipe", id="a terminal for a built-in agent with events"),
        pytest.param({"agents": {"mine": {"command": "x", "login": []}}}, "agents.mine.login: the command is empty", id="an empty login command"),
        pytest.param({"agents": {"mine": {"command": "x", "hosts": "https://a.test"}}}, "'https://a.test' is no name of a host", id="a URL for a host"),
        pytest.param({"agent": False}, "expected a name or a list of names, found the truth value false (YAML reads no and off so)", id="YAML's off"),
        pytest.param({"git": {"commit": False}}, "git.commit: expected per_task or none, found the truth value false", id="YAML's no for a word"),
        pytest.param({"git": True}, "git: expected a mapping (key: value), found the truth value true", id="a group that is no mapping"),
        pytest.param({"git": {"branch": "a b"}}, "git.branch: 'a b' cannot be the name of a branch", id="a branch with a space"),
        pytest.param({"git": {"branch": "x/{task}"}}, "git.branch: {task} is unknown here", id="an unknown placeholder"),
        pytest.param({"state_storage": {"task_status": "/x/{feature}.md"}}, "leads out of the project", id="an absolute path"),
        pytest.param({"state_storage": {"activity_log": "../{feature}.md"}}, "leads out of the project", id="a path upwards"),
        pytest.param({"state_storage": {"task_status": "tasks.md"}}, "holds {feature} 0 times instead of once", id="one file for all specs"),
        pytest.param({"state_storage": {"task_status": "{feature}.md", "activity_log": "{feature}.md"}}, "is the same file as state_storage.task_status", id="one file for plan and log"),
        pytest.param({"max_iterations": 0}, "max_iterations: must be 1 or more, found 0", id="zero"),
        pytest.param({"max_iterations": -3}, "must be 1 or more, found -3", id="less than zero"),
        pytest.param({"max_iterations": True}, "expected a whole number, found the truth value true", id="true is no number"),
        pytest.param({"max_iterations": 2.5}, "expected a whole number, found the number 2.5", id="a fraction of a run"),
        pytest.param({"max_iterations": "10"}, "expected a whole number, found the text '10'", id="a number in quotes"),
        pytest.param({"max_task_time": -1}, "must be more than 0 seconds", id="negative seconds"),
        pytest.param({"max_task_time": float("inf")}, "must be more than 0 seconds, found inf", id="for ever"),
        pytest.param({"max_task_time": "10m"}, "expected seconds, found the text '10m'", id="seconds with a unit"),
        pytest.param({"setup": [420]}, "setup.1: expected a text, found the number 420", id="an unquoted time"),
        pytest.param({"setup": ["ok", "  "]}, "setup.2: the text is empty", id="an empty command"),
        pytest.param({"setup": {"a": 1}}, "setup: expected a list of texts, found a mapping", id="a mapping for a list"),
        pytest.param({"checkpoint_detection": "yes"}, "expected true or false, found the text 'yes'", id="yes in quotes"),
        pytest.param({"task_execution": "team"}, "task_execution: expected single_task, found the text 'team'", id="teams"),
        pytest.param({"continue_mode": "never"}, "expected auto_until_complete or until_checkpoint", id="an unknown mode"),
        pytest.param({"command_timeouts": {"npm (": 3}}, '"npm (": \'npm (\' is not a regular expression', id="a bad pattern"),
        pytest.param({"command_timeouts": {"npm": 0}}, "command_timeouts.npm: must be more than 0", id="a bad time limit"),
        pytest.param({"machinery": ["ok", "a(b"]}, "machinery.2: 'a(b' is not a regular expression", id="a bad machine"),
        pytest.param({"quality_checks": {"docs": {"command": ["x"]}}}, "quality_checks.docs.command: unknown key; did you mean commands?", id="a near miss in a check"),
        pytest.param({"quality_checks": {"docs": {"paths": ["x"]}}}, "quality_checks.docs: names no commands", id="a check without commands"),
        pytest.param({"quality_checks": {"docs": None}}, "quality_checks.docs: expected a list of texts, found nothing", id="a kind without a value"),
        pytest.param({"quality_checks": {"docs": {"commands": ["x"], "timeout": 0}}}, "quality_checks.docs.timeout: must be more", id="a check without time"),
        pytest.param({"quality_checks": {"docs": {"commands": ["x"], "cwd": ".."}}}, "quality_checks.docs.cwd: '..' leads out", id="a check outside"),
        pytest.param({"quality_checks": ["pytest"]}, "quality_checks: expected a mapping (key: value), found a list", id="checks without a kind"),
        pytest.param({"quality_checks": {7: ["x"]}}, "expected a text as key, found the number 7", id="a number as kind"),
        pytest.param({"agents": {"mine": {"driver": "pty"}}}, "agents.mine: has no command", id="a new agent without a command"),
        pytest.param({"agents": {"mine": {"command": "x", "driver": "tcp"}}}, "agents.mine.driver: expected pipe or pty", id="a bad driver"),
        pytest.param({"agents": {"mine": {"command": "x 'y"}}}, "agents.mine.command: cannot be split into arguments", id="an open quote"),
        pytest.param({"agents": {"mine": {"command": []}}}, "agents.mine.command: the command is empty", id="an empty command line"),
        pytest.param({"agents": {"mine": {"command": "x", "prompt": "tty"}}}, "agents.mine.prompt: tty needs a terminal", id="typing without a terminal"),
        pytest.param({"agents": {"mine": {"command": "x", "prompt": "file"}}}, "no argument holds {prompt_file}", id="a prompt file that is not named"),
        pytest.param({"agents": {"mine": {"command": "x", "env": {"A": 1.5}}}}, "agents.mine.env.A: expected a text, found the number 1.5", id="a fraction in the environment"),
        pytest.param({"agents": {"mine": {"command": "x", "answers": {"a(": "y"}}}}, "is not a regular expression", id="a bad question"),
        pytest.param({"agents": {"mine": {"command": "x", "answers": {"a": True}}}}, "expected a text or null, found the truth value true", id="an answer of YAML's"),
        pytest.param({"agents": {"mine": {"command": "x", "files": {"../a": "x"}}}}, "'../a' is no plain name of a file", id="a file elsewhere"),
        pytest.param({"agents": {"mine": {"command": "x", "prices": {"input": 1}}}}, "agents.mine.prices: names no price of output", id="half of the prices"),
        pytest.param({"agents": {"mine": {"command": "x", "prices": {"input": 1, "out": 2}}}}, "agents.mine.prices.out: unknown key", id="a price of something else"),
        pytest.param({"agents": {"mine": {"command": "x", "minimum_version": "new"}}}, "'new' is no version", id="no version"),
        pytest.param({"escalate_after": True}, "escalate_after: expected a whole number", id="escalation switched on with a truth value"),
        pytest.param({"max_task_cost": 0}, "max_task_cost: must be more than 0 US dollars", id="a task for nothing"),
        pytest.param({"agents": {"mine": {"comand": "x"}}}, "agents.mine.comand: unknown key; did you mean command?", id="a near miss in an agent"),
        pytest.param({"failure_handling": "never_stop", "overnight_mode": {"never_stop": False}}, "failure_handling: is never_stop, but overnight_mode.never_stop is false", id="one switch set twice"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(data: dict[str, object], said: str) -> None:
    """O34, design part 2: exit 2 with file, key path and what would be right."""
    with pytest.raises(RalphError) as caught:
        _merge(data)
    assert str(caught.value).startswith("layer 1: ")
    assert said in str(caught.value)
    assert caught.value.hint
    assert caught.value.code is Exit.BAD_INPUT


def test_errors_name_the_line_of_the_nearest_key() -> None:
    data = {"quality_checks": {"docs": {"commands": [3]}}}
    lines = {("quality_checks",): 4, ("quality_checks", "docs"): 5}
    with pytest.raises(RalphError, match=r"^ralph\.yaml:5: quality_checks\.docs\.commands\.1: "):
        layers.merge([Layer(source="ralph.yaml", data=data, lines=lines)])


def test_the_strongest_layer_wins_and_is_named() -> None:
    """Design, part 2: flags, project file, personal file, defaults."""
    merged = _merge(
        {"max_iterations": 1}, {"max_iterations": 2, "retry_limit": 2}, {"max_attempts": 3, "retry_limit": 3}
    )
    assert (merged.max_iterations, merged.retry_limit, merged.max_attempts) == (1, 2, 3)
    assert [merged.origin[key] for key in ("max_iterations", "retry_limit", "max_attempts", "max_task_time")] == [
        "layer 1",
        "layer 2",
        "layer 3",
        "default",
    ]


def test_a_key_without_a_value_is_absent() -> None:
    assert _merge({"max_iterations": None, "git": None}, {"max_iterations": 4}).max_iterations == 4


def test_a_weak_layer_is_checked_too() -> None:
    with pytest.raises(RalphError, match="layer 2: retry_limit"):
        _merge({"retry_limit": 3}, {"retry_limit": "x"})


def test_lists_and_checks_are_replaced_as_a_whole() -> None:
    strong = {"setup": ["a"], "quality_checks": {}}
    weak = {"setup": ["b"], "quality_checks": {"backend": ["pytest"]}}
    merged = _merge(strong, weak)
    assert (merged.setup, merged.quality_checks) == (("a",), ())


@pytest.mark.parametrize(
    ("strong", "weak", "never_stop"),
    [
        pytest.param({"failure_handling": "stop_on_failure"}, _at("overnight_mode.never_stop", True), False, id="by one name"),
        pytest.param(_at("overnight_mode.never_stop", True), {"failure_handling": "stop_on_failure"}, True, id="by the other"),
        pytest.param({"failure_handling": "never_stop"} | _at("overnight_mode.never_stop", True), {}, True, id="by both alike"),
    ],
)  # fmt: skip
def test_one_switch_with_two_names(strong: dict[str, object], weak: dict[str, object], *, never_stop: bool) -> None:
    """Design, part 2: failure_handling and never_stop are one switch; the stronger layer sets it."""
    merged = _merge(strong, weak)
    assert merged.never_stop is never_stop
    assert merged.origin["failure_handling"] == merged.origin["overnight_mode.never_stop"] == "layer 1"


def test_a_built_in_agent_is_changed_field_by_field() -> None:
    merged = _merge(
        {"agents": {"claude": {"env": {"A": 1}}}}, {"agents": {"claude": {"command": "claude -p", "env": {"B": "2"}}}}
    )
    claude = merged.agents["claude"]
    assert claude.command == ("claude", "-p")
    assert claude.env == {**BUILT_IN["claude"].env, "A": "1"}
    assert (claude.driver, claude.install_hint) == (BUILT_IN["claude"].driver, BUILT_IN["claude"].install_hint)
    assert merged.agents["kiro"] == BUILT_IN["kiro"]
    assert merged.origin["agents.claude.command"] == "layer 2"


def test_a_new_agent_can_be_chosen() -> None:
    """Design, part 2: any other program by agents.NAME.command with dialect text."""
    mine = {
        "command": ["my-agent", "--file={prompt_file}"],
        "driver": "pty",
        "prompt": "file",
        "dialect": "text",
        "answers": {"Trust .*\\?": "y", "Log in": None},
    }
    merged = _merge({"agent": "mine", "agents": {"mine": mine}})
    assert merged.agent == ("mine",)
    assert merged.agents["mine"].command == ("my-agent", "--file={prompt_file}")
    assert merged.agents["mine"].answers == (("Trust .*\\?", "y"), ("Log in", None))


def test_an_agent_with_events_may_be_described() -> None:
    codex = {
        "command": "codex exec --json -",
        "dialect": "codex",
        "login": "codex login status",
        "hosts": ["chatgpt.com"],
    }
    found = _merge({"agent": ["codex", "claude"], "agents": {"codex": codex}})
    assert found.agent == ("codex", "claude")
    assert found.agents["codex"].dialect == "codex"
    assert found.agents["codex"].login == ("codex", "login", "status")
    assert found.agents["codex"].hosts == ("chatgpt.com",)


def test_the_login_command_of_a_built_in_agent_is_not_asked_of_another_program() -> None:
    """A wrapper with a key of its own is not logged out because the program that it wraps is."""
    same = _merge({"agents": {"claude": {"command": ["claude", "-p"]}}}).agents["claude"]
    assert same.login == BUILT_IN["claude"].login
    other = _merge({"agents": {"claude": {"command": ["./with-key", "claude", "-p"]}}}).agents["claude"]
    assert other.login == ()
    told = {"claude": {"command": ["./with-key", "claude"], "login": ["./with-key", "status"]}}
    assert _merge({"agents": told}).agents["claude"].login == ("./with-key", "status")


def test_time_limits_of_commands_are_added_to_the_built_in_ones() -> None:
    """O21: longer limits by pattern; a pattern of the built-in ones is replaced."""
    built_in, built_in_seconds = LONG_COMMANDS[0]
    merged = _merge(
        {"command_timeouts": {built_in: 900, "my-build": 450}}, {"command_timeouts": {"my-build": 1, "x": 2}}
    )
    limits = settings.limits(merged)
    patterns = dict(limits.command_patterns)
    assert patterns == dict(LONG_COMMANDS) | {built_in: 900.0, "my-build": 450.0, "x": 2.0}
    assert built_in_seconds != 900
    assert (limits.task_seconds, limits.command_seconds, limits.no_progress_seconds) == (600.0, 60.0, 300.0)


def test_time_limits_and_machinery_reach_the_attempt() -> None:
    """O20 to O22."""
    data = {
        "machinery": ["x"],
        "overnight_mode": {"max_task_timeout": 1, "max_command_timeout": 2, "no_progress_timeout": 3},
    }
    limits = settings.limits(_merge(data))
    assert (limits.task_seconds, limits.command_seconds, limits.no_progress_seconds) == (1.0, 2.0, 3.0)
    assert limits.machinery == ("x",)
