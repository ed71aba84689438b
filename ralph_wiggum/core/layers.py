"""Layers of settings, strongest first -> one frozen Settings that knows where each value came from (O34)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ralph_wiggum.core import settings_schema as schema
from ralph_wiggum.core.agents import BUILT_IN
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.setting_values import BadValue, mapping, regex
from ralph_wiggum.core.settings import AgentSettings, Settings
from ralph_wiggum.core.settings_schema import ANY, KEYS, Path

DEFAULT = "default"
FLAG = "flag"
# What tells nothing of another program: where the command names one, these are no longer those of the built-in entry.
OF_THE_PROGRAM = (
    "resume", "turn_limit", "cost_limit", "native", "login", "credentials", "version", "minimum_version",
)  # fmt: skip
# To these of a built-in agent a person adds variables; empty ({}) takes all of them away. It needs its own for a night:
# without GEMINI_CLI_NO_RELAUNCH no signal ends gemini, without MSWEA_CONFIGURED mini asks for a model and waits.
OF_VARIABLES = ("env", "root_env")
LOGS_IN_TOTAL = 8  # logs of attempts that all state together has room for, at the least


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Settings from one place: nested plain data, and the 1-based lines of its key paths where they are known."""

    source: str
    data: Mapping[str, object]
    lines: Mapping[Path, int] = field(default_factory=dict)

    def error(self, path: Path, problem: str, hint: str) -> RalphError:
        """Return the error that names this place, the line, the key path and what would be right."""
        line = next((self.lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.lines), 0)
        where = f"{self.source}:{line}" if line else self.source
        return RalphError(f"{where}: {schema.dotted(path)}: {problem}", hint=hint)


@dataclass(frozen=True, slots=True)
class _Found:
    """A value that was read, and the layer it comes from."""

    value: object
    layer: Layer


def merge(layers: Sequence[Layer]) -> Settings:
    """Return the settings of layers, the strongest first; what none of them names has its default.

    Layers are merged key path by key path: agents and servers field by field, `command_timeouts` pattern by pattern,
    but lists, `ready` and `quality_checks` as a whole. A key without a value counts as absent. RalphError for a
    strange key or value.
    """
    found = {path: _Found(value, layer) for layer in reversed(layers) for path, value in _read(layer).items()}
    agents = _agents(found)
    _known_agent(found, agents)
    _two_files(found)
    plain = {KEYS[path].field: each.value for path, each in found.items() if path in KEYS and KEYS[path].field}
    timeouts = tuple((path[-1], each.value) for path, each in found.items() if path[:1] == schema.COMMAND_TIMEOUTS)
    origin = {schema.dotted(path): DEFAULT for path in KEYS if ANY not in path}
    origin |= {schema.dotted(path): each.layer.source for path, each in found.items()}
    whole = {"agents": agents, "command_timeouts": timeouts, "origin": origin} | plain
    settings = Settings(**whole)  # type: ignore[arg-type]  # the readers of the schema give each field its type
    return _with_pages(_with_machine(settings, found), found)


def _read(layer: Layer) -> dict[Path, object]:
    """Return the values of one layer by their paths; RalphError with file and line if one cannot be."""
    found = dict(_walk(layer, (), layer.data))
    return found | _one_switch(layer, found)


def _walk(layer: Layer, prefix: Path, data: Mapping[str, object]) -> Iterator[tuple[Path, object]]:
    for name, value in data.items():
        path = (*prefix, str(name))
        try:
            if value is None:
                _known(path)
            elif (general := _known(path)) in KEYS:
                yield path, KEYS[general].read(value)
            else:
                yield from _walk(layer, path, mapping(value))
        except BadValue as error:
            raise layer.error((*path, *error.path), str(error), error.hint) from None


def _known(path: Path) -> Path:
    """Return the general form of a path; BadValue if it is no key and no group of keys."""
    general = schema.general(path)
    if general not in KEYS and general not in schema.GROUPS:
        raise schema.unknown(path)
    if general == (*schema.COMMAND_TIMEOUTS, ANY):
        regex(path[-1])
    if general == (*schema.SERVERS, ANY):
        schema.server("name")(path[-1])
    return general


def _one_switch(layer: Layer, found: Mapping[Path, object]) -> dict[Path, object]:
    """Return both names of the never-stop switch with one value (design, part 2: set differently is an error)."""
    handling, never_stop = found.get(schema.FAILURE_HANDLING), found.get(schema.NEVER_STOP)
    if handling is None and never_stop is None:
        return {}
    wanted = handling == "never_stop" if handling is not None else bool(never_stop)
    if never_stop is not None and never_stop is not wanted:
        problem = f"is {handling}, but {schema.dotted(schema.NEVER_STOP)} is {str(never_stop).lower()}"
        raise layer.error(schema.FAILURE_HANDLING, problem, "they are one switch: set one of the two, or both alike")
    return {schema.FAILURE_HANDLING: "never_stop" if wanted else "stop_on_failure", schema.NEVER_STOP: wanted}


def _agents(found: Mapping[Path, _Found]) -> dict[str, AgentSettings]:
    """Return the built-in agents with the changes and additions of the settings."""
    return dict(BUILT_IN) | {name: _agent(name, changes) for name, changes in _named(found, schema.AGENTS).items()}


def _named(found: Mapping[Path, _Found], group: Path) -> dict[str, dict[str, _Found]]:
    """Return the fields of a group whose members a person names, by their names."""
    fields: dict[str, dict[str, _Found]] = {}
    for path, each in found.items():
        if path[:1] == group:
            fields.setdefault(path[1], {})[path[2]] = each
    return fields


def _agent(name: str, changes: Mapping[str, _Found]) -> AgentSettings:
    plain = {key: each.value for key, each in changes.items()}
    layer = next(iter(changes.values())).layer
    path = (*schema.AGENTS, name)
    base = BUILT_IN.get(name)
    if base is None and "command" not in plain:
        raise layer.error(path, "has no command", "add a command, such as command: [my-agent, --json]")
    base = base or AgentSettings(name=name, command=())
    plain |= {key: {**getattr(base, key), **plain[key]} for key in OF_VARIABLES if plain.get(key)}  # type: ignore[dict-item]  # mappings
    agent = replace(base, **plain)  # type: ignore[arg-type]  # as in merge
    if agent.command[:1] != base.command[:1]:
        blank = replace(AgentSettings(name=name, command=()), **plain)  # type: ignore[arg-type]  # as in merge
        agent = replace(agent, **{key: getattr(blank, key) for key in OF_THE_PROGRAM})
    elif "command" in plain and "resume" not in plain:
        agent = replace(agent, resume=())  # it would be called in another way than this person wants
    if agent.prompt == "tty" and agent.driver != "pty":
        raise layer.error((*path, "prompt"), "tty needs a terminal", "add driver: pty, or choose prompt: stdin")
    if agent.driver == "acp" and "dialect" not in plain:
        agent = replace(agent, dialect="acp")
    if (agent.driver == "acp") != (agent.dialect == "acp"):
        problem, hint = f"{agent.dialect} cannot be with driver {agent.driver}", "driver: acp speaks dialect: acp alone"
        raise layer.error((*path, "dialect"), problem, hint)
    if agent.driver == "pty" and agent.dialect != "text":
        hint = "choose driver: pipe, or dialect: text"
        raise layer.error((*path, "dialect"), f"{agent.dialect} needs a pipe: a terminal may break its lines", hint)
    if agent.prompt == "file" and not any("{prompt_file}" in word for word in agent.command):
        hint = "put {prompt_file} where the program expects the name of the file"
        raise layer.error((*path, "command"), "prompt: file, but no argument holds {prompt_file}", hint)
    return agent


def _known_agent(found: Mapping[Path, _Found], agents: Mapping[str, AgentSettings]) -> None:
    """Refuse an agent that nobody described; RalphError names the near miss."""
    chosen = found.get(schema.AGENT)
    if chosen is None or not isinstance(chosen.value, tuple):
        return
    for name in chosen.value:
        if name not in agents:
            hint = f"choose from {', '.join(sorted(agents))}, or describe it under agents.{name}"
            problem = f"{name} is unknown" + schema.near(name, agents)
            raise chosen.layer.error(schema.AGENT, problem, hint)


def _two_files(found: Mapping[Path, _Found]) -> None:
    """Refuse one file for the tasks and for the log: the log would write over the plan."""
    tasks, log = (found.get(("state_storage", key)) for key in ("task_status", "activity_log"))
    if tasks and log and tasks.value == log.value:
        problem = "is the same file as state_storage.task_status"
        raise log.layer.error(("state_storage", "activity_log"), problem, "give each a file of its own")


def _with_pages(settings: Settings, found: Mapping[Path, _Found]) -> Settings:
    """Return the settings with `servers` and `visual_validation`, where a layer names either."""
    servers = {
        name: {key: each.value for key, each in given.items()} for name, given in _named(found, schema.SERVERS).items()
    }
    visual = {path[1]: each.value for path, each in found.items() if path[:1] == schema.VISUAL}
    if not servers and not visual:
        return settings
    from ralph_wiggum.core import server_rules, visual_values  # noqa: PLC0415 - most projects have neither

    group = schema.SERVERS
    try:
        ordered = server_rules.servers(servers)
        group = schema.VISUAL
        return replace(settings, servers=ordered, visual=visual_values.visual(visual, ordered, _written(settings)))
    except BadValue as error:
        raise _blamed(found, (*group, *error.path)).error((*group, *error.path), str(error), error.hint) from None


def _with_machine(settings: Settings, found: Mapping[Path, _Found]) -> Settings:
    """Return the settings with `machine` and `logs`, where a layer names either."""
    machine, logs = _below(found, schema.MACHINE), _below(found, schema.LOGS)
    memory = machine.get("max_memory")
    if isinstance(memory, float):  # a share of what the machine has
        machine |= {"max_memory": None, "memory_share": memory}
    whole = replace(
        settings,
        machine=replace(settings.machine, **machine),  # type: ignore[arg-type]  # as in merge
        logs=replace(settings.logs, **logs),  # type: ignore[arg-type]  # as in merge
    )
    if whole.logs.attempt * LOGS_IN_TOTAL > whole.logs.total:
        path = next(path for path in ((*schema.LOGS, "total"), (*schema.LOGS, "attempt")) if path in found)
        problem = f"{whole.logs.total:,} bytes for all logs, {whole.logs.attempt:,} for that of one attempt"
        raise found[path].layer.error(path, problem, f"logs.total is {LOGS_IN_TOTAL} times logs.attempt, or more")
    return whole


def _below(found: Mapping[Path, _Found], group: Path) -> dict[str, object]:
    return {path[1]: each.value for path, each in found.items() if path[:1] == group}


def _written(settings: Settings) -> dict[str, str]:
    """Return the patterns of the files that the runner writes, by their keys."""
    fields = {path: key.field for path, key in KEYS.items() if path[0] == "state_storage"}
    return {schema.dotted(path): getattr(settings, name) for path, name in fields.items()}


def _blamed(found: Mapping[Path, _Found], path: Path) -> Layer:
    """Return the layer that gave a value, else the one that gave its nearest neighbour."""
    depths = range(len(path), 0, -1)
    near = (each for depth in depths for at, each in found.items() if at[:depth] == path[:depth])
    return next(near, next(iter(found.values()))).layer


def nested(flags: Mapping[str, object]) -> dict[str, object]:
    """Return flags by dotted key path as nested data; a flag of None was not given.

    >>> nested({"git.commit": "none", "max_iterations": None})
    {'git': {'commit': 'none'}}
    """
    data: dict[str, object] = {}
    for dotted, value in flags.items():
        if value is not None:
            *groups, name = dotted.split(".")
            place = data
            for group in groups:
                place = place.setdefault(group, {})  # type: ignore[assignment]  # only this loop fills it
            place[name] = value
    return data
