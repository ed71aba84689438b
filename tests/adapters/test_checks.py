"""O18, O37: checks as real commands in real process families."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ralph_wiggum.adapters.checks import ShellChecks, environment
from ralph_wiggum.adapters.clock import SystemClock
from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.adapters.process import Family
from ralph_wiggum.core import fingerprint
from ralph_wiggum.core.evidence import Gate, GateStatus
from ralph_wiggum.ports import CheckPlan, Checks, Limits
from tests.adapters.process_harness import PROGRAMS, no_survivors

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")

PASSED, FAILED, NOT_RUN = GateStatus.PASSED, GateStatus.FAILED, GateStatus.NOT_RUN
PYTEST = f"{sys.executable} -m pytest -q -p no:cacheprovider"


@dataclass
class Seen:
    """A watcher that keeps what it was shown, and asks for the end once `stop` says so."""

    stop: Callable[[], str | None] = lambda: None
    text: list[str] = field(default_factory=list)

    def output(self, text: str) -> None:
        self.text.append(text)

    def tick(self) -> None:
        return

    def stop_reason(self) -> str | None:
        return self.stop()


@pytest.fixture(scope="module")
def family() -> Iterator[Family]:
    keeper = Keeper.start()
    yield Family(keeper, SystemClock())
    keeper.close()


Make = Callable[..., ShellChecks]
SATISFIES: type[Checks] = ShellChecks  # the type checker's proof


@pytest.fixture
def make(family: Family, tmp_path: Path) -> Iterator[Make]:
    """Return a function that makes checks of commands, or of plans, in a project of their own."""
    root = tmp_path / "project"
    root.mkdir()
    mark = f"test-{os.getpid()}-{tmp_path.name}"
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "RALPH_RUN_ID": mark}

    def checks(*commands: str | CheckPlan, **more: str) -> ShellChecks:
        plans = [each if isinstance(each, CheckPlan) else _plan(each) for each in commands]
        return ShellChecks(plans, root, family, tmp_path / "logs", env | more)

    with no_survivors(mark):
        yield checks


def _plan(command: str, *, timeout: float = 60.0, cwd: str = "", paths: tuple[str, ...] = ()) -> CheckPlan:
    return CheckPlan(name=command[:30], kind="own", command=command, timeout=timeout, cwd=cwd, paths=paths)


def _all(checks: ShellChecks, tree: str = "") -> list[Gate]:
    return list(checks.run(None, tree, Seen()))


def _one(checks: ShellChecks, tree: str = "") -> Gate:
    (gate,) = _all(checks, tree)
    return gate


@pytest.fixture
def project(tmp_path: Path, make: Make) -> Path:
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("command", "status", "reason"),
    [
        pytest.param("true", PASSED, "passed", id="exit 0 without output passes"),
        pytest.param("false", FAILED, "exit 1", id="exit 1 without output fails"),
        pytest.param("echo FAILED a.py::t; true", PASSED, "passed", id="exit codes decide, not words"),
        pytest.param("exit 3", FAILED, "exit 3", id="any other exit code fails"),
        pytest.param(
            "echo Error: bad >&2; exit 2", FAILED, "exit 2: 1 failure: Error: bad", id="both outputs are read"
        ),
        pytest.param("kill -SEGV $$", FAILED, "1 failure: ended by signal 11", id="a crash fails"),
        pytest.param("true && false || exit 4", FAILED, "exit 4", id="a shell reads the command"),
        pytest.param("read line; test -z $line", PASSED, "passed", id="there is nothing to read"),
        pytest.param("test $CI$NO_COLOR = 11", PASSED, "passed", id="tools are told that nobody watches"),
    ],
)
def test_exit_codes_decide(make: Make, command: str, status: GateStatus, reason: str) -> None:
    """O18: the runner runs them itself and goes by exit codes."""
    gate = _one(make(command))
    assert (gate.status, gate.reason) == (status, reason)
    assert gate.command == command
    assert gate.seconds > 0


def test_a_check_that_takes_too_long_fails(make: Make) -> None:
    """O18: a timeout is a failure, and nothing of it stays alive."""
    gate = _one(make(_plan("echo working; sleep 60 & sleep 60", timeout=0.5)))
    assert (gate.status, gate.reason, gate.failures) == (FAILED, "timeout after 0.5 s", ("timeout",))
    assert "working" in gate.excerpt
    assert not gate.environment
    assert gate.seconds < 10


def test_a_server_that_a_check_left_behind_holds_nothing_up(make: Make) -> None:
    gate = _one(make("sleep 60 & echo done"))
    assert gate.status is PASSED
    assert gate.seconds < 10


def test_a_flood_of_output_keeps_its_two_ends(make: Make, tmp_path: Path) -> None:
    """O18, G3: bounded output; the failures at its ends are found."""
    gate = _one(make("echo src/a.py:1:1: F401 x; seq 1 3000000; echo src/b.py:9:1: F841 y; exit 1"))
    assert gate.failures == ("src/a.py: F401", "src/b.py: F841")
    assert gate.excerpt.startswith("src/a.py:1:1")
    assert gate.excerpt.endswith("src/b.py:9:1: F841 y")
    assert len(gate.excerpt) < 7000
    (log,) = (tmp_path / "logs").iterdir()
    assert log.stat().st_size < 2_000_000


def test_the_first_failure_stops_the_rest(make: Make, project: Path) -> None:
    """O18: cheapest first, stop at the first failure."""
    gates = _all(make("true", "exit 2", "touch ran"))
    assert [gate.status for gate in gates] == [PASSED, FAILED, NOT_RUN]
    assert gates[2].reason == "an earlier check failed"
    assert not (project / "ran").exists()


def test_changed_paths_choose(make: Make) -> None:
    """O18."""
    checks = make(_plan("true", paths=("*.py",)), _plan("false", paths=("*.ts",)))
    assert [gate.status for gate in checks.run(["a.py"], "", Seen())] == [PASSED]
    assert [gate.status for gate in checks.run(["Makefile"], "", Seen())] == [PASSED, FAILED]


def test_a_check_runs_in_its_folder(make: Make, project: Path) -> None:
    (project / "web").mkdir()
    assert _one(make(_plan("test $(basename $PWD) = web", cwd="web"))).status is PASSED


def test_a_folder_that_is_gone_is_a_failure_of_the_task(make: Make) -> None:
    gate = _one(make(_plan("true", cwd="web")))
    assert (gate.status, gate.environment) == (FAILED, False)
    assert gate.failures == ("the folder web is not there",)


def test_what_passed_is_used_again_for_the_same_tree(make: Make, project: Path) -> None:
    """O18: results are reused for the same tree and command."""
    checks = make("echo x >> runs")
    first, second = _one(checks, "tree1"), _one(checks, "tree1")
    assert (project / "runs").read_text() == "x\n"
    assert (second.status, second.reason) == (PASSED, "passed, as before on the same tree")
    assert first.reason == "passed"
    _one(checks, "tree2")
    _one(checks, "")
    _one(checks, "")
    assert (project / "runs").read_text() == "x\n" * 4


def test_what_failed_is_run_again(make: Make, project: Path) -> None:
    """What was missing may lie outside of the tree: a dependency, a database, a tool (O37)."""
    checks = make("test -e ignored-by-git")
    assert _one(checks, "tree1").status is FAILED
    (project / "ignored-by-git").touch()
    assert _one(checks, "tree1").status is PASSED


def test_a_missing_tool_is_the_environment(make: Make) -> None:
    """O37: the reason says what is missing; the same obstacle has the same fingerprint."""
    gates = [_one(make("no-such-tool --check .")) for _ in range(2)]
    assert gates[0].environment
    assert gates[0].failed
    assert gates[0].reason.startswith("no-such-tool is not installed here (exit 127)")
    assert fingerprint.of_gates(gates[:1]) == fingerprint.of_gates(gates[1:])


def test_a_missing_module_of_python_is_the_environment(make: Make) -> None:
    """O37."""
    gate = _one(make(f"{sys.executable} -m no_such_tool"))
    assert gate.environment
    assert "no_such_tool is not installed" in gate.reason


def test_a_person_who_stops_leaves_no_verdict(make: Make, project: Path) -> None:
    checks = make("touch began; sleep 60", "true")
    gates = checks.run(None, "tree", Seen(stop=lambda: "SIGINT" if (project / "began").exists() else None))
    assert [(gate.status, gate.reason) for gate in gates] == [(NOT_RUN, "stopped")] * 2


def test_nothing_starts_once_a_person_has_stopped(make: Make, project: Path) -> None:
    gates = make("touch began").run(None, "", Seen(stop=lambda: "SIGINT"))
    assert [(gate.status, gate.reason) for gate in gates] == [(NOT_RUN, "stopped")]
    assert not (project / "began").exists()


def test_a_stopped_baseline_is_none(make: Make) -> None:
    checks = make("true")
    checks.baseline("", Seen(stop=lambda: "SIGINT"))
    assert checks.baseline_data() == {}


def test_a_watcher_sees_the_output(make: Make) -> None:
    seen = Seen()
    make("echo hello").run(None, "", seen)
    assert "hello" in "".join(seen.text)


def test_every_run_has_a_log(make: Make, tmp_path: Path) -> None:
    checks = make("echo a/b c", "echo two")
    _all(checks)
    _all(checks)
    logs = sorted((tmp_path / "logs").iterdir())
    assert [log.name for log in logs] == [
        "check-001-echo-a-b-c.log",
        "check-002-echo-two.log",
        "check-003-echo-a-b-c.log",
        "check-004-echo-two.log",
    ]
    assert "command: echo two" in logs[1].read_text()
    assert logs[1].read_text().endswith("two\n")


def test_a_baseline_excuses_what_was_red_and_nothing_else(make: Make, project: Path) -> None:
    """O18, B5: with a real pytest: red before, red in the same way, red in a new way, green."""
    tests = project / "test_a.py"
    tests.write_text("def test_old():\n    assert 1 == 2\n")
    checks = make(PYTEST)
    (before,) = checks.baseline("t0", Seen())
    assert (before.status, before.failures) == (FAILED, ("test_a.py::test_old",))
    assert before.counts == "1 failed"

    tests.write_text("# moved down\n\n" + tests.read_text() + "\ndef test_new():\n    pass\n")
    gate = _one(checks, "t1")
    assert (gate.status, gate.reason) == (PASSED, "passed (1 failure remains of the baseline)")

    tests.write_text(tests.read_text().replace("pass", "assert 3 == 4"))
    gate = _one(checks, "t2")
    assert (gate.status, gate.failures) == (FAILED, ("test_a.py::test_new",))
    assert gate.reason == "exit 1: 1 new failure: test_a.py::test_new"
    assert gate.counts == "2 failed"
    assert "assert 3 == 4" in gate.excerpt

    tests.write_text("def test_old():\n    pass\n")
    assert _one(checks, "t3").reason == "passed"


def test_no_tests_pass_only_while_there_were_none(make: Make, project: Path) -> None:
    """O18: pytest's exit code 5."""
    checks = make(PYTEST)
    (before,) = checks.baseline("", Seen())
    assert (before.status, before.reason) == (PASSED, "passed (no tests yet)")
    assert _one(checks).status is PASSED

    (project / "test_a.py").write_text("def test_a():\n    pass\n")
    checks = make(PYTEST)
    checks.baseline("", Seen())
    (project / "test_a.py").unlink()
    gate = _one(checks)
    assert (gate.status, gate.failures) == (FAILED, ("no tests found",))


def test_a_baseline_runs_all_checks_and_survives_a_restart(make: Make, project: Path) -> None:
    """O18: a restart does not take a new baseline over a half-done task."""
    commands = ("echo lib/a.py:1:1: E501 x; exit 1", "touch ran", "no-such-tool")
    checks = make(*commands)
    assert [gate.status for gate in checks.baseline("", Seen())] == [FAILED, PASSED, FAILED]
    assert (project / "ran").exists()

    again = make(*commands)
    again.load_baseline(json.loads(json.dumps(checks.baseline_data())))
    gates = _all(again)
    assert [gate.status for gate in gates] == [PASSED, PASSED, NOT_RUN]
    assert gates[2].reason.startswith("cannot run, as before the first task: no-such-tool")


def test_a_tool_that_was_missing_in_the_evening_blocks_nobody_and_hides_nothing(make: Make, project: Path) -> None:
    """O18: it proves nothing while it is missing; the checks after it run; once it is there, all failures count."""
    tool = project / "tool"
    checks = make("./tool", "true")
    assert checks.baseline("", Seen())[0].environment
    assert [gate.status for gate in _all(checks)] == [NOT_RUN, PASSED]
    tool.write_text("#!/bin/sh\necho a.py:1:1: E501 long; exit 1\n")
    tool.chmod(0o755)
    assert [gate.status for gate in _all(checks)] == [FAILED, NOT_RUN]


def test_bytecode_stays_out_of_the_work_tree(make: Make, project: Path) -> None:
    (project / "mod.py").write_text("")
    assert _one(make(f"{sys.executable} -c 'import mod'")).status is PASSED
    assert {path.name for path in project.iterdir()} == {"mod.py", ".ralph"}
    assert (project / ".ralph/.gitignore").read_text() == "*\n"
    assert list((project / ".ralph/pycache").rglob("mod*.pyc"))


def test_paths_are_named_from_the_project(make: Make) -> None:
    """O18: the same finding has the same key wherever the project lies."""
    gate = _one(make("echo $PWD/src/a.py:1:1: F401 x; exit 1"))
    assert gate.failures == ("src/a.py: F401",)


def test_colours_do_not_hide_failures(make: Make) -> None:
    gate = _one(make(r"printf '\033[31mFAILED\033[0m a.py::test_x - boom\n'; exit 1"))
    assert gate.failures == ("a.py::test_x",)


def test_the_environment_keeps_what_a_person_set() -> None:
    env = environment({"A": "1", "FORCE_COLOR": "3", "PYTHONPYCACHEPREFIX": "/mine", "CI": "0"}, Path("/p"))
    assert env["A"] == "1"
    assert env["PYTHONPYCACHEPREFIX"] == "/mine"
    assert env["CI"] == "1"
    assert "FORCE_COLOR" not in env


def test_bytecode_goes_into_a_cache_apart_unless_nobody_is_to_write_any() -> None:
    assert environment({}, Path("/p"))["PYTHONPYCACHEPREFIX"] == "/p/.ralph/pycache"
    assert "PYTHONPYCACHEPREFIX" not in environment({"PYTHONDONTWRITEBYTECODE": "1"}, Path("/p"))


def test_without_bash_another_shell_serves(make: Make, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert _one(make("true && exit 0", PATH=str(tmp_path / "empty"))).status is PASSED


def test_a_log_that_cannot_be_written_stops_nothing(make: Make, tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    assert _one(make("true")).status is PASSED


def test_a_check_that_takes_all_memory_ends_and_fails_and_the_machine_lives(
    tmp_path: Path, family: Family, project: Path
) -> None:
    """B7: tests that run away are no better than an agent that does."""
    hog = f"{sys.executable} -S {PROGRAMS / 'hog.py'} alone 400"
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "RALPH_RUN_ID": f"test-{os.getpid()}-{tmp_path.name}"}
    limits = Limits(memory_bytes=200_000_000, task_seconds=1.0)
    checks = ShellChecks([_plan(hog)], project, family, tmp_path / "logs", env, limits)
    gate = _one(checks)
    assert gate.failed
    assert not gate.environment
    assert gate.failures == ("out of memory",)
    assert "machine.max_memory" in gate.excerpt
