"""A look at the network that never holds anything up, against real sockets on this machine."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from ralph_wiggum.adapters.network import NetworkLook

PATIENCE_SECONDS = 20.0


@pytest.fixture
def port() -> Iterator[int]:
    """Return a port on which nothing listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def back_within(look: NetworkLook, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if look():
            return True
        time.sleep(0.01)
    return False


def test_a_network_that_was_gone_and_is_there_again_is_noticed(port: int) -> None:
    look = NetworkLook(["127.0.0.2"], port, between=0.05)
    try:
        assert not back_within(look, 1.0)
        with socket.create_server(("127.0.0.2", port)):
            assert back_within(look, PATIENCE_SECONDS)
    finally:
        look.close()


def test_a_network_that_was_never_seen_gone_does_not_come_back(port: int) -> None:
    """Else an agent that says offline for another reason would be asked again at once, for ever."""
    look = NetworkLook(["127.0.0.2"], port, between=0.05)
    try:
        with socket.create_server(("127.0.0.2", port)):
            assert not back_within(look, 1.0)
    finally:
        look.close()


def test_without_hosts_nobody_knows_and_nothing_is_started() -> None:
    look = NetworkLook([], between=0.0)
    assert not back_within(look, 0.1)
    look.close()


def test_a_look_costs_no_time_where_the_answer_takes_long() -> None:
    """An address to which packets go and from which none come back."""
    look = NetworkLook(["192.0.2.1"], between=0.0)
    try:
        began = time.monotonic()
        for _ in range(50):
            look()
        assert time.monotonic() - began < 2
    finally:
        look.close()
