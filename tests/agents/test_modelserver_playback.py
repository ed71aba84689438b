"""The scripted model itself: what it makes of a task, and which tool it takes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.modelserver import task_command
from tests.modelserver.conversation import Conversation, Say, Tool
from tests.modelserver.example import example
from tests.modelserver.playback import answer, does_task
from tests.modelserver.probe import PROMPT
from tests.modelserver.scenario import Scenario

pytestmark = pytest.mark.long  # of real processes and servers: a minute of the ordinary run

READERS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("one line", lambda line: line),
    ("a list item", lambda line: f"  - {line}"),
    ("code", lambda line: f"  - `{line}`"),
    ("code behind the word", lambda line: "  - model: `" + line.removeprefix("model: ") + "`"),
)


@pytest.mark.parametrize(("name", "shaped"), READERS)
def test_the_command_stands_in_the_tasks_own_details(name: str, shaped: Callable[[str], str]) -> None:
    prompt = f'model: no\n<task id="1">\n1. A\n{shaped("model: echo a > b")}\n</task>\n<part-of>\nmodel: no\n</part-of>'
    assert task_command.command(prompt) == "echo a > b"


def test_a_task_without_a_command_gets_one() -> None:
    assert task_command.command("Do it.") == task_command.DEFAULT
    assert task_command.command("model: a\nmodel: b") == "a && b"
    assert task_command.command("<task-2>\n</task>\nmodel: a\n</task-2>") == "a"


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("echo hello > a.txt", {"a.txt": "hello\n"}),
        ("echo -n hello > a.txt", {"a.txt": "hello"}),
        ("mkdir -p d && printf 'a\\nb\\n' > d/a.txt", {"d/a.txt": "a\nb\n"}),
        ("printf '%s\\n' one 'two three' >> a.txt", {"a.txt": "one\ntwo three\n"}),
        ("printf '%s=%s\\n' a 1 b > a.txt; echo c >> a.txt", {"a.txt": "a=1\nb=\nc\n"}),
        ("echo a > a.txt && echo b > b.txt", {"a.txt": "a\n", "b.txt": "b\n"}),
        (task_command.DEFAULT, {"MOCK_OUT.txt": "hello from the model\n"}),
        ("python make.py > a.txt", {}),
        ("echo a > a.txt && make", {}),
        ("echo a | tee a.txt", {}),
        ("echo 'open", {}),
        ("echo a", {}),
    ],
)
def test_what_a_command_would_write(command: str, files: dict[str, str], tmp_path: Path) -> None:
    assert task_command.files(command) == files
    if files:  # a real shell agrees
        subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
        assert {name: (tmp_path / name).read_text() for name in files} == files


@given(st.text(max_size=60))
def test_any_text_can_stand_for_a_command(text: str) -> None:
    assert task_command.command(f"model: {text}")
    assert isinstance(task_command.files(text), dict)


AIDER = "To suggest changes you MUST return a *file listing* with the entire content."
MINI = "End with `echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT`."


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        pytest.param({"system": AIDER}, "hello.txt\n```\nhello\n```\n\n", id="whole files without any tool"),
        pytest.param(
            {"prompt": f"{PROMPT}\n{MINI}"},
            "\n```mswea_bash_command\necho hello > hello.txt\n```",
            id="a block of commands",
        ),
        pytest.param({"system": "Give a title."}, "Work on the task", id="a title"),
    ],
)
def test_clients_without_tools(asked: dict[str, Any], text: str) -> None:
    given_answer = answer(Conversation(**{"model": "m", "prompt": PROMPT, **asked}), "ok", Scenario(name="ok"))
    assert isinstance(given_answer, Say)
    assert text in given_answer.text


def tool(name: str, *properties: str, required: tuple[str, ...] = (), kind: str = "string") -> Tool:
    return Tool(name, {"properties": {each: {"type": kind} for each in properties}, "required": list(required)})


LINE = "echo hello > hello.txt"


@pytest.mark.parametrize(
    ("tools", "name", "arguments"),
    [
        pytest.param((tool("Read", "path"), tool("Bash", "command")), "Bash", {"command": LINE}, id="a shell"),
        pytest.param((tool("exec_command", "cmd"),), "exec_command", {"cmd": LINE}, id="another word for it"),
        pytest.param(
            (tool("shell", "command", kind="array"),),
            "shell",
            {"command": ["bash", "-lc", LINE]},
            id="an argument list",
        ),
        pytest.param(
            (tool("write_file", "file_path", "content", required=("content",)),),
            "write_file",
            {"file_path": "hello.txt", "content": "hello\n"},
            id="files where there is no shell",
        ),
        pytest.param(
            (tool("Write", "content"), tool("bash", "command")), "bash", {"command": LINE}, id="a shell first"
        ),
    ],
)
def test_the_tool_that_is_called(tools: tuple[Tool, ...], name: str, arguments: dict[str, Any]) -> None:
    asked = Conversation(model="m", prompt=PROMPT, tools=tools)
    assert does_task(asked)
    made = answer(asked, "ok", Scenario(name="ok"))
    assert not isinstance(made, Say)
    assert (made.tool, made.arguments) == (name, arguments)


def test_mini_ends_by_a_command_with_its_submission() -> None:
    asked = Conversation(model="m", prompt=PROMPT, system=MINI, tools=(tool("bash", "command"),), results=1)
    made = answer(asked, "ok", Scenario(name="ok"))
    assert not isinstance(made, Say)
    ran = subprocess.run(["sh", "-c", made.arguments["command"]], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[0] == "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
    assert ran.stdout.splitlines()[-1] == "TASK_COMPLETE"


def test_a_command_that_still_runs_is_looked_at_again() -> None:
    tools = (tool("exec_command", "cmd"), tool("write_stdin", "session_id"))
    result = "Process running with session ID 7"
    asked = Conversation(model="m", prompt=PROMPT, tools=tools, results=1, result=result)
    made = answer(asked, "fgsleep", Scenario(name="fgsleep"))
    assert not isinstance(made, Say)
    assert (made.tool, made.arguments["session_id"]) == ("write_stdin", 7)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 1),
        ({"type": ["boolean", "null"]}, False),
        ({"const": "x"}, "x"),
        ({"default": 4}, 4),
        ({"anyOf": [{"type": "array"}, {"type": "string"}]}, []),
        ({"properties": {"a": {"type": "NUMBER"}}, "required": ["a", "b"]}, {"a": 1, "b": "what the task asks for"}),
    ],
)
def test_the_least_value_of_a_schema(schema: dict[str, Any], value: object) -> None:
    assert example(schema) == value


@pytest.mark.parametrize(
    ("now", "clock"), [(0.0, "1:00am"), (39600.0, "12:00pm"), (-3600.0, "12:00am"), (43260.0, "1:01pm")]
)
def test_a_limit_told_as_a_text_names_the_time_of_the_reset(now: float, clock: str) -> None:
    asked = Conversation(model="m", prompt=PROMPT, tools=(tool("bash", "command"),))
    made = answer(asked, "limittext", Scenario(name="limittext"), now)
    assert made == Say(f"You've hit your limit · resets {clock} (UTC)")
