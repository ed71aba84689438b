"""Settings: layers of plain data -> one frozen value, each part with where it came from (design: part 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What a person pays for an agent's model, in US dollars for a million tokens.

    `cached` is the price of input that the provider had cached, None: as other input.
    """

    input: float
    output: float
    cached: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """How one agent program is driven.

    `command` is an argument list with `{prompt_file}`, `{report_file}`, `{tasks_file}`, `{task}`, `{python}` replaced
    in each argument (and `{package}`, the folder of this package). `args` are put where an argument is `{args}`, or at
    the end. `resume` is the command that goes on with the session `{session}`; empty: it cannot. `turn_limit` and
    `cost_limit` are arguments, with `{turns}` and `{cost}` (US dollars), that bound one run; empty: the runner counts
    by itself.
    `native` are paths, relative to the folder of the program itself (links followed), of the binary that it only
    launches; the first that is there is started in its place (`{os}` and `{arch}` as Node.js names them).
    `driver` is "pipe", "pty" or "acp"; `prompt` is "stdin", "tty" (typed; pty only) or "file"; `prompt_key` is a dotted
    path under which the file of the prompt holds it, as YAML, "": it is the plain text; `dialect` is one of
    core.agents.DIALECTS.
    `files` are written before each attempt, name -> text, into a folder of that attempt, which stands for `{files}` in
    the command and in the values of `env`.
    `answers` maps a regular expression of a question on the terminal to what is typed ("" is Enter); an answer of
    None ends the attempt at once. `permissions` is how an agent is answered that asks what it may do (driver acp):
    "allow", "workspace" (nothing outside it is written) or "reject". `root_env` is added to `env` where the runner is
    root. `footer` is a regular expression of lines that the program prints after the agent's own message, such as what
    it cost.
    `login` is a command that ends with exit code 0 where somebody is logged in and spends nothing; empty: nobody can
    tell. `credentials` are names of environment variables and paths (with a slash) of files any of which tells that
    somebody is logged in. `version` is a command that prints the version. `hosts` are names of hosts that the agent
    needs, for a look at whether the network is back. `prices` make dollars of tokens where it tells tokens alone.
    """

    name: str
    command: tuple[str, ...]
    args: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    turn_limit: tuple[str, ...] = ()
    cost_limit: tuple[str, ...] = ()
    native: tuple[str, ...] = ()
    driver: str = "pipe"
    prompt: str = "stdin"
    prompt_key: str = ""
    dialect: str = "text"
    files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    answers: tuple[tuple[str, str | None], ...] = ()
    permissions: str = "workspace"
    install_hint: str = ""
    docs: str = ""
    root_env: Mapping[str, str] = field(default_factory=dict)
    footer: str = ""
    login: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    version: tuple[str, ...] = ()
    minimum_version: str = ""
    hosts: tuple[str, ...] = ()
    prices: Prices | None = None

    @property
    def resumes(self) -> bool:
        """Say whether it can go on with a session; over ACP the protocol does that."""
        return bool(self.resume) or self.driver == "acp"


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
class Ready:
    """When a server counts as up (O23): exactly one of `url`, `port` and `log` is set.

    `url` answers with one of `statuses` (pairs of the lowest and the highest; http and https); `port` accepts a TCP
    connection on `host`; `log` is a regular expression that a line of the server's output since its start matches.
    """

    url: str = ""
    statuses: tuple[tuple[int, int], ...] = ((200, 399),)
    host: str = "localhost"
    port: int = 0
    log: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """A server that visual tasks need (O23, O24). Times in seconds.

    `command` is a shell command, run in `cwd` below the project root with `env` added; `{port}` in the command and in
    the values of `env` stands for the port of `ready`, or for a free one where that is held by something that is not
    ready. `url` is the page that people and agents use, "" for that of `ready`. It is waited for as long as `attempts`
    times `interval`: where nobody takes the connection it is asked again at once, after any other answer when the
    `interval` is over; an answer may take `request_timeout`. `setup` are shell commands that run, once they all
    succeeded, before it is started, each for at most `setup_timeout`. `depends_on` names servers that are up before it.
    `reloads` says whether it shows changed code without a new start, None: as its command tells (`reloading`).
    """

    name: str
    command: str
    ready: Ready
    cwd: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    attempts: int = 30
    interval: float = 1.0
    request_timeout: float = 5.0
    setup: tuple[str, ...] = ()
    setup_timeout: float = 600.0
    depends_on: tuple[str, ...] = ()
    reloads: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisualSettings:
    """How pages are looked at (O25). Times in seconds.

    `tool` is the program agent-browser: a name that is looked for in node_modules/.bin and on PATH, or a path.
    `browser` is the path of a Chromium or Chrome, "" to let it be found; `browser_args` are added to its command line.
    `pages` are URLs, for tasks that name no page: paths of the settings have become URLs on the server that no other
    one depends on, and where none is named, its own URL is the page. `viewports` (width, height) in which each is
    looked at, none: the tool's own; `before` are agent-browser commands that run ahead of every validation (a login);
    `timeout` is that of one command. `ignore_console` and `ignore_requests` are regular expressions of console errors
    and of URLs of failed requests that do not count. `compare` tells how many pixels
    differ from the last accepted screenshot.
    """

    enabled: bool = True
    tool: str = "agent-browser"
    browser: str = ""
    browser_args: tuple[str, ...] = ()
    screenshot_dir: str = "screenshots/{feature}/"
    pages: tuple[str, ...] = ()
    viewports: tuple[tuple[int, int], ...] = ()
    before: tuple[str, ...] = ()
    timeout: float = 30.0
    ignore_console: tuple[str, ...] = ()
    ignore_requests: tuple[str, ...] = ()
    compare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Time limits of one attempt, in seconds (O20-O22).

    `command_patterns` are regular expressions searched in the command lines of a command and what runs below it; of
    those that match, the longest limit holds, and it may be longer or shorter than `command_seconds`. `machinery` are
    regular expressions of processes that belong to the agent itself and are never a command.

    `memory_bytes` is what the family may hold together, `disk_bytes` what must be free where the project lies for an
    attempt to begin (it ends when half of that is left); 0: no limit. `turns` and `cost` (US dollars) are the most that
    the agent may use, as far as it tells; 0: no limit. `end_at` is a moment of the wall clock (seconds since 1970) at
    which the attempt ends, 0: none. `log_bytes` is what is kept of its output, beginning and end.
    """

    task_seconds: float = 600.0
    command_seconds: float = 60.0
    no_progress_seconds: float = 300.0
    command_patterns: tuple[tuple[str, float], ...] = ()
    machinery: tuple[str, ...] = ()
    memory_bytes: int = 0
    disk_bytes: int = 0
    turns: int = 0
    cost: float = 0.0
    end_at: float = 0.0
    log_bytes: int = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSettings:
    """What the machine must keep for its person (B7). Bytes and per cent.

    `keep_awake`: no sleep while a run is on. `min_disk`: free room below which nothing is started. `min_battery`: per
    cent below which nothing is started while it discharges. `max_memory`: of an agent's family, 0: no limit, None:
    `memory_share` of what the machine (or its container) has.
    """

    keep_awake: bool = True
    min_disk: int = 500_000_000
    min_battery: float = 10.0
    max_memory: int | None = None
    memory_share: float = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """How much is kept of what runs print. Bytes.

    `attempt` is the most of one attempt's log (its beginning and its end), `runs` how many runs are kept, `total` the
    most that all state of a spec below `.ralph/` takes.
    """

    attempt: int = 2_000_000
    runs: int = 10
    total: int = 500_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a person can set. Seconds and US dollars; defaults are those of the reference table.

    `quality_checks` None: take them from the manifests; empty: none; else those kinds only. `retry_session` is
    "fresh", "resume" or "alternate"; `escalate_after` is the number of attempts at a task after which the next agent of
    the list is asked, 0: never; `max_task_cost` (US dollars) and `max_turns` (of one attempt) are 0 for no limit.
    `origin` maps a key path to where its value came from ("flag", a file's path, "default").
    """

    agent: tuple[str, ...] = ()
    agents: Mapping[str, AgentSettings] = field(default_factory=dict)
    setup: tuple[str, ...] = ()
    quality_checks: tuple[CheckSettings, ...] | None = None
    command_timeouts: tuple[tuple[str, float], ...] = ()
    machinery: tuple[str, ...] = ()
    visual_tasks: tuple[str, ...] = ()
    servers: tuple[ServerSettings, ...] = ()  # each after those that it depends on
    visual: VisualSettings = VisualSettings()
    commit: str = "per_task"
    branch: str = "ralph/{spec}"
    continue_mode: str = "auto_until_complete"
    tasks_file: str = ".kiro/specs/{feature}/tasks.md"
    activity_file: str = ".kiro/specs/{feature}/activity.md"
    never_stop: bool = True
    max_iterations: int = 100
    context_mode: str = "fresh"
    retry_session: str = "fresh"
    escalate_after: int = 3
    max_task_cost: float = 0.0
    max_turns: int = 0
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
    server_health_check: bool = True
    auto_restart_servers: bool = True
    machine: MachineSettings = MachineSettings()
    logs: LogSettings = LogSettings()
    origin: Mapping[str, str] = field(default_factory=dict)


def limits(settings: Settings) -> Limits:
    """Return the limits of an attempt: the built-in long commands (O21) with the person's own over them.

    A setting with the pattern of a built-in one replaces it; all others are added. How much memory there is only the
    machine can say: `memory_bytes` is left at 0 here.
    """
    from ralph_wiggum.core.commands import LONG_COMMANDS  # noqa: PLC0415 - status reads settings and needs no table

    return Limits(
        task_seconds=settings.max_task_timeout,
        command_seconds=settings.max_command_timeout,
        no_progress_seconds=settings.no_progress_timeout,
        command_patterns=tuple((dict(LONG_COMMANDS) | dict(settings.command_timeouts)).items()),
        machinery=settings.machinery,
        disk_bytes=settings.machine.min_disk,
        turns=settings.max_turns,
        log_bytes=settings.logs.attempt,
    )
