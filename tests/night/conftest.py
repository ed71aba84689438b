"""Fixtures of the whole nights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from tests.night import project as projects
from tests.night.project import Project


class Make(Protocol):
    """Makes a project; see project.make."""

    def __call__(
        self, tasks: str | bytes = projects.THREE, files: Mapping[str, str] | None = None, *, below: str = ""
    ) -> Project: ...


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make projects whose processes are all ended at the end of the test."""
    made: list[Project] = []

    def one(tasks: str | bytes = projects.THREE, files: Mapping[str, str] | None = None, *, below: str = "") -> Project:
        made.append(projects.make(tmp_path / f"p{len(made)}", tasks, files, below=below))
        return made[-1]

    yield one
    for project in made:
        projects.end_all(project)


@pytest.fixture
def project(make: Make) -> Project:
    """Return a project with three open tasks and an agent that does them."""
    return make()
