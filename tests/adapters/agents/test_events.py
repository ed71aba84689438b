"""The pipe driver with programs that print structured events (O16, O20, O22, B1; design part 3: floods)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ralph_wiggum.adapters.agents.hearing import LINE_BYTES, Hearing, Lines
from ralph_wiggum.adapters.agents.pipe import PipeAgent
from ralph_wiggum.adapters.capture import Capture, Stream
from ralph_wiggum.adapters.process import Family
from ralph_wiggum.core.dialects.opencode import BROKEN
from ralph_wiggum.core.dialects.reader import Reader
from ralph_wiggum.core.dialects.table import DIALECTS
from ralph_wiggum.core.evidence import Ending, Usage
from ralph_wiggum.core.settings import AgentSettings
from ralph_wiggum.ports import Limits
from tests.adapters.agents.conftest import Ask, Program, Watching

# The beginning of each program: what it says as Claude Code would.
CLAUDE = """
import json, os, signal, sys, time
def put(event):
    sys.stdout.write(json.dumps(event) + "\\n")
    sys.stdout.flush()
def say(text, number="m1"):
    put({"type": "assistant", "message": {"id": number, "content": [{"type": "text", "text": text}]}})
def use(command):
    put({"type": "assistant", "message": {"content": [{"type": "tool_use", "name": "Bash", "input": {"command": command}}]}})
def end(text, **more):
    usage = {"input_tokens": 100, "output_tokens": 10}
    put({"type": "result", "subtype": "success", "is_error": False, "result": text, "session_id": "s-1",
         "total_cost_usd": 0.5, "usage": usage, **more})
put({"type": "system", "subtype": "init", "session_id": "s-1"})
"""


def claude(family: Family, program: Program, code: str) -> PipeAgent:
    return PipeAgent(AgentSettings(name="mine", command=(program(CLAUDE + code),), dialect="claude"), family)


def test_events_make_the_message_and_the_log_keeps_them_as_they_came(
    family: Family, program: Program, ask: Ask
) -> None:
    code = 'use("npm test"); say("Done."); os.write(2, b"\\x1b[33mwarned\\x1b[0m\\n"); end("Done.\\n\\nTASK_COMPLETE")'
    request, watching = ask(), Watching()
    outcome = claude(family, program, code).run(request, watching)
    assert (outcome.ending, outcome.exit_code) == (Ending.EXITED, 0)
    assert outcome.message == "Done.\n\nTASK_COMPLETE"
    assert (outcome.completed, outcome.flagged, outcome.notices, outcome.notes) == (True, False, (), ())
    assert outcome.usage == Usage(input_tokens=100, output_tokens=10, cost=0.5)
    assert outcome.session == "s-1"
    assert outcome.errors == "warned\n"
    assert sorted(outcome.excerpt.splitlines()) == ["Bash: npm test", "Done.", "warned"], "what a person reads"
    assert "Bash: npm test\n" in "".join(watching.shown)
    assert "session_id" not in "".join(watching.shown)
    log = request.log.read_text()
    assert '{"type": "system", "subtype": "init"' in log
    assert outcome.output_bytes > 400, "what was printed is counted, not what was shown"


def test_bad_lines_in_the_middle_do_no_harm(family: Family, program: Program, ask: Ask) -> None:
    code = """
say("Half.")
os.write(1, b'{"type":"assistant","mess\\n')
os.write(1, b"\\xff\\xfe caf\\xe9 \\x1b[31mred\\x1b[0m\\n[1, 2\\n\\n")
os.write(1, b'plain text without its end ')
end("Done.\\nTASK_COMPLETE")
"""
    outcome = claude(family, program, code).run(ask(), Watching())
    assert (outcome.message, outcome.completed) == ("Done.\nTASK_COMPLETE", True)
    assert "\ufffd\ufffd caf\ufffd red\n" in outcome.excerpt


def test_an_event_without_a_line_end_at_the_end_counts(family: Family, program: Program, ask: Ask) -> None:
    code = """os.write(1, b'{"type": "result", "subtype": "success", "result": "TASK_COMPLETE"}')"""
    outcome = claude(family, program, code).run(ask(), Watching())
    assert (outcome.message, outcome.completed) == ("TASK_COMPLETE", True)


def test_a_line_of_20_mib_is_left_out_and_counted(family: Family, program: Program, ask: Ask) -> None:
    """Real ones are megabytes long; nothing may grow with them without a limit."""
    code = """
os.write(1, b'{"type":"user","message":"')
for _ in range(20): sys.stdout.write("x" * 1048576)
sys.stdout.write('"}\\n')
sys.stdout.flush()
end("TASK_COMPLETE")
"""
    watching = Watching()
    outcome = claude(family, program, code).run(ask(), watching)
    assert (outcome.message, outcome.completed) == ("TASK_COMPLETE", True)
    assert outcome.notes == ("1 line was longer than 16 MiB and not understood",)
    assert outcome.output_bytes > 20 * 1024 * 1024
    assert watching.grown < 60 * 1024 * 1024


def test_a_message_of_megabytes_keeps_its_end(family: Family, program: Program, ask: Ask) -> None:
    outcome = claude(family, program, 'end("x" * 5_000_000 + "\\nTASK_COMPLETE")').run(ask(), Watching())
    assert outcome.message.endswith("x\nTASK_COMPLETE")
    assert len(outcome.message) <= 64 * 1024


def test_a_flood_of_events_costs_neither_memory_nor_disk(family: Family, program: Program, ask: Ask) -> None:
    code = """
line = json.dumps({"type": "user", "message": {"content": [{"type": "tool_result", "content": "x" * 100_000}]}}) + "\\n"
for _ in range(600): sys.stdout.write(line)
for number in range(20_000): sys.stdout.write("some text of another program, line %d\\n" % number)
end("TASK_COMPLETE")
"""
    watching, request = Watching(), ask()
    outcome = claude(family, program, code).run(request, watching)
    assert (outcome.message, outcome.completed) == ("TASK_COMPLETE", True)
    assert outcome.output_bytes > 60_000_000
    assert watching.grown < 25 * 1024 * 1024
    assert request.log.stat().st_size < 2 * 1024 * 1024 + 1000
    assert len(outcome.excerpt) <= 16 * 1024


def test_the_log_keeps_as_much_as_the_limits_say(family: Family, program: Program, ask: Ask) -> None:
    request = ask(limits=Limits(task_seconds=30.0, log_bytes=10_000))
    claude(family, program, 'for _ in range(500): say("x" * 100)').run(request, Watching())
    assert 10_000 < request.log.stat().st_size < 11_000
    assert b"bytes cut here" in request.log.read_bytes()


def test_a_claim_after_the_runner_began_to_stop_it_is_none(family: Family, program: Program, ask: Ask) -> None:
    """O16: Claude Code, told to end, feeds its killed tool to the model and prints a full success (measured)."""
    code = """
def late(*_):
    say("TASK_COMPLETE", "m2")
    end("TASK_COMPLETE")
    sys.exit(0)
signal.signal(signal.SIGTERM, late)
say("I am at it.")
while True: time.sleep(0.05)
"""
    outcome = claude(family, program, code).run(ask(limits=Limits(task_seconds=1.0)), Watching())
    assert outcome.ending is Ending.TASK_TIMEOUT
    assert (outcome.message, outcome.completed, outcome.usage) == ("I am at it.", False, None)


def test_a_run_that_only_retried_says_so_when_it_is_ended(family: Family, program: Program, ask: Ask) -> None:
    """B1: to be killed while the provider is down is not the task's fault."""
    code = """
put({"type": "system", "subtype": "api_retry", "attempt": 3, "max_retries": 10, "error_status": 529, "error": "overloaded"})
while True: time.sleep(0.05)
"""
    outcome = claude(family, program, code).run(ask(limits=Limits(task_seconds=1.0)), Watching())
    assert outcome.ending is Ending.TASK_TIMEOUT
    (notice,) = outcome.notices
    assert (notice.status, notice.kind, notice.stale, notice.final) == (529, "overloaded", False, False)


def test_errors_are_the_end_of_standard_error_in_every_dialect(family: Family, program: Program, ask: Ask) -> None:
    code = """
import os, sys
os.write(2, b"x" * 100_000 + b"\\n\\x1b[31mError: it broke\\x1b[0m\\n")
print("TASK_COMPLETE")
sys.exit(3)
"""
    for dialect in ("text", "claude", "codex"):
        agent = PipeAgent(AgentSettings(name="mine", command=(program(code),), dialect=dialect), family)
        outcome = agent.run(ask(), Watching())
        assert outcome.errors.endswith("x\nError: it broke\n") or outcome.errors == "Error: it broke\n"
        assert len(outcome.errors) <= 4096
        assert outcome.message == "TASK_COMPLETE\n", "where there is no event, what was printed is the message"
        assert outcome.completed is None


def test_an_agent_that_asks_for_ever_is_ended_as_one_without_progress(
    family: Family, program: Program, ask: Ask
) -> None:
    """Measured: opencode on a cut stream asks about six times a second for as long as it is let."""
    code = """
import json, sys, time
while True:
    for event in ({"type": "step_start"}, {"type": "text", "part": {"text": "I wr"}}, {"type": "step_finish", "part": {"reason": "unknown"}}):
        print(json.dumps(event), flush=True)
    time.sleep(0.01)
"""
    agent = PipeAgent(AgentSettings(name="mine", command=(program(code),), dialect="opencode"), family)
    outcome = agent.run(ask(), Watching())
    assert outcome.ending is Ending.NO_PROGRESS
    assert outcome.error == "the model's stream broke off in 20 steps in a row"
    assert (outcome.notices[-1].kind, outcome.notices[-1].stale) == (BROKEN, False)
    assert outcome.seconds < 20.0


def test_a_person_who_stops_it_is_no_loop(family: Family, program: Program, ask: Ask) -> None:
    outcome = claude(family, program, "time.sleep(60)").run(ask(), Watching(reason="skipped by a person"))
    assert (outcome.ending, outcome.error) == (Ending.STOPPED, "skipped by a person")


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_every_dialect_can_be_driven(family: Family, program: Program, ask: Ask, dialect: str) -> None:
    agent = PipeAgent(AgentSettings(name="mine", command=(program("print('{}')"),), dialect=dialect), family)
    outcome = agent.run(ask(), Watching())
    assert (outcome.ending, outcome.completed, outcome.flagged) == (Ending.EXITED, False, False)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_are_the_same_however_they_come(size: int) -> None:
    data = b"one\n\ntwo\r\n" + b"x" * 10 + b"\n" + b"y" * 11 + b"\nlast\nrest"
    lines, found = Lines(limit=10), []
    for at in range(0, len(data), size):
        found += lines.feed(data[at : at + size])
    assert found == [b"one", b"", b"two\r", b"x" * 10, b"last"]
    assert (lines.left_out, lines.rest(), lines.rest()) == (1, b"rest", b"")


def test_a_long_line_that_never_ends_is_left_out_once() -> None:
    lines = Lines(limit=10)
    for _ in range(100):
        assert lines.feed(b"x" * 7) == []
    assert (lines.left_out, lines.rest()) == (1, b"")
    assert lines.feed(b"x\nshort\n" + b"z" * 30 + b"\nend\n") == [b"short", b"end"]
    assert lines.left_out == 2


def test_several_lines_that_were_left_out_are_counted(tmp_path: Path) -> None:
    with Capture(tmp_path / "a.log") as capture:
        hearing = Hearing(capture, Reader(DIALECTS["claude"]), Lines(limit=50))
        assert hearing.note == ""
        for _ in range(2):
            hearing.add(b"x" * 60 + b"\n", Stream.STDOUT)
        hearing.add(json.dumps({"type": "result", "result": "ok"}).encode(), Stream.STDOUT)
        assert hearing.finish().message == "ok"
        assert hearing.note == f"2 lines were longer than {LINE_BYTES // 2**20} MiB and not understood"
