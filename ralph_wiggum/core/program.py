"""What a process runs, told from its executable and its arguments: a program of its own, or a script of an interpreter.

Pure: a row of the process table in, words out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish"})
INTERPRETERS = SHELLS | {
    "python",
    "pypy",
    "node",
    "nodejs",
    "deno",
    "bun",
    "ruby",
    "perl",
    "php",
    "lua",
    "java",
    "dotnet",
}
# One executable under many names: the name it was called by tells which.
MULTI_CALL = frozenset({"busybox", "toybox", "coreutils"})
# Programs that only start the one that their arguments name, and wait for it.
LAUNCHERS = frozenset(
    {"env", "timeout", "nice", "ionice", "nohup", "stdbuf", "setsid", "sudo", "doas", "time", "script", "unbuffer"}
    | {"npx", "npm", "pnpx", "bunx", "uvx", "uv", "pipx", "dotenv", "direnv", "mise", "asdf", "firejail", "bwrap"}
)

_VERSION = re.compile(r"-?\d+(\.\d+)*$")
_SCRIPT_ENDING = re.compile(r"(-cli)?\.(js|cjs|mjs|ts|py|pyz|rb|pl|sh|phar|jar)$")
_LAUNCHING = re.compile(r"exec|run|dlx|x|tool|start|[\d.]+[smhd]?")  # subcommands of launchers, and durations
_LAUNCHER_VALUES = frozenset(
    {"--with", "--from", "-p", "--package", "--python", "--directory", "--project", "-u", "-n"}
)
_SHELL_CODE = re.compile(r"-[a-zA-Z]*c[a-zA-Z]*")
_CODE: Mapping[str, frozenset[str]] = {
    "python": frozenset({"-c"}),
    "pypy": frozenset({"-c"}),
    "node": frozenset({"-e", "-p", "-pe", "--eval", "--print"}),
    "nodejs": frozenset({"-e", "-p", "-pe", "--eval", "--print"}),
    "bun": frozenset({"-e", "--eval"}),
    "deno": frozenset({"eval"}),
    "ruby": frozenset({"-e"}),
    "perl": frozenset({"-e", "-E"}),
    "php": frozenset({"-r"}),
    "lua": frozenset({"-e"}),
}
_TAKES_A_VALUE: Mapping[str, frozenset[str]] = {
    "python": frozenset({"-W", "-X"}),
    "pypy": frozenset({"-W", "-X"}),
    "node": frozenset({"-r", "--require", "--import", "--loader", "-C", "--conditions", "--env-file"}),
    "nodejs": frozenset({"-r", "--require", "--import", "--loader", "-C", "--conditions", "--env-file"}),
    "bun": frozenset({"-r", "--preload", "--config", "--cwd"}),
    "ruby": frozenset({"-I", "-r", "-C"}),
    "perl": frozenset({"-I"}),
    "java": frozenset({"-cp", "-classpath", "--class-path", "-p", "--module-path", "--add-modules"}),
}
_SHELL_VALUES = frozenset({"-o", "+o", "-O", "+O", "--rcfile", "--init-file"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One living process, as the command watch sees it.

    `started` is in seconds of the runner's monotonic clock; with the pid it names the process without doubt. `exe` is
    the path of the executable, "" where it cannot be read; `cwd` its current folder.
    """

    pid: int
    ppid: int
    started: float
    exe: str
    argv: tuple[str, ...]
    cwd: str = "/"

    @property
    def name(self) -> str:
        """Return the name of the program: of the interpreter where it is one, without its version.

        >>> Process(pid=1, ppid=0, started=0, exe="/usr/bin/python3.11", argv=("python3", "x.py")).name
        'python'
        """
        called = posixpath.basename(self.argv[0]).lstrip("-") if self.argv else ""
        name = posixpath.basename(self.exe) or called
        name = called if name in MULTI_CALL and called else name
        stem = _VERSION.sub("", name)
        return stem if stem in INTERPRETERS else name

    @property
    def script(self) -> str:
        """Return what the interpreter runs: a script's absolute path, "-m module", "-c code"; "" if it is none."""
        return script(self.name, self.argv, self.cwd) if self.name in INTERPRETERS else ""

    @property
    def called(self) -> str:
        """Return the bare name that a person would know the program by: `npm` for `node …/npm-cli.js`."""
        if self.name in LAUNCHERS or self.inline or not self.script:
            return bare(self.argv[0]) if self.argv else self.name
        return bare(self.script.split(" ")[1]) if self.script.startswith("-m ") else bare(self.script)

    @property
    def package(self) -> str:
        """Return the npm package of a script: `@playwright/mcp` of `…/node_modules/@playwright/mcp/cli.js`."""
        _, found, path = self.script.rpartition("/node_modules/")
        words = path.split("/")
        return "/".join(words[: 2 if path.startswith("@") else 1]) if found and words[0] != ".bin" else ""

    @property
    def line(self) -> str:
        """Return the command line as it was called."""
        return " ".join(self.argv) or self.name

    @property
    def inline(self) -> bool:
        """Say whether the code stands in the arguments (`bash -c '…'`)."""
        return self.script.startswith("-c ")


def script(name: str, argv: tuple[str, ...], cwd: str) -> str:
    """Return what an interpreter called `name` runs: an absolute path, "-m module", "-c code", or "" for neither.

    >>> script("bash", ("bash", "-lc", "npm ci"), "/work")
    '-c npm ci'
    >>> script("node", ("node", "--max-old-space-size=4096", "bin/cli.js", "chat"), "/opt/agent")
    '/opt/agent/bin/cli.js'
    """
    words = iter(argv[1:])
    for word in words:
        if _is_code(name, word):
            return f"-c {next(words, '')}"
        if word == "-m" and name in ("python", "pypy"):
            return f"-m {next(words, '')}"
        if word in _TAKES_A_VALUE.get(name, ()) or (name in SHELLS and word in _SHELL_VALUES):
            next(words, None)
        elif not word.startswith(("-", "+")) and not (name in ("deno", "bun") and word == "run"):
            return word if name == "java" else posixpath.normpath(posixpath.join(cwd, word))
    return ""


def bare(path: str) -> str:
    """Return the last part of a path without the endings of scripts.

    >>> bare("/usr/lib/node_modules/npm/bin/npm-cli.js")
    'npm'
    """
    return _SCRIPT_ENDING.sub("", posixpath.basename(path))


def arguments(process: Process) -> tuple[str, ...]:
    """Return what follows the program or the script on the command line."""
    if process.script and not process.inline:
        last = process.script.removeprefix("-m ")
        for index, word in enumerate(process.argv[1:], start=1):
            if word == last or posixpath.normpath(posixpath.join(process.cwd, word)) == last:
                return process.argv[index + 1 :]
    return process.argv[1:]


def launched(process: Process) -> tuple[str, tuple[str, ...]]:
    """Return the name of the program that really runs, and its arguments.

    Of a launcher (`npx -y @scope/tool`, `timeout 60 tool`) it is what it launches, else the process's own.

    >>> launched(Process(pid=1, ppid=0, started=0, exe="/usr/bin/uv", argv=("uv", "run", "mcp-server-git", "-v")))
    ('mcp-server-git', ('-v',))
    """
    words = list(arguments(process))
    if process.called not in LAUNCHERS:
        return process.called, tuple(words)
    while words and (words[0].startswith("-") or "=" in words[0] or _LAUNCHING.fullmatch(words[0])):
        if words.pop(0) in _LAUNCHER_VALUES:
            words = words[1:]
    if not words:
        return process.called, ()
    return words[0] if words[0].startswith("@") else bare(words[0]), tuple(words[1:])


def same_program(one: Process, other: Process) -> bool:
    """Say whether two processes run the same program: one executable, or one script of one interpreter.

    A fork that executed nothing has the very arguments of its parent and counts as the same.
    """
    if one.name != other.name:
        return False
    if one.name in INTERPRETERS:
        return one.argv == other.argv or (one.script == other.script != "")
    return one.exe == other.exe != ""


def _is_code(name: str, word: str) -> bool:
    return bool(_SHELL_CODE.fullmatch(word)) if name in SHELLS else word in _CODE.get(name, ())
