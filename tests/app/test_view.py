"""What is shown while a run goes on: plain lines, or a live screen drawn from the loop (O12, O27)."""

from __future__ import annotations

import io
import os
import pty
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from ralph_wiggum.app.events import View
from ralph_wiggum.app.live_view import LiveState, LiveView, render
from ralph_wiggum.app.order import Order
from ralph_wiggum.app.view import PlainView, choose_view, gate_words
from ralph_wiggum.core.evidence import Gate, GateStatus
from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import Ended, Held, RunStarted, Skipped, Started, StopAsked, Ticked
from ralph_wiggum.core.parse import parse
from ralph_wiggum.core.status import Counts
from tests.fakes import HandClock

PLAN = parse("- [ ] 1. Login\n  - [x] 1.1 Form\n  - [ ] 1.2 Session\n  - [ ] 1.3 Captcha\n- [S] 2. Rest\n")
TASK = PLAN.task("1.2")
ORDER = Order(spec="demo", run_id="r1", agent="claude", root=Path(), runs=Path(), skipped=Path(), max_iterations=50)
STARTED = Started(key="1.2", attempt=2, iteration=7, agent="claude", strategy="simpler", timeout=600)
FAILED = Ended(key="1.2", result="failed", reason="pytest:\n test_login\x1b[2J failed", seconds=61.4)
RED = Gate(name="pytest", kind="backend", status=GateStatus.FAILED, reason="1 failed", counts="3 passed", seconds=4.25)
UNTIL = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)


def play(view: View, clock: HandClock) -> None:
    """Tell a view all that can happen."""
    view.progress(PLAN, History())
    view.started(TASK, STARTED, ORDER)
    view.output("compiling \x1b[1mthings\x1b[0m\n")
    clock.push(1)
    view.refresh()
    view.gate(RED)
    view.ended(TASK, FAILED)
    view.ended(TASK, FAILED._replace(result="passed"))
    view.ticked(TASK, Ticked(attempts=2, sha="0123456789abcdef", verified=False))
    view.skipped(TASK, Skipped(reason="10 identical failures", patch=".ralph/demo/skipped/1.2.patch"))
    view.waiting("the API is down", UNTIL)
    view.note("1.3: [x] put back to [ ]\nsecond line")
    view.progress(PLAN.with_mark("1.2", "x"), History())
    view.progress(PLAN.with_mark("1.2", "x"), History())
    view.close()


@pytest.mark.parametrize(
    ("gate", "words"),
    [
        pytest.param(
            Gate(name="t", kind="", status=GateStatus.PASSED, reason="passed", counts="3 passed", seconds=1.25),
            "t: passed (3 passed) in 1.2 s",
            id="green",
        ),
        pytest.param(
            Gate(
                name="t",
                kind="",
                status=GateStatus.PASSED,
                reason="passed (1 failure remains of the baseline), as before on the same tree",
                counts="1 failed",
            ),
            "t: passed (1 failed; 1 failure remains of the baseline, as before on the same tree)",
            id="red as before: no brackets in brackets",
        ),
    ],
)
def test_a_check_in_one_line(gate: Gate, words: str) -> None:
    assert gate_words(gate) == words


def test_plain_lines_one_an_event() -> None:
    stream = io.StringIO()
    clock = HandClock()
    play(PlainView(stream, clock), clock)
    assert stream.getvalue().splitlines() == [
        "22:00 1/4 tasks complete, 1 skipped",
        "22:00 1.2 Session: attempt 2 (simpler), claude, run 7/50",
        "22:00   check pytest: FAILED (3 passed; 1 failed) in 4.2 s",
        "22:00 1.2 Session: failed after 61 s: pytest: test_login failed",
        "22:00 1.2 Session: complete (2 attempts, unverified, 012345678)",
        "22:00 1.2 Session: SKIPPED: 10 identical failures (kept in .ralph/demo/skipped/1.2.patch)",
        "22:00 waiting until 03:30: the API is down",
        "22:00 1.3: [x] put back to [ ]",
        "22:00 second line",
        "22:00 2/4 tasks complete, 1 skipped",
    ]


def test_a_closed_pipe_makes_the_plain_view_quiet() -> None:
    """O12: the person closed the terminal; the night goes on."""
    clock = HandClock()
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", buffering=1) as stream:
        play(PlainView(stream, clock), clock)
        os.dup2(os.open(os.devnull, os.O_WRONLY), writer)  # so that closing the stream can flush
    play(PlainView(stream, clock), clock)
    assert stream.closed


def test_a_terminal_without_unicode_gets_what_it_can_show() -> None:
    buffer = io.BytesIO()
    view = PlainView(io.TextIOWrapper(buffer, encoding="ascii", write_through=True), HandClock())
    view.note("修复 done")
    assert buffer.getvalue() == b"22:00 ?? done\n"


# --- the live screen

STATE = LiveState(
    spec="demo",
    counts=Counts(total=12, completed=3, skipped=1),
    unverified=2,
    task="2.1 Add login",
    doing="attempt 2, claude, run 7/50",
    elapsed=200,
    limit=600,
    output=("compiling", "    done in 3 s"),
    next="2.2 Add logout",
)


def drawn(state: LiveState, width: int = 60) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None, legacy_windows=False)
    console.print(render(state, width))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_the_screen_is_a_function_of_its_state() -> None:
    assert drawn(STATE, 80) == [
        "demo  ━━━━━╸                  25 %  3/12 tasks complete, 1 skipped, 2 unverified",
        "2.1 Add login",
        "attempt 2, claude, run 7/50, 3:20 of 10:00",
        "  │ compiling",
        "  │     done in 3 s",
        "next: 2.2 Add logout",
    ]


def test_a_wait_takes_the_place_of_the_task() -> None:
    lines = drawn(replace(STATE, wait="waiting until 03:30: offline"))
    assert lines[1:] == ["waiting until 03:30: offline", "next: 2.2 Add logout"]


def test_agents_that_are_left_alone_and_the_wish_to_stop_are_shown() -> None:
    """B1, and `ralph stop`: with the time of return."""
    held = ("claude until 03:30: usage limit", "codex until 04:00: rate limit")
    lines = drawn(replace(STATE, held=held, stopping="stopping after the attempt at hand", output=()))
    assert lines[3:] == [
        "left alone: claude until 03:30: usage limit",
        "left alone: codex until 04:00: rate limit",
        "stopping after the attempt at hand",
        "next: 2.2 Add logout",
    ]


def test_the_live_view_looks_at_the_history_whenever_it_draws() -> None:
    stream = io.StringIO()
    clock = HandClock()
    history = History([RunStarted(run="r1")])
    view = LiveView(Console(file=stream, force_terminal=True, width=70, color_system=None), clock)
    view.progress(PLAN, history)
    view.started(TASK, STARTED, ORDER)
    assert "stopping" not in stream.getvalue()
    history.apply(StopAsked(target="r1"))
    history.apply(Held(agent="claude", cause="usage limit", until="2026-11-21T03:30:00+00:00"))
    clock.push(1)
    view.refresh()
    view.close()
    assert "stopping after the attempt at hand" in stream.getvalue()
    assert "left alone: claude until 03:30: usage limit" in stream.getvalue()


@pytest.mark.parametrize("width", [12, 20, 40, 60, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    wide = replace(
        STATE,
        held=("h" * 300,),
        stopping="s" * 300,
        spec="规格" * 30,
        task="修复登录页面" * 30,
        output=("x" * 500, "\t修" * 90),
        next="n" * 300,
    )
    console = Console(file=io.StringIO(), width=width, color_system=None)
    for line in drawn(wide, width):
        assert console.render_str(line).cell_len <= width


def test_a_run_on_a_terminal_scrolls_by_and_draws_below() -> None:
    stream = io.StringIO()
    clock = HandClock()
    console = Console(file=stream, force_terminal=True, width=70, color_system=None)
    play(LiveView(console, clock, spec="demo"), clock)
    text = stream.getvalue()
    for wanted in ("attempt 2 (simpler), claude, run 7/50", "│ compiling things", "check pytest: FAILED", "next: 1.3 Captcha",
                   "SKIPPED: 10 identical failures", "waiting until 03:30", "put back to [ ]"):  # fmt: skip
        assert wanted in text
    assert text.endswith("\x1b[?25h") or "\x1b[?25h" in text[-40:], "the cursor is shown again"


def test_drawing_is_limited_to_four_times_a_second() -> None:
    stream = io.StringIO()
    clock = HandClock()
    view = LiveView(Console(file=stream, force_terminal=True, width=60, color_system=None), clock)
    view.started(TASK, STARTED, ORDER)
    size = len(stream.getvalue())
    for _ in range(1000):
        view.output("flood\n")
        view.refresh()
    assert len(stream.getvalue()) == size
    clock.push(0.3)
    view.refresh()
    assert "│ flood" in stream.getvalue()[size:]
    assert len(view._tail) <= 4096
    view.close()


class HungUp(io.StringIO):
    """A terminal that was closed: every write fails as the kernel has it fail."""

    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")

    def isatty(self) -> bool:
        return True


def test_a_terminal_that_hangs_up_makes_the_live_view_quiet() -> None:
    """O12."""
    clock = HandClock()
    view = LiveView(Console(file=HungUp(), force_terminal=True, width=60), clock)
    play(view, clock)
    play(view, clock)
    assert view.state.counts.total  # it went on taking notice


def test_live_on_a_terminal_and_plain_everywhere_else() -> None:
    main, terminal = pty.openpty()
    with os.fdopen(main, "rb"), os.fdopen(terminal, "w") as stream:
        clock = HandClock()
        assert isinstance(choose_view(stream, clock, {"TERM": "xterm"}, spec="demo"), LiveView)
        assert isinstance(choose_view(stream, clock, {"TERM": "dumb"}), PlainView)
        assert isinstance(choose_view(stream, clock, {}), PlainView)
    assert isinstance(choose_view(io.StringIO(), clock, {"TERM": "xterm"}), PlainView)
    assert isinstance(choose_view(stream, clock, {"TERM": "xterm"}), PlainView), "a closed stream"
