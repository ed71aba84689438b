"""One agent in detail: as lines for a person, and as the entry that would make it in the settings (O11, O34)."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from ralph_wiggum.core.agent_report import Row, paragraph
from ralph_wiggum.core.agents import BUILT_IN
from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.settings import AgentSettings, Prices
from ralph_wiggum.core.status_text import Page

_LABEL = 15
_BOLD, _DIM = "1", "2"
_BLANK = AgentSettings(name="", command=())
# What may be written as empty, to take away what the built-in agent of that name has.
_MAY_BE_EMPTY = frozenset({"native", "files", "env", "answers", "root_env", "credentials"})
_PROMPTS = {"stdin": "on standard input", "file": "in a file, {prompt_file}", "tty": "typed on its terminal"}


def as_entry(agent: AgentSettings) -> dict[str, dict[str, Any]]:
    """Return what stands under `agents:` for exactly this agent, as plain data: its name -> its keys.

    What is as the settings have it anyway is left out, but for a built-in agent it stands all the same: the entry is
    to be read and changed. The values of `env` are among it, as they were set.
    """
    base = BUILT_IN.get(agent.name, _BLANK)
    keys: dict[str, Any] = {"command": list(agent.command)}
    for each in fields(agent):
        value = getattr(agent, each.name)
        if each.name in {"name", "command"}:
            continue
        if not value and each.name not in _MAY_BE_EMPTY:
            continue
        if value != getattr(_BLANK, each.name) or value != getattr(base, each.name):
            keys[each.name] = _plain(each.name, value)
    return {agent.name: keys}


def _plain(key: str, value: object) -> object:
    if isinstance(value, Prices):
        return {name: price for name in ("input", "output", "cached") if (price := getattr(value, name)) is not None}
    if key == "answers" and isinstance(value, tuple):
        return dict(value)
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def details(row: Row, command: Sequence[str], found: Callable[[str], bool], width: int, *, colour: bool) -> list[str]:
    """Return all that is known of an agent as lines. Never the value of a variable: it may be a key.

    `command` is what would be started; `found` says whether a credential is there.
    """
    page = Page(width, colour=colour)
    lines = [page.paint(plain(row.agent.name), _BOLD)]
    for label, text in _facts(row, command, found):
        if text:
            first, *more = paragraph(text, page.width, label.ljust(_LABEL))
            lines += [page.paint(label.ljust(_LABEL), _DIM) + first[_LABEL:], *more]
    return lines


def _facts(row: Row, command: Sequence[str], found: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    agent, readiness = row.agent, row.readiness
    yield "Program", row.path or f"not installed; {agent.install_hint}".rstrip("; ")
    if agent.version:
        needed = f"({agent.minimum_version} or newer is needed)" if agent.minimum_version else ""
        yield "Version", f"{readiness.version or '?'} {needed}".strip()
    yield "Login", row.login
    yield "Note", "; ".join(filter(None, (readiness.words, readiness.hint))) if readiness.installed else ""
    yield "Default", f"number {row.place} of those that a run asks" if row.place else "no"
    yield "Called as", shlex.join(command)
    yield "Prompt", _PROMPTS[agent.prompt] + (f" (YAML, below {agent.prompt_key})" if agent.prompt_key else "")
    yield (
        "Resumed as",
        shlex.join(agent.resume)
        or ("the protocol goes on with it" if agent.resumes else "it cannot go on with a session"),
    )
    yield "Turn limit", shlex.join(agent.turn_limit) or "counted by the runner"
    yield "Cost limit", shlex.join(agent.cost_limit) or ("counted by the runner" if row.tells else "it cannot be held")
    yield "Driver", agent.driver + (f" (permissions: {agent.permissions})" if agent.driver == "acp" else "")
    yield "Dialect", f"{agent.dialect}, tells {row.tells or 'neither cost nor tokens'}"
    yield "Environment", ", ".join(dict.fromkeys((*agent.env, *(f"{name} (as root)" for name in agent.root_env))))
    yield "Asks login by", shlex.join(agent.login)
    yield "Credentials", ", ".join(f"{each} ({'there' if found(each) else 'not there'})" for each in agent.credentials)
    yield "Hosts", ", ".join(agent.hosts)
    yield "Answers", f"{len(agent.answers)} of your own" if agent.answers else ""
    yield "Docs", agent.docs
