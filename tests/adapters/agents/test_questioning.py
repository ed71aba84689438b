"""Short questions to many real programs at once, some of which misbehave."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ralph_wiggum.adapters.agents import questioning
from ralph_wiggum.adapters.agents.questioning import HEAD_BYTES, Question, Questioning
from ralph_wiggum.adapters.clock import SystemClock
from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.adapters.process_table import MARK
from ralph_wiggum.core.login import Reply
from tests.adapters.agents.conftest import Program, open_descriptors
from tests.adapters.process_harness import marked, no_survivors

MINE = f"question-{os.getpid()}"  # the mark of what this process asks


@pytest.fixture
def own() -> Iterator[Keeper]:
    """Return a keeper of this test alone."""
    keeper = Keeper.start()
    yield keeper
    keeper.close()


def ask(keeper: Keeper, folder: Path, *argvs: tuple[str, ...], seconds: float = 30.0, **env: str) -> list[Reply]:
    questions = [Question(argv=argv, env={**os.environ, **env}) for argv in argvs]
    return Questioning(keeper, SystemClock(), folder, seconds).ask(questions)


def test_answers_come_in_the_order_of_the_questions(own: Keeper, program: Program, tmp_path: Path) -> None:
    slow = program("import time; time.sleep(0.4); print('slow 1.0')")
    quick = program("import sys; print('quick', *sys.argv[1:]); sys.exit(3)")
    replies = ask(own, tmp_path, (slow,), *((quick, str(number)) for number in range(questioning.AT_ONCE + 3)))
    assert replies[0] == Reply(0, "slow 1.0\n")
    assert replies[1:] == [Reply(3, f"quick {number}\n") for number in range(questioning.AT_ONCE + 3)]


def test_they_are_asked_together(own: Keeper, tmp_path: Path, program: Program) -> None:
    """Each waits until all of them are there: one after the other, they would wait for ever."""
    code = f"""
    import pathlib, sys, time
    pathlib.Path(sys.argv[1]).touch()
    while len(list(pathlib.Path().glob("here-*"))) < {questioning.AT_ONCE}: time.sleep(0.01)
    """
    waits = program(code)
    replies = ask(own, tmp_path, *((waits, f"here-{number}") for number in range(questioning.AT_ONCE)), seconds=60.0)
    assert replies == [Reply(0, "")] * questioning.AT_ONCE


def test_there_is_nothing_to_read_and_the_environment_is_the_given_one(
    own: Keeper, program: Program, tmp_path: Path
) -> None:
    code = """
    import os, sys
    assert sys.stdin.read() == "" and not sys.stdin.isatty()
    print(os.environ["GIVEN"], os.getcwd())
    print("both streams", file=sys.stderr)
    """
    (reply,) = ask(own, tmp_path, (program(code),), GIVEN="yes", **{MARK: "a-run"})  # type: ignore[arg-type]  # a name that is no parameter
    assert reply.exit_code == 0
    assert sorted(reply.output.splitlines()) == ["both streams", f"yes {tmp_path}"]


def test_a_program_that_hangs_is_ended_with_all_that_it_started_and_the_others_answer(
    own: Keeper, program: Program, tmp_path: Path
) -> None:
    code = """
    import signal, subprocess, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    print("still at it", flush=True)
    time.sleep(600)
    """
    began = time.monotonic()
    with no_survivors(MINE):
        hung, fine = ask(own, tmp_path, (program(code),), (program("print('2.0')"),), seconds=2.0)
        assert marked(MINE) == []
    assert time.monotonic() - began < 30.0
    assert hung == Reply(None, "still at it\n", "it did not end within 2 s")
    assert fine.output in {"2.0\n", ""}, "it may be late on a busy machine"


def test_what_it_leaves_behind_holds_nothing_up_and_is_ended(own: Keeper, program: Program, tmp_path: Path) -> None:
    code = """
    import subprocess
    subprocess.Popen(["yes"], start_new_session=True)
    print("1.2.3", flush=True)
    """
    with no_survivors(MINE):
        (reply,) = ask(own, tmp_path, (program(code),))
        assert marked(MINE) == []
    assert reply.exit_code == 0


def test_of_a_flood_the_beginning_and_the_end_are_kept(own: Keeper, program: Program, tmp_path: Path) -> None:
    code = """
    import sys
    print("tool 1.2.3")
    for _ in range(20): sys.stdout.write("x" * 1_000_000 + "\\n")
    print("Not logged in")
    sys.exit(1)
    """
    (reply,) = ask(own, tmp_path, (program(code),))
    assert reply.exit_code == 1
    assert reply.output.startswith("tool 1.2.3\nxxx")
    assert reply.output.endswith("\nNot logged in\n")
    assert len(reply.output) <= 2 * HEAD_BYTES


@pytest.mark.parametrize(
    ("code", "reply"),
    [
        pytest.param("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", Reply(None, "", "it was ended by SIGSEGV"), id="a crash"),
        pytest.param("import os, signal; os.kill(os.getpid(), signal.SIGRTMIN + 1)", Reply(None, "", "it was ended by signal 35"), id="a signal without a name"),
        pytest.param("import sys; sys.stdout.buffer.write(b'\\xff\\x1b[31m1.2\\x07')", Reply(0, "\ufffd1.2"), id="no text"),
        pytest.param("", Reply(0, ""), id="no word"),
    ],
)  # fmt: skip
def test_odd_ends(own: Keeper, program: Program, tmp_path: Path, code: str, reply: Reply) -> None:
    assert ask(own, tmp_path, (program(code),)) == [reply]


def test_what_cannot_be_started_is_an_answer_too(own: Keeper, program: Program, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    first, second = ask(own, tmp_path, (str(broken),), (program("print(1)"),))
    assert first.exit_code is None
    assert str(broken) in first.trouble
    assert second == Reply(0, "1\n")


def test_a_keeper_that_was_killed_leaves_no_question_open(own: Keeper, program: Program, tmp_path: Path) -> None:
    kills = program("import os, signal; os.kill(os.getppid(), signal.SIGKILL)")
    replies = ask(own, tmp_path, (kills,), *((program("print(1)"),) for _ in range(3)))
    assert len(replies) == 4
    assert all(reply.exit_code in {0, None} for reply in replies)
    assert replies[0].words


def test_no_questions_no_answers(own: Keeper, tmp_path: Path) -> None:
    assert ask(own, tmp_path) == []


def test_no_descriptor_is_left_open(own: Keeper, program: Program, tmp_path: Path) -> None:
    argvs = [(program("print(1)"),), (program("import time; time.sleep(600)"),), ("/no/such/program",)]
    ask(own, tmp_path, *argvs, seconds=0.5)
    before = open_descriptors()
    ask(own, tmp_path, *argvs, seconds=0.5)
    assert open_descriptors() == before
