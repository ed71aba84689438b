"""`ralph-overnight` and `ralph-next` before the first attempt: what is refused, and in which words (O30)."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from ralph_wiggum.cli.overnight import ask, next_time
from ralph_wiggum.core.parse import parse
from tests.cli.consoles import call, make_spec


@pytest.mark.parametrize("command", ["overnight", "next"])
def test_a_tasks_file_without_a_task_is_bad_input(command: str, tmp_path: Path) -> None:
    """O1: never silent. Ordered items are no tasks; nobody is to find "complete" in the morning."""
    make_spec(tmp_path, text="# Plan\n\n1. [ ] Store entries\n2. [ ] Show entries\n")
    done = call(command, tmp_path, "demo", "--agent", "shell")
    assert done.returncode == 2
    assert "no task in .kiro/specs/demo/tasks.md" in done.stderr
    assert "- [ ] 1." in done.stderr
    assert not (tmp_path / ".kiro/specs/demo/activity.md").exists()


def test_what_the_person_had_changed_is_named_at_the_start_and_in_the_report(tmp_path: Path) -> None:
    """O33, contract "Commits": named, and left as it is."""
    make_spec(tmp_path, text="- [ ] 1. Write it\n\n  ```sh\n  echo done > made.txt\n  ```\n")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "-c", "user.name=A", "-c", "user.email=a@b.example", "commit", "-qm", "start")
    (tmp_path / "mine.txt").write_text("mine\n", encoding="utf-8")
    done = call("overnight", tmp_path, "demo", "--agent", "shell", env={"GIT_CONFIG_GLOBAL": "/dev/null"})
    assert done.returncode == 0, done.stderr
    words = "changed before the run, so left out of its commits: mine.txt"
    assert words in done.stdout.split("attempt 1")[0]
    assert words in done.stdout.split("The run ended")[1]
    assert "?? mine.txt" in git(tmp_path, "status", "--short")
    assert "made.txt" not in git(tmp_path, "status", "--short")


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--max-cost", "0"], "no amount above 0", id="no money"),
        pytest.param(["--max-cost", "-3"], "no amount above 0", id="less than none"),
        pytest.param(["--max-cost", "nan"], "no amount above 0", id="no number"),
        pytest.param(["--max-cost", "inf"], "no amount above 0", id="no end"),
        pytest.param(["--max-cost", "much"], "no amount above 0", id="words"),
        pytest.param(["--max-iterations", "0"], "no whole number above 0", id="no runs"),
        pytest.param(["5", "--max-iterations", "6"], "MAX is 5, and --max-iterations is 6", id="two numbers"),
        pytest.param(["--until", "7"], "no time of day such as 07:00", id="an hour alone"),
        pytest.param(["--until", "24:00"], "no time of day such as 07:00", id="no such hour"),
    ],
)
def test_limits_that_are_none_are_bad_usage(words: list[str], said: str, tmp_path: Path) -> None:
    make_spec(tmp_path)
    done = call("overnight", tmp_path, "demo", "--agent", "shell", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert not (tmp_path / ".ralph").exists()


@pytest.mark.parametrize("words", [["1"], ["--max-iterations", "1"], ["1", "--max-iterations", "1"]])
def test_the_most_agent_runs_by_place_or_by_name(words: list[str], tmp_path: Path) -> None:
    tasks = "".join(f"- [ ] {n}. Write {n}\n\n  ```sh\n  echo {n} > {n}.txt\n  ```\n" for n in (1, 2))
    make_spec(tmp_path, text=tasks)
    git(tmp_path, "init", "-q", "-b", "main")
    done = call("overnight", tmp_path, "demo", "--agent", "shell", *words)
    assert done.returncode == 4, done.stdout + done.stderr
    assert "the limit of 1 agent run is reached" in done.stdout
    assert (tmp_path / "1.txt").exists()
    assert not (tmp_path / "2.txt").exists()


def test_a_limit_of_cost_is_refused_where_an_agent_does_not_tell_what_it_costs(tmp_path: Path) -> None:
    """Else it would be read and ignored."""
    make_spec(tmp_path)
    done = call("overnight", tmp_path, "demo", "--agent", "shell", "--max-cost", "$7.50")
    assert done.returncode == 2
    assert "--max-cost: shell does not tell what a run costs" in done.stderr
    assert "dialect aider or claude or mini or opencode" in done.stderr
    assert "agents.NAME.prices" in done.stderr
    assert not (tmp_path / ".ralph").exists()


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the clocks of Berlin here, by the rule of POSIX, which needs no zone files."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("now", "at", "moment"),
    [
        pytest.param("2026-11-20T22:00:00", (7, 0), "2026-11-21T07:00:00+01:00", id="over midnight"),
        pytest.param("2026-11-20T22:00:00", (23, 30), "2026-11-20T23:30:00+01:00", id="today"),
        pytest.param("2026-11-20T07:00:00", (7, 0), "2026-11-21T07:00:00+01:00", id="now is tomorrow"),
        pytest.param("2026-12-31T22:00:00", (7, 0), "2027-01-01T07:00:00+01:00", id="over the year"),
        pytest.param("2026-10-24T22:00:00", (7, 0), "2026-10-25T07:00:00+01:00", id="the clocks go back"),
        pytest.param("2026-03-28T22:00:00", (7, 0), "2026-03-29T07:00:00+02:00", id="the clocks go forward"),
        pytest.param("2026-11-20T22:00:00", None, None, id="no end"),
    ],
)
def test_until_is_the_next_moment_that_shows_this_time(
    now: str, at: tuple[int, int] | None, moment: str | None
) -> None:
    found = next_time(at, datetime.fromisoformat(now).astimezone())
    assert (found.isoformat() if found else None) == moment


def test_nobody_is_waited_for_where_the_terminal_was_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """O12: a task is skipped then, as without user_input_wait."""
    with Path("/dev/null").open(encoding="utf-8") as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        assert ask(parse("- [ ] 1. One\n").task("1"), "10 identical failures") is True
