"""A stand-in for agent-browser that a test writes into its folder: it answers, and misbehaves, on demand."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

SCRIPT = """#!{python} -S
import json, os, signal, sys, time

HAR = {{"log": {{"entries": [
    {{"_resourceType": "Document", "request": {{"url": "http://a/", "method": "GET"}}, "response": {{"status": 200}}}},
    {{"_resourceType": "Fetch", "request": {{"url": "http://b/", "method": "POST"}},
     "response": {{"status": 0, "statusText": "net::ERR_CONNECTION_REFUSED"}}}},
]}}}}
assert sys.argv[1] == "--json", sys.argv
argv = sys.argv[2:]
with open({calls!r}, "a") as file:
    file.write(json.dumps(argv) + "\\n")


def result(argv):
    match argv:
        case ["network", "har", "start", *_] if os.path.exists({no_har!r}):
            return {{"success": False, "data": None, "error": "no HAR here"}}
        case ["network", "har", "start", *_] if os.path.exists({no_chrome!r}):
            return {{"success": False, "error": "Chrome exited early (exit code: 1)"}}
        case ["network", "har", "stop", _] if os.path.exists({no_stop!r}):
            return {{"success": False, "data": None, "error": "no space left"}}
        case ["network", "har", "stop", path]:
            with open(path, "w") as file:
                json.dump(HAR, file)
            return {{"success": True, "data": {{"path": path}}, "error": None}}
        case ["network", "requests", "--clear"]:
            return {{"success": True, "data": {{"cleared": True}}, "error": None}}
        case ["network", "requests"]:
            listed = [{{"url": "http://a/", "resourceType": "Document", "status": 200}}, {{"url": "http://b/"}}, 3]
            return {{"success": True, "data": {{"requests": listed}}, "error": None}}
        case ["open", url]:
            return {{"success": True, "data": {{"url": url, "lifecycle": {{"reused": True}}}}, "error": None}}
        case ["get", "url"]:
            return {{"success": True, "data": {{"url": "about:blank"}}, "error": None}}
        case ["get", "env", name]:
            return {{"success": True, "data": {{"value": os.environ.get(name)}}, "error": None}}
        case ["click", "#gone"]:
            return {{"success": False, "data": None, "error": "Element not found"}}
        case ["click", "#tab"]:
            return {{"success": False, "data": None, "error": "Target crashed"}}
        case ["eval", "throw"]:
            return {{"success": False, "data": None, "error": "Evaluation error: Error: failed to connect"}}
        case ["hang"]:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            time.sleep(1000)
        case ["flood"]:
            for _ in range(40):
                sys.stdout.buffer.write(b"x" * (1 << 20))
            sys.exit(0)
        case ["bad-text"]:
            sys.stdout.buffer.write(b'{{"success": true, "data": {{"value": "caf\\xe9 \\xff"}}, "error": null}}')
            sys.exit(0)
        case ["warn"]:
            print("\\x1b[33mwarning\\x1b[0m: daemon version mismatch")
            return {{"success": True, "data": {{}}, "error": None}}
        case ["silent"]:
            sys.exit(3)
        case ["words"]:
            sys.exit("\\x1b[31msomething went wrong\\x1b[0m")
        case ["crash"]:
            os.kill(os.getpid(), signal.SIGSEGV)
        case ["daemon"]:
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    signal.signal(signal.SIGTERM, signal.SIG_IGN)
                    with open({pids!r}, "a") as file:
                        file.write(str(os.getpid()) + "\\n")
                    time.sleep(1000)
                os._exit(0)
            while not os.path.exists({pids!r}):
                time.sleep(0.01)
    return {{"success": True, "data": {{}}, "error": None}}


if argv[0] == "batch":
    results = [result(each.split()) for each in argv[1:]]
    keys = [{{"command": each, "success": r["success"], "result": r.get("data"), "error": r["error"]}}
            for each, r in zip(argv[1:], results)]
    print(json.dumps(keys))
else:
    found = result(argv)
    print(json.dumps(found))
    sys.exit(not found["success"])
"""


@dataclass
class StandIn:
    """The program, what it was called with, the daemons that it left."""

    folder: Path
    program: Path = field(init=False)

    def __post_init__(self) -> None:
        self.program = self.folder / "agent-browser"
        names = {name: str(self.folder / name) for name in ("calls", "pids", "no_har", "no_stop", "no_chrome")}
        self.program.write_text(SCRIPT.format(python=sys.executable, **names))
        self.program.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def daemons(self) -> list[int]:
        path = self.folder / "pids"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def without(self, what: str) -> None:
        """Let it have no HAR ("no_har"), none that it can write ("no_stop"), or no browser ("no_chrome")."""
        (self.folder / what).touch()


@dataclass
class Quiet:
    """A watcher that asks for the end when `stop` says so."""

    stop: Callable[[], str | None] = lambda: None
    ticks: int = 0

    def output(self, text: str) -> None:
        raise AssertionError("nothing of the tool's output is for a person")

    def tick(self) -> None:
        self.ticks += 1

    def stop_reason(self) -> str | None:
        return self.stop()
