"""Sizes and spans: what a person writes is read, what is shown is never more than there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core import sizes


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("500 MB", 500_000_000),
        ("500MB", 500_000_000),
        (" 2 GiB ", 2 << 30),
        ("2g", 2_000_000_000),
        ("1.5 kB", 1_500),
        ("64 KiB", 65_536),
        ("1 TB", 10**12),
        ("7 b", 7),
        ("0 MB", 0),
    ],
)
def test_a_size_has_a_unit(text: str, count: int) -> None:
    assert sizes.parse(text) == count


@pytest.mark.parametrize("text", ["", "500", "MB", "-1 MB", "1,5 GB", "5 GBs", "5 PB", "0x5 MB", "1 MB 2 kB", "5 MB/s"])
def test_what_is_no_size_is_none(text: str) -> None:
    assert sizes.parse(text) is None


@given(st.text(max_size=20))
def test_no_text_breaks_the_readers(text: str) -> None:
    assert sizes.parse(text) is None or sizes.parse(text) >= 0  # type: ignore[operator]  # None is the other case
    share = sizes.parse_share(text)
    assert share is None or share >= 0


@given(st.integers(0, 10**15))
def test_a_size_in_words_reads_back_as_no_more_and_nearly_as_much(count: int) -> None:
    back = sizes.parse(sizes.size(count).replace("bytes", "b"))
    assert back is not None
    assert count * 0.9 <= back <= count


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (89, "1 min"),
        (3_600, "1 h"),
        (7_805, "2 h 10 min"),
        (28_800, "8 h"),
    ],
)
def test_a_span_is_shown_to_the_minute(seconds: float, words: str) -> None:
    assert sizes.span(seconds) == words
