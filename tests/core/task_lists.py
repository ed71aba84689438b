"""Random texts that look like a tasks.md: boxes, details, and all the noise that real files hold."""

from __future__ import annotations

from hypothesis import strategies as st

MARKS = " xX-~S"

_INDENTS = st.sampled_from(["", "", "", "  ", "  ", "    ", "\t", "   ", "      ", "\t\t", " "])
_BULLETS = st.sampled_from(["-", "-", "-", "*", "+"])
_STARS = st.sampled_from(["", "", "", "*", "\\*"])
_IDS = st.sampled_from(
    [
        "",
        "1. ",
        "2. ",
        "3 ",
        "1.1 ",
        "1.2 ",
        "2.1 ",
        "1.1.1 ",
        "T001 ",
        "[T002] ",
        "**2.3** ",
        "Task 4: ",
        "4.1* ",
        "- [x] ",
    ]
)
_WORDS = st.sampled_from(
    [
        "Build it",
        "Write tests",
        "**Bold**",
        "Checkpoint - all pass",
        "修复登录",
        "a\u2028b",
        "c\x0cd",
        "e\x85f",
        "`- [ ] q`",
        "é\u0301",
    ]
)
_NOISE = st.sampled_from(
    [
        *(
            "",
            "",
            "# Plan",
            "## Phase 1",
            "---",
            "text",
            "- a detail",
            "  - a detail",
            "    _Requirements: 1.1_",
            "> - [ ] quoted",
        ),
        *(
            "```",
            "  ```sh",
            "  ```",
            "~~~",
            "<!--",
            "-->",
            "<!-- - [ ] 9. hidden -->",
            "  <!-- open",
            "<div>",
            "| - [ ] | table |",
        ),
        *(
            "1. [ ] numbered",
            "1. - [ ] both",
            "-[ ] close",
            "- [] empty",
            "- [x  ] wide",
            "- [ ]",
            "[x] lost",
            "- [!] odd",
            "- [x]: url",
        ),
        *(
            "- [ ]near",
            "\ufeff- [ ] late mark",
            "- [P] legend",
            "  wrapped line",
            "lazy line",
            "a\rb",
            "- [ ] c\rd",
            "* * *",
            "\x00",
        ),
    ]
)


@st.composite
def boxes(draw: st.DrawFn) -> str:
    """Draw one line with a box."""
    box = f"{draw(_INDENTS)}{draw(_BULLETS)} [{draw(st.sampled_from(MARKS))}]{draw(_STARS)}"
    return f"{box} {draw(_IDS)}{draw(_WORDS)}"


@st.composite
def task_lists(draw: st.DrawFn) -> str:
    """Draw a text of up to some thirty lines, with one kind of line ending, with or without BOM and last line feed."""
    lines = draw(st.lists(st.one_of(boxes(), boxes(), _NOISE, st.text(max_size=12)), max_size=30))
    ending = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = ending.join(lines) + draw(st.sampled_from(["", ending]))
    return draw(st.sampled_from(["", "", "\ufeff"])) + text
