"""`ralph-status` as a person or a program calls it (O1, O30)."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ralph_wiggum.adapters.journal_file import JournalFile
from ralph_wiggum.core.journal import RunStarted, Skipped, Started, Ticked
from tests.cli.consoles import CHECKOUT, call, environment, make_spec, status

HOLD = """
import sys
from pathlib import Path
from ralph_wiggum.adapters.run_lock import RunLock
lock = RunLock(Path("."))
lock.acquire(spec="demo", run="r1", started="2026-11-20T22:00:00+00:00")
print("held", flush=True)
sys.stdin.read()
"""


def test_json_for_programs(tmp_path: Path) -> None:
    make_spec(tmp_path)
    data = status(tmp_path)
    assert (data["spec"], data["total"], data["completed"], data["percent"]) == ("demo", 4, 1, 25.0)
    assert data["next"] == {"id": "1.2", "name": "Store entries", "line": 5}
    assert data["next_checkpoint"] == {"id": "2", "name": "Checkpoint - all tests pass", "tasks_away": 2}
    assert data["run"] == {"state": "idle", "pid": None, "iteration": 0}
    assert [task["key"] for task in data["tasks"]] == ["1", "1.1", "1.2", "1.3", "2"]
    assert "tasks" not in json.loads(call("status", tmp_path, "--json", "demo").stdout)


def test_the_answer_is_the_same_from_the_cache_and_without_it(tmp_path: Path) -> None:
    make_spec(tmp_path)
    cold = status(tmp_path)
    assert (tmp_path / ".ralph/demo/plan.json").exists()
    assert status(tmp_path) == cold


def test_a_change_is_seen_at_once(tmp_path: Path) -> None:
    path = make_spec(tmp_path)
    status(tmp_path)
    path.write_text(path.read_text().replace("[ ] 1.2", "[S] 1.2"))
    assert status(tmp_path)["skipped"] == 1


def test_lines_for_a_person_are_plain_in_a_pipe(tmp_path: Path) -> None:
    make_spec(tmp_path, text="- [x] 1. a\n- [ ] 2. b\n- [x  ] 3. near miss\n")
    done = call("status", tmp_path, "demo", env={"TERM": "xterm-256color"})
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "1/2 complete" in done.stdout
    assert ".kiro/specs/demo/tasks.md:3: " in done.stdout, "O1: near misses with file:line"


def test_all_specs_one_line_each(tmp_path: Path) -> None:
    make_spec(tmp_path)
    make_spec(tmp_path, "other", "- [x] 1. a\n")
    make_spec(tmp_path, "broken").write_bytes(b"- [ ] 1. caf\xe9\n")
    done = call("status", tmp_path)
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["demo", "other"]
    assert "broken" in done.stderr
    assert "tasks.md:1: not UTF-8" in done.stderr
    listed = json.loads(call("status", tmp_path, "--json").stdout)
    assert [each["spec"] for each in listed] == ["demo", "other"]


def test_a_project_without_specs(tmp_path: Path) -> None:
    (tmp_path / ".kiro").mkdir()
    done = call("status", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no specs" in done.stdout
    assert not (tmp_path / ".ralph").exists()


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        pytest.param(["dmo"], "no spec 'dmo'", "did you mean demo?", id="an unknown spec"),
        pytest.param(["-C", "nowhere", "demo"], "no folder", "-C", id="an unknown folder"),
        pytest.param(["-C", "/", "demo"], "no .kiro folder in /", "-C DIR", id="no project"),
    ],
)
def test_mistakes_are_told_with_a_hint(tmp_path: Path, words: list[str], said: str, hint: str) -> None:
    make_spec(tmp_path)
    done = call("status", tmp_path, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"ralph: {said}")
    assert "\n  hint: " in done.stderr
    assert hint in done.stderr


@pytest.mark.parametrize("words", [["--jsno"], ["demo", "other"], ["-C"]])
def test_a_wrong_call_is_exit_2_with_the_usage(tmp_path: Path, words: list[str]) -> None:
    done = call("status", tmp_path, *words)
    assert done.returncode == 2
    assert "usage: ralph-status" in done.stderr


def test_help_teaches_and_the_version_is_said(tmp_path: Path) -> None:
    done = call("status", tmp_path, "--help")
    assert done.returncode == 0
    for wanted in ("examples:", "exit codes:", "--json", "ralph-status guestbook"):
        assert wanted in done.stdout
    assert re.fullmatch(r"ralph-wiggum \d+\.\d+\.\d+\n", call("status", tmp_path, "--version").stdout)


def test_from_elsewhere_and_from_inside(tmp_path: Path) -> None:
    make_spec(tmp_path)
    (tmp_path / "src").mkdir()
    assert "1/4" in call("status", tmp_path / "src", "demo").stdout
    assert "1/4" in call("status", tmp_path.parent, "-C", tmp_path.name, "demo").stdout


def test_the_settings_say_where_the_files_are_and_what_is_visual(tmp_path: Path) -> None:
    path = tmp_path / "plans/demo.md"
    path.parent.mkdir()
    path.write_text("- [ ] 28.1 Look\n- [ ] 29.1 Think\n")
    (tmp_path / ".kiro/settings").mkdir(parents=True)
    (tmp_path / ".kiro/settings/ralph.yaml").write_text(
        'visual_tasks: ["28.*"]\nstate_storage: {task_status: "plans/{feature}.md"}\n'
    )
    assert [task["visual"] for task in status(tmp_path)["tasks"]] == [True, False]


def test_a_live_run_and_what_the_journal_knows(tmp_path: Path) -> None:
    path = make_spec(tmp_path)
    journal = JournalFile(tmp_path / ".ralph/demo/journal.jsonl")
    for entry in (
        RunStarted(run="r1"),
        Ticked(at="2026-11-20T22:00:00+00:00", key="1.1", id="1.1", name="Set up"),
        Skipped(at="2026-11-20T22:01:00+00:00", key="1.2", id="1.2", name="Store entries", reason="no database"),
        Started(key="1.3", id="1.3", name="Show entries"),
    ):
        journal.append(entry)
    path.write_text(path.read_text().replace("[ ] 1.2", "[S] 1.2").replace("[ ] 1.3", "[-] 1.3"))
    with subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as runner:
        assert runner.stdout is not None
        runner.stdout.readline()
        data = status(tmp_path)
        runner.send_signal(signal.SIGKILL)
    assert data["run"] == {"state": "running", "pid": runner.pid, "iteration": 1}
    assert data["current"]["id"] == "1.3"
    assert data["unverified"] == 1
    assert data["skipped_tasks"] == [{"id": "1.2", "name": "Store entries", "reason": "no database"}]
    assert [each["status"] for each in data["recent"]] == ["skipped", "complete"]
    assert status(tmp_path)["run"]["state"] == "idle", "the run was killed"


def test_an_agent_may_look(tmp_path: Path) -> None:
    make_spec(tmp_path)
    assert call("status", tmp_path, "demo", env={"RALPH_RUN_ID": "r1"}).returncode == 0


def test_a_reader_that_stops_reading_is_no_error(tmp_path: Path) -> None:
    make_spec(tmp_path, text="".join(f"- [ ] {n}. task\n" for n in range(3000)))
    command = f"{sys.executable} -m ralph_wiggum.cli.status demo --json --tasks | head -c 20"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_other_encodings_get_what_they_can_show(tmp_path: Path) -> None:
    make_spec(tmp_path, text="- [ ] 1. 修复登录\n")
    assert "\\u4fee" in call("status", tmp_path, "demo", "--json", env={"PYTHONIOENCODING": "ascii"}).stdout
    done = call("status", tmp_path, "demo", env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")


def on_terminal(root: Path, columns: int, extra: dict[str, str]) -> str:
    """Return what the command writes on a terminal of that width."""
    main, terminal = pty.openpty()
    with os.fdopen(main, "rb", buffering=0) as screen:
        pty_size(terminal, columns)
        child = subprocess.Popen(
            [sys.executable, "-m", "ralph_wiggum.cli.status", "demo"],
            cwd=root,
            env=environment(root, extra),
            stdout=terminal,
            stderr=terminal,
            stdin=terminal,
        )
        os.close(terminal)
        return read_all(screen.fileno(), child)


def pty_size(terminal: int, columns: int) -> None:
    import fcntl  # noqa: PLC0415 - here only
    import struct  # noqa: PLC0415 - where there are terminals
    import termios  # noqa: PLC0415 - where there are terminals

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))


def read_all(screen: int, child: subprocess.Popen[bytes]) -> str:
    data = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not select.select([screen], [], [], 0.1)[0]:
            continue
        try:
            part = os.read(screen, 65536)
        except OSError:
            break
        data += part
    assert child.wait(timeout=10) == 0
    return data.decode()


def test_a_terminal_gets_colours_and_lines_that_fit(tmp_path: Path) -> None:
    make_spec(tmp_path, text="- [ ] 1. " + "a long name " * 30 + "\n")
    shown = on_terminal(tmp_path, 44, {"TERM": "xterm"})
    assert "\x1b[" in shown
    bare = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(len(line) for line in bare.splitlines()) <= 44
    assert "\x1b" not in on_terminal(tmp_path, 44, {"TERM": "xterm", "NO_COLOR": "1"})


def test_the_parser_and_rich_stay_out_of_a_warm_look(tmp_path: Path) -> None:
    """Part 3, start-up: what is imported decides how fast the command is."""
    make_spec(tmp_path)
    status(tmp_path)
    code = (
        "import sys; from ralph_wiggum.cli.status import main; main(['demo']);"
        "print(sorted({'markdown_it', 'rich', 'yaml', 'argparse', 'psutil', 'pexpect', 'subprocess'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**environment(tmp_path), "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
