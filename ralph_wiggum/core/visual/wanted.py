"""What a task wants to be looked at: its own commands, and whether looking is all that it asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ralph_wiggum.core.model import Task
from ralph_wiggum.core.visual import commands, shell_words
from ralph_wiggum.core.visual.commands import Command, Script

# What may stand before the words of a name: an id, emphasis, signs, labels in brackets.
_LABELS = re.compile(
    r"(?:[^\w\[(]|\[[^\]]{1,20}\]|\([^)]{1,20}\)|(?:T|US)?\d+(?:\.\d+)*\b\.?|final\b|_)*", re.IGNORECASE
)
_LOOKING = re.compile(
    r"(?:validat(?:e|ion)|verif(?:y|ication)"
    r"|(?:visual(?:ly)?|ui|end[ -]to[ -]end)[ -](?:validat(?:e|ion)|check|verif\w+))\b",
    re.IGNORECASE,
)
# Names that ask for nothing but a look also where the task names no command (O6).
_LOOKING_ALONE = re.compile(
    r"validate\b.*\b(?:renders? correctly|works? end[ -]to[ -]end)\b"
    r"|(?:visual|ui|end[ -]to[ -]end)[ -]validation\s*(?:$|[:–—-]|of\b|for\b)",
    re.IGNORECASE,
)
_WORK = (
    r"(?:add|adapt|adjust|align|apply|build|change|clean|code|complete|configure|connect|convert|correct|create|define"
    r"|delete|deploy|design|develop|document|drop|edit|enable|ensure|expand|export|extend|extract|finali[sz]e|finish|fix"
    r"|generate|handle|hook|implement|improve|insert|install|integrate|introduce|log|make|mark|merge|migrate|mock|modify"
    r"|move|optimi[sz]e|patch|polish|prepare|provide|publish|put|record|redesign|refactor|remove|rename|render|repair"
    r"|replace|report|resolve|restore|rewrite|run|save|seed|set|setup|ship|start|stop|store|style|support|switch|test"
    r"|tune|update|upgrade|use|wire|wrap|write)"
)
# What a person would do at the page, and no command says: the runner cannot.
_BY_HAND = (
    r"(?:click|drag|enter|fill|go|hover|log|navigate|open|press|reload|resize|scroll|select|submit|tap|toggle|type)"
)
_WORK_IN_NAME = re.compile(
    rf"(?:\band\b|\bthen\b|[,;&+])\s*(?:then\s+)?{_WORK}\b|\bscripts?\b|\btests\b", re.IGNORECASE
)
_WORK_IN_DETAIL = re.compile(rf"(?:please\s+)?(?:{_WORK}|{_BY_HAND})\b", re.IGNORECASE)
_BULLET = re.compile(r"\s*(?:[-*+]|\d+[.)])?\s*(?:\[.\]\s*)?")
_FIELD = re.compile(r"(?P<label>[A-Z][\w -]{0,30}?)\s*:(?P<rest>.*)$")
_ASIDE = re.compile(
    r"(?:on failure|if|when|otherwise|note|success|requirements?|validates?|expect(?:ed|s)?)\b", re.IGNORECASE
)
# "Install agent-browser", "npm install -D agent-browser", "Add agent-browser to the dev dependencies".
_BRINGS = re.compile(
    r"(?:\b(?:install|set ?up|add|configure|introduce)\b|\b(?:npm|pnpm|yarn|bun) (?:i|add|install)\b)"
    r"[^.\n;:]{0,60}\bagent-browser\b",
    re.IGNORECASE,
)
_HARMLESS = frozenset({"echo", "sleep", "cd"})
_LONGEST_WAY_BACK = 5  # tasks with commands that a task may go on from
# Of commands before an `open`, those that only make ready; and those that only look, which are not done again.
_MAKE_READY = frozenset({"set", "state", "cookies", "storage", "network", "auth", "wait", "addscript", "addstyle"})
_READYING = frozenset((name,) for name in _MAKE_READY)
_LOOK = frozenset(
    {
        *("is", "get", "snapshot", "screenshot", "console", "errors", "pdf", "highlight", "diff", "read", "vitals"),
        *("a11y", "download"),
    }
)
_REFERENCE = re.compile(r"@e\d+|ref=e\d+")  # an element by its number in the last snapshot


def commands_of(task: Task) -> Script:
    """Return the agent-browser commands that stand in a task's own text, in order."""
    return commands.read(task.text)


def names_commands(task: Task) -> bool:
    """Say whether a task names agent-browser commands of its own."""
    return bool(commands_of(task).commands)


def needs_page(task: Task) -> bool:
    """Say whether a task's commands open no page themselves, so that one has to be there for them."""
    found = commands_of(task).commands
    return bool(found) and not any(map(_opens, found))


def lead_in(task: Task, earlier: Sequence[Task]) -> tuple[Command, ...]:
    """Return the commands to run ahead of a task's own where these go on with the page of the tasks before it.

    `earlier` are the tasks before it, with the same parent and headings, in document order. What they did since their
    last `open` is done again, without what only looked; () where the task opens a page of its own, where none was
    opened, where the browser was closed since, or where a command cannot be run.
    """
    own = commands_of(task).commands
    if not own or _begins_anew(own):
        return ()
    found: tuple[Command, ...] = ()
    walked = 0
    for before in reversed(earlier):
        theirs = commands_of(before).commands
        if not theirs:
            continue
        walked += 1
        since = _since_close(theirs)
        begin = _beginning(since)
        found = (*since[begin:], *found) if begin is not None else (*since, *found)
        if begin is not None:
            return _to_replay(found, own)
        if len(since) < len(theirs) or walked == _LONGEST_WAY_BACK:
            return ()
    return ()


def brings_the_tool(task: Task) -> bool:
    """Say whether a task is to install agent-browser itself, so that an agent is needed before anybody can look."""
    return bool(_BRINGS.search(task.text) or _BRINGS.search(task.name))


def is_pure_validation(task: Task) -> bool:
    """Say whether a task asks for nothing but a look, so that no agent is needed where it passes at once.

    Where there is doubt it is not: then an agent runs first, as for any task. "Validate: Sidebar" with its commands
    is one; "Build the sidebar (validate with agent-browser)" is none, nor is one with a detail that names work.
    """
    name = _LABELS.sub("", task.name, count=1)
    script = commands_of(task)
    if _WORK_IN_NAME.search(name) or any(command.error for command in script.commands):
        return False
    asked = _LOOKING.match(name) if script.commands else _LOOKING_ALONE.match(name)
    if asked is None:
        return False
    blocks, details = commands.blocks_and_details(task.text)
    return not any(map(_other_work, blocks)) and not any(map(_names_work, details))


def _other_work(block: tuple[str, ...]) -> bool:
    """Say whether a code block holds more than agent-browser commands, comments and words to print."""
    simples = [simple for line in block for simple in shell_words.split(line)]
    return any(not commands.is_ours(simple.words) and simple.words[0] not in _HARMLESS for simple in simples)


def _names_work(line: str) -> bool:
    """Say whether a line of a task's details asks for something to be done, beside what the commands do."""
    text = _BULLET.sub("", line, count=1).replace("**", "").strip("*_✅❌☑✔ \t")
    if not text or _ASIDE.match(text) or commands.read(text).commands:
        return False
    field = _FIELD.match(text)
    parts = (field["label"], field["rest"].strip()) if field else (text,)
    return any(_WORK_IN_DETAIL.match(part) for part in parts)


def _opens(command: Command) -> bool:
    """Say whether a command goes to a page that it names itself, or that its saved login names."""
    return command.navigates or (command.argv[:2] in {("tab", "new"), ("auth", "login")} and len(command.argv) > 2)  # noqa: PLR2004 - with an address or a name


def _begins_anew(own: Sequence[Command]) -> bool:
    """Say whether commands open a page, or close the browser, before they use one."""
    first = next((command for command in own if _opens(command) or command.argv[:1] not in _READYING), None)
    return first is not None and (_opens(first) or first.closes)


def _since_close(found: tuple[Command, ...]) -> tuple[Command, ...]:
    last = max((index for index, command in enumerate(found) if command.closes), default=-1)
    return found[last + 1 :]


def _beginning(found: tuple[Command, ...]) -> int | None:
    """Return where to begin: at the last command that opens a page, with what made ready for it; None without any."""
    opening = max((index for index, command in enumerate(found) if command.navigates), default=None)
    while opening and found[opening - 1].argv[:1] in _READYING:
        opening -= 1
    return opening


def _to_replay(chain: tuple[Command, ...], own: tuple[Command, ...]) -> tuple[Command, ...]:
    """Return a chain without what only looks; () if a command of it cannot be run.

    A snapshot stays where elements are named by their numbers in it.
    """
    if any(command.error for command in chain):
        return ()
    numbered = any(_REFERENCE.search(word) for command in (*chain, *own) for word in command.argv)
    looking = _LOOK - {"snapshot"} if numbered else _LOOK
    return tuple(command for command in chain if command.argv[0] not in looking)
