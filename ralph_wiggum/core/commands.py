"""The commands of an agent (O21): which processes below it are one, since when, and how long each may run.

Everything below the agent is a command from its own start time; starting early exempts nothing. Not a command are the
agent's own executable and machinery. The topmost process that is a command stands for all below it. What listens on a
TCP port is a server and ends with the attempt: that is looked up by the caller, for those whose time is over only.
Pure: rows of the process table in, commands out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from ralph_wiggum.core.program import LAUNCHERS, SHELLS, Process, arguments, launched, same_program
from ralph_wiggum.core.settings import Limits

LONG_SECONDS = 300.0
_LINE_WIDTH = 200  # of a command line in logs and prompts
_SEARCHED = 4096  # characters of a command line: whole files travel in `bash -c`

_SAME = r"[^;&|\n]*"  # words of one simple command
# Installs, builds, clones and test runners; searched in command lines (design: part 2).
LONG_COMMANDS: tuple[tuple[str, float], ...] = tuple(
    (pattern, LONG_SECONDS)
    for pattern in (
        rf"\b(npm|pnpm|yarn|bun)\b{_SAME}\b(ci|i|install|add|update|upgrade|rebuild|build|test|dlx|create)\b",
        r"\byarn$",
        r"\bnpm t\b",
        r"\b(pip|pip3|pipx|conda|mamba|pixi)\b" + _SAME + r"\b(install|download|wheel|create|update|sync)\b",
        r"\buv\b" + _SAME + r"\b(sync|install|lock|add|venv|build|compile)\b",
        r"\b(poetry|pdm|hatch|pipenv|rye)\b" + _SAME + r"\b(install|sync|lock|update|add|build|test)\b",
        r"\b(cargo|cross)\b" + _SAME + r"\b(build|test|check|clippy|install|fetch|bench|doc|nextest)\b",
        r"\bgo (build|test|vet|get|install|generate|mod (download|tidy|vendor))\b",
        r"\b(mvn|mvnw|gradle|gradlew|sbt|bazel|bazelisk|ant|lein)\b",
        r"(^|[\s;&|(/])(make|gmake|cmake|ninja|meson|scons)(\s|$)",
        r"\bdocker(-compose)?\b" + _SAME + r"\b(build|pull|push|compose|up)\b",
        r"\bpodman\b" + _SAME + r"\b(build|pull|push)\b",
        r"\bgit\b" + _SAME + r"\b(clone|fetch|pull|push|submodule|lfs|gc)\b",
        r"\b(pytest|py\.test|tox|nox|unittest|behave)\b",
        r"\b(vitest|jest|mocha|karma|ava|cypress|rspec|phpunit|ctest)\b",
        r"\bplaywright (test|install)\b",
        r"\b(apt|apt-get|dnf|yum|apk|pacman|zypper|brew)\b" + _SAME + r"\b(install|update|upgrade|add)\b",
        r"\b(bundle|gem|composer|mix|dotnet|swift|flutter|dart)\b"
        + _SAME
        + r"\b(install|update|build|test|restore|publish|compile|get|deps\.get)\b",
        r"\b(vite|next|nuxt|astro|turbo|nx|ng|webpack|rollup|tsup|esbuild)\b" + _SAME + r"\bbuild\b",
        r"\b(tsc|vue-tsc|webpack|mypy|pyright)\b",
        r"\bnode-gyp\b",
    )
)

# Words that make a process machinery of the agent: in the name of the program, script or package (`mcp-server-git`,
# `typescript-language-server`, `codex-acp`), as its subcommand (`deno lsp`), or as an option. Words elsewhere in the
# arguments mean nothing: `grep -r mcp src` is a command.
_NAME = r"(?i)(?<![a-z0-9])(mcp|lsp|acp|language-server|langserver|modelcontextprotocol)(?![a-z0-9])"
_LANGUAGE_SERVERS = frozenset({"tsserver", "gopls", "rust-analyzer", "clangd", "jdtls", "pylsp"})
_TEXT_TOOLS = frozenset(
    {"grep", "egrep", "fgrep", "rg", "ag", "find", "sed", "awk", "cat", "ls", "tree", "git", "sleep"}
)
_TEST_NAME = r"(?i)^(test|spec)[_.-]|[_.-](test|spec)$"
_SUBCOMMAND = r"(mcp|lsp|acp|language-server)([-_](server|proxy))?"
_OPTION = r"--(stdio|(experimental-)?(mcp|lsp|acp))"

# A wrapper script of a person's own hands the task to one of these: they are the agent then.
AGENT_PROGRAMS = frozenset(
    {"kiro-cli", "kiro-cli-chat", "qchat", "claude", "codex", "opencode", "gemini", "qwen", "copilot", "mini", "aider"}
)

# Our client of the Agent Client Protocol (adapters.agents.acp) starts its agent first, and later the commands of that.
ACP_CLIENT = "/ralph_wiggum/acp/client.py"

Key = tuple[int, float]
"""A process without doubt: its pid and start time."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits of an attempt that concern commands, ready for use."""

    seconds: float
    patterns: tuple[tuple[re.Pattern[str], float], ...]
    machinery: tuple[re.Pattern[str], ...]

    @classmethod
    def of(cls, limits: Limits) -> Rules:
        """Take the rules out of the limits; re.error if a pattern is none."""
        return cls(
            seconds=limits.command_seconds,
            patterns=tuple((re.compile(pattern), seconds) for pattern, seconds in limits.command_patterns),
            machinery=tuple(re.compile(pattern) for pattern in limits.machinery),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command that runs now. `seconds` since its start, `limit` what it may take, `members` the pids of it all.

    `matched` is the longest limit of the patterns that match, None where none does.
    """

    key: Key
    line: str
    seconds: float
    limit: float
    matched: float | None
    members: tuple[int, ...]

    @property
    def overdue(self) -> bool:
        """Say whether it has run longer than it may."""
        return self.seconds > self.limit


def commands(
    table: Sequence[Process],
    agent: int,
    now: float,
    rules: Rules,
    remembered: Mapping[Key, float] | None = None,
) -> tuple[Command, ...]:
    """Return the commands that run at `now`, the topmost process of each, oldest rows first.

    `table` holds the living processes below the keeper: the agent with what is below it, and orphans, which have
    another parent now and are commands as well. `remembered` are limits that matched a command earlier in its life:
    a script that ran `npm ci` at first keeps that limit for what follows.
    """
    if all(process.pid != agent for process in table):  # its end is about to be told; nothing can be known without it
        return ()
    family = _Family(table, agent, rules)
    return tuple(_command(family, root, now, rules, remembered or {}) for root in family.topmost())


def _command(family: _Family, root: Process, now: float, rules: Rules, remembered: Mapping[Key, float]) -> Command:
    members = (root, *family.below(root))
    key = (root.pid, root.started)
    limits = [seconds for pattern, seconds in rules.patterns if any(_matches(pattern, member) for member in members)]
    limits += [remembered[key]] if key in remembered else []
    matched = max(limits, default=None)
    return Command(
        key=key,
        line=printable(root.line),
        seconds=now - root.started,
        limit=rules.seconds if matched is None else matched,
        matched=matched,
        members=tuple(member.pid for member in members),
    )


class _Family:
    """The processes below the keeper as a tree, with what in it belongs to the agent itself."""

    def __init__(self, table: Sequence[Process], agent: int, rules: Rules) -> None:
        self._rules = rules
        self._agent = agent
        self._agents = {process.pid: process for process in table if process.pid == agent}
        self._children: dict[int, list[Process]] = {}
        pids = {process.pid for process in table}
        for process in table:
            self._children.setdefault(process.ppid, []).append(process)
        roots = [process for process in table if process.ppid not in pids]
        self._roots = sorted(roots, key=lambda process: (process.pid != agent, process.started))
        self._heads: list[Process] = []  # the agent, and the workers that it handed itself on to

    def topmost(self) -> Iterator[Process]:
        """Yield each process that is a command and has none above it."""
        for root in self._roots:
            yield from self._walk(root, None, launched=False)

    def below(self, process: Process) -> Iterator[Process]:
        """Yield all descendants of a process."""
        for child in self._children.get(process.pid, ()):
            yield child
            yield from self.below(child)

    def _walk(self, process: Process, parent: Process | None, *, launched: bool) -> Iterator[Process]:
        """Walk down through what is the agent's.

        `parent` is the agent's own process above, if it is one; `launched` says that it is there only to start this
        one: `timeout 3600 my-agent`, `npx my-agent` and the shell that npx puts between.
        """
        if launched or self._is_own(process, parent):
            self._heads.append(process)
            above: Process | None = process
            speaks = self._is_spoken_to(process)  # a shell speaks no protocol: it is there to start what does
            shell = process.name in SHELLS and (speaks or (launched and process.inline))
            launched = process.called in LAUNCHERS or shell
        elif self._is_machinery(process):
            above, launched = None, False
        else:
            yield process
            return
        for child in self._children.get(process.pid, ()):
            yield from self._walk(child, above, launched=launched)

    def _is_own(self, process: Process, parent: Process | None) -> bool:
        if process.pid == self._agent or any(same_program(process, head) for head in self._heads):
            return True
        return parent is not None and (self._is_spoken_to(process) or hands_on(parent, process))

    def _is_spoken_to(self, process: Process) -> bool:
        """Say whether this is the agent behind our client of the protocol: its first child, whatever program it is."""
        client = self._agents.get(process.ppid)
        if client is None or not client.script.endswith(ACP_CLIENT):
            return False
        return process is min(self._children[process.ppid], key=lambda child: (child.started, child.pid))

    def _is_machinery(self, process: Process) -> bool:
        line = process.line[:_SEARCHED]
        if any(pattern.search(line) for pattern in self._rules.machinery) or is_machinery(process):
            return True
        below = self._children.get(process.pid, ())
        waits = process.called in LAUNCHERS or process.name in SHELLS
        return waits and bool(below) and all(self._is_machinery(child) for child in below)


def is_machinery(process: Process) -> bool:
    """Say whether a process is machinery by the built-in words; installs, builds and tests never are."""
    program, words = launched(process)
    named = any(re.search(_NAME, name) and not re.search(_TEST_NAME, name) for name in (program, process.package))
    asked = bool(words) and program not in _TEXT_TOOLS and bool(re.fullmatch(_SUBCOMMAND, words[0]))
    asked = asked or any(re.fullmatch(_OPTION, word) for word in process.argv[1:])
    if not (named or asked or program in _LANGUAGE_SERVERS):
        return False
    return not any(_matches(pattern, process) for pattern in _long_patterns())


def hands_on(parent: Process, child: Process) -> bool:
    """Say whether an own process handed itself on to this child: a wrapper and its worker.

    A worker has the wrapper's name (`codex.js` and `codex`, `kiro-cli` and `kiro-cli-chat`), or got the wrapper's own
    arguments with an option among them, or is an agent program that a person's wrapper script calls.
    """
    name, wrapper = child.called, parent.called
    if not parent.inline and not child.script and (name == wrapper or name.startswith(f"{wrapper}-")):
        return True
    handed = arguments(parent)
    if any(word.startswith("-") for word in handed) and arguments(child) == handed and not parent.inline:
        return True
    return bool(parent.script) and name in AGENT_PROGRAMS


def printable(line: str) -> str:
    r"""Return a command line fit for logs: on one line, without control characters, cut at 200 characters.

    >>> printable("sleep\n10")
    'sleep 10'
    """
    line = "".join(character if character.isprintable() else " " for character in line[: 2 * _LINE_WIDTH])
    return line if len(line) <= _LINE_WIDTH else f"{line[: _LINE_WIDTH - 1]}…"


@cache
def _long_patterns() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern, _ in LONG_COMMANDS)  # not at import: costs milliseconds


def _matches(pattern: re.Pattern[str], process: Process) -> bool:
    """Search in the command line as it is, and as a person would have typed it (`pytest -q`, not `python …/pytest`)."""
    typed = " ".join((process.called, *arguments(process)))
    return bool(pattern.search(process.line[:_SEARCHED]) or pattern.search(typed[:_SEARCHED]))
