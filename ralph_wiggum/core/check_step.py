"""One check that a manifest configures, before it is placed in a project."""

from __future__ import annotations

from typing import NamedTuple

LINT, TYPES, TEST = 0, 1, 2  # the cheapest first


class Step(NamedTuple):
    """A check of one folder: `paths` are globs of names below it, `origin` the manifest that asks for it."""

    stage: int
    name: str
    command: str
    origin: str
    paths: tuple[str, ...]
