"""Terminal text: what a person would have read is what comes out, and nothing that could fool them (O16, O29)."""

from __future__ import annotations

import time
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ralph_wiggum.core.terminal import LINE_LIMIT, Cleaner, clean

DISGUISES = "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202e\u2028\u2029\u2060\u2066\u2069\ufeff\ufffb\U000e0041"

FRAGMENTS = st.sampled_from(
    [
        *("\x1b", "\x1b[", "\x1b[31m", "\x1b[2K", "\x1b[K", "\x1b[G", "\x1b]0;title", "\x07", "\x1b\\", "\x1bP1$r"),
        *("\x9b", "1;2H", "\x9d8;;http", "\x9c", "\x90", "\x1b(B", "\x1b7", "\r", "\r\n", "\n", "\b", "\t", "\f"),
        *("TASK_COMPLETE", "progress 1%", "é漢👍🏽", " ", "\ud800", "[", "m", "\x00", "\x7f", "\x85", *DISGUISES),
    ]
)
TEXTS = st.lists(FRAGMENTS | st.text(max_size=6), max_size=40).map("".join)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param("plain\ttext\n", "plain\ttext\n", id="plain text stays, tab and newline too"),
        pytest.param("\x1b[1;38;5;141m> \x1b[0mHELLO", "> HELLO", id="colours go"),
        pytest.param("\x1b[?25l\x1b[?2004hx\x1b[?25h", "x", id="private modes go"),
        pytest.param("\x1b[>4m\x1b[<ux", "x", id="keyboard modes go"),
        pytest.param("a\x9b31mb", "ab", id="an 8-bit sequence goes"),
        pytest.param("\x1b]0;title\x07x", "x", id="a title ended by BEL goes"),
        pytest.param("\x1b]8;;https://e.example\x1b\\link\x1b]8;;\x1b\\", "link", id="a hyperlink leaves its text"),
        pytest.param("\x9d0;title\x9cx", "x", id="an 8-bit title goes"),
        pytest.param("\x1b]0;never ended\nTASK_COMPLETE", "\nTASK_COMPLETE", id="an unended title costs its line only"),
        pytest.param("\x1b]0;never ended\x1b[31mred", "red", id="an unended title ends at the next sequence"),
        pytest.param("\x1bP1$r0m\x1b\\x\x1b_apc\x1b\\y\x1b^pm\x1b\\z", "xyz", id="device and program strings go"),
        pytest.param("\x1b(B\x0fx\x1b7\x1b8\x1b=\x1bc", "x", id="short escapes go"),
        pytest.param("\x1b[3\n1m", "\n1m", id="a newline ends a cut sequence"),
        pytest.param("\x1b[31é", "é", id="a letter that ends no sequence stays"),
        pytest.param("\x1b\x1b[31mx", "x", id="an escape begins anew"),
        pytest.param("x\x1b", "x", id="an escape at the end goes"),
        pytest.param("x\x1b[38;5", "x", id="a cut sequence at the end goes"),
        pytest.param("progress 1%\rprogress 2%\n", "progress 2%\n", id="a rewritten line appears as it was last"),
        pytest.param("one\r\ntwo\r\r\n", "one\ntwo\n", id="line ends of a terminal become newlines"),
        pytest.param("left\r", "left", id="a return at the very end rewrites nothing"),
        pytest.param("TASK_COMPLETE\n- spinner\r\x1b[K", "TASK_COMPLETE\n", id="an erased spinner is gone"),
        pytest.param("abc\x1b[2Kd", "d", id="an erased line is gone"),
        pytest.param("abc\x1b[Kd", "abcd", id="erasing to the right of the cursor takes nothing"),
        pytest.param("1%\x1b[1G2%", "2%", id="the cursor at column one is a return"),
        pytest.param("abd\bc", "abc", id="a backspace takes one back"),
        pytest.param("\b\b\nx\b\b\b", "\n", id="backspaces stop at the start of the line"),
        pytest.param("B\bBo\bol\bld\bd", "Bold", id="overstruck bold reads once"),
        pytest.param("ab\r\bc", "c", id="a backspace at column one takes nothing"),
        pytest.param("a\x00\x01\x7f\x85b", "ab", id="other control characters go"),
        pytest.param("a\fb\vc", "a\nb\nc", id="form feed and vertical tab are new lines, as on a terminal"),
        pytest.param("abc\u202edcba\u202c", "abcdcba", id="direction overrides go"),
        pytest.param("TASK_\u200bCOM\u2060PLE\ufeffTE\u00ad", "TASK_COMPLETE", id="zero-width characters go"),
        pytest.param("a\u2028b\u2029c", "a b c", id="line separators become spaces, never lines"),
        pytest.param("a\U000e0041\U000e007fb", "ab", id="tag characters go"),
        pytest.param(
            "👨\u200d👩\u200d👧 می\u200cخواهم ⚠\ufe0f",
            "👨\u200d👩\u200d👧 می\u200cخواهم ⚠\ufe0f",
            id="joiners that spell stay",
        ),
        pytest.param("a\ud800b", "a\ufffdb", id="half a character becomes a replacement character"),
    ],
)
def test_clean(raw: str, expected: str) -> None:
    assert clean(raw) == expected


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_no_control_character_or_disguise_ever_comes_out(text: str) -> None:
    for character in clean(text):
        assert character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
        assert character not in DISGUISES
        assert unicodedata.bidirectional(character) not in {
            "LRE",
            "LRO",
            "RLE",
            "RLO",
            "PDF",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        }


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_cleaning_again_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(TEXTS, st.lists(st.integers(0, 400), max_size=12))
@settings(max_examples=400, deadline=None)
def test_where_the_text_is_cut_makes_no_difference(text: str, cuts: list[int]) -> None:
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    cleaner = Cleaner()
    pieces = [cleaner.feed(text[start:end]) for start, end in pairwise(bounds)]
    assert "".join(pieces) + cleaner.rest() == clean(text)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"])))
def test_ordinary_text_of_any_language_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


def test_a_line_longer_than_the_limit_comes_out_whole_however_it_is_cut() -> None:
    line = "0123456789" * LINE_LIMIT
    cleaner = Cleaner()
    pieces = [cleaner.feed(line[start : start + 777]) for start in range(0, len(line), 777)]
    assert "".join(pieces) + cleaner.rest() == line
    assert clean(line + "\x1b[0m") == line


def test_what_is_held_back_is_bounded_whatever_comes() -> None:
    cleaner = Cleaner()
    out = sum(len(cleaner.feed("x" * 1000)) for _ in range(1000))
    assert out >= 1_000_000 - LINE_LIMIT
    for opener in ("\x1b[", "\x1b]0;"):
        cleaner.feed(opener)
        assert cleaner.feed("1" * 1_000_000) == ""
        cleaner.feed("\n")
    assert len(cleaner.rest()) <= LINE_LIMIT


def test_rest_keeps_an_open_sequence_open() -> None:
    cleaner = Cleaner()
    assert cleaner.feed("prompt> \x1b[3") == ""
    assert cleaner.rest() == "prompt> "
    assert cleaner.feed("1myes\n") == "yes\n"


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param("\b", id="backspaces"),
        pytest.param("\r", id="returns"),
        pytest.param("a\b", id="written and taken back"),
        pytest.param("a\x00", id="nulls between letters"),
        pytest.param("\x1b[31mx", id="a colour for each letter"),
        pytest.param("\x1b]0;", id="titles that never end"),
        pytest.param("\x1b[", id="sequences that never end"),
        pytest.param("1%\r", id="a rewritten line"),
    ],
)
def test_time_grows_with_the_length_only(hostile: str) -> None:
    text = (hostile * 400_000)[:400_000]
    started = time.process_time()
    clean("x" * LINE_LIMIT + text)
    assert time.process_time() - started < 5.0  # quadratic work would take minutes
