"""O37: what keeps a check from running is not the task's fault, and is told from a failure that is."""

from __future__ import annotations

import pytest

from ralph_wiggum.core import obstacles


@pytest.mark.parametrize(
    ("output", "command", "exit_code", "said"),
    [
        pytest.param("bash: line 1: ruff: command not found", "ruff check", 127, ("ruff is not installed", "pip install ruff"), id="bash"),
        pytest.param("sh: 1: eslint: not found", "npm run lint", 127, ("eslint is not installed", "npm install"), id="dash below npm"),
        pytest.param("sh: 1: eslint: not found\n ELIFECYCLE", "pnpm run lint", 1, ("eslint is not installed", "pnpm install"), id="pnpm with an exit of its own"),
        pytest.param("/usr/bin/bash: line 1: uv: command not found", "uv run pytest", 127, ("uv is not installed", "docs.astral.sh"), id="uv itself"),
        pytest.param("error: Failed to spawn: `mypy`\n  Caused by: No such file", "uv run mypy", 2, ("mypy is not installed", "uv sync"), id="a tool of uv"),
        pytest.param("/usr/bin/python3: No module named pytest", "python3 -m pytest", 1, ("pytest is not installed",), id="a module that is a tool"),
        pytest.param("make: pytest: No such file or directory\nmake: *** [all] Error 127", "make check", 2, ("pytest is not installed",), id="a tool of make"),
        pytest.param("bash: line 1: ./check: Permission denied", "./check", 126, ("./check cannot be executed", "chmod"), id="no permission"),
        pytest.param("", "A=1 nothing -x", 127, ("nothing is not installed",), id="a silent shell"),
        pytest.param("npm error 404  'eslint@*' is not in this registry.", "npx eslint", 1, ("eslint is not installed",), id="npx"),
        pytest.param("Local package.json exists, but node_modules missing, did you mean to install?", "yarn run lint", 1, ("node_modules is missing", "yarn install"), id="no node_modules"),
        pytest.param("OSError: [Errno 28] No space left on device", "pytest", 1, ("no space left",), id="a full disk"),
        pytest.param("Error: ENOSPC: System limit for number of file watchers reached", "npm test", 1, ("no space left",), id="no file watchers"),
        pytest.param("psycopg2.OperationalError: connection to server failed: Connection refused", "./migrate", 1, ("cannot be reached",), id="a database that is down"),
        pytest.param("Error: connect ECONNREFUSED 127.0.0.1:6379", "npm run check", 1, ("ECONNREFUSED",), id="a server that is down"),
        pytest.param("npm error code EAI_AGAIN", "npx foo", 1, ("EAI_AGAIN",), id="no network"),
        pytest.param("browserType.launch: Executable doesn't exist at /x/chrome\n║ Looks\n║ npx playwright install ║", "npx playwright test", 1, ("browsers of Playwright",), id="no browser"),
    ],
)  # fmt: skip
def test_obstacles(output: str, command: str, exit_code: int, said: tuple[str, ...]) -> None:
    """O37: the reason says what is missing and what would help."""
    reason = obstacles.of(output, command, exit_code, named=False)
    assert all(words in reason for words in said), reason
    assert "\n" not in reason


@pytest.mark.parametrize(
    ("output", "exit_code", "named"),
    [
        pytest.param("ModuleNotFoundError: No module named 'nope'", 1, False, id="an import that the code lacks"),
        pytest.param(
            "E   ConnectionRefusedError: [Errno 111] Connection refused", 1, True, id="a test about connections"
        ),
        pytest.param("bash: line 3: nope: command not found", 1, True, id="a test that calls a missing program"),
        pytest.param("the page was not found", 1, False, id="not found in other words"),
        pytest.param("3 failed", 1, False, id="plain failures"),
    ],
)
def test_failures_of_the_task_are_no_obstacles(output: str, exit_code: int, *, named: bool) -> None:
    """O37."""
    assert obstacles.of(output, "pytest -q", exit_code, named=named) == ""


def test_a_full_disk_is_one_even_where_tests_are_named() -> None:
    """O37."""
    assert obstacles.of("FAILED a.py::t - OSError: No space left on device", "pytest", 1, named=True)
