"""Bounded, printable pieces of text: no limit is ever broken, nothing invisible gets through."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core import excerpt

_TEXTS = st.text(max_size=400) | st.text(alphabet="ab\n界é…", max_size=400)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a\tb\nc", "a\tb\nc", id="tab and newline stay"),
        pytest.param("a\r\nb\rc\x0cd\u2028e", "a\nb\nc\nd\ne", id="every line end becomes a newline"),
        pytest.param("a\x00\x07\x1b\x7f\x9bb", "ab", id="control characters go"),
        pytest.param("safe\u202etxt.exe\u2066", "safetxt.exe", id="direction overrides go"),
        pytest.param("a\U000e0041\U000e007fb", "ab", id="invisible tag characters go"),
        pytest.param("\ufeffa\u200bb", "ab", id="byte-order mark and zero-width space go"),
        pytest.param(
            "👩\u200d🚀 می\u200cخواهم", "👩\u200d🚀 می\u200cخواهم", id="the joiners of emoji and Persian stay"
        ),
        pytest.param("a\ud800b", "a\ufffdb", id="half a surrogate pair is replaced"),
    ],
)
def test_printable(text: str, expected: str) -> None:
    assert excerpt.printable(text) == expected


@given(_TEXTS)
def test_printable_text_can_be_written_and_shows_all_it_holds(text: str) -> None:
    clean = excerpt.printable(text)
    clean.encode("utf-8")
    assert excerpt.printable(clean) == clean
    assert {unicodedata.category(char) for char in clean} & {"Cc", "Cs"} <= (
        {"Cc"} if set(clean) & {"\n", "\t"} else set()
    )


@given(_TEXTS, st.integers(min_value=0, max_value=300))
def test_no_cut_is_longer_than_its_limit(text: str, limit: int) -> None:
    for cut in (excerpt.head(text, limit), excerpt.tail(text, limit), excerpt.ends(text, limit, first=0.3)):
        assert excerpt.size(cut) <= limit
        assert cut == text or excerpt.size(text) > limit


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        pytest.param(
            excerpt.head("one\ntwo\nthree\nfour", 14, "[…]"), "one\ntwo\n[…]", id="the head ends with a whole line"
        ),
        pytest.param(excerpt.tail("one\ntwo\nthree\nfour", 14, "[…]"), "[…]\nfour", id="the tail begins with one"),
        pytest.param(excerpt.ends("one\n" + "x\n" * 50 + "end", 20, "[…]"), "one\nx\n[…]\nx\nx\nend", id="both ends"),
        pytest.param(excerpt.head("界" * 10, 10, ""), "界界界\n", id="no character is cut in two"),
    ],
)
def test_cuts_fall_between_lines(cut: str, expected: str) -> None:
    assert cut == expected


@given(st.lists(st.integers(min_value=0, max_value=1000), max_size=8), st.integers(min_value=0, max_value=3000))
def test_shares_stay_within_the_budget_and_waste_none_of_it(sizes: list[int], budget: int) -> None:
    granted = excerpt.shares(sizes, budget)
    assert all(0 <= got <= wanted for got, wanted in zip(granted, sizes, strict=True))
    assert sum(granted) == min(sum(sizes), budget) if sizes else granted == ()


def test_shares_give_what_is_small_all_it_needs() -> None:
    assert excerpt.shares((100, 5000, 9000), 6000) == (100, 2950, 2950)
