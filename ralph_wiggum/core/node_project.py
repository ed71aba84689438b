"""A package.json -> its checks: the lint, typecheck and test scripts, by the package manager in use (O18)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from ralph_wiggum.core.check_step import LINT, TEST, TYPES, Step
from ralph_wiggum.core.errors import RalphError

PATHS = (
    *(f"*.{ending}" for ending in ("ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "vue", "svelte", "astro")),
    *(f"*.{ending}" for ending in ("css", "scss", "sass", "less", "html")),
    *("package.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb", "tsconfig*.json"),
)

MANIFEST = "package.json"
_LOCKS = (
    ("pnpm-lock.yaml", "pnpm"),
    ("yarn.lock", "yarn"),
    ("bun.lock", "bun"),
    ("bun.lockb", "bun"),
    ("package-lock.json", "npm"),
)
_SCRIPTS = (  # of each group the first that is there
    (LINT, ("lint", "lint:check", "eslint")),
    (TYPES, ("typecheck", "type-check", "types", "check-types", "check:types", "type:check", "tsc")),
    (TEST, ("test", "test:unit", "test:run", "test:ci")),
)
_PLACEHOLDER = "no test specified"  # what npm init writes
_LASTING = re.compile(
    r"\bnodemon\b|\b(?:vitest|jest) watch\b|\btsc\b.*\s(?:-w|--watch)\b|\bmocha\b.*\s(?:-w|--watch)\b"
)


def steps(files: Mapping[str, str], folder: str) -> Iterator[Step]:
    """Yield the checks of one folder ("" is the root), from the texts of a project's files by path.

    RalphError for a package.json that is no JSON.
    """
    place = f"{folder}/{MANIFEST}" if folder else MANIFEST
    if place not in files:
        return
    manifest = _manifest(files[place], place)
    scripts = manifest.get("scripts")
    if not isinstance(scripts, Mapping):
        return
    manager = _manager(files, folder, manifest)
    for stage, names in _SCRIPTS:
        name = next((name for name in names if _usable(scripts.get(name))), None)
        if name is not None:
            yield Step(stage, name, _command(manager, name, scripts[name]), MANIFEST, PATHS)


def _manifest(text: str, place: str) -> Mapping[str, object]:
    try:
        found = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        hint = "mend it, or name the checks under quality_checks in .kiro/settings/ralph.yaml"
        raise RalphError(f"{place}:{error.lineno}: is no JSON: {error.msg}", hint=hint) from None
    return found if isinstance(found, Mapping) else {}


def _manager(files: Mapping[str, str], folder: str, manifest: Mapping[str, object]) -> str:
    """Return the package manager: by its lock file here, by `packageManager` (corepack), by a lock at the root."""
    for where in (f"{folder}/" if folder else "", ""):
        for lock, manager in _LOCKS:
            if f"{where}{lock}" in files:
                return manager
        named = str(manifest.get("packageManager", "")).partition("@")[0]
        if named in {"npm", "pnpm", "yarn", "bun"}:
            return named
    return "npm"


def _usable(script: object) -> bool:
    """Say whether a script is there and comes to an end."""
    return isinstance(script, str) and bool(script) and _PLACEHOLDER not in script and not _LASTING.search(script)


def _command(manager: str, name: str, script: str) -> str:
    """Return the command that runs a script once: what watches by default is told not to."""
    once = _once(script)
    if not once:
        return f"{manager} run {name}"
    return f"{manager} run {name} {'-- ' if manager == 'npm' else ''}{once}"


def _once(script: str) -> str:
    """Return the argument that makes the last program of a script run once, or "".

    vitest watches on a terminal unless it is told to run; jest, react-scripts and Angular have an option to switch
    the watching off.
    """
    last = re.split(r"&&|\|\||;", script)[-1]
    if re.search(r"\bvitest\b", last) and not re.search(r"\bvitest (?:run|bench|typecheck|list)\b|--run\b", last):
        return "--run"
    if re.search(r"\breact-scripts test\b|\bjest\b.*--watch", last):
        return "--watchAll=false" + (" --watch=false" if re.search(r"--watch\b(?!All)", last) else "")
    return "--watch=false" if re.search(r"\bng test\b", last) and "--watch=false" not in last else ""
