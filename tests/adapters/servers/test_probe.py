"""Asking real servers: what they answer, how long it may take, and that nobody ever waits for it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ralph_wiggum.adapters.servers.addresses import Names
from ralph_wiggum.adapters.servers.probe import Probe
from ralph_wiggum.core.servers import target as targets
from ralph_wiggum.core.servers.answer import Answer, Kind
from ralph_wiggum.core.servers.target import Target
from tests.adapters.servers.lab import answers, dummy, new_port, somebody, wait_until

STEP_SECONDS = 0.25  # generous: one step takes a millisecond


def ask(target: Target, *, timeout: float = 10.0, longest_step: float = STEP_SECONDS) -> Answer:
    """Ask once, measuring that no step takes long."""
    addresses = Names().addresses(target.host, target.port)
    began = time.monotonic()
    probe = Probe(target, addresses, expected=((200, 399),), timeout=timeout, now=began)
    while True:
        before = time.monotonic()
        answer = probe.step(before)
        after = time.monotonic()
        assert after - before < longest_step
        if answer is not None:
            assert after - began < timeout + 5
            return answer
        time.sleep(0.002)


def url(port: int, host: str = "localhost", scheme: str = "http") -> Target:
    target = targets.of_url(f"{scheme}://{host}:{port}/")
    assert target is not None
    return target


@contextmanager
def running(*words: str, host: str = "127.0.0.1") -> Iterator[int]:
    port = new_port()
    with somebody(dummy(port, f"host={host}", *words), port, host=host):
        yield port


def ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not ipv6(), reason="this machine has no IPv6")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param((), Answer(Kind.GOOD, "answers 200"), id="good"),
        pytest.param(("status=302",), Answer(Kind.GOOD, "answers 302"), id="a redirect"),
        pytest.param(("status=500",), Answer(Kind.BAD, "answers 500, expected 200-399"), id="500"),
        pytest.param(("greet=SSH-2.0-x",), Answer(Kind.BAD, "does not speak HTTP ('SSH-2.0-x?')"), id="no HTTP"),
        pytest.param(("hang_up",), Answer(Kind.SILENT, "closes the connection without an answer"), id="closes at once"),
    ],
)
def test_what_a_server_answers(words: tuple[str, ...], expected: Answer) -> None:
    with running(*words) as port:
        assert ask(url(port)) == expected


@pytest.mark.parametrize("word", ["silent", "drip"])
def test_one_that_does_not_come_to_an_answer_is_silent_in_time(word: str) -> None:
    with running(word) as port:
        began = time.monotonic()
        assert ask(url(port), timeout=0.5) == Answer(Kind.SILENT, "does not answer within 0.5 s")
        assert time.monotonic() - began >= 0.5


def test_nobody_there() -> None:
    assert ask(url(new_port())) == Answer(Kind.ABSENT, "connection refused")


@pytest.mark.parametrize("host", ["127.0.0.1", pytest.param("::1", marks=needs_ipv6)])
@pytest.mark.parametrize("name", ["localhost", "app.localhost", "0.0.0.0"])  # noqa: S104 - asked, not bound
def test_a_server_at_one_of_the_machines_addresses_is_found_by_its_name(host: str, name: str) -> None:
    """Vite listens on ::1 only, others on 127.0.0.1 only."""
    with running(host=host) as port:
        assert ask(url(port, name)).good


@pytest.mark.parametrize(
    ("host", "asked", "kind"),
    [
        pytest.param("127.0.0.1", "127.0.0.1", Kind.GOOD, id="IPv4"),
        pytest.param("::1", "[::1]", Kind.GOOD, id="IPv6", marks=needs_ipv6),
        pytest.param("127.0.0.1", "[::1]", Kind.ABSENT, id="the other one", marks=needs_ipv6),
    ],
)
def test_a_server_by_its_address(host: str, asked: str, kind: Kind) -> None:
    with running(host=host) as port:
        assert ask(url(port, asked)).kind is kind


def test_a_port_is_asked_for_a_connection_only() -> None:
    with running("silent") as port:
        assert ask(Target(host="localhost", port=port)).good
    assert ask(Target(host="localhost", port=new_port())).kind is Kind.ABSENT


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not there")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    made = subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", path],
        capture_output=True,
        check=True,
    )
    path.write_bytes(path.read_bytes() + made.stdout)
    return path


def test_a_certificate_that_nobody_signed_will_do(certificate: Path) -> None:
    with running(f"tls={certificate}") as port:
        assert ask(url(port, scheme="https"), longest_step=2.0).good  # the first one loads the TLS library


def test_https_where_plain_http_is_spoken(certificate: Path) -> None:
    with running(f"tls={certificate}") as port:
        assert ask(url(port)).kind in {Kind.BAD, Kind.SILENT}
    with running() as port:
        assert ask(url(port, scheme="https"), timeout=1, longest_step=2.0).kind in {Kind.BAD, Kind.SILENT}


def test_a_tls_server_that_never_shakes_hands_is_silent() -> None:
    with running("silent") as port:
        assert ask(url(port, scheme="https"), timeout=0.5, longest_step=2.0).kind is Kind.SILENT


def test_a_large_answer_is_taken_so_that_the_server_has_no_broken_pipes(tmp_path: Path) -> None:
    port, log = new_port(), tmp_path / "log"
    with somebody(f"{dummy(port, 'big')} > {log}", port):
        for _ in range(3):
            assert ask(url(port)).good
        wait_until(lambda: answers(port))
    assert "trouble" not in log.read_text()


def test_a_connection_to_itself_is_nobody() -> None:
    """A client whose own port the system chooses may get the very one that it asks for."""
    port = new_port()
    for _ in range(200):
        assert ask(Target(host="127.0.0.1", port=port)).kind is Kind.ABSENT


def test_a_host_that_is_not_known_has_no_addresses_and_is_not_looked_up_by_itself() -> None:
    assert Names().addresses("no-such-host.invalid", 80) == ()


def test_a_probe_that_is_closed_leaves_nothing_open() -> None:
    with running("silent") as port:
        target = url(port)
        now = time.monotonic()
        probe = Probe(target, Names().addresses("localhost", port), expected=((200, 399),), timeout=9, now=now)
        for _ in range(20):
            assert probe.step(now) is None
        probe.close()
        probe.close()
