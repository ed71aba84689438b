"""The manifests of a project, read from disk for the plan of its checks (O18)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("", "frontend", "backend", "web", "webapp", "app", "client", "server", "api", "ui")
_READ = (
    "pyproject.toml",
    "setup.cfg",
    "tox.ini",
    "requirements.txt",
    "requirements-dev.txt",
    "requirements_dev.txt",
    "dev-requirements.txt",
    "requirements/dev.txt",
    "requirements/test.txt",
    "mypy.ini",
    ".mypy.ini",
    "package.json",
)
_NOTED = (  # what counts by being there
    "ruff.toml",
    ".ruff.toml",
    "pytest.ini",
    ".pytest.ini",
    "pytest.toml",
    "pyrightconfig.json",
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "bun.lock",
    "bun.lockb",
    *(f"{venv}/bin/{tool}" for venv in (".venv", "venv") for tool in ("ruff", "mypy", "pyright", "pytest")),
)
_TESTS = ("tests/test_*.py", "tests/*_test.py", "tests/*/test_*.py", "test/test_*.py")
_LONGEST = 2_000_000  # bytes of a manifest


def read_manifests(root: Path) -> dict[str, str]:
    """Return the texts of a project's manifests by their path relative to the root, as check_plan wants them.

    Read from the root and from the folders next below it that usually hold a part of their own. What only counts by
    being there has the text ""; so has what cannot be read.
    """
    return {
        path.relative_to(root).as_posix(): text
        for folder in FOLDERS
        if (root / folder).is_dir()
        for path, text in _of_folder(root / folder)
    }


def _of_folder(folder: Path) -> Iterator[tuple[Path, str]]:
    for name in _READ:
        path = folder / name
        if path.is_file() and path.stat().st_size <= _LONGEST:
            yield path, path.read_text(encoding="utf-8", errors="replace")
    yield from ((folder / name, "") for name in _NOTED if (folder / name).exists())
    for glob in _TESTS:
        if (found := next(folder.glob(glob), None)) is not None:  # one is enough
            yield found, ""
