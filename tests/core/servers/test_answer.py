"""What came back from a server -> an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core.servers.answer import MOST_BYTES, Answer, Kind, no_http, of_status, status_of

USUAL = ((200, 399),)


@pytest.mark.parametrize(
    ("status", "expected", "kind", "words"),
    [
        pytest.param(200, USUAL, Kind.GOOD, "answers 200", id="good"),
        pytest.param(302, USUAL, Kind.GOOD, "answers 302", id="a redirect is an answer"),
        pytest.param(404, USUAL, Kind.BAD, "answers 404, expected 200-399", id="not found"),
        pytest.param(401, ((200, 299), (401, 401)), Kind.GOOD, "answers 401", id="the second of two"),
        pytest.param(500, ((204, 204),), Kind.BAD, "answers 500, expected 204", id="one status"),
        pytest.param(400, ((200, 299), (401, 401)), Kind.BAD, "answers 400, expected 200-299 or 401", id="between two"),
    ],
)
def test_a_status_is_good_or_bad(status: int, expected: tuple[tuple[int, int], ...], kind: Kind, words: str) -> None:
    assert of_status(status, expected) == Answer(kind, words)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(b"", None, id="nothing yet"),
        pytest.param(b"HTT", None, id="a part of the line"),
        pytest.param(b"HTTP/1.1 200 OK", None, id="a line without its end"),
        pytest.param(b"HTTP/1.1 200 OK\r\nServer: x", 200, id="a line"),
        pytest.param(b"HTTP/1.0 404 Not Found\n", 404, id="an old server, a lone newline"),
        pytest.param(b"HTTP/1.1 200\r\n", 200, id="no reason phrase"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n", None, id="an interim answer"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 500 Oh\r\n", 500, id="and the final one"),
    ],
)
def test_the_status_of_an_answer_that_comes_in_pieces(data: bytes, status: int | None) -> None:
    assert status_of(data) == status


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="ssh"),
        pytest.param(b"\x15\x03\x01\x00\x02\x02\x46", id="a TLS alert"),
        pytest.param(b"HTTP/1.1 OK\r\n", id="no status"),
        pytest.param(b"x", id="one wrong byte"),
        pytest.param(b"HTTP/1.1 200 " + b"a" * MOST_BYTES, id="a line that never ends"),
    ],
)
def test_what_is_no_http(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^b['\"]"):
        status_of(data)


def test_how_what_is_no_http_is_called() -> None:
    assert no_http(b"SSH-2.0-OpenSSH\r\n").words == "does not speak HTTP ('SSH-2.0-OpenSSH?')"
    assert no_http(b"\x15\x03\x01").words == "speaks TLS: its URL begins with https"
    assert no_http(b"\x1b[31mred").words == "does not speak HTTP ('?[31mred')"


@given(st.binary(max_size=200))
def test_no_bytes_are_a_surprise(data: bytes) -> None:
    for size in range(len(data) + 1):
        try:
            found = status_of(data[:size])
        except ValueError:
            return
        assert found is None or 200 <= found <= 999


@given(st.binary(max_size=100), st.integers(200, 599))
def test_what_follows_the_status_line_makes_no_difference(rest: bytes, status: int) -> None:
    assert status_of(f"HTTP/1.1 {status} x\r\n".encode() + rest) == status


@pytest.mark.parametrize(
    ("kind", "there", "alive"),
    [
        pytest.param(Kind.GOOD, True, True, id="good"),
        pytest.param(Kind.BAD, True, True, id="bad"),
        pytest.param(Kind.SILENT, True, False, id="silent"),
        pytest.param(Kind.ABSENT, False, False, id="absent"),
    ],
)
def test_what_an_answer_says_of_a_server(kind: Kind, *, there: bool, alive: bool) -> None:
    answer = Answer(kind)
    assert (answer.there, answer.alive, answer.good) == (there, alive, kind is Kind.GOOD)
