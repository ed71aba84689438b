"""Real terminals for console commands: closed, hung up, never read."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time

from tests.night.project import Project

# Becomes the leader of a session that the terminal controls, as a terminal emulator or sshd has it.
LEAD = "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"


class Terminal:
    """A terminal with one command on it; `text` is what it has shown."""

    def __init__(self, project: Project, *command: str, full: bool = False, **env: str) -> None:
        self.main, slave = pty.openpty()
        os.set_blocking(self.main, False)
        self.text = ""
        if full:
            fill(slave)
        self.process = subprocess.Popen(
            [sys.executable, "-c", LEAD, *command],
            cwd=project.root,
            env=project.env | {"TERM": "xterm"} | env,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            text=True,
        )
        os.close(slave)
        project.started.append(self.process)

    def until(self, words: str, seconds: float = 30) -> str:
        """Read until words are shown; fail if they are not within so many seconds."""
        end = time.monotonic() + seconds
        while words not in self.text:
            assert time.monotonic() < end, f"no {words!r} in {self.text!r}"
            self.read()
            time.sleep(0.01)
        return self.text

    def read(self) -> bool:
        """Read what is there; say whether there may be more."""
        try:
            data = os.read(self.main, 65536)
        except BlockingIOError:
            return True
        except OSError:  # EIO: nobody has it open any more
            return False
        self.text += data.decode("utf-8", "replace")
        return bool(data)

    def rest(self, seconds: float = 60) -> str:
        """Read until nobody has the terminal open any more."""
        end = time.monotonic() + seconds
        while self.read():
            assert time.monotonic() < end, f"no end after {self.text!r}"
            time.sleep(0.01)
        return self.text

    def type(self, text: str) -> None:
        """Type something, such as Ctrl-C."""
        os.write(self.main, text.encode())

    def close(self) -> None:
        """Close the window: the kernel hangs the terminal up."""
        main, self.main = self.main, -1
        if main >= 0:
            os.close(main)


def fill(descriptor: int) -> None:
    """Write until nothing more is taken; nobody reads it."""
    os.set_blocking(descriptor, False)
    try:
        while True:
            os.write(descriptor, b"x" * 1024)
    except BlockingIOError:
        os.set_blocking(descriptor, True)


def console(command: str, *words: str) -> list[str]:
    """Return the command line of a console command."""
    return [sys.executable, "-m", f"ralph_wiggum.cli.{command}", *words]
