"""The layers are a test, not a wish: imports point inward (design, part 1)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "ralph_wiggum"
ALLOWED = {
    "core": {"core"},
    "ports": {"core"},
    "adapters": {"core", "ports", "adapters"},
    "app": {"core", "ports", "app"},
    "acp": {"core", "adapters", "acp", "__init__"},  # a program of its own, started as an agent
    "cli": {"core", "cli", "request", "wiring", "rehearsal", "adapters", "app", "__init__"},
}
# The small commands must start fast and the keeper must be forked before the wiring is imported: cli may name adapters.
PURE_LIBRARIES = {
    *("__future__", "abc", "collections", "dataclasses", "datetime", "difflib", "enum", "fnmatch", "functools"),
    *("hashlib", "itertools", "json", "markdown_it", "math", "re", "shlex", "string", "textwrap", "types", "typing"),
    *(
        "unicodedata",
        "base64",
        "bisect",
        "configparser",
        "tomllib",
        "contextlib",
        "operator",
        "heapq",
        "html",
        "sys",
        "posixpath",
        "zoneinfo",  # a table of rules, though it reads it from files
    ),
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> list[str]:
    """Return the full names that a file imports, also inside functions and type-checking blocks."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module in {"ralph_wiggum", "ralph_wiggum.core", "ralph_wiggum.adapters"}:
                names.extend(f"{node.module}.{alias.name}" for alias in node.names)
            else:
                names.append(node.module)
    return names


def layer(path: Path) -> str:
    inner = path.relative_to(PACKAGE)
    return inner.parts[0] if len(inner.parts) > 1 else inner.stem


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_inward(path: Path) -> None:
    allowed = ALLOWED.get(layer(path))
    for name in imports(path):
        first, _, rest = name.partition(".")
        if first == "ralph_wiggum" and allowed is not None:
            assert not rest or rest.split(".")[0] in allowed | {"__version__"}, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("core/**/*.py")), ids=lambda path: path.stem)
def test_core_is_pure(path: Path) -> None:
    for name in imports(path):
        first = name.split(".")[0]
        assert first == "ralph_wiggum" or first in PURE_LIBRARIES, f"core/{path.name} imports {name}"
        if first == "markdown_it":
            assert path.stem == "parse", "parse.py is the only importer of markdown-it-py"


def test_only_wiring_puts_adapters_into_the_application() -> None:
    for path in PACKAGE.glob("app/*.py"):
        assert not any(name.startswith("ralph_wiggum.adapters") for name in imports(path)), path.name
