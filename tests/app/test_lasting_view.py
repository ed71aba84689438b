"""A view that outlives its screen (O12): what happens when the terminal is closed, or takes nothing any more."""

from __future__ import annotations

import io

from ralph_wiggum.app.lasting_view import LastingView
from ralph_wiggum.app.view import PlainView
from ralph_wiggum.core.history import History
from ralph_wiggum.core.parse import parse
from tests.fakes import HandClock

PLAN = parse("- [ ] 1. One\n")


class Paper:
    """A screen in memory that goes away or stalls when told to."""

    def __init__(self, *, terminal: bool = True) -> None:
        self.gone = False
        self.stalled = False
        self.breaks_on = "\0"
        self.text = ""
        self._terminal = terminal

    def write(self, text: str, /) -> int:
        if self.breaks_on in text:
            self.gone = True
        if not self.gone and not self.stalled:
            self.text += text
        return len(text)

    def flush(self) -> None: ...

    def drain(self, seconds: float) -> None: ...

    def isatty(self) -> bool:
        return self._terminal


class Case:
    def __init__(self, *, terminal: bool = True) -> None:
        clock = HandClock()
        self.screen, self.log = Paper(terminal=terminal), Paper(terminal=False)
        self.hung_up = False
        self.going = 0
        self.view = LastingView(
            self.screen,
            PlainView(self.screen, clock),
            self.log,
            PlainView(self.log, clock),
            hung_up=lambda: self.hung_up,
            farewell="farewell",
            on_going=self._going,
        )

    def _going(self) -> None:
        self.going += 1


LEFT = "22:00 the screen is gone; the run goes on without one\n"


def test_as_long_as_there_is_a_screen_nothing_goes_to_the_log() -> None:
    case = Case()
    case.view.note("one")
    case.view.refresh()
    case.view.close()
    case.view.last_words(["The run ended: done.", ""])
    assert case.screen.text == "22:00 one\nThe run ended: done.\n\n"
    assert case.log.text == ""


def test_the_event_that_meets_a_closed_terminal_is_not_lost() -> None:
    case = Case()
    case.view.note("one")
    case.screen.breaks_on = "two"
    for word in ("two", "three"):
        case.view.note(word)
    case.view.refresh()
    case.view.close()
    case.view.last_words(["The run ended: done."])
    assert case.screen.text == "22:00 one\n"
    assert case.log.text == LEFT + "22:00 two\n22:00 three\nThe run ended: done.\n"


def test_a_hang_up_is_said_on_a_terminal_that_is_still_there() -> None:
    case = Case()
    case.view.note("one")
    case.hung_up = True
    case.view.refresh()
    case.view.note("two")
    assert case.screen.text == "22:00 one\n22:00 farewell\n"
    assert case.log.text == LEFT + "22:00 two\n"


def test_a_hang_up_is_no_matter_to_a_pipe_or_a_file() -> None:
    case = Case(terminal=False)
    case.hung_up = True
    case.view.note("one")
    case.view.last_words(["The run ended: done."])
    assert case.screen.text == "22:00 one\nThe run ended: done.\n"
    assert case.log.text == ""


def test_while_a_screen_stalls_the_log_gets_the_words_too() -> None:
    case = Case()
    case.screen.stalled = True
    case.view.note("one")
    case.screen.stalled = False
    case.view.note("two")
    assert case.screen.text == "22:00 two\n", "what a real one has not taken yet, it shows later"
    assert case.log.text == "22:00 one\n"
    case.screen.stalled = True
    case.view.last_words(["The run ended: done."])
    assert case.log.text.endswith("The run ended: done.\n")


def test_a_screen_that_goes_away_over_the_last_words_leaves_them_to_the_log() -> None:
    case = Case()
    case.screen.breaks_on = "ended"
    case.view.close()
    case.view.last_words(["The run ended: done."])
    assert case.log.text == "The run ended: done.\n"


def test_the_first_progress_tells_once_that_the_evening_is_over() -> None:
    case = Case()
    case.view.note("a baseline")
    assert case.going == 0
    for _ in range(2):
        case.view.progress(PLAN, History())
    assert case.going == 1


def test_output_of_agents_goes_to_no_log() -> None:
    case = Case()
    case.screen.gone = True
    case.view.output("compiling\n")
    case.view.refresh()
    case.view.output("compiling\n")
    assert "compiling" not in case.log.text


def test_any_stream_of_text_serves() -> None:
    stream = io.StringIO()
    PlainView(stream, HandClock()).note("word")
    assert stream.getvalue() == "22:00 word\n"
