"""The manifests of a Python project -> its checks: ruff, mypy, pyright and pytest where they are configured (O18)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ralph_wiggum.core.check_step import LINT, TEST, TYPES, Step

PATHS = (
    "*.py",
    "*.pyi",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "requirements*.txt",
    "uv.lock",
    "*.ini",
    "ruff.toml",
)

_SECTION = re.compile(r"^\[+ *([^\]\n]+?) *\]+ *(?:#.*)?$", re.MULTILINE)
_NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")
_RUNNERS = (
    ("uv.lock", "uv run "),
    ("poetry.lock", "poetry run "),
    ("pdm.lock", "pdm run "),
    ("Pipfile.lock", "pipenv run "),
)
_MANIFESTS = frozenset({"pyproject.toml", "setup.cfg", "requirements.txt"})
_VENVS = (".venv/bin/", "venv/bin/")
_DEPENDENCY_GROUPS = (  # where pyproject.toml may hold what a developer needs
    ("project", "dependencies"),
    ("project", "optional-dependencies", "*"),
    ("dependency-groups", "*"),
    ("tool", "uv", "dev-dependencies"),
    ("tool", "pdm", "dev-dependencies", "*"),
    ("tool", "poetry", "dependencies"),
    ("tool", "poetry", "dev-dependencies"),
    ("tool", "poetry", "group", "*", "dependencies"),
    ("tool", "hatch", "envs", "*", "dependencies"),
    ("tool", "hatch", "envs", "*", "extra-dependencies"),
)


@dataclass(frozen=True, slots=True)
class _Tool:
    """A tool: its files, its sections by manifest, and its command, also for where the settings name no targets."""

    name: str
    stage: int
    command: str
    files: tuple[str, ...]
    sections: Mapping[str, tuple[str, ...]]


_TOOLS = (
    _Tool("ruff", LINT, "ruff check", ("ruff.toml", ".ruff.toml"), {"pyproject.toml": ("tool.ruff",)}),
    _Tool("mypy", TYPES, "mypy", ("mypy.ini", ".mypy.ini"), {"pyproject.toml": ("tool.mypy",), "setup.cfg": ("mypy",)}),
    _Tool("pyright", TYPES, "pyright", ("pyrightconfig.json",), {"pyproject.toml": ("tool.pyright",)}),
    _Tool(
        "pytest",
        TEST,
        "pytest -q",
        ("pytest.ini", ".pytest.ini", "pytest.toml"),
        {"pyproject.toml": ("tool.pytest",), "setup.cfg": ("tool:pytest",), "tox.ini": ("pytest",)},
    ),
)


def steps(files: Mapping[str, str], folder: str) -> Iterator[Step]:
    """Yield the checks of one folder ("" is the root), from the texts of a project's files by path."""
    own = {
        path.removeprefix(f"{folder}/" if folder else ""): text for path, text in files.items() if _below(path, folder)
    }
    dependencies = _dependencies(own)
    for tool in _TOOLS:
        if origin := _asked_for_in(tool, own, dependencies, is_root=not folder):
            command = _targets(tool, own)
            yield Step(tool.stage, tool.name, _runner(files, own, tool.name) + command, origin, PATHS)


def _below(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/") if folder else True


def _asked_for_in(tool: _Tool, own: Mapping[str, str], dependencies: Mapping[str, str], *, is_root: bool) -> str:
    """Return the file that asks for a tool, or "". Tests ask for pytest, in a folder only if it is a project."""
    for name in tool.files:
        if name in own:
            return name
    for name, wanted in tool.sections.items():
        sections = _SECTION.findall(own.get(name, ""))
        if any(section == want or section.startswith(f"{want}.") for section in sections for want in wanted):
            return name
    if tool.name == "pytest" and tool.name not in dependencies and (is_root or _MANIFESTS & own.keys()):
        return next(
            (name for name in sorted(own) if re.fullmatch(r"tests?/(?:.*/)?(?:test_\w+|\w+_test)\.py", name)), ""
        )
    return dependencies.get(tool.name, "")


def _targets(tool: _Tool, own: Mapping[str, str]) -> str:
    """Return a tool's command; mypy without configured targets needs one on the command line."""
    if tool.name != "mypy":
        return tool.command
    texts = (own.get(name, "") for name in ("pyproject.toml", "mypy.ini", ".mypy.ini", "setup.cfg"))
    named = any(
        re.search(r"^(?:files|packages|modules)\s*=", _of_section(text, "mypy"), re.MULTILINE) for text in texts
    )
    return tool.command if named else f"{tool.command} ."


def _of_section(text: str, name: str) -> str:
    """Return the lines of the section `[name]` or `[tool.name]`."""
    found = re.search(rf"^\[(?:tool\.)?{name}\][^\n]*\n(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def _runner(files: Mapping[str, str], own: Mapping[str, str], tool: str) -> str:
    """Return what goes before a tool's name: the project's own runner, else the folder of its virtual environment."""
    for lock, prefix in _RUNNERS:
        if lock in own or lock in files:
            return prefix
    return next((venv for venv in _VENVS if f"{venv}{tool}" in own), "")


def _dependencies(own: Mapping[str, str]) -> dict[str, str]:
    """Return the names of all dependencies, each with the file that names it."""
    found = {
        name: path
        for path, text in own.items()
        if re.fullmatch(r"(?:requirements/)?[\w-]*requirements[\w-]*\.txt|requirements/[\w-]+\.txt", path)
        for name in _names(text.split("\n"))
    }
    try:
        manifest = tomllib.loads(own.get("pyproject.toml", ""))
    except tomllib.TOMLDecodeError:  # the tools will say so themselves; their sections are found without it
        return found
    for group in _DEPENDENCY_GROUPS:
        for value in _at(manifest, group):
            found |= dict.fromkeys(_names(value), "pyproject.toml")
    return found


def _at(value: object, path: tuple[str, ...]) -> Iterator[object]:
    """Yield what lies at a path of nested tables, where `*` stands for every key."""
    if not path:
        yield value
    elif isinstance(value, Mapping):
        keys = value if path[0] == "*" else [path[0]]
        for key in keys:
            if key in value:
                yield from _at(value[key], path[1:])


def _names(requirements: object) -> Iterator[str]:
    """Yield the normalised names of requirements: a list of specifiers (PEP 508), or poetry's table of them."""
    if isinstance(requirements, list | dict):
        for each in requirements:
            if isinstance(each, str) and (name := _NAME.match(each)):
                yield re.sub(r"[-_.]+", "-", name[1]).lower()
