"""The scripted model: from a conversation and a mode to the next answer. Nothing is remembered between two requests."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.modelserver import task_command
from tests.modelserver.conversation import Answer, Call, Conversation, Say, Tool
from tests.modelserver.example import example
from tests.modelserver.scenario import CUTS, LIMIT_SECONDS, Scenario

SIGNAL = "TASK_COMPLETE"
DONE = "I ran the command of the task and looked at what it did."
GIANT = 1_000_000  # characters
SLEEP_SECONDS = 1000
ARGUMENT_LIMIT = 100_000  # bytes of one argument that a system takes (128 KiB), with room to spare

_SHELLS = (
    "mcp__acp__bash",  # claude-code-acp
    *("bash", "shell", "exec_command", "shell_command", "run_shell_command", "local_shell", "run_command"),
    *("execute_command", "terminal", "execute_bash"),
)
_WRITERS = ("write", "write_file", "create", "create_file", "fs_write")
_COMMANDS = ("command", "cmd", "script")
_PATHS = ("file_path", "filePath", "path", "filename", "absolute_path")
_CONTENTS = ("content", "contents", "file_text", "text")

_LONG = f"{DONE} It took a while, and there is more to tell about it than usual.\n\n{SIGNAL}"
_TEXTS = {
    "text": "I have thought about it and would begin with the tests.",
    "nosignal": DONE,
    "skipped": "I could not do it.\n\nTASK_SKIPPED: the model server was told to skip this task",
    "lie": f"All of it was done.\n\n{SIGNAL}",
    **dict.fromkeys((*CUTS, "drip"), _LONG),
}
_WORDS_ONLY = frozenset({"text", "limittext", "lie", "skipped"})

# mini-swe-agent ends with a command whose output begins with this line; what follows is its submission.
_SUBMIT = "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
_MINI_FENCE = "mswea_bash_command"  # mini-swe-agent without tools takes commands from such a block
_WHOLE_FILES = "file listing"  # aider's instructions for its whole-file format speak of this
_STILL_RUNNING = re.compile(r"running with session ID (\d+)", re.IGNORECASE)  # codex: look again with write_stdin


def does_task(conversation: Conversation) -> bool:
    """Say whether a request works on a task: others ask for a title, a summary or the right model."""
    return bool(_tool(conversation) or _is_mini(conversation) or _is_aider(conversation))


def answer(conversation: Conversation, mode: str, scenario: Scenario, now: float = 0.0) -> Answer:
    """Return the next answer of the model in a mode that does answer. `now` in seconds since 1970."""
    if not does_task(conversation):
        return Say(json.dumps(example(conversation.schema)) if conversation.schema else "Work on the task")
    if mode in {"cut", "cutclean"} and not conversation.streamed:
        mode = "ok"
    text = _limit_text(scenario, now) if mode == "limittext" else _text(mode)
    if mode in _WORDS_ONLY | CUTS:  # a break is one in the middle of a text
        return _final(conversation, mode, text)
    if _is_aider(conversation):
        return Say(_listing(conversation.prompt) + text)
    if (running := _STILL_RUNNING.search(conversation.result)) and "write_stdin" in _names(conversation):
        return Call("write_stdin", {"session_id": int(running[1]), "chars": "", "yield_time_ms": 5000})
    if (step := _step(conversation)) and mode != "loop":
        return _final(conversation, mode, text)
    command = f"echo step {step}" if step else _shaped(task_command.command(conversation.prompt), mode, scenario)
    return _call(conversation, command)


def _final(conversation: Conversation, mode: str, text: str) -> Answer:
    if _is_mini(conversation) and mode not in {"text", "limittext"} | CUTS and len(text) < ARGUMENT_LIMIT:
        return _call(conversation, f"echo {_SUBMIT} && printf '%s\\n' {shlex.quote(text)}")
    return Say(text)


def _text(mode: str) -> str:
    if mode == "giant":
        words = " ".join(f"word{number:07d}" for number in range(GIANT // 12))  # no two alike: no loop to detect
        return f"{words}\n\n{SIGNAL}"
    return _TEXTS.get(mode, f"{DONE}\n\n{SIGNAL}")


def _limit_text(scenario: Scenario, now: float) -> str:
    """Return a limit in the words of Claude Code, as if they were the model's."""
    at = datetime.fromtimestamp(now + (LIMIT_SECONDS if scenario.reset is None else scenario.reset), UTC)
    half = "am" if at.hour < 12 else "pm"
    return f"You've hit your limit · resets {at.hour % 12 or 12}:{at.minute:02}{half} (UTC)"


def _shaped(command: str, mode: str, scenario: Scenario) -> str:
    """Return the command with what the mode adds to it."""
    seconds = f"{scenario.seconds if scenario.seconds is not None else SLEEP_SECONDS:g}"
    match mode:
        case "bg":
            return f"{command}; sleep {seconds} &"
        case "bgsetsid":
            return f"{command}; setsid nohup sleep {seconds} >/dev/null 2>&1 </dev/null &"
        case "fgsleep":
            return f"{command}; sleep {seconds}"
        case "giantout":
            return f"{command}; head -c {GIANT} /dev/zero | tr '\\0' x"
        case _:
            return command


def _call(conversation: Conversation, command: str) -> Answer:
    tool = _tool(conversation)
    if tool is None:
        return Say(f"Next command.\n\n```{_MINI_FENCE}\n{command}\n```")
    if key := _key(tool, _COMMANDS):
        array = str(tool.properties[key].get("type", "")).lower() == "array"
        return Call(tool.name, _required(tool) | {key: ["bash", "-lc", command] if array else command})
    written = task_command.files(command)
    if not written:
        return Say("I have no tool for the command of this task.")
    path, content = next(iter(written.items()))
    named = {_key(tool, _PATHS): path, _key(tool, _CONTENTS): content}
    return Call(tool.name, _required(tool) | {key: value for key, value in named.items() if key})


def _listing(prompt: str) -> str:
    """Return whole files as aider takes them: the name on a line of its own, then the fence."""
    written = task_command.files(task_command.command(prompt))
    return "".join(f"{name}\n```\n{content.rstrip()}\n```\n\n" for name, content in written.items())


def _tool(conversation: Conversation) -> Tool | None:
    """Return the shell-like tool of the client, or else the one that writes files."""
    by_name = {tool.name.lower(): tool for tool in conversation.tools}
    shells = [by_name[name] for name in _SHELLS if name in by_name and _key(by_name[name], _COMMANDS)]
    writers = [by_name[name] for name in _WRITERS if name in by_name and _key(by_name[name], _CONTENTS)]
    return next(iter(shells + writers), None)


def _key(tool: Tool, names: tuple[str, ...]) -> str:
    return next((name for name in names if name in tool.properties), "")


def _required(tool: Tool) -> dict[str, Any]:
    schema: Mapping[str, Any] = {"type": "object", **tool.schema}
    made = example(schema)
    return made if isinstance(made, dict) else {}


def _step(conversation: Conversation) -> int:
    """Return how many results there are; mini-swe-agent without tools sends them as messages of the person."""
    if conversation.results or _tool(conversation) or not _is_mini(conversation):
        return conversation.results
    return 0 if _SUBMIT in conversation.prompt else 1


def _is_mini(conversation: Conversation) -> bool:
    return _SUBMIT in conversation.prompt or _SUBMIT in conversation.system


def _is_aider(conversation: Conversation) -> bool:
    return not conversation.tools and _WHOLE_FILES in (conversation.system + conversation.prompt).lower()


def _names(conversation: Conversation) -> set[str]:
    return {tool.name for tool in conversation.tools}
