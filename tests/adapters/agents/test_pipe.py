"""The pipe driver with real programs: prompt in, message out, whatever is printed (O11, O16, O20)."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from ralph_wiggum.adapters.agents.pipe import PipeAgent
from ralph_wiggum.adapters.process import Family
from ralph_wiggum.core.evidence import Ending
from ralph_wiggum.core.settings import AgentSettings
from ralph_wiggum.ports import Limits
from tests.adapters.agents.conftest import Ask, Program, Watching, open_descriptors

READS_ALL = """
    import hashlib, sys
    data = sys.stdin.buffer.read()
    print(len(data), hashlib.sha256(data).hexdigest())
    print("TASK_COMPLETE")
"""


def agent(family: Family, *command: str, **more: str) -> PipeAgent:
    settings = AgentSettings(name="mine", command=command)
    for name, value in more.items():
        object.__setattr__(settings, name, value)
    return PipeAgent(settings, family)


def test_a_large_prompt_that_begins_like_a_task_arrives_whole(family: Family, program: Program, ask: Ask) -> None:
    prompt = "- [ ] 1.1 --help\n" + "größer\t漢\n" * 25_000
    data = prompt.encode()
    assert len(data) > 300_000
    request = ask(prompt)
    outcome = agent(family, program(READS_ALL)).run(request, Watching())
    assert (outcome.ending, outcome.exit_code) == (Ending.EXITED, 0)
    assert outcome.message == f"{len(data)} {hashlib.sha256(data).hexdigest()}\nTASK_COMPLETE\n"
    assert request.prompt_file.read_bytes() == data


def test_a_program_that_never_reads_its_prompt_ends_as_it_likes(family: Family, program: Program, ask: Ask) -> None:
    outcome = agent(family, program("print('TASK_COMPLETE')")).run(ask("x" * 2_000_000), Watching())
    assert (outcome.ending, outcome.message) == (Ending.EXITED, "TASK_COMPLETE\n")
    assert outcome.output_bytes == len("TASK_COMPLETE\n")


def test_sequences_bad_bytes_and_rewritten_lines_are_gone_from_all_texts(
    family: Family, program: Program, ask: Ask
) -> None:
    code = r"""
        import os
        os.write(1, b"\x1b[38;5;141m> \x1b[0mDone caf\xe9\r\n 10%\r100%\n\x1b]0;t\x07TASK_COMPLETE\x1b[0m\n")
        os.write(2, b"\x1b[33mwarned\x1b[0m\n")
    """
    watching = Watching()
    outcome = agent(family, program(code)).run(ask(), watching)
    assert outcome.message == "> Done caf\ufffd\n100%\nTASK_COMPLETE\n"
    assert sorted(outcome.excerpt.splitlines()) == sorted([*outcome.message.splitlines(), "warned"])
    assert "TASK_COMPLETE" in "".join(watching.shown)
    assert "\x1b" not in "".join(watching.shown)


@pytest.mark.parametrize("code", [0, 1, 2, 42, 127, 255])
def test_exit_codes_come_through(family: Family, ask: Ask, code: int) -> None:
    outcome = agent(family, "sh", "-c", f"exit {code}").run(ask(), Watching())
    assert (outcome.ending, outcome.exit_code, outcome.signal) == (Ending.EXITED, code, None)


def test_a_program_that_dies_by_a_signal_crashed(family: Family, ask: Ask) -> None:
    outcome = agent(family, "sh", "-c", "kill -SEGV $$").run(ask(), Watching())
    assert (outcome.ending, outcome.exit_code, outcome.signal) == (Ending.CRASHED, None, 11)


def test_a_program_that_is_not_there_is_told_with_how_to_install_it(family: Family, ask: Ask) -> None:
    missing = agent(family, "no-such-agent-here", install_hint="install it with: pip install it")
    outcome = missing.run(ask(), Watching())
    assert outcome.ending is Ending.NOT_STARTED
    assert outcome.error == (
        "no-such-agent-here is not installed: it was not found in PATH; install it with: pip install it"
    )


def test_files_that_cannot_be_executed_are_told_apart(family: Family, ask: Ask, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\n")
    broken = tmp_path / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    assert agent(family, str(plain)).run(ask(), Watching()).error == f"{plain} is not executable"
    assert agent(family, "./not-there").run(ask(), Watching()).error == "./not-there is not there"
    outcome = agent(family, str(broken)).run(ask(), Watching())
    assert outcome.ending is Ending.NOT_STARTED
    assert outcome.error


def test_a_prompt_that_cannot_be_written_starts_nothing(family: Family, ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "prompts").write_text("in the way")
    outcome = agent(family, "sh", "-c", "touch ran").run(ask(), Watching())
    assert outcome.ending is Ending.NOT_STARTED
    assert "cannot write the prompt" in outcome.error
    assert not (tmp_path / "work" / "ran").exists()


def test_a_folder_that_is_gone_starts_nothing(family: Family, ask: Ask, tmp_path: Path) -> None:
    request = ask()
    (tmp_path / "work").rmdir()
    outcome = agent(family, "true").run(request, Watching())
    assert (outcome.ending, outcome.error) == (Ending.NOT_STARTED, f"the folder {tmp_path / 'work'} is not there")


def test_arguments_are_filled_in_and_other_braces_left_alone(family: Family, ask: Ask) -> None:
    request = ask(tasks_file="/a b/tasks.md", task="1.2@2")
    script = 'printf "%s\\n" "$@"'
    command = ("sh", "-c", script, "sh", "{tasks_file}", "--id={task}", "{prompt_file}", '{"json": 1}', "{unknown}")
    outcome = agent(family, *command).run(request, Watching())
    assert outcome.message.splitlines() == [
        "/a b/tasks.md", "--id=1.2@2", str(request.prompt_file), '{"json": 1}', "{unknown}"
    ]  # fmt: skip


def test_a_value_that_looks_like_a_placeholder_is_not_filled_in_again(family: Family, ask: Ask) -> None:
    outcome = agent(family, "echo", "{task}").run(ask(task="{python}"), Watching())
    assert outcome.message == "{python}\n"


def test_prompt_file_leaves_standard_input_empty(family: Family, ask: Ask) -> None:
    mine = agent(family, "sh", "-c", 'wc -c; cat "$1"', "sh", "{prompt_file}", prompt="file")
    assert mine.run(ask("the prompt\n"), Watching()).message.split() == ["0", "the", "prompt"]


def test_the_environment_is_the_runners_then_the_agents_then_the_attempts(family: Family, ask: Ask) -> None:
    settings = AgentSettings(
        name="mine",
        command=("sh", "-c", 'echo "$HOME|$ONE|$TWO|${THREE-}"'),
        env={"ONE": "settings", "TWO": "settings"},
        root_env={"THREE": "root"},
    )
    outcome = PipeAgent(settings, family).run(ask(env={"TWO": "attempt"}), Watching())
    as_root = "root" if os.geteuid() == 0 else ""
    assert outcome.message == f"{os.environ['HOME']}|settings|attempt|{as_root}\n"


def test_pwd_is_the_folder_of_the_attempt_wherever_the_person_stands(family: Family, ask: Ask) -> None:
    """It is where opencode 1.18 works, and not its current folder."""
    request = ask()
    outcome = agent(family, "printenv", "PWD").run(request, Watching())
    assert outcome.message == f"{request.cwd}\n"
    assert os.environ.get("PWD") != str(request.cwd)


def test_a_footer_is_taken_off_the_end_of_the_message_only(family: Family, ask: Ask) -> None:
    script = "printf 'Cost: in prose\\nTASK_COMPLETE\\n\\n  Cost: 0.07\\n\\n'"
    outcome = agent(family, "sh", "-c", script, footer="Cost: .*").run(ask(), Watching())
    assert outcome.message == "Cost: in prose\nTASK_COMPLETE"
    assert "Cost: 0.07" in outcome.excerpt


def test_the_end_is_that_of_the_program_not_of_its_output(family: Family, ask: Ask) -> None:
    """O20: a server left behind holds standard output open; peers wait for it for good."""
    started = time.monotonic()
    outcome = agent(family, "sh", "-c", "sleep 60 & echo TASK_COMPLETE").run(ask(), Watching())
    assert time.monotonic() - started < 5.0
    assert (outcome.ending, outcome.message) == (Ending.EXITED, "TASK_COMPLETE\n")
    assert outcome.leftovers == 1


def test_a_timeout_ends_it_and_what_it_prints_afterwards_is_no_message(
    family: Family, program: Program, ask: Ask
) -> None:
    """O16, O20: a claim that arrives after the runner began to stop the agent is none."""
    code = """
        import signal, sys, time
        def late(*_):
            print("TASK_COMPLETE", flush=True)
            sys.exit(0)
        signal.signal(signal.SIGTERM, late)
        print("working", flush=True)
        while True:
            time.sleep(0.05)
    """
    outcome = agent(family, program(code)).run(ask(limits=Limits(task_seconds=0.6)), Watching())
    assert (outcome.ending, outcome.message) == (Ending.TASK_TIMEOUT, "working\n")


def test_a_person_stops_it(family: Family, ask: Ask) -> None:
    outcome = agent(family, "sleep", "60").run(ask(), Watching(reason="skipped by a person"))
    assert (outcome.ending, outcome.error) == (Ending.STOPPED, "skipped by a person")


def test_a_log_that_cannot_be_written_is_noted_and_stops_nothing(family: Family, ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    outcome = agent(family, "echo", "TASK_COMPLETE").run(ask(), Watching())
    assert (outcome.ending, outcome.message) == (Ending.EXITED, "TASK_COMPLETE\n")
    assert outcome.notes == (f"cannot write the log {tmp_path / 'logs' / '1-1.log'}: File exists",)


def test_the_log_says_what_was_run_and_keeps_what_was_printed(family: Family, ask: Ask, tmp_path: Path) -> None:
    request = ask()
    agent(family, "sh", "-c", "echo out; sleep 0.1; echo err >&2").run(request, Watching())
    log = request.log.read_text()
    assert log.startswith("agent: mine\ncommand: ")
    assert "sh -c 'echo out; sleep 0.1; echo err >&2'\n" in log
    assert log.endswith(f"folder: {tmp_path / 'work'}\n\nout\n[stderr]\nerr\n")


def test_a_flood_costs_neither_memory_nor_disk(family: Family, ask: Ask) -> None:
    """Design part 3: constant memory, a capped log, ticks all the while."""
    watching, request = Watching(), ask()
    script = f"yes {'x' * 79} | head -c 100000000; echo; echo TASK_COMPLETE"
    outcome = agent(family, "sh", "-c", script).run(request, watching)
    assert outcome.message.endswith("\nTASK_COMPLETE\n")
    assert len(outcome.message) <= 64 * 1024
    assert outcome.output_bytes > 100_000_000
    assert len(watching.memory) > 2
    assert watching.grown < 20 * 1024 * 1024
    assert request.log.stat().st_size < 2 * 1024 * 1024 + 1000
    assert b"bytes cut here" in request.log.read_bytes()


def test_no_descriptor_is_left_open(family: Family, ask: Ask) -> None:
    runs = [agent(family, "true"), agent(family, "false"), agent(family, "/no/such")]
    runs[0].run(ask(), Watching())
    before = open_descriptors()
    for one in runs * 3:
        one.run(ask(), Watching())
    after = open_descriptors()
    assert after == before
