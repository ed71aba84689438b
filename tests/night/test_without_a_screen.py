"""A night without a screen: the terminal is closed, stalls or was never there; somebody looks on, somebody stops it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.stand_in_run import Reader
from tests.night.conftest import Make
from tests.night.project import Project, Script, environment, pids, state
from tests.night.terminals import Terminal, console, fill

pytestmark = pytest.mark.night

DONE: Script = [["write", "{task}.txt", "{task}"], ["say", "Did it."], ["say", "TASK_COMPLETE"]]
WAITS: Script = [["say", "I wait"], ["log", "here"], ["until", "{folder}/go"], *DONE]
HANGS: Script = [["ignore", "TERM"], ["log", "here"], ["sleep", 600]]


def screen_log(project: Project) -> str:
    """Return what the screen logs hold, of the last run that has one."""
    logs = sorted(project.root.glob(".ralph/demo/runs/*/screen.log"))
    return logs[-1].read_text() if logs else ""


def go(project: Project) -> None:
    (project.play / "go").touch()


def until(wanted: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end
        time.sleep(0.02)


def whole(project: Project) -> None:
    """Check that the night went through: each task once, each committed, nothing left."""
    assert project.states() == "xxx"
    assert [project.runs(task) for task in "123"] == [1, 1, 1], "no agent was hit"
    assert project.task_commits() == ["1", "2", "3"]
    assert [entry.get("code", 0) for entry in project.journal("run_ended")] == [0]
    project.sound()


@pytest.fixture
def terminal(project: Project) -> Iterator[Callable[..., Terminal]]:
    made: list[Terminal] = []

    def open_one(*command: str, full: bool = False) -> Terminal:
        made.append(Terminal(project, *command, full=full))
        return made[-1]

    yield open_one
    for each in made:
        each.close()


# --- the terminal goes away


def test_the_window_is_closed(project: Project, terminal: Callable[..., Terminal]) -> None:
    """O12, B7: SIGHUP from the kernel, and every write to the terminal fails from then on."""
    project.plays({"1": [WAITS]}, default=DONE)
    window = terminal(*console("overnight", "demo"))
    project.wait("here", "1")
    window.until("I wait")
    window.close()
    time.sleep(0.5)
    go(project)
    assert window.process.wait(timeout=60) == 0
    whole(project)
    log = screen_log(project)
    assert "1 One: complete" in log
    assert "The run ended: every required task is complete." in log
    assert "\x1b" not in log


def test_the_shell_in_the_window_hangs_its_jobs_up(project: Project, terminal: Callable[..., Terminal]) -> None:
    """An interactive bash passes SIGHUP on to its jobs, and ends."""
    project.plays({"1": [WAITS]}, default=DONE)
    window = terminal("bash", "--norc", "-i")
    window.type(" ".join(console("overnight", "demo")) + "\n")
    project.wait("here", "1")
    run = project.journal("run_started")[-1]["pid"]
    window.close()
    window.process.wait(timeout=30)
    time.sleep(0.5)
    assert state(run) not in "XZ"
    go(project)
    until(lambda: state(run) in "XZ", 60)
    whole(project)
    assert "The run ended: every required task is complete." in screen_log(project)


def test_the_whole_process_group_is_hung_up(make: Make) -> None:
    """The keeper, an agent, a check and a server of the run are not hit, and nothing is started twice."""
    project = make("- [ ] 1. One\n- [ ] 2. Two\n- [ ] 3. Take a screenshot of the page\n")
    checking, checked = project.play / "checking", project.play / "checked"
    port = 18_000 + os.getpid() % 10_000
    server = f"exec python3 -m http.server {port} --bind 127.0.0.1"
    project.settings(
        quality_checks={"all": [f"touch {checking}; until test -e {checked}; do sleep 0.05; done"]},
        servers={"web": {"command": server, "ready": f"http://127.0.0.1:{port}/"}},
        visual_validation={"tool": "/nowhere/agent-browser"},
    )
    checked.touch()
    project.plays({"1": [WAITS]}, default=DONE)
    process = project.command("overnight", "demo")
    project.wait("here", "1")
    checked.unlink()
    checking.unlink()
    before = {pid for pid in project.alive() if b"http.server" in Path(f"/proc/{pid}/cmdline").read_bytes()}
    keepers = {pid for pid in project.alive() if (Path(f"/proc/{pid}/comm").read_text()) == "ralph-keeper\n"}
    assert len(before) == 1
    os.killpg(process.pid, signal.SIGHUP)
    time.sleep(0.3)
    go(project)
    until(checking.exists)
    os.killpg(process.pid, signal.SIGHUP)
    time.sleep(0.3)
    alive = set(project.alive())
    checked.touch()
    result = project.finish(process)
    assert before | keepers <= alive, result.out + result.err
    assert result.code == 3, result.out + result.err
    assert "1 One: complete" in result.out, "a pipe is not hung up: it is written to as before"
    assert [project.runs(task) for task in "12"] == [1, 1]
    assert project.states() == "xxS"
    project.nothing_left()


def test_a_hang_up_by_hand_is_said_on_the_terminal(project: Project, terminal: Callable[..., Terminal]) -> None:
    """`kill -HUP`: the terminal is still there, and is left in order."""
    project.plays({"1": [WAITS]}, default=DONE)
    window = terminal(*console("overnight", "demo"))
    window.until("I wait")
    os.kill(window.process.pid, signal.SIGHUP)
    window.until("the terminal was closed; the run goes on")
    go(project)
    shown = window.rest()
    assert window.process.wait(timeout=60) == 0
    assert "`ralph attach demo` shows it" in shown
    assert "1 One: complete" not in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "the cursor is to be seen again"
    assert "1 One: complete" in screen_log(project)
    whole(project)


def test_a_pipe_that_nobody_reads_any_more(project: Project) -> None:
    project.plays({"1": [WAITS]}, default=DONE)
    process = project.command("overnight", "demo")
    project.wait("here", "1")
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()
    go(project)
    assert process.wait(timeout=60) == 0, "the exit code is that of the run"
    project.started.remove(process)
    log = screen_log(project)
    assert "1 One: complete" in log
    assert "The run ended: every required task is complete." in log
    whole(project)


# --- the terminal stalls


def test_a_terminal_that_takes_nothing_does_not_hold_the_night_up(
    project: Project, terminal: Callable[..., Terminal]
) -> None:
    """Ctrl-S, a connection that broke off without a word: a plain write to it would wait for hours."""
    project.plays({"1": [[["say", "I work"], ["sleep", 7], *DONE]]}, default=DONE)
    window = terminal(*console("overnight", "demo"), full=True)
    assert window.process.wait(timeout=60) == 0
    whole(project)
    log = screen_log(project)
    assert "1 One: complete" in log
    assert "The run ended: every required task is complete." in log


def test_a_pager_that_nobody_scrolls_does_not_hold_the_night_up(project: Project) -> None:
    reader, writer = os.pipe()
    fill(writer)
    process = subprocess.Popen(
        console("overnight", "demo"),
        cwd=project.root,
        env=project.env,
        stdin=subprocess.DEVNULL,
        stdout=writer,
        text=True,
    )
    project.started.append(process)
    os.close(writer)
    assert process.wait(timeout=60) == 0
    os.close(reader)
    whole(project)


def test_without_any_standard_stream(project: Project) -> None:
    """`<&- >&- 2>&-`, as some schedulers start programs: no file of ours may take their numbers."""
    line = " ".join(console("overnight", "demo"))
    done = subprocess.run(
        ["bash", "-c", f"{line} <&- >&- 2>&-"], cwd=project.root, env=project.env, timeout=60, check=False
    )
    assert done.returncode == 0
    whole(project)


# --- in the background


def detach(project: Project) -> int:
    """Start a night in the background; return its pid."""
    result = project.night("--detach")
    assert result.code == 0, result.out + result.err
    assert "goes on in the background (pid " in result.out
    return int(result.out.split("(pid ")[1].split(")")[0])


def test_a_run_in_the_background_survives_its_shell(project: Project) -> None:
    """B7. `finish` reads its pipes to their end: none of them is held open by the run."""
    project.plays({"1": [WAITS]}, default=DONE)
    line = " ".join(console("overnight", "demo", "--detach"))
    shell = subprocess.Popen(
        ["bash", "-c", f"exec 7>{project.play}/held; {line}; kill -HUP 0"],
        cwd=project.root,
        env=project.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    out, err = shell.communicate(timeout=60)
    assert err == ""
    pid = project.journal("run_started")[-1]["pid"]
    for wanted in (f"(pid {pid})", "ralph attach demo", "ralph stop demo", "screen: .ralph/demo/runs/"):
        assert wanted in out
    project.wait("here", "1")
    session, group = os.getsid(pid), os.getpgid(pid)
    assert session not in {shell.pid, os.getsid(0), pid}, "a session of its own, that it does not lead"
    assert group != shell.pid
    assert terminal_of(pid) == 0
    open_files = {link.readlink() for link in Path(f"/proc/{pid}/fd").iterdir()}
    assert project.play / "held" not in open_files
    assert Path(f"/proc/{pid}/fd/0").readlink() == Path("/dev/null")
    children = [each for each in project.alive() if parent_of(each) == pid]
    assert [Path(f"/proc/{each}/comm").read_text() for each in children] == ["ralph-keeper\n"]
    go(project)
    until(lambda: state(pid) in "XZ", 60)
    assert "The run ended: every required task is complete." in screen_log(project)
    whole(project)


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def terminal_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[4])


def test_nobody_is_left_with_a_zombie(project: Project) -> None:
    """The command waits for the process that it forked; the run itself belongs to the init process."""
    project.plays({"1": [WAITS]}, default=DONE)
    process = project.command("overnight", "demo", "--detach")
    project.wait("here", "1")
    assert [pid for pid in pids() if state(pid) == "Z" and parent_of(pid) == process.pid] == []
    go(project)
    assert project.finish(process).code == 0
    until(lambda: project.journal("run_ended"))
    project.nothing_left(20)


REFUSED: list[tuple[str, list[str], dict[str, object], int]] = [
    ("an unknown agent", ["--agent", "nobody"], {}, 2),
    ("an agent that is not there", [], {"agent": "mine", "agents": {"mine": {"command": ["/nowhere/agent"]}}}, 2),
    ("bad settings", [], {"max_iterations": "many"}, 2),
]


@pytest.mark.parametrize(("words", "settings", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_is_refused_is_refused_in_the_same_words(
    project: Project, words: list[str], settings: dict[str, object], code: int
) -> None:
    project.settings(**settings)
    plain = project.night(*words)
    detached = project.night(*words, "--detach")
    assert plain.code == detached.code == code
    assert (detached.out, detached.err) == (plain.out, plain.err)
    assert detached.err
    assert screen_log(project) == ""
    assert list(project.root.glob(".ralph/demo/runs/*")) == []


def test_a_plan_without_a_task_is_refused_in_the_same_words(make: Make) -> None:
    project = make("# Nothing\n")
    plain, detached = project.night(), project.night("--detach")
    assert (plain.code, plain.err) == (detached.code, detached.err)
    assert plain.code == 2


def test_a_second_run_is_refused_in_the_same_words(project: Project) -> None:
    project.plays({"1": [WAITS]}, default=DONE)
    pid = detach(project)
    second = project.night("--detach")
    assert second.code == 5
    assert f"pid {pid}" in second.err
    go(project)
    until(lambda: state(pid) in "XZ", 60)
    whole(project)


@pytest.mark.parametrize(
    ("settings", "words", "said"),
    [
        pytest.param(
            {"overnight_mode": {"user_input_wait": True}}, [], "user_input_wait asks on the terminal", id="asks"
        ),
        pytest.param({}, ["--dry-run"], "--dry-run shows what would be done", id="dry run"),
    ],
)
def test_what_needs_a_terminal_cannot_be_detached(
    project: Project, settings: dict[str, object], words: list[str], said: str
) -> None:
    project.settings(**settings)
    result = project.night("--detach", *words)
    assert result.code == 2
    assert said in result.err
    assert "hint: " in result.err
    assert project.runs() == 0


def test_next_knows_no_background(project: Project) -> None:
    result = project.run("next", "demo", "--detach")
    assert result.code == 2
    assert "unrecognized arguments: --detach" in result.err


def test_a_run_with_nothing_to_do_shows_its_end_and_exit_code(make: Make) -> None:
    project = make("- [x] 1. One\n- [S] 2. Two\n")
    result = project.night("--detach")
    assert result.code == 3
    assert "The run ended: nothing is left to do; 1 task skipped." in result.out
    project.nothing_left()


def test_a_long_evening_is_not_waited_for(project: Project) -> None:
    """A baseline of the checks may take minutes."""
    checked = project.play / "checked"
    project.settings(quality_checks={"all": [f"until test -e {checked}; do sleep 0.05; done"]})
    result = project.night("--detach")
    assert result.code == 0
    assert "is still preparing in the background" in result.out
    assert 8 < result.seconds < 40
    checked.touch()
    until(lambda: project.journal("run_ended"), 60)
    project.nothing_left()
    assert project.states() == "xxx"


def test_ctrl_c_while_the_evening_is_waited_for_leaves_the_run_alone(project: Project) -> None:
    checking, checked = project.play / "checking", project.play / "checked"
    project.settings(quality_checks={"all": [f"touch {checking}; until test -e {checked}; do sleep 0.05; done"]})
    process = project.command("overnight", "demo", "--detach")
    until(checking.exists)
    process.send_signal(signal.SIGINT)
    result = project.finish(process)
    assert result.code == 130
    assert "goes on in the background" in result.out
    checked.touch()
    until(lambda: project.journal("run_ended"), 60)
    assert project.states() == "xxx"
    project.nothing_left()


def test_a_run_that_is_killed_while_it_begins_is_told(project: Project) -> None:
    checking = project.play / "checking"
    project.settings(quality_checks={"all": [f"touch {checking}; sleep 600"]})
    process = project.command("overnight", "demo", "--detach")
    until(checking.exists)
    os.kill(project.journal("run_started")[-1]["pid"], signal.SIGKILL)
    result = project.finish(process)
    assert result.code == 4
    assert "was killed before it began" in result.err
    project.nothing_left()


# --- looking on, and stopping


def test_a_run_in_the_background_is_looked_at_and_gives_its_exit_code(project: Project) -> None:
    project.settings(overnight_mode={"stagnation_threshold": 1})
    project.plays({"1": [WAITS], "2": [[["leave", 1]]]}, default=DONE)
    detach(project)
    look = project.command("attach")
    assert look.stdout is not None
    screen = Reader(look.stdout.fileno())
    screen.until("1 One: attempt 1, player")
    project.wait("here", "1")
    go(project)
    shown = screen.rest()
    assert look.wait(timeout=30) == 3, shown
    for wanted in ("1 One: complete", "2 Two: SKIPPED", "3 Three: complete", "The run ended: nothing is left to do"):
        assert wanted in shown
    assert not (project.root / ".ralph/run.lock").read_text(), "the work tree is free when the look is over"
    assert project.states() == "xSx"


def test_on_a_terminal_the_agent_is_seen_and_ctrl_c_leaves_the_run_alone(
    project: Project, terminal: Callable[..., Terminal]
) -> None:
    project.plays({"1": [WAITS]}, default=DONE)
    pid = detach(project)
    window = terminal(*console("attach", "demo"))
    window.until("I wait")
    window.until("next: 2 Two")
    window.type("\x03")
    shown = window.rest()
    assert window.process.wait(timeout=30) == 130
    assert f"the run of demo goes on (pid {pid})" in shown
    assert state(pid) not in "XZ"
    go(project)
    until(lambda: state(pid) in "XZ", 60)
    whole(project)


def test_a_run_that_is_killed_while_somebody_looks(project: Project) -> None:
    project.plays({"1": [WAITS]}, default=DONE)
    pid = detach(project)
    look = project.command("attach", "demo")
    assert look.stdout is not None
    screen = Reader(look.stdout.fileno())
    screen.until("1 One: attempt 1, player")
    project.wait("here", "1")
    os.kill(pid, signal.SIGKILL)
    assert "The run ended: it was killed, and wrote no end." in screen.rest()
    assert look.wait(timeout=30) == 4
    project.nothing_left()


def test_stop_lets_the_task_at_hand_come_to_its_end(project: Project) -> None:
    """O10: it is judged, ticked and committed; then the run ends in good order, exit 4."""
    project.plays({"2": [WAITS]}, default=DONE)
    process = project.command("overnight", "demo")
    project.wait("here", "2")
    stopped = project.run("stop")
    assert stopped.code == 0
    assert "ends after this attempt: 2 Two, attempt 1" in stopped.out
    assert json.loads(project.run("status", "demo", "--json").out)["run"]["state"] == "stopping"
    assert "Stopping    after the attempt at hand" in project.run("status", "demo").out
    assert process.poll() is None
    go(project)
    result = project.finish(process)
    assert result.code == 4, result.out + result.err
    assert "ralph stop" in result.out
    assert project.states() == "xx "
    assert project.task_commits() == ["1", "2"]
    assert project.runs("3") == 0
    assert project.night().code == 0, "the wish was for that run alone"
    whole_after_a_stop(project)


def whole_after_a_stop(project: Project) -> None:
    assert project.states() == "xxx"
    assert project.task_commits() == ["1", "2", "3"]
    assert project.dirty() == []
    project.sound()


@pytest.mark.parametrize("script", [WAITS, HANGS], ids=["an agent that ends", "an agent that ignores TERM"])
def test_stop_now_ends_it_as_ctrl_c_does(project: Project, script: Script) -> None:
    project.plays({"2": [script]}, default=DONE)
    pid = detach(project)
    project.wait("here", "2")
    began = time.monotonic()
    first, second = project.command("stop", "demo", "--now"), project.command("stop", "--now")
    for stopped in (first, second):
        result = project.finish(stopped)
        assert result.code == 0, result.out + result.err
    assert time.monotonic() - began < 15
    assert state(pid) in "XZ"
    assert project.journal("run_ended")[-1]["code"] == 143
    assert [e["result"] for e in project.journal("ended") if e["key"] == "2"] == ["interrupted"]
    assert "**Loop Status:** Stopped" in project.activity
    project.nothing_left()
    project.plays(default=DONE)
    assert project.night().code == 0
    whole_after_a_stop(project)


def test_a_pause_of_the_machine_is_shown_and_stop_ends_it_at_once(project: Project) -> None:
    """B7: less room than the floor."""
    project.settings(machine={"min_disk": "900 TB"})
    process = project.command("overnight", "demo")
    until(lambda: (project.root / ".ralph/demo/journal.jsonl").exists() and project.journal("waiting"))
    wait = project.journal("waiting")[-1]
    assert json.loads(project.run("status", "demo", "--json").out)["run"]["state"] == "waiting"
    assert f"Waiting     until {wait['until'][11:16]}: {wait['reason']}" in project.run("status", "demo").out
    look = project.command("attach")
    assert look.stdout is not None
    screen = Reader(look.stdout.fileno())
    screen.until(f"waiting until {wait['until'][11:16]}: {wait['reason']}")
    stopped = project.run("stop")
    assert "has ended: stopped by `ralph stop`" in stopped.out
    assert "The run ended: stopped by `ralph stop`." in screen.rest()
    assert (look.wait(timeout=30), project.finish(process).code) == (4, 4)
    assert project.runs() == 0


def test_an_agent_that_calls_stop_is_refused(project: Project) -> None:
    """Contract "Environment of an agent"."""
    line = " ".join(console("stop", "--now"))
    project.plays({"1": [[["sh", f"{line} > said.txt 2>&1; echo $? >> said.txt"], *DONE]]}, default=DONE)
    assert project.night().code == 0
    said = project.read("said.txt")
    assert "this is an agent of run" in said
    assert said.endswith("\n2\n")
    assert project.states() == "xxx"


def test_marks_of_the_test_reach_what_runs_in_the_background(project: Project) -> None:
    """Else "nothing is left" would prove nothing."""
    project.plays({"1": [WAITS]}, default=DONE)
    pid = detach(project)
    assert project.mark.encode() in environment(pid)
    assert pid in project.alive()
    go(project)
    until(lambda: state(pid) in "XZ", 60)
