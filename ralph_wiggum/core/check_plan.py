"""Which checks there are, and which of them a change calls for (O18). The commands run elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from ralph_wiggum.core import node_project, python_project
from ralph_wiggum.core.check_step import Step
from ralph_wiggum.core.settings import CheckPlan, CheckSettings, Settings

BACKEND = "backend"
FRONTEND = "frontend"
_NAME = 60  # characters of a command that names its check

# Where the settings name a kind without its paths.
_USUAL_PATHS: Mapping[str, tuple[str, ...]] = {
    BACKEND: python_project.PATHS,
    FRONTEND: (*node_project.PATHS, "frontend/**"),
}


def from_settings(settings: Settings) -> tuple[CheckPlan, ...] | None:
    """Return the checks that the settings name, in their order; None where they leave it to the manifests."""
    if settings.quality_checks is None:
        return None
    return tuple(plan for kind in settings.quality_checks for plan in _of_kind(kind))


def _of_kind(kind: CheckSettings) -> Iterable[CheckPlan]:
    for command in kind.commands:
        yield CheckPlan(
            name=command if len(command) <= _NAME else f"{command[: _NAME - 1]}…",
            kind=kind.kind,
            command=command,
            cwd=kind.cwd,
            paths=kind.paths or _USUAL_PATHS.get(kind.kind, ()),
            timeout=kind.timeout,
            origin="settings",
        )


def from_manifests(files: Mapping[str, str]) -> tuple[CheckPlan, ...]:
    """Return the checks that the manifests of a project configure: linters first, then types, then tests.

    `files` are texts by their path relative to the root (`frontend/package.json`); for those that count by being
    there (`tests/test_a.py`, `.venv/bin/ruff`, `uv.lock`) the text may be "". RalphError for a package.json that is
    no JSON: which checks it names cannot be known then.
    """
    folders = sorted({"", *(path.partition("/")[0] for path in files if "/" in path)})
    found: list[tuple[int, CheckPlan]] = []
    for folder in folders:
        for kind, steps in (
            (BACKEND, python_project.steps(files, folder)),
            (FRONTEND, node_project.steps(files, folder)),
        ):
            found += [(step.stage, _of_manifest(kind, folder, step)) for step in steps]
    return tuple(plan for _, plan in sorted(found, key=lambda pair: pair[0]))


def _of_manifest(kind: str, folder: str, step: Step) -> CheckPlan:
    return CheckPlan(
        name=f"{folder}: {step.name}" if folder else step.name,
        kind=kind,
        command=step.command,
        cwd=folder,
        paths=tuple(f"{folder}/**/{glob}" if folder else glob for glob in step.paths),
        origin=f"{folder}/{step.origin}" if folder else step.origin,
    )


def choose(plans: Sequence[CheckPlan], changed: Sequence[str] | None) -> tuple[CheckPlan, ...]:
    """Return the checks that changed paths call for, in their order (O18).

    A check without paths runs for any change. Where no check has a path that fits, and for None (a checkpoint), all
    run: it is better to check too much than to complete a task unseen.
    """
    if changed is None:
        return tuple(plans)
    fitting = {plan for plan in plans if any(_fits(path, plan.paths) for path in changed)}
    if not fitting:
        return tuple(plans)
    return tuple(plan for plan in plans if plan in fitting or not plan.paths)


def _fits(path: str, globs: Sequence[str]) -> bool:
    return any(glob_pattern(glob).fullmatch(path) for glob in globs)


@cache
def glob_pattern(glob: str) -> re.Pattern[str]:
    r"""Return the pattern of a glob, by the rules of gitignore(5): `*` stays in a folder, `**` does not.

    A glob without a slash fits a name in any folder; one that fits a folder fits everything below it.

    >>> bool(glob_pattern("*.py").fullmatch("src/a.py")), bool(glob_pattern("docs/*.md").fullmatch("docs/x/a.md"))
    (True, False)
    """
    anchored = "/" in glob.rstrip("/")
    body = glob.removeprefix("./").strip("/")
    parts = re.split(r"(\*\*/|/\*\*$|\*\*|\*|\?|\[[^\]]+\])", body if anchored else f"**/{body}")
    below = "(?:/.*)?"
    return re.compile("".join(_GLOB_WORDS.get(part) or _literal(part) for part in parts) + below, re.DOTALL)


_GLOB_WORDS = {"**/": "(?:.*/)?", "/**": "/.+", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _literal(part: str) -> str:
    if part.startswith("[") and part.endswith("]"):
        return "[" + part[1:-1].replace("\\", r"\\").replace("!", "^", 1) + "]"
    return re.escape(part)
