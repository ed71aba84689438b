"""O14, O18: what failed, as keys that another run can be compared with. The texts in data/ are what the tools print."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ralph_wiggum.core import failures
from ralph_wiggum.core.failures import NO_TESTS, Failures

DATA = Path(__file__).parents[1] / "data" / "failures"

PYTEST_ALL = [
    "tests/test_a.py::TestC::test_m",
    "tests/test_a.py::U::test_s (i=0)",
    "tests/test_a.py::U::test_s (i=1)",
    "tests/test_a.py::U::test_u",
    "tests/test_a.py::test_err",
    "tests/test_a.py::test_p[1.0s]",
    "tests/test_a.py::test_p[a b - c]",
    "tests/test_a.py::test_p[x]y]",
    "tests/test_b.py",
]
ESLINT = [
    "src/a.test.js: no-unused-vars",
    "src/b.test.js: no-unused-vars",
    "src/bad.js: parsing error",
    *["src/v.spec.js: no-unused-vars"] * 3,
]
FLAKE8 = ["a.py: F401", "a.py: F401", "a.py: W391", "tests/test_a.py: E301", *["tests/test_a.py: E302"] * 6]


@pytest.mark.parametrize(
    ("name", "command", "exit_code", "keys", "counts"),
    [
        ("pytest_quiet", "pytest -q", 2, ["tests/test_b.py"], "1 error"),
        ("pytest_first", "pytest -x", 1, ["tests/test_a.py::test_p[a b - c]", "tests/test_b.py"], "1 failed, 1 error"),
        ("pytest_verbose", "pytest -v", 1, PYTEST_ALL, "7 failed, 2 passed, 2 errors"),
        (
            "unittest",
            "python3 -m unittest",
            1,
            [
                "test_s (tests.test_a.U.test_s) (i=0)",
                "test_s (tests.test_a.U.test_s) (i=1)",
                "test_u (tests.test_a.U.test_u)",
                "tests.test_b (unittest.loader._FailedTest.tests.test_b)",
            ],
            "Ran 3 tests, FAILED (failures=3, errors=1)",
        ),
        ("ruff_concise", "ruff check", 1, ["a.py: D100", "a.py: D103", "a.py: F401", "a.py: F401"], "Found 4 errors"),
        ("ruff_full", "ruff check", 1, ["a.py: F401", "a.py: F401"], "Found 2 errors"),
        ("ruff_format", "ruff format --check", 1, ["a.py: unformatted"], "1 file would be reformatted"),
        ("mypy", "mypy a.py", 1, ["a.py: return-value"], "Found 1 error in 1 file"),
        ("pylint", "pylint a.py", 20, ["a.py: C0114", "a.py: C0116", "a.py: C0305", "a.py: W0611", "a.py: W0611"], ""),
        ("flake8", "flake8 .", 1, [*FLAKE8, "tests/test_b.py: F401"], ""),
        ("pyright", "pyright", 1, ["a.py: reportReturnType"], "1 error, 0 warnings"),
        (
            "jest",
            "npx jest",
            1,
            ["src/a.test.js › suite › adds > one", "src/a.test.js › suite › in › deep", "src/b.test.js"],
            "2 failed, 1 passed, 3 total",
        ),
        (
            "vitest",
            "npx vitest run",
            1,
            ["src/v.spec.js", "src/w.spec.js > suite > adds", "src/w.spec.js > suite > in > deep"],
            "2 failed | 1 passed (3)",
        ),
        ("mocha", "npx mocha", 2, ["Suite adds", "Suite inner deep one:"], "1 passing, 2 failing"),
        ("node_tap", "node --test", 1, ["sub", "top"], "pass 1, fail 2"),
        ("node_spec", "node --test", 1, ["sub", "top"], "pass 1, fail 2"),
        ("tsc", "npx tsc", 1, ["src/t.ts: TS2322", "src/t.ts: TS2322"], ""),
        ("tsc_pretty", "npx tsc", 1, ["src/t.ts: TS2322", "src/t.ts: TS2322"], "Found 2 errors"),
        ("eslint", "npx eslint src", 1, ESLINT, "14 problems (6 errors, 8 warnings)"),
        ("rustc", "cargo test", 101, ["src/lib.rs: E0308"], ""),
        ("cargo_test", "cargo test", 101, ["tests::bad"], "1 passed; 1 failed"),
        ("jest_none", "npx jest", 1, [NO_TESTS], ""),
        ("vitest_none", "npx vitest run", 1, [NO_TESTS], ""),
    ],
    ids=lambda value: value.replace("_", " ") if isinstance(value, str) and (DATA / f"{value}.txt").exists() else "",
)
def test_tools_are_read(name: str, command: str, exit_code: int, keys: list[str], counts: str) -> None:
    """O18: failing tests by name, findings of linters by path and code, without positions; O28: the totals."""
    output = (DATA / f"{name}.txt").read_text("utf-8")
    assert list(failures.of(output, command, exit_code).keys) == sorted(keys)
    assert failures.counts(output) == counts


@pytest.mark.parametrize(
    ("output", "command", "keys"),
    [
        pytest.param("FAILED a.py::test[x] - assert [1] == [2]", "pytest", ["a.py::test[x]"], id="brackets in a message"),
        pytest.param("FAILED README.md::README.md", "pytest", ["README.md::README.md"], id="a doctest of a text"),
        pytest.param("a.py::test_x[1-2] FAILED   [ 50%]", "pytest -v", ["a.py::test_x[1-2]"], id="only the progress"),
        pytest.param("____ ERROR collecting a/b.py ____", "pytest", ["a/b.py"], id="only the heading"),
        pytest.param("ERROR    root:a.py:3 boom\nFAILED a.py::t", "pytest", ["a.py::t"], id="a logged error is no test"),
        pytest.param("FAILED a.py::t[/tmp/tmpab12cd34/x]", "pytest", ["a.py::t[<tmp>/x]"], id="a temporary parameter"),
        pytest.param("INTERNALERROR> x\na.py::t FAILED", "pytest -v", ["a.py::t", "broke off: INTERNALERROR>"], id="a run that broke off"),
        pytest.param("FAILED a.py::t\nb.py:1:1: F401 x", "pytest", ["a.py::t"], id="what a test printed is no finding"),
        pytest.param("FAILED a.py::t\nb.py:1:1: F401 x", "ruff check; pytest", ["a.py::t", "b.py: F401"], id="two tools in one command"),
        pytest.param("    --- FAIL: TestA/sub (0.00s)\n--- FAIL: TestA (0.00s)\nFAIL\nFAIL\tex.com/m/p\t0.01s\n--- FAIL: TestA (0.1s)\nFAIL\tex.com/m/q\t0.2s\nFAIL\tex.com/m/r [build failed]", "go test ./...", ["ex.com/m/p.TestA", "ex.com/m/p.TestA/sub", "ex.com/m/q.TestA", "ex.com/m/r"], id="go test"),
        pytest.param("        FAIL [   0.003s] (1/2) my-crate a::b", "cargo nextest run", ["my-crate a::b"], id="nextest"),
        pytest.param("test src/lib.rs - f (line 5) ... FAILED", "cargo test", ["src/lib.rs - f"], id="a documentation test"),
        pytest.param("  1) [chromium] › a.spec.ts:3:5 › logs in ────", "npx playwright test", ["[chromium] › a.spec.ts:<n> › logs in"], id="Playwright"),
        pytest.param("not ok 3 - later # TODO not yet\nnot ok 4 - now", "node --test", ["now"], id="a TODO of TAP is no failure"),
        pytest.param("FAIL src/a.test.ts (5.1 s)\n  ● Console\n\n  ● works", "jest", ["src/a.test.ts › works"], id="jest's console is no test"),
        pytest.param(" FAIL  |web| src/a.spec.ts > works", "vitest", ["src/a.spec.ts > works"], id="a project of vitest"),
        pytest.param("a.py:3: error: Bad  [arg-type]\na.py:9: note: see", "mypy", ["a.py: arg-type"], id="notes of mypy do not count"),
        pytest.param("a.py:3:1: error: No code here", "mypy", ["a.py: error"], id="an error without a code"),
        pytest.param("/x/a.js:1:10: 'y' is unused. [Error/no-unused-vars]", "eslint -f unix", ["/x/a.js: no-unused-vars"], id="eslint's unix format"),
        pytest.param("src/a.js\n  1:1  warning  No  no-x\n", "eslint --max-warnings 0", ["src/a.js: no-x"], id="warnings where there are no errors"),
        pytest.param("error TS18003: No inputs were found", "tsc", ["tsc: TS18003"], id="an error of no file"),
        pytest.param("[warn] src/a.ts\n[warn] Code style issues found in the above file.", "prettier --check .", ["src/a.ts: format"], id="prettier"),
        pytest.param("would reformat a.py\nOh no!", "black --check .", ["a.py: format"], id="black"),
        pytest.param("a.py:1:5: invalid-syntax: Expected x", "ruff check", ["a.py: invalid-syntax"], id="a syntax error"),
        pytest.param("./main.go:3:5: undefined: x", "go vet", ["main.go: undefined: x"], id="a position without a code"),
        pytest.param("2026-01-02 08:13:57: error: x", "make", ["<time>: error: x"], id="a time is no path"),
        pytest.param("start\nDatabaseError: gone in 3 s\nend", "./check", ["DatabaseError: gone in <duration>"], id="a line with an error word"),
        pytest.param("a\nb\nc\nd\ne\nf\n\n", "./check", ["b", "c", "d", "e", "f"], id="else the last five lines"),
        pytest.param("x" * 5000, "./check", ["x" * 160], id="a long line is cut"),
    ],
)  # fmt: skip
def test_forms_of_output(output: str, command: str, keys: list[str]) -> None:
    """O14, O18."""
    assert list(failures.extract(output, command)) == sorted(keys)


@pytest.mark.parametrize(
    ("output", "command", "exit_code", "signal", "keys"),
    [
        pytest.param("", "true", 0, None, (), id="nothing printed and exit 0 pass"),
        pytest.param("FAILED a.py::t", "pytest || true", 0, None, (), id="exit 0 passes whatever was printed"),
        pytest.param("", "false", 1, None, ("exit 1",), id="nothing printed and exit 1"),
        pytest.param("\n \n", "x", 3, None, ("exit 3",), id="only white space"),
        pytest.param("a.py::t FAILED", "pytest -v", 139, None, ("a.py::t", "exit 139"), id="the exit code of a crash"),
        pytest.param("a.py::t FAILED", "pytest -v", None, 11, ("a.py::t", "ended by signal 11"), id="a crash"),
        pytest.param("", "x", None, None, ("ended unseen",), id="nobody saw how it ended"),
        pytest.param("no tests ran in 0.1s", "pytest", 5, None, (NO_TESTS,), id="pytest without tests"),
        pytest.param("", "./run-pytest.sh", 5, None, (NO_TESTS,), id="a quiet pytest without tests"),
        pytest.param("NO TESTS RAN", "python3 -m unittest", 5, None, (NO_TESTS,), id="unittest without tests"),
        pytest.param("", "./other", 5, None, ("exit 5",), id="exit 5 of another tool"),
    ],
)
def test_how_it_ended_counts_too(
    output: str, command: str, exit_code: int | None, signal: int | None, keys: tuple[str, ...]
) -> None:
    """O18: the runner goes by exit codes."""
    assert failures.of(output, command, exit_code, signal=signal) == Failures(keys=keys, exit_code=exit_code)


def test_a_flood_of_output_is_read_in_time() -> None:
    lines = "".join(f"src/m{number}.py:{number}:1: F401 [*] `os` imported but unused\n" for number in range(5000))
    noise = "(" * 50_000 + "\n" + " " * 50_000 + "1) x › y" + " ─" * 20_000 + "z\n" + "a:" * 50_000 + "\n"
    began = time.process_time()
    found = failures.of(failures.short_lines(lines + noise), "npm run lint", 1)
    assert "src/m4999.py: F401" in found.keys
    assert max(map(len, found.keys)) <= 1000
    assert time.process_time() - began < 5  # quadratic reading takes minutes


@pytest.mark.parametrize(
    ("output", "counts"),
    [
        pytest.param("=== 3 passed, 1 warning in 0.10s ===", "3 passed, 1 warning", id="pytest"),
        pytest.param("3 passed in 61.20s (0:01:01)", "3 passed", id="a quiet and slow pytest"),
        pytest.param("Ran 1 test in 0.000s\n\nOK", "Ran 1 test, OK", id="unittest"),
        pytest.param("Success: no issues found in 9 source files", "Success: no issues found in 9 source files", id="mypy"),
        pytest.param("2 passed in 1s\n4 passed in 2s", "4 passed", id="the last total"),
        pytest.param("All good", "", id="none"),
    ],
)  # fmt: skip
def test_totals(output: str, counts: str) -> None:
    """O28: with counts where the tool prints them."""
    assert failures.counts(output) == counts
