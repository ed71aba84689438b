"""A project in a temporary git repository, the console commands on it, and what a person looks at in the morning."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PLAYER = Path(__file__).parent / "agents" / "player.py"
MARK = "NIGHT_TEST_MARK"  # in the environment of all that a test starts, so that leftovers are found
SPEC = ".kiro/specs/demo"
SETTINGS = ".kiro/settings/ralph.yaml"
TASKS = f"{SPEC}/tasks.md"
ACTIVITY = f"{SPEC}/activity.md"
STATES = re.compile(r"^(\s*[-*+] \[)([ xXS~-])(\])", re.MULTILINE)
ESCAPES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
THREE = "- [ ] 1. One\n- [ ] 2. Two\n- [ ] 3. Three\n"

Step = Sequence[object]
Script = Sequence[Step]


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str
    seconds: float


@dataclass
class Project:
    """`top` is git's work tree, `root` the folder with `.kiro`, `play` the folder that tells the agent what to do."""

    base: Path
    root: Path
    top: Path
    env: dict[str, str]
    play: Path
    original: str = ""
    mark: str = ""
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    # --- files

    def write(self, path: str, text: str | bytes) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def read(self, path: str) -> str:
        return (self.root / path).read_bytes().decode()

    def exists(self, path: str) -> bool:
        return (self.root / path).exists()

    @property
    def tasks(self) -> str:
        return self.read(TASKS)

    @property
    def activity(self) -> str:
        return self.read(ACTIVITY)

    def states(self) -> str:
        """Return the state characters in the order of the document."""
        return "".join(found[2] for found in STATES.finditer(self.tasks))

    def settings(self, **values: Any) -> None:
        """Write the settings: JSON is YAML. The agent is the scripted one, and there are no checks, unless said."""
        agent = {"command": [sys.executable, "-I", "-S", str(PLAYER), str(self.play)]}
        self.write(
            SETTINGS, json.dumps({"agent": "player", "agents": {"player": agent}, "quality_checks": {}} | values)
        )

    def plays(
        self,
        tasks: Mapping[str, Sequence[Script]] | None = None,
        default: Script | None = None,
        *,
        by_attempt: bool = False,
    ) -> None:
        """Tell the agent what to do: for each task the script of its first run, of its second and so on."""
        play: dict[str, Any] = {"tasks": dict(tasks or {}), "by_attempt": by_attempt}
        if default is not None:
            play["default"] = default
        (self.play / "play.json").write_text(json.dumps(play))

    def log(self) -> list[dict[str, Any]]:
        """Return what the agent noted."""
        file = self.play / "runs.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def runs(self, task: str = "") -> int:
        """Return how often the agent was started, for one task or in all."""
        return sum(1 for entry in self.log() if entry["event"] == "start" and task in ("", entry["task"]))

    def journal(self, kind: str = "") -> list[dict[str, Any]]:
        lines = (self.root / ".ralph/demo/journal.jsonl").read_text().splitlines()
        entries = [json.loads(line) for line in lines]
        return [entry for entry in entries if kind in ("", entry["event"])]

    # --- git

    def git(self, *args: str, check: bool = True) -> str:
        done = subprocess.run(["git", *args], cwd=self.top, env=self.env, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, f"git {args}: {done.stderr}"
        return done.stdout.rstrip("\n")

    def commits(self) -> list[tuple[str, str]]:
        """Return key of the task ("" for others) and subject of each commit since the first, oldest first."""
        form = "%(trailers:key=Ralph-Task,valueonly,separator=%x2C)%x09%s"
        lines = self.git("log", "--reverse", "--first-parent", f"--format={form}", "evening..HEAD").splitlines()
        return [(key, subject) for key, _, subject in (line.partition("\t") for line in lines)]

    def task_commits(self) -> list[str]:
        return [key for key, _ in self.commits() if key]

    def tree(self) -> dict[str, str]:
        """Return path -> blob of HEAD."""
        lines = self.git("ls-tree", "-r", "HEAD").splitlines()
        return {path: head.split()[2] for head, _, path in (line.partition("\t") for line in lines)}

    def dirty(self) -> list[str]:
        return self.git("status", "--porcelain", "-uall").splitlines()

    # --- commands

    def command(self, *args: str, cwd: Path | None = None, **env: str) -> subprocess.Popen[str]:
        """Start a console command: overnight, next, status, skip."""
        name, *rest = args
        process = subprocess.Popen(
            [sys.executable, "-m", f"ralph_wiggum.cli.{name}", *rest],
            cwd=cwd or self.root,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="surrogateescape",
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def run(self, *args: str, timeout: float = 60, cwd: Path | None = None, **env: str) -> Result:
        """Run a console command to its end; the test fails if that takes too long or a traceback is to be seen."""
        began = time.monotonic()
        return self.finish(self.command(*args, cwd=cwd, **env), timeout, began)

    def night(self, *args: str, timeout: float = 60) -> Result:
        """Run `ralph-overnight demo`."""
        return self.run("overnight", "demo", *args, timeout=timeout)

    def finish(self, process: subprocess.Popen[str], timeout: float = 60, began: float | None = None) -> Result:
        began = time.monotonic() if began is None else began
        out, err = process.communicate(timeout=timeout)
        assert "Traceback" not in out + err, out + err
        return Result(process.returncode, out, err, time.monotonic() - began)

    def wait(self, event: str, task: str, count: int = 1, timeout: float = 20) -> None:
        """Wait until the agent has noted an event of a task so many times."""
        end = time.monotonic() + timeout
        while sum(1 for e in self.log() if e["event"] == event and e["task"] == task) < count:
            assert time.monotonic() < end, f"no {event} of {task}: {self.log()}"
            time.sleep(0.01)

    # --- what holds after every night

    def alive(self) -> list[int]:
        """Return the pids of all processes that carry the mark of this test."""
        wanted = f"{MARK}={self.mark}".encode()
        return [pid for pid in pids() if wanted in environment(pid).split(b"\0") and state(pid) not in "ZX"]

    def nothing_left(self, seconds: float = 5.0) -> None:
        """Fail if anything that the run started lives on."""
        end = time.monotonic() + seconds
        while (left := self.alive()) and time.monotonic() < end:
            time.sleep(0.02)
        assert not left, [(pid, Path(f"/proc/{pid}/cmdline").read_bytes()) for pid in left]

    def sound(self, *, fsck: bool = True) -> None:
        """Check what holds after every night, however it went (O8, O20, O29, B2)."""
        self.nothing_left()
        assert STATES.sub(r"\1 \3", self.tasks) == STATES.sub(r"\1 \3", self.original)
        assert not [text for text in self.activity.split("\n") if ESCAPES.search(text.removesuffix("\r"))]
        assert not list(self.root.glob(f"{SPEC}/.*")), "a temporary file was left beside tasks.md"
        if fsck:
            assert not re.search("^(error|missing|broken)", self.git("fsck", "--no-dangling"), re.MULTILINE)
            assert not (self.top / ".git/index.lock").exists()


def pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def clean_env(home: Path, mark: str) -> dict[str, str]:
    """Return an environment with nobody's settings."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "RALPH_", "XDG_", "PYTEST_")) and k != "EMAIL"
    }
    names = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
    return {
        **kept,
        **dict(zip(names, ("Per Son", "person@example.org") * 2, strict=True)),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(home),
        "TERM": "dumb",
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "PYTHONDONTWRITEBYTECODE": "1",
        MARK: mark,
    }


def make(base: Path, tasks: str | bytes = THREE, files: Mapping[str, str] | None = None, *, below: str = "") -> Project:
    """Make a repository with one commit, tagged `evening`; `below` puts the project into a folder of it."""
    top, home, play = base / "repo", base / "home", base / "play"
    for folder in (top / below, home, play):
        folder.mkdir(parents=True)
    project = Project(base, top / below, top, clean_env(home, str(base)), play, mark=str(base))
    project.write("a.py", "a = 1\n")
    project.write(TASKS, tasks)
    project.settings()
    for path, text in (files or {}).items():
        project.write(path, text)
    project.original = project.tasks
    project.plays()
    project.git("init", "-q", "-b", "main")
    commit_all(project)
    project.git("tag", "evening")
    return project


def commit_all(project: Project) -> None:
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "start")


def end_all(project: Project) -> None:
    """End what a test that failed left behind: only processes with its own mark."""
    for pid in project.alive():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    for process in project.started:
        process.communicate(timeout=10)
