"""What the real agent CLIs print against the model server, kept as fixtures: `python -m tests.agents.capture [AGENT …]`.

Each runs as the runner would run it, in a repository and a home of its own, and is ended after SECONDS (or PATIENCE)
where it does not give up before. tests/data/captures holds `<agent>-<version>-<mode>.out`, with `.err` and `.report`
where they are not empty, scrubbed (tests/agents/scrubbing.py), and ends.json: how each run ended. No other host is asked.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ralph_wiggum.adapters.agents.launch import Launch, prepare, prompt_file, report_file
from ralph_wiggum.adapters.agents.report import read_report
from ralph_wiggum.adapters.capture import PipeSource, Stream
from ralph_wiggum.adapters.clock import SystemClock
from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.adapters.process import Family, Start
from ralph_wiggum.core.agents import BUILT_IN
from ralph_wiggum.core.evidence import Ending
from ralph_wiggum.core.settings import AgentSettings, Limits
from ralph_wiggum.core.versions import version_in
from ralph_wiggum.ports import AgentRequest
from tests.agents import installed, scrubbing
from tests.agents.scrubbing import Scene
from tests.modelserver.probe import PROMPT
from tests.modelserver.serving import serving
from tests.modelserver.setups import setup

CAPTURES = Path(__file__).parents[1] / "data" / "captures"
ENDS = "ends.json"
SECONDS = 30.0  # codex gives up over a 529 after 25
PATIENCE: Mapping[str, float] = MappingProxyType({"qwen": 120.0})  # it gives up after 85, and says why only then
VERSION_SECONDS = 60.0
AGENTS = tuple(installed.PROGRAMS)
MODES = ("ok", "nosignal", "limit", "401", "ctx", "429", "529")
CUT = ("cutall", "cutclean")
MORE: Mapping[str, tuple[str, ...]] = MappingProxyType(dict.fromkeys(("opencode", "gemini", "qwen"), CUT))
REPORTS = frozenset({"mini"})  # aider's is a log that nothing reads


@dataclass
class Kept:
    """A sink that keeps what each stream brought."""

    streams: dict[Stream, bytearray] = field(default_factory=lambda: {stream: bytearray() for stream in Stream})

    def add(self, data: bytes, stream: Stream) -> None:
        self.streams[stream] += data

    def settle(self) -> None:
        """Nothing is held back."""


class Silent:
    """A watcher that shows nothing and never asks for the end."""

    def output(self, text: str) -> None:
        """Show nothing."""

    def tick(self) -> None:
        """Draw nothing."""

    def stop_reason(self) -> str | None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """What one run left, as it came. `exit_code` is None where it was ended."""

    out: bytes
    err: bytes
    report: bytes
    ending: Ending
    exit_code: int | None
    scene: Scene


def run(name: str, program: Path, mode: str, base: Path, family: Family) -> Captured:
    """Run an agent once in a scenario of the model server; `base` is an empty folder."""
    home, repository = base / "home", _repository(base / "project")
    _made(home)
    with serving() as server:
        made = setup(name, home, server.url(mode), subscription=mode == "limit")
        settings = replace(BUILT_IN[name], args=made.args)
        scene = _scene(base, server.port)
        seconds = PATIENCE.get(name, SECONDS)
        limits = Limits(task_seconds=seconds, command_seconds=seconds, no_progress_seconds=2 * seconds)
        request = AgentRequest(
            prompt=PROMPT, cwd=repository, env={}, limits=limits, log=base / "agent.log", prompt_file=base / "prompt.md"
        )
        launch = prepare(settings, request, {**made.env, **_machine(base, program)})
        kept = Kept()
        ended = family.run(*_connected(launch, settings, request, kept), limits, Silent())
    return Captured(
        out=bytes(kept.streams[Stream.STDOUT]),
        err=bytes(kept.streams[Stream.STDERR]),
        report=read_report(report_file(request)) if name in REPORTS else b"",
        ending=ended.ending,
        exit_code=ended.exit_code if ended.ending is Ending.EXITED else None,
        scene=scene,
    )


def _scene(base: Path, port: int) -> Scene:
    """Return what is this machine's and this run's in what will be printed."""
    places = {
        str(base / "project"): "/home/person/project",
        str(base / "home"): "/home/person",
        str(base): "/home/person/tmp",
        str(installed.cache()): "/home/person/agents",
        str(Path.home()): "/home/person",
        os.uname().release: "6.1.0",
        os.uname().version: "#1 SMP",
    }
    return Scene(began=time.time(), port=port, places=places)


def _machine(base: Path, program: Path) -> dict[str, str]:
    """Return the part of the environment that is the machine's; times are told in UTC."""
    return {
        "PATH": installed.only(base / "bin", program),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "TMPDIR": str(_made(base / "tmp")),
    }


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _repository(folder: Path) -> Path:
    """Make a git repository with one commit."""
    folder.mkdir()
    (folder / "README.md").write_text("# A project\n")
    env = {"PATH": os.defpath, "HOME": str(folder), "GIT_CONFIG_GLOBAL": os.devnull}
    identity = ("-c", "user.name=Person", "-c", "user.email=person@example.invalid")
    for arguments in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "Begin")):
        subprocess.run(["git", *identity, *arguments], cwd=folder, env=env, check=True, timeout=VERSION_SECONDS)
    return folder


def _connected(
    launch: Launch, settings: AgentSettings, request: AgentRequest, kept: Kept
) -> tuple[Start, list[PipeSource]]:
    """Open what the program reads and writes, as the driver for pipes does."""
    with ExitStack() as opened:
        read = prompt_file(settings, request) if settings.prompt == "stdin" else os.devnull
        stdin = os.open(read, os.O_RDONLY)
        opened.callback(os.close, stdin)
        written, sources = [], []
        for stream in Stream:
            reading, writing = os.pipe()
            opened.callback(os.close, writing)
            written.append(writing)
            sources.append(PipeSource(reading, kept, stream))
            opened.callback(sources[-1].close)
        opened.pop_all()  # from here on the family closes them
    start = Start(argv=launch.argv, cwd=launch.cwd, env=launch.env, stdin=stdin, stdout=written[0], stderr=written[1])
    return start, sources


def version(name: str, program: Path) -> str:
    """Return the version that a program tells."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**BUILT_IN[name].env, "HOME": folder, **_machine(Path(folder), program)}
        command = [str(program), *BUILT_IN[name].version[1:]]
        done = subprocess.run(command, env=env, cwd=folder, capture_output=True, check=True, timeout=VERSION_SECONDS)
    return version_in(done.stdout.decode(errors="replace")) or "unknown"


def store(stem: str, captured: Captured, folder: Path) -> None:
    """Write the fixtures of one run, in place of those that were there; of one that said nothing there are none."""
    parts = {"out": captured.out, "err": captured.err, "report": captured.report}
    for kind, data in parts.items():
        path = folder / f"{stem}.{kind}"
        path.unlink(missing_ok=True)
        if data or (kind == "out" and any(parts.values())):
            path.write_text(
                scrubbing.scrub(data.decode(errors="replace"), captured.scene), encoding="utf-8", newline=""
            )
    ends = folder / ENDS
    known: dict[str, Any] = json.loads(ends.read_text()) if ends.exists() else {}
    known.pop(stem, None)
    if any(parts.values()):
        known[stem] = {"ending": captured.ending.value, "exit_code": captured.exit_code}
    ends.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")


def main(arguments: list[str]) -> int:
    """Capture the named agents, or all that are installed; return how many are not."""
    CAPTURES.mkdir(exist_ok=True)
    missing = 0
    keeper = Keeper.start()
    try:
        for name in arguments or AGENTS:
            program = installed.program(name)
            if program is None:
                print(f"{name} is not in {installed.cache()}")
                missing += 1
                continue
            told = version(name, program)
            for mode in (*MODES, *MORE.get(name, ())):
                with tempfile.TemporaryDirectory(prefix="capture-", ignore_cleanup_errors=True) as base:
                    captured = run(name, program, mode, Path(base), Family(keeper, SystemClock()))
                stem = f"{name}-{told}-{mode}"
                store(stem, captured, CAPTURES)
                print(f"{stem}: {captured.ending.value}, {captured.exit_code}, {len(captured.out)} bytes", flush=True)
    finally:
        keeper.close()
    return missing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
