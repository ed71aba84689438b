"""O12: what a step of the loop raises is said, waited out and tried again; only what must end a run does."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from ralph_wiggum.app.endure import BACK_OFF_SECONDS, PATIENCE, Endurance
from ralph_wiggum.core.errors import Exit, RalphError
from tests.app.nights import NightOfFakes, writes

SURPRISES = [
    pytest.param(AttributeError("no such field"), id="a bug: a wrong name"),
    pytest.param(AssertionError("cannot be"), id="a bug: an assumption"),
    pytest.param(KeyError("1.2"), id="a bug: a missing key"),
    pytest.param(MemoryError(), id="no memory"),
    pytest.param(RecursionError("too deep"), id="too deep"),
    pytest.param(EOFError("closed"), id="the keeper's socket closed"),
    pytest.param(re.error("bad pattern"), id="an error class of a library"),
    pytest.param(subprocess.SubprocessError("no fork"), id="a child that could not be started"),
    pytest.param(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), id="bytes that are no text"),
    pytest.param(OSError(28, "No space left on device"), id="a full disk"),
    pytest.param(RalphError("tasks.md cannot be read"), id="an error with a hint"),
]


def night_of(tmp_path: Path) -> NightOfFakes:
    return NightOfFakes("- [ ] 1. A\n", writes({}), tmp_path)


@pytest.mark.parametrize("surprise", SURPRISES)
def test_no_unknown_error_ends_the_loop(surprise: Exception, tmp_path: Path) -> None:
    night = night_of(tmp_path)
    reports: list[BaseException] = []
    told: list[str] = []

    def report(error: BaseException) -> str:
        reports.append(error)
        return " (reported)"

    endurance = Endurance(night.ports, report, lambda: told.append("told"))
    steps = iter([surprise, surprise, "done"])

    def step() -> str:
        result = next(steps)
        if isinstance(result, Exception):
            raise result
        return str(result)

    assert [endurance.take(step) for _ in range(3)] == [None, None, "done"]
    assert night.clock.pauses == list(BACK_OFF_SECONDS[:2])
    assert told == ["told", "told"]
    assert len([words for words in night.view.words if words.startswith("could not go on")]) == 1  # not each time
    assert bool(reports) is not isinstance(surprise, (RalphError, OSError))


def test_trouble_that_is_over_is_told_with_its_length(tmp_path: Path) -> None:
    """While a disk is full nothing can be written down: a person hears of it in the morning all the same."""
    night = night_of(tmp_path)
    told: list[str] = []
    endurance = Endurance(night.ports, lambda _: "", over=told.append)
    steps = iter([OSError(28, "No space left on device"), OSError(28, "No space left on device"), "done", "done"])

    def step() -> str:
        result = next(steps)
        if isinstance(result, Exception):
            raise result
        return str(result)

    for _ in range(4):
        endurance.take(step)
    assert told == [f"could not go on for {sum(BACK_OFF_SECONDS[:2]):.0f} s: [Errno 28] No space left on device"]


def test_words_about_trouble_that_cannot_be_written_make_no_more(tmp_path: Path) -> None:
    night = night_of(tmp_path)

    def over(_: str) -> None:
        raise OSError(28, "No space left on device")

    endurance = Endurance(night.ports, lambda _: "", over=over)
    steps = iter([OSError(28, "No space left on device"), "done"])

    def step() -> str:
        result = next(steps)
        if isinstance(result, Exception):
            raise result
        return str(result)

    assert [endurance.take(step), endurance.take(step)] == [None, "done"]


def test_a_lost_lock_ends_the_run_at_once(tmp_path: Path) -> None:
    """O38: another exit code than bad input is meant."""

    def step() -> None:
        raise RalphError("another run holds this work tree", code=Exit.LOCKED)

    with pytest.raises(RalphError):
        Endurance(night_of(tmp_path).ports, lambda _: "").take(step)


def test_a_run_that_can_do_nothing_does_not_wait_for_ever(tmp_path: Path) -> None:
    night = night_of(tmp_path)
    endurance = Endurance(night.ports, lambda _: "")

    def step() -> None:
        raise OSError(30, "Read-only file system")

    for _ in range(PATIENCE):
        assert endurance.take(step) is None
    with pytest.raises(OSError, match="Read-only"):
        endurance.take(step)
    assert night.clock.monotonic() > 11 * 3600


def test_servers_are_looked_after_while_trouble_is_waited_out(tmp_path: Path) -> None:
    night = night_of(tmp_path)
    calls: list[str] = []

    def meanwhile() -> None:
        calls.append("tended")
        raise KeyError("more trouble")

    endurance = Endurance(night.ports, lambda _: "", meanwhile=meanwhile)
    steps = iter([OSError(28, "No space left on device"), "done"])

    def step() -> str:
        match next(steps):
            case Exception() as error:
                raise error
            case text:
                return str(text)

    assert endurance.take(step) is None
    assert endurance.take(step) == "done"
    assert calls
