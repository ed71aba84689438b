"""`ralph COMMAND`, and what all commands share: errors, exit codes, bug reports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.consoles import call, environment, make_spec


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_the_help_lists_the_commands(tmp_path: Path, words: list[str]) -> None:
    done = call("ralph", tmp_path, *words)
    assert (done.returncode, done.stderr) == (0, "")
    for wanted in ("overnight", "next", "status", "skip", "examples:", "exit codes:"):
        assert wanted in done.stdout


def test_commands_get_their_arguments_and_give_their_exit_codes(tmp_path: Path) -> None:
    make_spec(tmp_path)
    assert call("ralph", tmp_path, "status", "demo").stdout == call("status", tmp_path, "demo").stdout
    assert call("ralph", tmp_path, "skip", "demo", "9.9", "why").returncode == 2
    assert "usage: ralph-skip" in call("ralph", tmp_path, "skip").stderr


@pytest.mark.parametrize(
    ("word", "near"),
    [
        pytest.param("statsu", "did you mean `ralph status`?", id="a slip"),
        pytest.param("ralph-next", "did you mean `ralph next`?", id="the long name"),
        pytest.param("zzz", "there are: overnight, next, status, skip, attach, stop,", id="nothing near"),
    ],
)
def test_an_unknown_command_is_told_what_is_near(tmp_path: Path, word: str, near: str) -> None:
    done = call("ralph", tmp_path, word)
    assert done.returncode == 2
    assert near in done.stderr


SURPRISE = """
import sys
from ralph_wiggum.cli import common
def command():
    {body}
sys.exit(common.run_command(command))
"""


def run(root: Path, body: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SURPRISE.format(body=body)],
        cwd=root,
        env=environment(root, {"TMPDIR": str(root)}),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("in_a_project", [True, False])
def test_a_bug_of_ours_is_exit_1_with_a_report_and_no_traceback(tmp_path: Path, *, in_a_project: bool) -> None:
    if in_a_project:
        (tmp_path / ".kiro").mkdir()
    done = run(tmp_path, "raise ZeroDivisionError('oh no')")
    assert done.returncode == 1
    assert done.stderr.startswith("ralph: a bug in ralph: ZeroDivisionError: oh no\n  hint: the details are in ")
    assert "Traceback" not in done.stderr
    reports = list((tmp_path / ".ralph" if in_a_project else tmp_path).glob("bug-*.txt"))
    assert len(reports) == 1
    text = reports[0].read_text()
    assert str(reports[0]) in done.stderr
    for wanted in ("ralph-wiggum ", "python 3.", "Traceback (most recent call last)", "ZeroDivisionError: oh no"):
        assert wanted in text


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        pytest.param("raise KeyboardInterrupt", 130, "", id="Ctrl-C"),
        pytest.param("raise SystemExit(2)", 2, "", id="argparse"),
        pytest.param("return 4", 4, "", id="its own code"),
        pytest.param(
            "from ralph_wiggum.core.errors import Exit, RalphError; raise RalphError('no', hint='do', code=Exit.LOCKED)",
            5,
            "ralph: no\n  hint: do\n",
            id="an error of a person",
        ),
    ],
)
def test_ends_and_their_exit_codes(tmp_path: Path, body: str, code: int, said: str) -> None:
    done = run(tmp_path, body)
    assert (done.returncode, done.stderr) == (code, said)


def test_a_folder_that_was_removed_is_a_clear_error(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["bash", "-c", f"rmdir {gone}; {sys.executable} -P -m ralph_wiggum.cli.status"],
        cwd=gone,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "was removed" in done.stderr
