"""Lines split as a shell would, without one: quoting, chains, comments, and what would need a shell."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core.visual.shell_words import UNCLOSED, split, unclosed


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("a b", [("a", "b")], id="blanks part words"),
        pytest.param("""is visible "[data-testid='go']\"""", [("is", "visible", "[data-testid='go']")], id="quotes"),
        pytest.param("""a 'x y'"z"\\ w""", [("a", "x yz w")], id="quotes that touch are one word"),
        pytest.param("""a "" ''""", [("a", "", "")], id="empty words stay"),
        pytest.param('a "x \\" y \\n"', [("a", 'x " y \\n')], id="what a backslash escapes in double quotes"),
        pytest.param("a && b; c", [("a",), ("b",), ("c",)], id="chains"),
        pytest.param(
            "a 'b && c' \"d; e | f > g\"", [("a", "b && c", "d; e | f > g")], id="operators in quotes are text"
        ),
        pytest.param("click #save", [("click", "#save")], id="a hash that begins a word is a selector"),
        pytest.param("click a#b", [("click", "a#b")], id="a hash inside of a word is no comment"),
        pytest.param("snapshot -i  # look at it", [("snapshot", "-i")], id="a comment"),
        pytest.param("# a && b", [], id="nothing but a comment"),
        pytest.param("## heading", [], id="two hashes are one too"),
        pytest.param("a 'it # is'", [("a", "it # is")], id="no comment in quotes"),
        pytest.param("wait --url **/customers/*", [("wait", "--url", "**/customers/*")], id="globs stay as they are"),
        pytest.param('fill x "$5.00"', [("fill", "x", "$5.00")], id="money is no variable"),
        pytest.param("fill x '$HOME `date`'", [("fill", "x", "$HOME `date`")], id="single quotes keep everything"),
        pytest.param("""get attr "a[href$='.pdf']\"""", [("get", "attr", "a[href$='.pdf']")], id="ends-with selector"),
        pytest.param("eval document.title()", [("eval", "document.title()")], id="brackets are let be"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_words(line: str, words: list[tuple[str, ...]]) -> None:
    found = split(line)
    assert [simple.words for simple in found] == words
    assert not any(simple.needs for simple in found)


@pytest.mark.parametrize(
    ("line", "needs"),
    [
        ("a | b", ["|"]),
        ("a || true", ["||", ""]),
        ("a > out", [">"]),
        ("a 2>&1", [">", ""]),
        ("a < in", ["<"]),
        ("a & b", ["&", ""]),
        ("a $HOME", ["$NAME"]),
        ('a "${HOME}"', ["${"]),
        ('a "$(date)"', ["$("]),
        ("a `date`", ["`"]),
        ('a "x', [UNCLOSED]),
        ("a 'x", [UNCLOSED]),
        ("ok && a | b; c", ["", "|", ""]),
    ],
)
def test_what_only_a_shell_can_do_is_named(line: str, needs: list[str]) -> None:
    assert [simple.needs for simple in split(line)] == needs


def test_the_comment_and_the_text_are_kept() -> None:
    (simple,) = split("""agent-browser is visible "#a"   # should be false""")
    assert simple.text == 'agent-browser is visible "#a"'
    assert simple.comment == "should be false"


@given(st.text(max_size=60))
def test_no_line_is_too_odd(line: str) -> None:
    for simple in split(line):
        assert simple.text
    assert unclosed(line) in {True, False}


@given(st.lists(st.text(min_size=1, max_size=12).filter(lambda word: "\0" not in word), min_size=1, max_size=5))
def test_what_shlex_quotes_comes_back_as_it_was(words: list[str]) -> None:
    (simple,) = split(shlex.join(words))
    assert simple.words == tuple(words)
    assert simple.needs == ""
