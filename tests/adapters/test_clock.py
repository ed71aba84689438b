"""The machine's time, and signals to the runner: with real signals, to this very process."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from ralph_wiggum.adapters.clock import Interrupts, SystemClock


def never() -> bool:
    return False


def later(seconds: float, do: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, do)
    timer.start()
    return timer


def press(number: int) -> None:
    """Send a signal to this process, and let Python run its handler."""
    os.kill(os.getpid(), number)
    time.sleep(0.001)


def test_now_knows_its_zone() -> None:
    now = SystemClock().now()
    assert now.utcoffset() is not None
    assert abs(now.timestamp() - time.time()) < 1


def test_a_pause_lasts_as_long_as_it_should() -> None:
    clock = SystemClock()
    began = clock.monotonic()
    clock.pause(0.3, never)
    assert 0.3 <= clock.monotonic() - began < 0.5


def test_a_pause_that_need_not_be_is_none() -> None:
    began = time.monotonic()
    SystemClock().pause(10, lambda: True)
    SystemClock().pause(-1, never)
    assert time.monotonic() - began < 0.1


def test_a_pause_ends_soon_after_it_may() -> None:
    woken = threading.Event()
    timer = later(0.1, woken.set)
    began = time.monotonic()
    SystemClock().pause(10, woken.is_set)
    assert time.monotonic() - began < 0.6
    timer.join()


def test_a_signal_ends_a_pause_at_once() -> None:
    with Interrupts() as interrupts:
        timer = later(0.3, lambda: os.kill(os.getpid(), signal.SIGTERM))  # between two looks, at 0.25 and 0.5
        began = time.monotonic()
        SystemClock(interrupts.fileno()).pause(10, lambda: bool(interrupts.reason))
        assert time.monotonic() - began < 0.45
        timer.join()
    assert interrupts.reason == "SIGTERM"


def test_a_signal_that_means_nothing_does_not_end_a_pause() -> None:
    with Interrupts() as interrupts:
        timer = later(0.05, lambda: os.kill(os.getpid(), signal.SIGHUP))
        began = time.monotonic()
        SystemClock(interrupts.fileno()).pause(0.4, lambda: bool(interrupts.reason))
        assert time.monotonic() - began >= 0.4
        timer.join()
    assert interrupts.hung_up


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_a_wish(number: signal.Signals) -> None:
    with Interrupts() as interrupts:
        assert (interrupts.reason, interrupts.count) == ("", 0)
        press(number)
        assert (interrupts.reason, interrupts.count) == (number.name, 1)


def test_the_second_signal_breaks_out() -> None:
    with Interrupts() as interrupts:
        press(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            press(signal.SIGINT)
    assert (interrupts.reason, interrupts.count) == ("SIGTERM", 2)


def test_a_closed_terminal_is_noted_and_stops_nothing() -> None:
    with Interrupts() as interrupts:
        press(signal.SIGHUP)
        press(signal.SIGHUP)
        assert (interrupts.reason, interrupts.count, interrupts.hung_up) == ("", 0, True)


def test_handlers_of_before_are_put_back() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    with Interrupts():
        assert [signal.getsignal(number) for number in numbers] != before
    assert [signal.getsignal(number) for number in numbers] == before
    old = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(old)
    assert old == -1


def test_ten_thousand_signals_do_not_block() -> None:
    """The wake-up descriptor is full then, and says nothing of it."""
    with Interrupts() as interrupts:
        for _ in range(10_000):
            os.kill(os.getpid(), signal.SIGHUP)
        SystemClock(interrupts.fileno()).pause(0.01, never)
        assert interrupts.hung_up
