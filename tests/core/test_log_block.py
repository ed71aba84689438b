"""The status block is always the same size, whatever it says (O27)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ralph_wiggum.core.log_block import (
    BLOCK_BYTES,
    StatusValues,
    empty_block,
    fixed_size,
    is_block,
    render,
    without_block,
)

VALUES = st.builds(
    StatusValues,
    spec=st.text(max_size=400),
    updated=st.text(max_size=60),
    completed=st.integers(0, 10**9),
    total=st.integers(0, 10**9),
    current=st.text(max_size=2000),
    loop=st.text(max_size=200),
    detail=st.text(max_size=2000),
)


@given(VALUES)
def test_a_block_is_always_exactly_1024_bytes(values: StatusValues) -> None:
    block = render(values)
    data = block.encode()
    assert len(data) == BLOCK_BYTES == 1024
    assert is_block(data)
    assert data.decode().count("## Current Status") == 1 + sum(
        "## Current Status" in value for value in values if isinstance(value, str)
    )


@given(st.text(max_size=3000))
def test_any_text_is_brought_to_size(text: str) -> None:
    assert len(fixed_size(text).encode()) == BLOCK_BYTES
    assert fixed_size(fixed_size(text)) == fixed_size(text)


@given(VALUES, st.binary(max_size=200), st.binary(max_size=200))
def test_a_block_is_found_wherever_it_went(values: StatusValues, above: bytes, below: bytes) -> None:
    above = above.replace(b"ralph:", b"") + b"\n"
    found, rest = without_block(above + render(values).encode() + below)
    assert found == above
    assert (above + render(values).encode() + below)[rest:].lstrip(b"\r\n") == below.lstrip(b"\r\n")


def test_what_a_person_reads() -> None:
    block = render(StatusValues("demo", "2026-11-20 22:05", 3, 12, "2.1 Add login", "Waiting", "until 23:00: offline"))
    lines = [line.rstrip() for line in block.split("\n")]
    assert lines[0] == "# Activity Log: demo"
    assert lines[3:9] == [
        "## Current Status",
        "",
        "**Last Updated:** 2026-11-20 22:05",
        "**Tasks Completed:** 3/12",
        "**Current Task:** 2.1 Add login",
        "**Loop Status:** Waiting (until 23:00: offline)",
    ]


def test_the_filling_does_not_show_in_rendered_markdown() -> None:
    tokens = MarkdownIt("commonmark").parse(empty_block("demo"))
    assert [t.tag for t in tokens if t.type == "heading_open"] == ["h1", "h2"]
    assert all(t.content.strip().endswith("-->") for t in tokens if t.type == "html_block")
    shown = "".join(t.content for t in tokens if t.type == "inline")
    assert "ralph:" not in shown


def test_a_log_of_another_tool_holds_no_block() -> None:
    """The reference writes a status section of its own; it is text like any other."""
    other = b"# Activity Log: demo\n\n## Current Status\n**Loop Status**: Running\n" + b"x" * 2000
    assert not is_block(other[:BLOCK_BYTES])
    assert without_block(other) == (b"", 0)
    assert without_block(b"") == (b"", 0)
