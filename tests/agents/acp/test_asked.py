"""What an agent asks of its client: permissions, files, commands, all of it held to the workspace (O20, O21)."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from ralph_wiggum.core.evidence import Ending
from ralph_wiggum.core.settings import Limits
from tests.agents.acp.conftest import Talk

pytestmark = pytest.mark.long  # of real processes and servers: a minute of the ordinary run


@pytest.mark.parametrize(
    ("policy", "question", "chosen", "denied"),
    [
        ("workspace", "'edit', 'src/a.py'", "id-allow_once", False),
        ("workspace", "'edit', '../a.py'", "id-reject_once", True),
        ("workspace", "'edit', 'link/a.py'", "id-reject_once", True),
        ("workspace", "'delete', 'specs/demo/tasks.md'", "id-reject_once", True),
        ("workspace", "'move', '.ralph/demo/journal.jsonl'", "id-reject_once", True),
        ("workspace", "'read', '/etc/hosts'", "id-allow_once", False),
        ("workspace", "'edit', 'a', 'reject_always', 'allow_always'", "id-allow_always", False),
        ("workspace", "'edit', '/etc/hosts', 'allow_always', 'allow_once'", "", True),
        ("allow", "'edit', '/etc/hosts'", "id-allow_once", False),
        ("reject", "'edit', 'src/a.py'", "id-reject_once", True),
    ],
)
def test_permissions_are_given_by_the_policy(
    talk: Talk,
    policy: str,
    question: str,
    chosen: str,
    denied: bool,  # noqa: FBT001 - a row of a table
) -> None:
    (talk.work / "link").symlink_to("/etc")
    script = f"""
    def prompt(params):
        say(json.dumps(permitted({question})))
        return "end_turn"
    """
    outcome = talk(script, permissions=policy)
    answer = f'{{"outcome": "selected", "optionId": "{chosen}"}}' if chosen else '{"outcome": "cancelled"}'
    assert outcome.message == answer
    assert bool(outcome.denied) is denied
    assert ("refused: " in talk.shown) is denied


def test_what_was_told_of_a_tool_before_counts_when_it_asks(talk: Talk) -> None:
    script = """
    def prompt(params):
        diff = {"type": "diff", "path": "/etc/passwd", "newText": "x"}
        update("tool_call", toolCallId="t-1", title="Edit", kind="edit", content=[diff])
        tool = {"toolCallId": "t-1"}
        options = [{"optionId": each, "name": each, "kind": each} for each in ("allow_once", "reject_once")]
        say(call("session/request_permission", toolCall=tool, options=options)["outcome"]["optionId"])
        return "end_turn"
    """
    assert talk(script).message == "reject_once"


def test_files_are_read_and_written(talk: Talk) -> None:
    (talk.work / "a.txt").write_bytes(b"one\r\ntwo\nthr\xffee\n\n")
    (talk.work / "run.sh").write_text("old")
    (talk.work / "run.sh").chmod(0o755)
    outside = talk.folder / "outside.txt"
    outside.write_text("outside")
    os.mkfifo(talk.work / "pipe")
    script = f"""
    def prompt(params):
        cwd = {str(talk.work)!r} + "/"
        say(json.dumps([
            call("fs/read_text_file", path=cwd + "a.txt")["content"],
            call("fs/read_text_file", path=cwd + "a.txt", line=2, limit=1)["content"],
            call("fs/read_text_file", path=cwd + "a.txt", line=9)["content"],
            call("fs/read_text_file", path={str(outside)!r})["content"],
        ]))
        for path in ("none.txt", "pipe", ".", "a.txt/b"):
            say("\\n" + tried("fs/read_text_file", path=cwd + path)[:15])
        call("fs/write_text_file", path=cwd + "deep/er/größe.txt", content="größer\\r\\n")
        call("fs/write_text_file", path=cwd + "run.sh", content="new")
        say("\\n" + tried("fs/write_text_file", path=cwd + "a.txt", content=5)[:15])
        return "end_turn"
    """
    first, *errors = talk(script).message.split("\n")
    assert first == r'["one\r\ntwo\nthr\ufffdee\n\n", "two", "", "outside"]'
    assert errors == [f"refused [{code}" for code in (-32002, -32603, -32603, -32002, -32602)]
    assert (talk.work / "deep/er/größe.txt").read_bytes() == "größer\r\n".encode()
    assert ((talk.work / "run.sh").read_text(), (talk.work / "run.sh").stat().st_mode & 0o777) == ("new", 0o755)
    assert not list(talk.work.glob(".*.ralph-new"))


@pytest.mark.parametrize(
    "path",
    [
        "/proc/self/cwd/../outside.txt",
        "../outside.txt",
        "sub/../../outside.txt",
        "link/outside.txt",
        "dangling",
        "specs/demo/tasks.md",
        "specs/demo/activity.md",
        "sub/../.ralph/demo/journal.jsonl",
        "tasks-link",
        ".",
        "",
    ],
)
def test_what_is_not_the_agents_is_not_written(talk: Talk, path: str) -> None:
    work, outside = talk.work, talk.folder / "outside.txt"
    outside.write_text("as it was")
    (work / "specs" / "demo").mkdir(parents=True)
    (work / "specs" / "demo" / "tasks.md").write_text("as it was")
    (work / "sub").mkdir()
    (work / "link").symlink_to("..")
    (work / "dangling").symlink_to("../new.txt")
    (work / "tasks-link").symlink_to("specs/demo/tasks.md")
    script = f"""
    def prompt(params):
        say(tried("fs/write_text_file", path={path!r}, content="changed"))
        return complete("")
    """
    before = sorted(str(each) for each in talk.folder.rglob("*") if "logs" not in str(each))
    outcome = talk(script)
    assert outcome.message.startswith("refused [-32602")
    assert outside.read_text() == (work / "specs/demo/tasks.md").read_text() == "as it was"
    after = sorted(str(each) for each in talk.folder.rglob("*") if "logs" not in str(each))
    assert [each for each in after if each not in before and "prompts" not in each and "script" not in each] == []
    assert bool(outcome.denied) is bool(path)


def test_commands_are_run_in_the_workspace(talk: Talk) -> None:
    script = r"""
    def prompt(params):
        say(json.dumps([
            run("printf", "%s|", "a b", "$HOME"),
            run("echo $MINE; cd sub && pwd >&2; exit 3", env=[{"name": "MINE", "value": "yes"}]),
            run("cat; kill -9 $$"),
            run("printenv", "PWD", cwd="sub"),
        ]))
        say(tried("terminal/create", command="ls", cwd="/")[:15] + tried("terminal/create", command="no-such-program", args=["x"])[:15])
        return "end_turn"
    """
    (talk.work / "sub").mkdir()
    outcome = talk(script)
    expected = (
        r'[["a b|$HOME|", {"exitCode": 0, "signal": null}], '
        rf'["yes\n{talk.work}/sub\n", {{"exitCode": 3, "signal": null}}], '
    )
    assert outcome.message.startswith(expected)
    assert '{"exitCode": null, "signal": "SIGKILL"}' in outcome.message
    assert rf'["{talk.work}/sub\n", {{"exitCode": 0' in outcome.message
    assert outcome.message.endswith("refused [-32602refused [-32602")
    assert outcome.denied == ("terminal: ls",)


def test_a_command_over_its_limit_is_ended_and_its_output_says_so(talk: Talk) -> None:
    script = r"""
    import time
    def prompt(params):
        began = time.monotonic()
        output, ended = run("echo begun; sleep 1000 & sleep 1000")
        say(f"{output}{ended['signal']} {time.monotonic() - began < 30}\nTASK_COMPLETE")
        return "end_turn"
    """
    outcome = talk(script, limits=Limits(task_seconds=90.0, command_seconds=2.0))
    begun, empty, said, last, signal = outcome.message.split("\n")[:5]
    assert (begun, empty) == ("begun", "")
    assert said.startswith("[ended from outside by SIG")
    assert "commands have a time limit" in said
    assert (last.startswith("SIG"), last.endswith("True"), signal) == (True, True, "TASK_COMPLETE")
    assert [command.limit for command in outcome.ended_commands] == [2.0]
    assert "sleep 1000" in outcome.ended_commands[0].command
    assert outcome.ending is Ending.EXITED


def test_the_agent_itself_is_no_command_however_it_is_started(talk: Talk) -> None:
    script = """
    import time
    def prompt(params):
        time.sleep(3)
        return complete()
    """
    wrapper = talk.folder / "wrapper.sh"
    wrapper.write_text('#!/bin/sh\nexport A=1\n"$@"\nexit $?\n')
    wrapper.chmod(0o755)
    limits = Limits(task_seconds=60.0, command_seconds=1.0)
    for before in ((), (str(wrapper),), ("env", "A=1")):
        outcome = talk(script, limits=limits, before=before)
        assert (outcome.message, outcome.ended_commands) == ("Done.\nTASK_COMPLETE", ())


def test_a_command_of_the_agents_own_has_the_limit_too(talk: Talk) -> None:
    script = """
    import subprocess
    def prompt(params):
        done = subprocess.run(["sleep", "1000"], stdin=subprocess.DEVNULL)
        return complete(f"It ended with {done.returncode}.")
    """
    outcome = talk(script, limits=Limits(task_seconds=60.0, command_seconds=1.0))
    assert outcome.message == "It ended with -15.\nTASK_COMPLETE"
    assert [command.command for command in outcome.ended_commands] == ["sleep 1000"]


def test_a_flood_of_a_command_is_bounded(talk: Talk) -> None:
    script = r"""
    def prompt(params):
        terminal = call("terminal/create", command="yes größer | head -c 200000000", outputByteLimit=1001)["terminalId"]
        call("terminal/wait_for_exit", terminalId=terminal)
        output = call("terminal/output", terminalId=terminal)
        text = output["output"]
        say(f"{output['truncated']} {990 < len(text.encode()) <= 1001} {'�' in text} {text[-16:]!r} {output['exitStatus']}")
        big = call("terminal/create", command="head -c 20000000 /dev/zero", outputByteLimit=10**12)["terminalId"]
        call("terminal/wait_for_exit", terminalId=big)
        say(f" {len(call('terminal/output', terminalId=big)['output'])}")
        return "end_turn"
    """
    outcome = talk(script)
    assert outcome.message.startswith("True True False '")
    assert outcome.message.endswith("{'exitCode': 0, 'signal': None} 8388608")


def test_a_command_can_be_killed_and_its_output_read_while_it_runs(talk: Talk) -> None:
    script = r"""
    import time
    def prompt(params):
        terminal = call("terminal/create", command="echo here; sleep 1000")["terminalId"]
        output = {"output": ""}
        while not output["output"]:
            output = call("terminal/output", terminalId=terminal)
            time.sleep(0.05)
        say(json.dumps(output))
        call("terminal/kill", terminalId=terminal)
        say(json.dumps(call("terminal/wait_for_exit", terminalId=terminal)))
        say(json.dumps(call("terminal/output", terminalId=terminal)["output"]))
        call("terminal/release", terminalId=terminal)
        say(tried("terminal/release", terminalId=terminal)[:15])
        return "end_turn"
    """
    assert talk(script).message == (
        r'{"output": "here\n", "truncated": false}{"exitCode": null, "signal": "SIGTERM"}"here\n"refused [-32602'
    )


def test_nothing_of_a_command_is_left_when_the_turn_is_over(talk: Talk) -> None:
    script = r"""
    def prompt(params):
        call("terminal/create", command="trap '' TERM; echo $$ > pid; sleep 1000; sleep 1000")
        run("setsid sleep 1000 & echo $! > other")
        while not open("pid").read().strip():
            pass
        return complete()
    """
    outcome = talk(script)
    assert (outcome.ending, outcome.error, outcome.message) == (Ending.EXITED, "", "Done.\nTASK_COMPLETE")
    for name in ("pid", "other"):
        assert not psutil.pid_exists(int(Path(talk.work, name).read_text()))
