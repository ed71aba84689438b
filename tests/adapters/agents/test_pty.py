"""The pty driver with real programs on a real terminal: it never waits for a person (O11, O12, O16)."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ralph_wiggum.adapters.agents import pty
from ralph_wiggum.adapters.agents.pty import PtyAgent
from ralph_wiggum.adapters.process import Family
from ralph_wiggum.core.agents import KIRO
from ralph_wiggum.core.evidence import Ending
from ralph_wiggum.core.settings import AgentSettings
from ralph_wiggum.ports import Limits
from tests.adapters.agents.conftest import Ask, Program, Watching, open_descriptors

ASKS = """
    terminal = open("/dev/tty", "r+b", buffering=0)
    def ask(question):
        terminal.write(question.encode())
        return terminal.readline().decode()
"""


def agent(family: Family, *command: str, prompt: str = "stdin", **answers: str | None) -> PtyAgent:
    settings = AgentSettings(name="mine", command=command, driver="pty", prompt=prompt, answers=tuple(answers.items()))
    return PtyAgent(settings, family)


def test_it_runs_on_a_terminal_of_a_sane_size_without_echo_with_the_prompt_on_standard_input(
    family: Family, program: Program, ask: Ask
) -> None:
    code = """
        import os, sys, termios
        print([os.isatty(fd) for fd in (0, 1, 2)], tuple(os.get_terminal_size(1)))
        print(os.ttyname(1) == os.ttyname(2), os.tcgetpgrp(1) == os.getpgrp())
        print(bool(termios.tcgetattr(1)[3] & termios.ECHO))
        print(sys.stdin.read())
    """
    outcome = agent(family, program(code)).run(ask("the prompt"), Watching())
    assert outcome.message == "[False, True, True] (200, 50)\nTrue True\nFalse\nthe prompt\n"
    assert (outcome.ending, outcome.exit_code) == (Ending.EXITED, 0)


def test_a_large_prompt_arrives_whole_on_standard_input(family: Family, program: Program, ask: Ask) -> None:
    prompt = "- [ ] 1.1 --help\n" + "größer\t漢\n" * 25_000
    code = "import sys, hashlib\nprint(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())"
    outcome = agent(family, program(code)).run(ask(prompt), Watching())
    assert outcome.message == hashlib.sha256(prompt.encode()).hexdigest() + "\n"


def test_a_kiro_like_program_is_read_as_a_person_would(
    family: Family, program: Program, ask: Ask, tmp_path: Path
) -> None:
    """O16: the cost line that kiro-cli prints on standard error after its answer does not hide the signal."""
    code = r"""
        import os, sys
        options = ["--no-interactive", "--trust-all-tools", "--wrap", "never"]
        assert "- [ ] 1.1" in sys.stdin.read() and sys.argv[1:] == ["chat", *options]
        os.write(2, b"\x1b[38;5;9mAll tools are now trusted\x1b[0m (\x1b[31m!\x1b[0m).\r\n\r\n")
        os.write(1, "\x1b[?25l⠋ Thinking...\r⠙ Thinking...\x1b[1G\x1b[2K".encode())
        os.write(1, b"\x1b[38;5;141m> \x1b[0mI wrote it.\n\n\x1b[1mTASK_COMPLETE\x1b[0m\r\n")
        os.write(2, "\x1b[38;5;8m\n ▸ Credits: 0.07 • Time: 4s\n\n\x1b[0m\x1b[?25h".encode())
    """
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "kiro-cli").symlink_to(program(code))
    request = ask("- [ ] 1.1 do it\n", env={"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"})
    outcome = PtyAgent(KIRO, family).run(request, Watching())
    assert (outcome.ending, outcome.exit_code) == (Ending.EXITED, 0)
    assert outcome.message == "All tools are now trusted (!).\n\n> I wrote it.\n\nTASK_COMPLETE"
    assert "Credits: 0.07" in outcome.excerpt


def test_the_environment_fits_the_terminal(family: Family, ask: Ask) -> None:
    env = pty.environment({"COLUMNS": "10", "LINES": "5", "TERM": "dumb", "PAGER": "less", "HOME": "/h"})
    assert env == {
        "TERM": "xterm-256color", "HOME": "/h", "PAGER": "cat", "GIT_PAGER": "cat", "GIT_TERMINAL_PROMPT": "0"
    }  # fmt: skip
    assert pty.environment({"TERM": "screen"})["TERM"] == "screen"
    outcome = agent(family, "sh", "-c", "echo $GIT_PAGER").run(ask(), Watching())
    assert outcome.message == "cat\n"


@pytest.mark.parametrize(
    ("question", "typed"),
    [
        pytest.param("Do you trust the files in this folder? [y/n] ", "y\n", id="trust this folder"),
        pytest.param("Press Enter to continue", "\n", id="press enter"),
        pytest.param("Overwrite package.json? (y/N) ", "y\n", id="overwrite"),
        pytest.param("Allow this action? [y/n/t]:\n\n> ", "y\n", id="permission, as kiro asks"),
        pytest.param("\x1b[1mDelete everything?\x1b[0m [y/N] ", "n\n", id="what destroys is refused"),
    ],
)
def test_a_question_on_the_terminal_is_answered_and_recorded(
    family: Family, program: Program, ask: Ask, question: str, typed: str
) -> None:
    code = f"{ASKS}\n    print('got', repr(ask({question!r})))\n    print('TASK_COMPLETE')"
    outcome = agent(family, program(code)).run(ask(), Watching())
    assert outcome.ending is Ending.EXITED
    assert outcome.message.endswith(f"got {typed!r}\nTASK_COMPLETE\n")
    assert len(outcome.answered) == 1
    assert outcome.answered[0].endswith(f"→ {typed.strip() or 'Enter'}")


def test_a_question_in_raw_mode_gets_a_return(family: Family, program: Program, ask: Ask) -> None:
    code = """
        import os, termios, tty
        terminal = os.open("/dev/tty", os.O_RDWR)
        tty.setraw(terminal)
        os.write(terminal, b"Continue? [y/n] ")
        got = b""
        while not got.endswith(b"\\r"):
            got += os.read(terminal, 10)
        print(got)
    """
    outcome = agent(family, program(code)).run(ask(), Watching())
    assert outcome.message.endswith(r"b'y\r'" + "\n")


def test_several_questions_are_answered_one_after_the_other(family: Family, program: Program, ask: Ask) -> None:
    code = f"""{ASKS}
    got = [ask("Allow tool " + name + " to run? [y/n] ").strip() for name in "abcdefg"]
    print(got, ask("Press Enter to go on").strip() == "")
    """
    outcome = agent(family, program(code)).run(ask(), Watching())
    assert outcome.message.endswith("['y', 'y', 'y', 'y', 'y', 'y', 'y'] True\n")
    assert len(outcome.answered) == 8


def test_a_persons_answer_comes_before_the_built_in_one(family: Family, program: Program, ask: Ask) -> None:
    code = f"{ASKS}\n    print(ask('Do you trust this folder? [y/n] '))"
    outcome = agent(family, program(code), **{"trust this": "n"}).run(ask(), Watching())
    assert outcome.message.rstrip().endswith("n")
    assert outcome.answered == ("Do you trust this folder? [y/n] → n",)


def test_the_same_question_again_and_again_ends_the_attempt(family: Family, program: Program, ask: Ask) -> None:
    code = f"{ASKS}\n    for number in range(1000): ask('Attempt %d failed. Continue? [y/n] ' % number)"
    outcome = agent(family, program(code)).run(ask(), Watching())
    assert outcome.ending is Ending.CRASHED
    assert outcome.error == "it asked the same question again after every answer: Attempt 5 failed. Continue? [y/n]"
    assert len(outcome.answered) == 5
    assert outcome.excerpt.endswith("Attempt 5 failed. Continue? [y/n] ")


def test_a_login_ends_the_attempt_as_a_fault_of_the_environment(family: Family, program: Program, ask: Ask) -> None:
    """O12, O37: nobody can log in at night, and the next task would meet the same."""
    code = f"{ASKS}\n    ask('You are not logged in.\\nWith (1) Google (2) Builder ID: ')"
    outcome = agent(family, program(code)).run(ask(), Watching())
    assert outcome.ending is Ending.NOT_STARTED
    assert outcome.error == "it asked what nobody is there to answer: With (1) Google (2) Builder ID:"
    assert outcome.answered == ()


def test_text_that_only_looks_like_a_question_for_a_moment_is_left_alone(
    family: Family, program: Program, ask: Ask
) -> None:
    code = """
        import sys, time
        for piece in ("Overwrite? [y/N] ", "is what it asks; ", "Enter your API key: ", "too.\\n", "TASK_COMPLETE\\n"):
            sys.stdout.write(piece)
            sys.stdout.flush()
            time.sleep(0.05)
    """
    outcome = agent(family, program(code)).run(ask(), Watching())
    assert (outcome.ending, outcome.answered) == (Ending.EXITED, ())


def test_a_prompt_is_typed_whole_lines_of_any_length(family: Family, program: Program, ask: Ask) -> None:
    """A terminal in line mode loses what goes past 4,095 bytes of a line, if it is simply typed."""
    prompt = (
        "- [ ] 1.1 first\n"
        + "long " * 4000
        + "\n"
        + "x" * 4000
        + "\n"
        + "größer 漢\n" * 20_000
        + "no newline at the end"
    )
    code = """
        import hashlib, os, sys
        assert os.isatty(0)
        data = sys.stdin.buffer.read()
        print(len(data), hashlib.sha256(data).hexdigest())
    """
    outcome = agent(family, program(code), prompt="tty").run(ask(prompt), Watching())
    data = prompt.encode() + b"\n"
    assert outcome.message == f"{len(data)} {hashlib.sha256(data).hexdigest()}\n"


def test_a_typed_prompt_can_be_read_by_lines(family: Family, program: Program, ask: Ask) -> None:
    code = """
        print("What shall I do")
        lines = []
        try:
            while True:
                lines.append(input())
        except EOFError:
            print([len(line) for line in lines])
    """
    outcome = agent(family, program(code), prompt="tty").run(ask("a\n" + "b" * 9000 + "\n\nc\x03\x04"), Watching())
    assert outcome.message == "What shall I do\n[1, 9000, 0, 1]\n"


@pytest.mark.parametrize(("asked", "around"), [("\\x1b[?2004h", (b"\x1b[200~", b"\x1b[201~\r")), ("", (b"", b"\r"))])
def test_a_program_in_raw_mode_gets_a_paste(
    family: Family, program: Program, ask: Ask, asked: str, around: tuple[bytes, bytes]
) -> None:
    prompt = "line one\n" + "x" * 20_000
    typed = around[0] + prompt.encode() + around[1]
    code = f"""
        import os, tty
        tty.setraw(0)
        os.write(1, b"{asked}ask me ")
        got = b""
        while len(got) < {len(typed)}:
            got += os.read(0, 70000)
        import hashlib
        print(hashlib.sha256(got).hexdigest())
    """
    outcome = agent(family, program(code), prompt="tty").run(ask(prompt), Watching())
    assert outcome.message.split()[-1] == hashlib.sha256(typed).hexdigest()


def test_prompt_file_leaves_the_terminal_on_standard_input(family: Family, ask: Ask) -> None:
    mine = agent(family, "sh", "-c", 'test -t 0 && cat "$1"', "sh", "{prompt_file}", prompt="file")
    assert mine.run(ask("the prompt\n"), Watching()).message == "the prompt\n"


def test_a_program_that_asks_what_it_runs_on_gets_a_reply(family: Family, program: Program, ask: Ask) -> None:
    code = r"""
        import os, tty
        terminal = os.open("/dev/tty", os.O_RDWR)
        tty.setraw(terminal)
        os.write(terminal, b"\x1b[6n")
        got = b""
        while not got.endswith(b"R"):
            got += os.read(terminal, 10)
        print(got)
    """
    assert agent(family, program(code)).run(ask(), Watching()).message == r"b'\x1b[1;1R'" + "\n"


def test_a_hanging_program_with_an_unknown_question_ends_by_the_clock(family: Family, ask: Ask) -> None:
    limits = Limits(task_seconds=20.0, no_progress_seconds=1.0)
    command = ("sh", "-c", "printf 'Which colour do you like?'; sleep 60")
    outcome = agent(family, *command).run(ask(limits=limits), Watching())
    assert (outcome.ending, outcome.answered) == (Ending.NO_PROGRESS, ())
    assert outcome.excerpt == "Which colour do you like?"


def test_a_flood_costs_neither_memory_nor_disk(family: Family, ask: Ask) -> None:
    """Design part 3: constant memory, a capped log."""
    watching, request = Watching(), ask()
    script = f"yes {'x' * 79} | head -c 20000000; echo; echo TASK_COMPLETE"
    outcome = agent(family, "sh", "-c", script).run(request, watching)
    assert outcome.message.endswith("\nTASK_COMPLETE\n")
    assert outcome.output_bytes > 20_000_000
    assert len(watching.memory) > 2
    assert watching.grown < 20 * 1024 * 1024
    assert request.log.stat().st_size < 2 * 1024 * 1024 + 1000


def test_a_program_that_is_not_there_is_told(family: Family, ask: Ask) -> None:
    outcome = agent(family, "no-such-agent-here").run(ask(), Watching())
    assert outcome.ending is Ending.NOT_STARTED
    assert "no-such-agent-here is not installed" in outcome.error


def test_no_descriptor_is_left_open(family: Family, ask: Ask) -> None:
    agent(family, "true").run(ask(), Watching())
    before = open_descriptors()
    for _ in range(3):
        for prompt in ("stdin", "file", "tty"):
            agent(family, "true", prompt=prompt).run(ask(), Watching())
        agent(family, "/no/such").run(ask(), Watching())
    assert open_descriptors() == before
