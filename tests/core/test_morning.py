"""What a person finds in the morning (O35, B3's text form)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import Ended, Entry, Noted, RunEnded, RunStarted, Skipped, Ticked
from ralph_wiggum.core.morning import devlog_entry, last_screen, persons_paths
from ralph_wiggum.core.parse import parse


@dataclass(frozen=True)
class Facts:
    head: str = "aaaaaaaaaaaaaaaa"
    branch: str = "ralph/demo"
    evening: str = "aaaaaaaaaaaaaaaa"
    started_on: str = "main"


PLAN = parse(
    "- [x] 0. Done long ago\n- [ ] 1. Login\n  - [x] 1.1 Form\n  - [x] 1.2 Session\n  - [S] 1.3 Captcha\n- [ ] 2. Rest\n"
)
ENTRIES: tuple[Entry, ...] = (
    RunStarted(run="r0"),
    Ticked(run="r0", key="0", id="0", name="Done long ago", verified=True, sha="9" * 16),
    Noted(run="r0", text="of an earlier night"),
    RunStarted(run="r1"),
    Ticked(run="r1", key="1.1", id="1.1", name="Form", verified=True, attempts=3, sha="b" * 16, left_out=(".env",)),
    Ended(run="r1", key="1.2", result="passed"),
    Ticked(run="r1", key="1.2", id="1.2", name="Session", sha="c" * 16),
    Noted(run="r1", key="1.2", text="2: [x] put back\x1b[2J to [ ]"),
    Skipped(run="r1", key="1.3", reason="10 identical failures: x", patch=".ralph/demo/skipped/1.3.patch", left=("n.txt",)),
    RunEnded(run="r1", code=4, state="stopped", reason="the limit of 3 agent runs is reached"),
)  # fmt: skip


def screen(entries: tuple[Entry, ...] = ENTRIES, facts: Facts | None = None) -> list[str]:
    return last_screen(PLAN, History(entries), facts or Facts(), "the limit of 3 agent runs is reached")


def test_the_last_screen() -> None:
    assert screen() == [
        "The run ended: the limit of 3 agent runs is reached.",
        "3/5 tasks complete, 1 skipped, 1 open, 1 complete but unverified.",
        "",
        "Done in this run:",
        "  1.1 Form (3 attempts, bbbbbbbbbb)",
        "  1.2 Session (unverified, cccccccccc)",
        "",
        "Skipped:",
        "  1.3 Captcha: 10 identical failures: x",
        "    what was tried: git apply .ralph/demo/skipped/1.3.patch",
        "    not put back, because it changed since: n.txt",
        "",
        "Said in the night:",
        "  - 2: [x] put back to [ ]",
        "",
        "Changed, but left out of the commits:",
        "  .env",
        "",
        "Commits are on branch ralph/demo.",
        "  see them:       git log --stat aaaaaaaaaa..ralph/demo",
        "  take them over: git switch main && git merge ralph/demo",
        "  drop one task:  git revert <commit>",
        "  as it was:      git switch main",
    ]


def test_a_night_without_anything_done_says_so() -> None:
    lines = screen((RunStarted(run="r1"),))
    assert lines[0] == "The run ended: the limit of 3 agent runs is reached."
    assert "Done in this run:" not in lines
    assert lines[-1] == "No task was committed."


def test_long_lists_are_cut_and_say_so() -> None:
    notes = tuple(Noted(run="r1", text=f"note {n}") for n in range(60))
    lines = screen((RunStarted(run="r1"), *notes))
    assert "  - note 39" in lines
    assert "  and 20 more" in lines
    assert "  - note 40" not in lines


def test_what_was_said_again_and_again_stands_there_once() -> None:
    notes = (Noted(run="r1", text="git failed"), Noted(run="r1", text="other"), Noted(run="r1", text="git failed"))
    lines = screen((RunStarted(run="r1"), *notes))
    at = lines.index("Said in the night:")
    assert lines[at + 1 : at + 4] == ["  - git failed (2 times)", "  - other", ""]


def test_commits_without_the_persons_hooks_are_named_in_the_morning() -> None:
    """What a hook refused in the night it may refuse again when the work is taken over."""
    refused = ("a note", "committed without the repository's hooks: a hook failed: no commits\x1b[2J on Fridays")
    ticks = tuple(
        Ticked(run="r1", key=key, id=key, verified=True, sha=key * 5, notes=refused) for key in ("1.1", "1.2")
    )
    lines = screen((RunStarted(run="r1"), *ticks))
    at = lines.index("Said in the night:")
    assert lines[at + 1 : at + 3] == [
        "  - committed without the repository's hooks: a hook failed: no commits on Fridays (2 commits)",
        "",
    ]


def test_paths_that_the_person_had_changed_are_named_up_to_a_few() -> None:
    """O33, contract "Commits"."""
    assert persons_paths(()) == ()
    (words,) = persons_paths([f"f{n}.py\x1b[2J" for n in range(12)])
    assert words.endswith("commits: f0.py, f1.py, f2.py, f3.py, f4.py, f5.py, f6.py, f7.py and 4 more")


def test_the_entry_for_the_devlog() -> None:
    """O35."""
    entry = devlog_entry("demo", PLAN, History(ENTRIES), datetime(2026, 11, 21, 6, 30, tzinfo=UTC))
    assert entry == (
        "\n## [2026-11-21 06:30] - ralph-wiggum: demo\n\n"
        "3/5 tasks complete (60.0 %), 1 skipped. The run ended: the limit of 3 agent runs is reached.\n\n"
        "- done: 1.1 Form (`bbbbbbbbbb`)\n- done: 1.2 Session (`cccccccccc`)\n"
        "- skipped: 1.3 Captcha: 10 identical failures: x\n"
    )
