"""Signs in the output of a check that it could not run at all: the environment's fault, not the task's (O37)."""

from __future__ import annotations

import re

_TOOL_MISSING = (
    re.compile(r"^(?:\S*sh|/\S+): (?:line \d+: |\d+: )?(?P<tool>[^\s:]+): (?:command )?not found$", re.MULTILINE),
    re.compile(r"^make: (?P<tool>[^\s:]+): No such file or directory$", re.MULTILINE),
    re.compile(r"^(?:\S*sh|/\S+): (?:line \d+: |\d+: )?(?P<tool>[^\s:]+): Permission denied$", re.MULTILINE),
    re.compile(r"^\S*python[\d.]*(?:\.exe)?: No module named (?P<tool>[\w.]+)", re.MULTILINE),  # python -m TOOL
    re.compile(r"^error: Failed to spawn: `(?P<tool>[^`]+)`", re.MULTILINE),  # uv run
    re.compile(r"^Command not found: (?P<tool>\S+)$", re.MULTILINE),  # poetry run
    re.compile(r"^npm (?:error|ERR!) 404 +'(?P<tool>[^'@]+)@\*' is not in this registry", re.MULTILINE),  # npx
    re.compile(r"^npm (?:error|ERR!) 404 +The requested resource '(?P<tool>[^'@]+)@\*' could not", re.MULTILINE),
    re.compile(r"^npx canceled due to missing packages.*?\[\"(?P<tool>[^\"@]+)", re.MULTILINE),
)  # fmt: skip
_NODE_MODULES = re.compile(r"node_modules missing, did you mean to install", re.IGNORECASE)
_BROWSER = re.compile(r"Executable doesn't exist at .*\n(?:.*\n)*?.*playwright install", re.IGNORECASE)
_DISK = re.compile(r"No space left on device|\bENOSPC\b|Disk quota exceeded")
_UNREACHABLE = re.compile(
    r"\b(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)\b|Connection refused|Name or service not known"
    r"|Temporary failure in name resolution|could not (?:connect to server|translate host name)|Network is unreachable"
    r"|Can't connect to (?:local )?(?:MySQL|server)|Cannot connect to the Docker daemon|Failed to resolve host"
)
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126  # POSIX: exit status of a shell

_HINTS = {
    "uv": "see https://docs.astral.sh/uv",
    "poetry": "pipx install poetry",
    "npm": "install Node.js",
    "npx": "install Node.js",
    "node": "install Node.js",
    "pnpm": "corepack enable, or npm install -g pnpm",
    "yarn": "corepack enable, or npm install -g yarn",
    "bun": "see https://bun.sh",
    "playwright": "npx playwright install",
}
_PYTHON_TOOL = re.compile(r"ruff|mypy|(based)?pyright|pytest|flake8|pylint|black|isort|tox|nox|coverage")
_NODE_COMMAND = re.compile(r"\b(?:npm|npx|pnpm|yarn|bun|node)\b")


def of(output: str, command: str, exit_code: int | None, *, named: bool) -> str:
    """Return why a check could not run, with what would help, or "" if it ran.

    `named`: its output names failures (tests, `path: code`). Then it did run, and only a full disk is an obstacle:
    a refused connection is what some tests are about.
    """
    if _DISK.search(output):
        return "no space left on the device: free some, or the checks cannot run"
    missing = _missing(output)
    if exit_code in (_NOT_FOUND, _NOT_EXECUTABLE):
        return _say_missing(missing or _first_word(command), command, exit_code)
    if named:
        return ""
    return _say_missing(missing, command, exit_code) if missing else _not_ready(output, command)


def _not_ready(output: str, command: str) -> str:
    if _NODE_MODULES.search(output):
        return "node_modules is missing: " + _install(command)
    if _BROWSER.search(output):
        return "the browsers of Playwright are missing: npx playwright install"
    refused = _UNREACHABLE.search(output)
    return f"a server or database cannot be reached ({refused[0]}): start it, or see to the network" if refused else ""


def _missing(output: str) -> str:
    return next((match["tool"] for pattern in _TOOL_MISSING if (match := pattern.search(output))), "")


def _say_missing(tool: str, command: str, exit_code: int | None) -> str:
    if exit_code == _NOT_EXECUTABLE:
        return f"{tool} cannot be executed (exit {exit_code}): chmod +x, or change quality_checks in the settings"
    name = tool.rsplit("/", 1)[-1]
    return f"{tool} is not installed here (exit {exit_code}): {_HINTS.get(name) or _how(name, command)}"


def _how(name: str, command: str) -> str:
    if _PYTHON_TOOL.fullmatch(name):
        return "uv sync" if re.search(r"\buv run\b", command) else f"pip install {name}"
    if _NODE_COMMAND.search(command):
        return _install(command)
    return "install it, or change quality_checks in the settings"


def _install(command: str) -> str:
    found = _NODE_COMMAND.search(command)
    name = found[0] if found else "npm"
    return f"{'npm' if name in {'npx', 'node'} else name} install"


def _first_word(command: str) -> str:
    words = [word for word in command.split() if not re.match(r"\w+=", word)]
    return words[0] if words else command
