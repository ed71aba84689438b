"""O14: identical failures have one key, different ones have two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core import fingerprint
from ralph_wiggum.core.evidence import FailureKind, Gate, GateStatus


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("12 failed in 0.12s", "12 failed in 3.40s", id="a duration"),
        pytest.param("took 1m 3s", "took 12m 40s", id="a duration in minutes"),
        pytest.param("finished after 1h 2m 3s", "finished after 2h 0m 1s", id="a duration in hours"),
        pytest.param("timeout after 600 s", "timeout after 1200 s", id="a time limit"),
        pytest.param("at 2026-01-02T03:04:05.678Z down", "at 2026-01-03T23:14:55.001Z down", id="an ISO time"),
        pytest.param("2026-01-02 03:04:05,678 ERROR x", "2025-12-31 23:59:59,001 ERROR x", id="a logged time"),
        pytest.param("Fri Jan  2 03:04:05 UTC 2026 x", "Sat Jan  3 13:14:15 UTC 2026 x", id="what date(1) prints"),
        pytest.param("[02/Jan/2026:03:04:05 +0000] GET", "[03/Feb/2026:13:14:15 +0000] GET", id="a web server's time"),
        pytest.param("Start at  08:37:11", "Start at  09:01:59", id="a time of day"),
        pytest.param("token 1767225600 is over", "token 1767229999 is over", id="seconds since 1970"),
        pytest.param("_logs/2026-01-02T03_04_05_678Z-debug-0.log", "_logs/2026-03-04T13_14_15_016Z-debug-0.log", id="npm's log"),
        pytest.param("/tmp/tmpab12cd34/a.py: no", "/tmp/tmpzz99yy88/a.py: no", id="a temporary folder"),
        pytest.param("/tmp/pytest-of-me/pytest-1/test_x0/a", "/tmp/pytest-of-me/pytest-27/test_x0/a", id="pytest's"),
        pytest.param("/private/var/folders/z1/q/T/abc/a", "/private/var/folders/9x/r/T/def/a", id="that of macOS"),
        pytest.param("pid 123 died", "pid 45678 died", id="a process id"),
        pytest.param("Process 4711 exited", "Process 4712 exited", id="a process id in words"),
        pytest.param("==123==ERROR: leak", "==99==ERROR: leak", id="a sanitizer's process id"),
        pytest.param("<Foo object at 0x7f3a12bc>", "<Foo object at 0x7fffffff>", id="an address"),
        pytest.param(
            "job 123e4567-e89b-12d3-a456-426614174000 lost", "job 00000000-e89b-12d3-a456-000000000001 lost", id="a uuid"
        ),
        pytest.param("request_id=abcdef123 failed", "request_id=fedcba321 failed", id="a request id"),
        pytest.param("http://127.0.0.1:43211/x refused", "http://127.0.0.1:55002/x refused", id="a port of the system"),
        pytest.param("('127.0.0.1', 43211)", "('127.0.0.1', 55002)", id="a port in an address pair"),
        pytest.param("src/a.py:12: KeyError", "src/a.py:99: KeyError", id="a line"),
        pytest.param("src/a.py:12:5: F401", "src/a.py:99:7: F401", id="a line and column"),
        pytest.param('File "a.py", line 12, in f', 'File "a.py", line 99, in f', id="a line of a traceback"),
        pytest.param("src/a.ts(3,5): error TS2322", "src/a.ts(99,1): error TS2322", id="a position of tsc"),
        pytest.param("  12:5  error  no", "  9:31  error  no", id="a position of eslint"),
        pytest.param("[gw0] FAILED", "[gw3] FAILED", id="a worker"),
        pytest.param("Using --randomly-seed=12", "Using --randomly-seed=99", id="a seed"),
        pytest.param("a   b\n c", "a b c", id="white space"),
    ],
)  # fmt: skip
def test_what_changes_from_run_to_run_makes_no_difference(one: str, other: str) -> None:
    """O14."""
    assert fingerprint.normalise(one) == fingerprint.normalise(other)
    assert fingerprint.of_text("exit", one) == fingerprint.of_text("exit", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("test_login failed", "test_logout failed", id="names of tests"),
        pytest.param("expected 3 got 4", "expected 3 got 5", id="values"),
        pytest.param("assert 200 == 404", "assert 200 == 500", id="status codes"),
        pytest.param("src/a.py:12: KeyError", "src/b.py:12: KeyError", id="files"),
        pytest.param("localhost:5432 refused", "localhost:6379 refused", id="ports of services"),
        pytest.param("api.local:8080 refused", "api.local:8081 refused", id="ports after a domain"),
        pytest.param("exit 1", "exit 2", id="exit codes"),
        pytest.param("0x1F", "0x2F", id="small hexadecimal values"),
        pytest.param("sha 3f786850e387550fdab836ed7e6dc881de23001b", "sha 89e6c98d92887913cadf06b2adb97f26cde4849b", id="checksums"),
        pytest.param("version 1.2.3", "version 1.2.4", id="versions"),
        pytest.param("add(3,4) is wrong", "add(3,5) is wrong", id="arguments of a call"),
        pytest.param("ratio 16:9", "ratio 4:3", id="ratios"),
        pytest.param("12 failed", "13 failed", id="counts"),
        pytest.param("thread 2 of 4", "thread 3 of 4", id="small numbers of threads"),
        pytest.param("key: 45000", "key: 45001", id="large values"),
    ],
)  # fmt: skip
def test_what_tells_failures_apart_stays(one: str, other: str) -> None:
    """O14: taken out is what changes from run to run, and not more."""
    assert fingerprint.of_text("exit", one) != fingerprint.of_text("exit", other)


def _report(test: str, *, clock: tuple[int, int, int], pid: int, folder: str, seconds: float) -> str:
    hour, minute, second = clock
    return (
        f"2026-01-02 {hour:02}:{minute:02}:{second:02} started pid {pid}\n"
        f"FAILED tests/test_a.py::{test} - OSError: /tmp/{folder}/db is locked by process {pid + 100}\n"
        f"1 failed in {seconds:.2f}s"
    )


_names = st.from_regex(r"test_[a-z]{1,12}", fullmatch=True)
_moments = st.fixed_dictionaries(
    {
        "clock": st.tuples(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59)),
        "pid": st.integers(2, 4_000_000),
        "folder": st.from_regex(r"[A-Za-z0-9_.-]{1,20}", fullmatch=True),
        "seconds": st.floats(0, 5000),
    }
)


@given(test=_names, one=_moments, other=_moments)
def test_only_times_pids_and_temporary_paths_differ_so_the_key_is_the_same(test: str, one: dict, other: dict) -> None:  # type: ignore[type-arg]  # keywords of _report
    """O14."""
    keys = {fingerprint.of_text("check", _report(test, **moment)) for moment in (one, other)}
    assert len(keys) == 1


@given(tests=st.lists(_names, min_size=2, max_size=2, unique=True), moment=_moments)
def test_another_test_is_another_key(tests: list[str], moment: dict) -> None:  # type: ignore[type-arg]  # as above
    """O14."""
    keys = {fingerprint.of_text("check", _report(test, **moment)) for test in tests}
    assert len(keys) == 2


@given(kind=st.sampled_from(FailureKind), text=st.text(max_size=300))
def test_a_key_is_a_short_line_that_begins_with_the_kind(kind: FailureKind, text: str) -> None:
    key = fingerprint.of_text(kind, text)
    assert key.startswith(f"{kind.value} ")
    assert len(key) <= 80
    assert key.isprintable()


def _gate(name: str = "pytest", *, failures: tuple[str, ...] = (), reason: str = "", excerpt: str = "") -> Gate:
    return Gate(
        name=name, kind="backend", status=GateStatus.FAILED, failures=failures, reason=reason, excerpt=excerpt, seconds=1.0
    )  # fmt: skip


PASSED = Gate(name="ruff", kind="backend", status=GateStatus.PASSED, seconds=3.0)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param([_gate(failures=("a", "b"))], [_gate(failures=("b", "a"))], True, id="order of failures"),
        pytest.param([_gate(failures=("a",)), PASSED], [_gate(failures=("a",))], True, id="what passed does not count"),
        pytest.param([_gate(failures=("a",), reason="exit 1")], [_gate(failures=("a",), reason="exit 2")], True, id="failures outweigh words"),
        pytest.param([_gate(failures=("a",))], [_gate(failures=("b",))], False, id="other failures"),
        pytest.param([_gate(failures=("a",))], [_gate(failures=("a", "a"))], False, id="one more of the same kind"),
        pytest.param([_gate(failures=("t[1.0s]",))], [_gate(failures=("t[2.0s]",))], False, id="parameters that look like times"),
        pytest.param([_gate("mypy", failures=("a",))], [_gate("ruff", failures=("a",))], False, id="another check"),
        pytest.param([_gate(reason="x in 3 s")], [_gate(reason="x in 4 s")], True, id="a reason, but for its times"),
        pytest.param([_gate(excerpt="E 1")], [_gate(excerpt="E 2")], False, id="the output where nothing else is known"),
    ],
)  # fmt: skip
def test_gates_are_told_apart_by_check_and_failures(one: list[Gate], other: list[Gate], *, same: bool) -> None:
    """O14: the failing check and its tests make the key."""
    assert (fingerprint.of_gates(one) == fingerprint.of_gates(other)) is same


def test_the_key_of_a_gate_can_be_read() -> None:
    assert "pytest-tests/a.py::test_login" in fingerprint.of_gates([_gate(failures=("tests/a.py::test_login",))])


def test_names_keep_what_looks_like_a_time() -> None:
    assert fingerprint.normalise_name("test_wait[5 s-<x at 0x7f3a12bc>]") == "test_wait[5 s-<x at <address>>]"
