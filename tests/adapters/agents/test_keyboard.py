"""What is typed, byte by byte."""

from __future__ import annotations

import pytest

from ralph_wiggum.adapters.agents.keyboard import PIECE_BYTES, in_lines, replies


@pytest.mark.parametrize(
    ("prompt", "typed"),
    [
        pytest.param(b"", b"\n\x04", id="nothing is Enter and the end"),
        pytest.param(b"a\n\nb", b"a\n\nb\n\x04", id="lines end with Enter, the last one too"),
        pytest.param(b"x" * PIECE_BYTES, b"x" * PIECE_BYTES + b"\n\x04", id="a line of one piece is not cut"),
        pytest.param(b"x" * PIECE_BYTES + b"y", b"x" * PIECE_BYTES + b"\x04y\n\x04", id="a longer one is handed over in between"),
    ],
)  # fmt: skip
def test_in_lines(prompt: bytes, typed: bytes) -> None:
    assert in_lines(prompt, b"\x04") == typed


@pytest.mark.parametrize(
    ("printed", "reply"),
    [
        pytest.param(b"hello\x1b[6n", b"\x1b[1;1R", id="where is the cursor"),
        pytest.param(b"\x1b[?u\x1b[c", b"\x1b[?62;22c", id="what are you"),
        pytest.param(b"\x1b[6n" + b"x" * 100, b"", id="asked long ago"),
        pytest.param(b"plain text", b"", id="nothing asked"),
    ],
)
def test_replies(printed: bytes, reply: bytes) -> None:
    assert replies(printed) == reply
