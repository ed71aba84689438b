"""Ports of this machine: free or not, and whose."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from ralph_wiggum.adapters.servers.addresses import Names, free_port, holder, is_free
from tests.adapters.servers.lab import dummy, new_port, somebody


@pytest.mark.parametrize("listening", [True, False])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0"])  # noqa: S104 - that is the point
def test_a_port_that_somebody_has_is_not_free(host: str, *, listening: bool) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as line:
        try:
            line.bind((host, 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        port = line.getsockname()[1]
        if listening:
            line.listen()
        assert not is_free(port)
    assert is_free(port)


def test_a_free_port_is_free_and_not_one_that_was_given_out() -> None:
    first = free_port(())
    assert is_free(first)
    others = {free_port({first}) for _ in range(20)}
    assert first not in others


def test_who_listens_on_a_port(tmp_path: Path) -> None:
    port = new_port()
    assert holder(port).pid == 0
    with somebody(dummy(port), port, cwd=tmp_path) as pid:
        found = holder(port)
        assert found.pid == pid
        assert found.program.startswith("python")
        assert Path(found.folder) == tmp_path


def test_who_listens_on_ipv6() -> None:
    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with server:
        assert holder(server.getsockname()[1]).pid == os.getpid()


def test_a_name_that_was_looked_up_is_known() -> None:
    names = Names()
    host = socket.gethostname()
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        pytest.skip("this machine does not know its own name")
    names.look_up(host)
    assert names.addresses(host, 80)
    names.look_up("no-such-host.invalid")
    assert names.addresses("no-such-host.invalid", 80) == ()
