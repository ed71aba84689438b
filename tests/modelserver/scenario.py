"""What a client is to meet: a mode and its parameters, said in the path of the address (`/s/429,n=2,reset=2/…`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote, unquote

# Every mode with what it does. Modes of numbers and words without "answer" refuse the request (refusals.py).
MODES = MappingProxyType(
    {
        "ok": "a call of the client's tool with the task's command, then a final text with the signal",
        "text": "answers in words only: no call of a tool, no signal",
        "lie": "no call of a tool, but a final text with the signal",
        "nosignal": "as ok, but the final text has no signal",
        "skipped": "no call of a tool, a final text that ends with TASK_SKIPPED and a reason",
        "warn": "as ok, with Anthropic's headers that say that 95 % of the limit is used (reset=)",
        "limittext": "answers with status 200 and a text that says that the limit is reached (reset=)",
        "bg": "the command leaves `sleep` in the background, which holds its output open (seconds=, default 1000)",
        "bgsetsid": "the command leaves `sleep` behind in a session of its own (seconds=)",
        "fgsleep": "the command ends with `sleep` in the foreground (seconds=)",
        "loop": "calls of tools for ever",
        "giant": "the final text has 1 MB",
        "giantout": "the command prints 1 MB",
        "drip": "the final text comes drop by drop (seconds= in all, default 5)",
        "hang": "takes the request and never answers",
        "hangafter": "the final text comes whole, but the answer never ends",
        "cut": "the connection of a stream breaks in the middle of the text; what is not streamed comes whole",
        "cutclean": "as cut, but the body ends as if it were whole: only the vendor's own end is missing",
        "cutall": "every answer breaks off in the middle",
        "malformed": "answers with status 200 and broken JSON",
        "401": "wrong key",
        "402": "nothing paid",
        "403": "not allowed",
        "429": "too many requests (reset= gives the time to wait)",
        "500": "an error inside the provider",
        "529": "overloaded",
        "limit": "the plan's usage limit, told as each vendor tells it (reset=, default 3600)",
        "quota": "no credit or no quota left",
        "ctx": "the context is too long",
        "flaky": "two times 500, then ok: short for 500,n=2",
    }
)
REFUSED = frozenset({"401", "402", "403", "429", "500", "529", "limit", "quota", "ctx"})
LIMIT_SECONDS = 3600.0  # until a usage limit resets, where nothing else is said
CUTS = frozenset({"cut", "cutclean", "cutall"})

_PREFIX = re.compile(r"/s/([^/?]+)(?=/|\?|$)")


class UnknownScenarioError(ValueError):
    """A path names a mode or a parameter that is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario. `reset`, `seconds` and `delay` (before every answer) in seconds.

    `first` holds for the first `n` requests of tasks, then `mode`; the first `after` tasks (different prompts) are
    served as `ok` before anything else holds. `name` is the whole text: what is counted is counted by it, so that
    `id=` keeps tests apart.
    """

    name: str
    mode: str = "ok"
    first: str = ""
    n: int = 0
    after: int = 0
    reset: float | None = None
    seconds: float | None = None
    delay: float = 0.0
    id: str = ""


def split(path: str, default: Scenario) -> tuple[Scenario, str]:
    """Return the scenario that a path begins with, or the default, and the rest of the path.

    Raises UnknownScenarioError for a mode or a parameter that is not there.
    """
    found = _PREFIX.match(path)
    if not found:
        return default, path
    return parse(unquote(found[1])), path[found.end() :] or "/"


def parse(text: str) -> Scenario:
    """Return the scenario of a text as `429,n=2,reset=2`. Raises UnknownScenarioError, naming what is wrong.

    >>> parse("429,n=2").first, parse("429,n=2").mode, parse("ok,first=hang").n
    ('429', 'ok', 1)
    """
    mode, *pairs = text.split(",")
    given = dict(pair.partition("=")[::2] for pair in pairs if pair)
    if unknown := given.keys() - {"first", "n", "after", "reset", "seconds", "delay", "id"}:
        raise UnknownScenarioError(f"unknown parameter {min(unknown)!r} in {text!r}")
    first = given.get("first", "")
    try:
        n = int(given.get("n", 1 if first else 0))
        times = {key: float(given[key]) for key in ("reset", "seconds", "delay") if key in given}
        after = int(given.get("after", 0))
    except ValueError as error:
        raise UnknownScenarioError(f"not a number in {text!r}: {error}") from None
    if mode == "flaky":
        mode, n = "500", n or 2
    if n and not first:
        mode, first = "ok", mode
    if unknown := {mode, first or "ok"} - MODES.keys():
        raise UnknownScenarioError(f"unknown mode {min(unknown)!r}: choose from {', '.join(MODES)}")
    return Scenario(name=text, mode=mode, first=first, n=n, after=after, id=given.get("id", ""), **times)


def prefix(mode: str, **parameters: object) -> str:
    """Return the beginning of a path for a scenario. Raises UnknownScenarioError as `parse` does."""
    text = ",".join([mode, *(f"{key}={value}" for key, value in parameters.items())])
    parse(text)
    return f"/s/{quote(text, safe=',=')}"
