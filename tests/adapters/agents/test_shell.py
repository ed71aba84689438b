"""The embedded agent as the program that it is: blocks run in order, the last line is the signal (O16)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import ralph_wiggum
from ralph_wiggum.adapters.agents.catalogue import build
from ralph_wiggum.adapters.process import Family
from ralph_wiggum.core.agents import SHELL
from ralph_wiggum.core.evidence import Ending
from tests.adapters.agents.conftest import Ask, Watching

TASKS = """\
# Tasks

- [ ] 1. Two blocks
  - Write a file.

  ```sh
  echo one > one.txt
  ```

  ```python
  raise SystemExit("never run")
  ```

  ```Bash
  echo "two: $(cat one.txt)" | tee two.txt
  printf 'no newline at the end'
  ```

- [ ] 2. A block that fails

  ```sh
  echo first
  ```

  ```sh
  echo before
  false
  echo after
  ```

  ```sh
  echo third
  ```

- [ ] 3. A pipe that fails

  ```shell
  (exit 3) | cat
  ```

- [ ] 4. No block
  - Only words and `code`.

- [ ] 5. Reads

  ```sh
  echo "read: [$(cat)]"
  ```

- [ ] 6. Dies

  ```sh
  kill -KILL $$
  ```

- [ ] 7. Nothing to do

  ```sh
  echo "NO_CHANGE_NEEDED: the file is there already"
  ```

- [ ] 8. Parent

  ```sh
  echo parent
  ```

  - [ ] 8.1 Child

    ```sh
    echo child
    ```

- [ ] 9. Open fence

  ```sh
  echo half
"""


def run(tmp_path: Path, key: str, *, stdin: str = "") -> tuple[int, list[str]]:
    """Run the agent for one task in a folder that holds a trap for careless imports."""
    (tmp_path / "tasks.md").write_text(TASKS)
    (tmp_path / "json.py").write_text("raise SystemExit('a module of the project stood in for one of Python')")
    script = Path(ralph_wiggum.__file__).parent / "adapters" / "agents" / "shell.py"
    done = subprocess.run(
        [sys.executable, "-P", script, "tasks.md", key],
        cwd=tmp_path, input=stdin, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert all(line.startswith("    ") for line in done.stderr.splitlines()), "the source of blocks, and nothing else"
    return done.returncode, done.stdout.splitlines()


def test_blocks_run_in_order_and_the_last_line_is_the_signal(tmp_path: Path) -> None:
    code, lines = run(tmp_path, "1")
    assert (code, lines[-1]) == (0, "TASK_COMPLETE")
    assert lines[-3] == "Ran 2 shell blocks of the task; all passed."
    assert (tmp_path / "two.txt").read_text() == "two: one\n"
    assert not any("one.txt" in line for line in lines), "what ran is not part of the message"
    assert "two: one" in lines
    assert "no newline at the end" in lines


def test_the_first_failing_command_ends_it_with_its_exit_code(tmp_path: Path) -> None:
    code, lines = run(tmp_path, "2")
    assert (code, lines[-1]) == (1, "TASK_SKIPPED: block 2 failed with exit 1")
    assert "before" in lines
    assert {"after", "third"}.isdisjoint(lines)


@pytest.mark.parametrize(
    ("key", "code", "last"),
    [
        pytest.param("3", 3, "TASK_SKIPPED: block 1 failed with exit 3", id="a failure inside a pipe counts"),
        pytest.param("4", 0, "TASK_SKIPPED: no sh or bash block in this task", id="no block is said"),
        pytest.param("6", 137, "TASK_SKIPPED: block 1 failed with exit 137", id="a signal is 128 and its number"),
        pytest.param("9", 2, "TASK_SKIPPED: block 1 has no closing fence, so it was not run", id="half a block is not run"),
        pytest.param("99", 2, "TASK_SKIPPED: there is no task 99 in tasks.md", id="an unknown task is said"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_said_in_the_last_line(tmp_path: Path, key: str, code: int, last: str) -> None:
    got, lines = run(tmp_path, key)
    assert (got, lines[-1]) == (code, last)


def test_blocks_get_nothing_of_standard_input(tmp_path: Path) -> None:
    code, lines = run(tmp_path, "5", stdin="the prompt")
    assert code == 0
    assert "read: []" in lines


def test_a_block_may_say_that_nothing_had_to_be_done(tmp_path: Path) -> None:
    _, lines = run(tmp_path, "7")
    assert "NO_CHANGE_NEEDED: the file is there already" in lines
    assert lines[-1] == "TASK_COMPLETE"


def test_blocks_of_sub_tasks_are_theirs(tmp_path: Path) -> None:
    _, parent = run(tmp_path, "8")
    assert "parent" in parent
    assert "child" not in parent
    _, child = run(tmp_path, "8.1")
    assert "child" in child
    assert "parent" not in child


def test_a_file_that_is_not_there_and_a_call_without_a_task_are_said(tmp_path: Path) -> None:
    module = [sys.executable, "-m", "ralph_wiggum.adapters.agents.shell"]
    checkout = Path(ralph_wiggum.__file__).parent.parent
    for arguments, last in (
        (
            [str(tmp_path / "none.md"), "1"],
            f"TASK_SKIPPED: {tmp_path}/none.md cannot be read: No such file or directory",
        ),
        ([], "TASK_SKIPPED: the shell agent was called without a task"),
    ):
        done = subprocess.run([*module, *arguments], cwd=checkout, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.splitlines()[-1]) == (2, last)


def test_the_built_in_shell_agent_does_a_task_through_the_driver(family: Family, ask: Ask, tmp_path: Path) -> None:
    """It needs nothing installed: no PYTHONPATH, another current folder, its own package found by its path."""
    tasks = tmp_path / "tasks.md"
    tasks.write_text(TASKS)
    request = ask(tasks_file=str(tasks), task="1")
    outcome = build(SHELL, family).run(request, Watching())
    assert (outcome.ending, outcome.exit_code) == (Ending.EXITED, 0)
    assert outcome.message.splitlines()[-1] == "TASK_COMPLETE"
    assert (request.cwd / "two.txt").read_text() == "two: one\n"
