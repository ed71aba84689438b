"""Agents over the protocol that mean no good, or are broken: nothing blocks, nothing grows, the next answer still comes."""

from __future__ import annotations

import time

import pytest

from ralph_wiggum.core.evidence import Ending
from ralph_wiggum.core.settings import Limits
from tests.agents.acp.conftest import Talk

pytestmark = pytest.mark.long  # of real processes and servers: a minute of the ordinary run


@pytest.mark.parametrize("path", ["pipe", "/dev/zero", "/dev/tty", ".", "/proc/self/mem", "a\\0b", "x" * 5000])
def test_what_is_no_file_is_not_read_for_ever(talk: Talk, path: str) -> None:
    script = f"""
    import os
    def prompt(params):
        if not os.path.exists("pipe"):
            os.mkfifo("pipe")
        said = tried("fs/read_text_file", path=os.path.join(os.getcwd(), "{path}"))
        return complete(said[:7])
    """
    assert talk(script, limits=Limits(task_seconds=30.0)).message == "refused\nTASK_COMPLETE"


def test_a_program_stays_one_when_it_is_written_anew(talk: Talk) -> None:
    script = """
    import os
    def prompt(params):
        open("run.sh", "w").close()
        os.chmod("run.sh", 0o755)
        call("fs/write_text_file", path=os.path.abspath("run.sh"), content="#!/bin/sh\\necho hello")
        return complete(run("./run.sh")[0])
    """
    assert talk(script).message == "hello\n\nTASK_COMPLETE"


def test_questions_whose_answers_nobody_reads_take_no_memory_for_ever(talk: Talk) -> None:
    script = """
    import os
    def prompt(params):
        open("big", "w").write("x" * (4 << 20))
        path = os.path.abspath("big")
        for number in range(400):
            send(id=5000 + number, method="fs/read_text_file", params={"path": path})
        import time
        time.sleep(3)
        os._exit(0)
    """
    outcome = talk(script, limits=Limits(task_seconds=60.0))
    assert outcome.ending is Ending.EXITED
    assert outcome.exit_code == 1


def test_a_message_token_by_token_costs_time_by_its_length_only(talk: Talk) -> None:
    def seconds(pieces: int) -> float:
        began = time.monotonic()
        outcome = talk(
            f"""
            def prompt(params):
                for _ in range({pieces}):
                    say("word ")
                return complete()
            """,
            limits=Limits(task_seconds=200.0),
        )
        assert outcome.message.endswith("TASK_COMPLETE")
        return time.monotonic() - began

    small, large = seconds(10_000), seconds(80_000)
    assert large < 16 * small  # eight times the length


@pytest.mark.parametrize(
    "line",
    [
        '{"id": 7, "method": "fs/read_text_file", "params": ' + "[" * 50_000 + "]" * 50_000 + "}",
        '{"id": 7, "method": "session/request_permission", "params": {"options": [' + "{}," * 50_000 + "{}]}}",
        '{"id": {}, "method": []}',
        '{"id": 0, "result": null}',
        '{"id": true, "method": "fs/read_text_file", "params": null}',
        '{"id": 99999999999999999999999, "error": 5}',
        '{"method": "session/update", "params": {"update": {"sessionUpdate": "agent_message_chunk", "content": "\\ud800"}}}',
        '{"id": 9, "method": "terminal/create", "params": {"command": "\\ud800", "args": ["\\udfff"], "cwd": "\\ud800"}}',
        '{"id": 9, "method": "fs/write_text_file", "params": {"path": "\\ud800/../\\udfff", "content": "\\ud800"}}',
    ],
)
def test_a_message_that_is_none_leaves_the_conversation_as_it_is(talk: Talk, line: str) -> None:
    script = f"""
    def prompt(params):
        raw({line!r} + chr(10))
        return complete(run("echo hello")[0])
    """
    assert talk(script, limits=Limits(task_seconds=30.0)).message == "hello\n\nTASK_COMPLETE"


def test_an_agent_that_releases_no_terminal_can_still_run_commands(talk: Talk) -> None:
    """Of those that are forgotten the command has ended; what runs is never ended for it."""
    script = """
    def prompt(params):
        first = call("terminal/create", command="sleep 1000")["terminalId"]
        for number in range(100):
            last = call("terminal/create", command=f"echo {number}")["terminalId"]
            call("terminal/wait_for_exit", terminalId=last)
        running = "exitStatus" not in call("terminal/output", terminalId=first)
        return complete(f"{running} {call('terminal/output', terminalId=last)['output']}")
    """
    assert talk(script, limits=Limits(task_seconds=60.0)).message == "True 99\n\nTASK_COMPLETE"


def test_there_is_an_end_to_the_commands_that_run_at_a_time(talk: Talk) -> None:
    script = """
    def prompt(params):
        said = [tried("terminal/create", command="sleep 1000") for _ in range(70)]
        return complete(f"{sum('terminalId' in each for each in said)} {'end some' in said[-1]}")
    """
    assert talk(script, limits=Limits(task_seconds=60.0)).message == "64 True\nTASK_COMPLETE"
