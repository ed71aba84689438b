"""`ralph drill SPEC` as a person calls it (B8): real runs in a scratch copy, and runners that do not survive."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from ralph_wiggum.cli.drill import choose
from ralph_wiggum.core.drill.catalogue import NAMES, SCENARIOS
from ralph_wiggum.core.errors import RalphError
from tests.cli import consoles

SECONDS = 150  # of patience with a drill, which ends itself after two minutes
MARK = "DRILL_TEST_MARK"
RUNNER = "ralph_wiggum.cli.overnight"

# The command with another runner than the real one, as no flag can ask for.
DRILL_WITH = """
import sys
from ralph_wiggum.cli import common, drill
seconds, runner, *words = sys.argv[1:]
asked = drill.build_parser().parse_args(words)
sys.exit(common.run_command(lambda: drill.drill(asked, (sys.executable, runner), float(seconds))))
"""
REAL = f"""
import os, subprocess, sys, time
from pathlib import Path
root = Path(sys.argv[sys.argv.index("-C") + 1])
code = subprocess.call([sys.executable, "-P", "-m", "{RUNNER}", *sys.argv[1:]])
"""


class Box:
    """A person's repository with a spec, dirty files, and a temporary folder where nothing may be left."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.root = base / "repo"
        self.temporary = base / "tmp"
        self.temporary.mkdir()
        consoles.make_spec(self.root, "guestbook")
        (self.root / "a.py").write_text("a = 1\n")
        self.env = consoles.environment(
            base,
            {
                "TMPDIR": str(self.temporary),
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_OPTIONAL_LOCKS": "0",  # a look at the state must not refresh the index
                "GIT_AUTHOR_NAME": "Per Son",
                "GIT_AUTHOR_EMAIL": "person@example.org",
                "GIT_COMMITTER_NAME": "Per Son",
                "GIT_COMMITTER_EMAIL": "person@example.org",
                MARK: str(base),
            },
        )
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "start")
        (self.root / "a.py").write_text("a = 2\n")
        (self.root / "new.txt").write_text("new\n")

    def git(self, *words: str) -> str:
        return subprocess.run(
            ["git", *words], cwd=self.root, env=self.env, capture_output=True, text=True, check=True
        ).stdout

    def start(self, *words: str, prefix: Sequence[str] = ("-m", "ralph_wiggum.cli.drill")) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *prefix, *words],
            cwd=self.root,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def drill(self, *words: str) -> tuple[int, str, str]:
        process = self.start(*words)
        out, err = process.communicate(timeout=SECONDS)
        return process.returncode, out, err

    def drill_with(self, runner: str, *words: str, seconds: float = 100.0) -> tuple[int, str]:
        """Drill with a runner that does what a script says."""
        script = self.base / "runner.py"
        script.write_text(runner)
        process = self.start(str(seconds), str(script), *words, prefix=("-c", DRILL_WITH))
        out, err = process.communicate(timeout=SECONDS)
        assert err == "", err
        return process.returncode, out

    def state(self) -> tuple[object, ...]:
        """Return all that a drill must not change."""
        files = {
            path.relative_to(self.root).as_posix(): (path.lstat().st_mtime_ns, path.read_bytes())
            for path in self.root.rglob("*")
            if path.is_file()
        }
        return files, self.git("for-each-ref"), self.git("status", "--porcelain", "-uall"), self.git("worktree", "list")

    def alive(self) -> list[psutil.Process]:
        """Return what still runs of all that this test started."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == str(self.base) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def clean(self) -> None:
        """Fail if a process or a copy is left."""
        end = time.monotonic() + 10
        while (left := self.alive()) and time.monotonic() < end:
            time.sleep(0.05)
        assert not left, left
        assert list(self.temporary.iterdir()) == []


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path)
    yield made
    for process in made.alive():
        process.kill()


def test_the_list_names_everything_and_asks_for_no_spec(tmp_path: Path) -> None:
    done = consoles.call("drill", tmp_path, "--list")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(NAMES)


def test_the_help_tells_what_is_not_touched(tmp_path: Path) -> None:
    done = consoles.call("ralph", tmp_path, "drill", "--help")
    assert done.returncode == 0
    assert "Nothing outside the copy is touched" in done.stdout
    assert "drill" in consoles.call("ralph", tmp_path, "--help").stdout


@pytest.mark.parametrize(
    ("words", "env", "message"),
    [
        pytest.param(["nowhere"], {}, "no spec 'nowhere'", id="an unknown spec"),
        pytest.param([], {}, "a drill needs a spec", id="no spec"),
        pytest.param(["demo", "--only", "hang,hnag"], {}, "no rehearsal 'hnag'", id="an unknown rehearsal"),
        pytest.param(["demo"], {"RALPH_RUN_ID": "r1"}, "this is an agent of run r1", id="an agent calls"),
        pytest.param(["demo", "--fast"], {}, "unrecognized arguments: --fast", id="an unknown flag"),
    ],
)
def test_a_wrong_call_is_refused_before_anything_is_copied(
    tmp_path: Path, words: list[str], env: dict[str, str], message: str
) -> None:
    consoles.make_spec(tmp_path)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    done = consoles.call("drill", tmp_path, *words, env={"TMPDIR": str(temporary), **env})
    assert done.returncode == 2
    assert message in done.stderr
    assert list(temporary.iterdir()) == []


def test_names_are_chosen_in_the_order_of_the_list() -> None:
    assert choose(("a", "b", "c"), " c,a") == ["a", "c"]
    assert choose(("a", "b"), "") == ("a", "b")
    with pytest.raises(RalphError, match="no rehearsal 'd'"):
        choose(("a", "b"), "d")


@pytest.mark.night
@pytest.mark.long
@pytest.mark.timeout(SECONDS + 30)
def test_all_faults_are_survived_in_two_minutes_and_the_persons_repository_is_not_touched(box: Box) -> None:
    """Where no small disk can be mounted, that one is left out; nothing else may be."""
    before = box.state()
    began = time.monotonic()
    code, out, err = box.drill("guestbook")
    assert time.monotonic() - began < 125
    assert (code, err) == (0, ""), out
    *rows, last = out.splitlines()
    assert {row.split()[0] for row in rows} == set(NAMES)
    left_out = {row.split()[0] for row in rows if re.match(r"\S+ +left out +0\.\d s  \S", row)}
    assert left_out <= {"agent", "disk"}
    assert all(re.match(r"\S+ +survived +\d+\.\d s  \S", row) for row in rows if row.split()[0] not in left_out), out
    assert re.match(r"(\d+) of \1 rehearsals survived in \d+ s.*: the night can begin\.", last)
    assert box.state() == before
    box.clean()


@pytest.mark.night
@pytest.mark.long
def test_a_terminal_shows_a_table_that_grows(box: Box) -> None:
    ours, theirs = pty.openpty()
    box.env |= {"TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    with os.fdopen(ours, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            [sys.executable, "-m", "ralph_wiggum.cli.drill", "guestbook", "--only", "crash,lie"],
            cwd=box.root,
            env=box.env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # EIO: the other end was closed
            while piece := screen.read(4096):
                shown += piece
    assert process.wait(SECONDS) == 0, shown
    for wanted in (b"rehearsed", b"in words", b"survived", b"2 of 2 rehearsals survived"):
        assert wanted in shown
    box.clean()


LEAVES_AN_ORPHAN = REAL + "subprocess.Popen(['sleep', '300'], start_new_session=True)\nos._exit(code)\n"
LOSES_A_COMMIT = REAL + "subprocess.call(['git', '-C', root, 'reset', '-q', '--soft', 'HEAD~2'])\nsys.exit(code)\n"
CHANGES_A_FILE = REAL + "(root / 'a.py').write_text('mine now')\nsys.exit(code)\n"
TEARS_THE_JOURNAL = (
    REAL + "next(root.glob('.ralph/*/journal.jsonl')).open('a').write('{\"v\": 1, \"ev\\n')\nsys.exit(code)\n"
)
TICKS_EVERYTHING = (
    "import sys\nfrom pathlib import Path\nroot = Path(sys.argv[sys.argv.index('-C') + 1])\n"
    "plan = next(root.glob('.kiro/specs/*-drill/tasks.md'))\n"
    "plan.write_text(plan.read_text().replace('[ ]', '[x]'))\n"
)
REFUSES = "import sys\nprint('ralph: no such thing', file=sys.stderr)\nsys.exit(2)\n"


@pytest.mark.night
@pytest.mark.long
@pytest.mark.parametrize(
    ("runner", "reason"),
    [
        pytest.param(LEAVES_AN_ORPHAN, "still alive 5 s after the run: sleep 300", id="leaves an orphan"),
        pytest.param(LOSES_A_COMMIT, "the work of task 2 is in no commit", id="loses a commit"),
        pytest.param(CHANGES_A_FILE, "files of yours were changed: a.py", id="changes a file of the person's"),
        pytest.param(TEARS_THE_JOURNAL, "the journal has lines that cannot be read", id="tears the journal"),
        pytest.param(TICKS_EVERYTHING, "the work of task 1, 2 is in no commit", id="ticks without any work"),
        pytest.param(REFUSES, "exit code 2 instead of 0 (ralph: no such thing)", id="does not start"),
    ],
)
def test_a_runner_that_does_not_survive_is_found_out(box: Box, runner: str, reason: str) -> None:
    before = box.state()
    code, out = box.drill_with(runner, "guestbook", "--only", "crash")
    assert code == 1
    assert re.match(r"crash +NOT SURVIVED", out), out
    assert reason in out
    assert "1 of 1 did not go well (crash)" in out
    assert box.state() == before
    box.clean()


@pytest.mark.night
@pytest.mark.long
def test_what_the_deadline_cuts_counts_as_not_rehearsed_and_nothing_lives_on(box: Box) -> None:
    hangs = "import signal, subprocess, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    hangs += "subprocess.Popen(['sleep', '300'], start_new_session=True)\ntime.sleep(300)\n"
    code, out = box.drill_with(hangs, "guestbook", "--only", "crash,hang,flood", seconds=8.0)
    assert code == 1
    assert out.count("not rehearsed") == 3, out
    assert out.count("not over when its ") == 3, out
    box.clean()


@pytest.mark.night
@pytest.mark.long
@pytest.mark.parametrize(
    ("number", "code"),
    [pytest.param(signal.SIGINT, 130, id="Ctrl-C"), pytest.param(signal.SIGTERM, 143, id="TERM")],
)
def test_a_signal_ends_the_drill_and_nothing_is_left(box: Box, number: signal.Signals, code: int) -> None:
    before = box.state()
    process = box.start("guestbook", "--only", "hang,orphan,disk")
    wait_for(lambda: list(box.temporary.glob("ralph-drill-*/hang/events.jsonl")))
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, out + err
    assert "Traceback" not in out + err
    assert box.state() == before
    box.clean()


@pytest.mark.night
@pytest.mark.long
def test_a_drill_that_was_killed_leaves_no_process_and_the_next_one_removes_its_copies(box: Box) -> None:
    process = box.start("guestbook", "--only", "hang,disk")
    wait_for(lambda: list(box.temporary.glob("ralph-drill-*/hang/events.jsonl")))
    process.kill()
    process.communicate(timeout=60)
    wait_for(lambda: not box.alive())
    assert list(box.temporary.iterdir()), "nobody could remove it"
    code, out, _ = box.drill("guestbook", "--only", "crash")
    assert code == 0, out
    box.clean()


@pytest.mark.night
@pytest.mark.long
def test_a_pipe_that_is_closed_meanwhile_does_not_change_the_exit_code(box: Box) -> None:
    script = box.base / "runner.py"
    script.write_text(REFUSES)
    process = box.start("100", str(script), "guestbook", "--only", "crash,lie", prefix=("-c", DRILL_WITH))
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(SECONDS) == 1
    assert process.stderr is not None
    with process.stderr as errors:
        assert errors.read() == ""
    assert not (box.root / ".ralph").exists(), "it is no bug"
    box.clean()


@pytest.mark.night
@pytest.mark.long
def test_copies_that_are_wanted_are_kept(box: Box) -> None:
    code, out, _ = box.drill("guestbook", "--only", "crash", "--keep")
    assert code == 0, out
    (folder,) = box.temporary.iterdir()
    assert str(folder) in out
    assert "[x] 1." in (folder / "crash/repo/.kiro/specs/guestbook-drill/tasks.md").read_text()
    assert box.drill("guestbook", "--only", "crash")[0] == 0
    assert list(box.temporary.iterdir()) == [folder], "kept copies stay until the person removes them"


@pytest.mark.night
@pytest.mark.long
def test_hooks_of_the_person_are_tried_and_what_reaches_outside_is_not(box: Box) -> None:
    outside = box.base / "pushed"
    for name, script in (("pre-commit", "echo no; exit 1"), ("post-commit", f"touch {outside}")):
        hook = box.root / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{script}\n")
        hook.chmod(0o755)
    code, out, _ = box.drill("guestbook", "--only", "commit,crash")
    assert code == 0, out
    assert "committed without the repository's hooks: a hook failed: no" in out
    assert not outside.exists()


@pytest.mark.night
@pytest.mark.long
@pytest.mark.parametrize(
    ("checks", "code", "words"),
    [
        pytest.param('{backend: ["true", "test -e a.py"]}', 0, "test -e a.py passed", id="that pass"),
        pytest.param('{backend: ["test ! -e ralph-drill"]}', 1, "your checks fail after a harmless change", id="that fail"),
        pytest.param('{backend: ["exit 1"]}', 0, "exit 1 passed", id="that were red before"),
    ],
)  # fmt: skip
def test_checks_of_the_person_are_run_once(box: Box, checks: str, code: int, words: str) -> None:
    settings = box.root / ".kiro/settings/ralph.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"quality_checks: {checks}\n")
    found, out, err = box.drill("guestbook", "--only", "checks,crash")
    assert found == code, out + err
    assert words in out


@pytest.mark.night
@pytest.mark.long
def test_checks_that_need_what_is_not_copied_are_left_out(box: Box) -> None:
    (box.root / "node_modules").mkdir()
    (box.root / ".gitignore").write_text("node_modules/\n")
    code, out, _ = box.drill("guestbook", "--only", "checks,crash")
    assert code == 0, out
    assert re.search(r"checks +left out .*they need node_modules, which is not copied", out)


@pytest.mark.night
@pytest.mark.long
@pytest.mark.parametrize(
    ("login", "code", "words"),
    [
        pytest.param("exit 0", 0, "mine is installed and logged in", id="logged in"),
        pytest.param("echo Not logged in; exit 1", 1, "mine is installed and not logged in", id="logged out"),
        pytest.param("exit 64", 0, "it does not tell", id="nobody can tell"),
    ],
)
def test_the_agent_of_the_settings_is_looked_at(box: Box, login: str, code: int, words: str) -> None:
    settings = box.root / ".kiro/settings/ralph.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"agent: mine\nagents:\n  mine: {{command: [sh], login: [sh, -c, '{login}']}}\n")
    found, out, err = box.drill("guestbook", "--only", "agent,crash")
    assert found == code, out + err
    assert words in out


@pytest.mark.night
@pytest.mark.long
def test_an_agent_that_is_not_there_is_told(box: Box) -> None:
    settings = box.root / ".kiro/settings/ralph.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text("agent: mine\nagents:\n  mine: {command: [no-such-agent-anywhere]}\n")
    code, out, _ = box.drill("guestbook", "--only", "agent,crash")
    assert code == 1
    assert "no-such-agent-anywhere" in out


@pytest.mark.night
@pytest.mark.long
def test_a_project_below_the_top_and_one_without_git_are_rehearsed_too(box: Box, tmp_path: Path) -> None:
    below = box.root / "sub/app"
    consoles.make_spec(below, "inner")
    code, out, _ = box.drill("inner", "-C", str(below), "--only", "crash,lie")
    assert code == 0, out
    alone = tmp_path / "alone"
    consoles.make_spec(alone, "solo")
    code, out, _ = box.drill("solo", "-C", str(alone), "--only", "crash,git")
    assert code == 0, out
    assert re.search(r"git +left out .*no git repository", out)
    assert not (alone / ".ralph").exists()


def test_every_scenario_fits_into_the_drill() -> None:
    """One that hangs must leave time for those that come after it, on the other lane."""
    assert max(each.most_seconds for each in SCENARIOS) < 100


def wait_for(found: object, seconds: float = 60.0) -> None:
    """Wait until something is so."""
    assert callable(found)
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def test_marks_of_this_test_are_seen(box: Box) -> None:
    """The search for leftovers must be able to find one."""
    with subprocess.Popen(["sleep", "60"], env=box.env) as left:
        assert left.pid in [process.pid for process in box.alive()]
        left.kill()
    assert os.getpid() not in [process.pid for process in box.alive()]
