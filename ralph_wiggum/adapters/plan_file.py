"""The cache of a parsed plan, so that `ralph-status` need not load the parser: keyed by what tasks.md holds."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from ralph_wiggum import __version__
from ralph_wiggum.adapters.project import HELD, Project, make_state
from ralph_wiggum.adapters.whole_file import read_file, replace_file
from ralph_wiggum.core import plan_cache
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.model import Plan

PLAN_BYTES = 4 << 20  # of a tasks.md: some 40,000 tasks; what is larger would hold up the loop for a minute


def load_plan(path: Path, content: bytes) -> Plan | None:
    """Return the plan that was kept for exactly this content of tasks.md by this version; None otherwise."""
    try:
        data = read_file(path)
    except OSError:
        return None
    key = _key(content)
    if not data.startswith(key):
        return None
    try:
        return plan_cache.load(data[len(key) :].decode())
    except UnicodeDecodeError:
        return None


def keep_plan(path: Path, content: bytes, plan: Plan) -> None:
    """Keep a plan for next time; where nothing can be written, nothing is kept."""
    with suppress(OSError):
        make_state(path.parent)
        replace_file(path, (_key(content), plan_cache.dump(plan).encode()), durable=False)


def current_plan(project: Project) -> Plan:
    """Return the plan of a spec as it is now, from the cache if that holds it; RalphError as `read_tasks`."""
    content = read_plan_file(project)
    plan = load_plan(project.plan_file, content)
    if plan is None:
        from ralph_wiggum.core.parse import parse  # noqa: PLC0415 - 40 ms, only where the cache has nothing

        try:
            plan = parse(decode_tasks(content, project.tasks_file))
        except RalphError as error:
            raise _explained(project, error) from None
        keep_plan(project.plan_file, content, plan)
    return plan


def plan_during_attempt(project: Project, key: str) -> Plan:
    """Return the plan while an agent works on the task `key`: its own ticks and edits of that task do not count (O17).

    They are taken back when the attempt ends; until then the copy that is held says how things stand.
    """
    content = read_plan_file(project)
    with suppress(OSError, UnicodeDecodeError):
        held = read_file(project.state / HELD)
        if held and held != content:
            from ralph_wiggum.core import protect  # noqa: PLC0415 - as below, with the parser
            from ralph_wiggum.core.parse import parse  # noqa: PLC0415 - 40 ms, only where an agent was at it

            return parse(protect.protect(held.decode(), content.decode(), key).text)
    return current_plan(project)


def read_plan_file(project: Project) -> bytes:
    """Return what a spec's tasks.md holds; RalphError as `read_tasks`, and what to do where a copy is held."""
    try:
        return read_tasks(project.tasks_file)
    except RalphError as error:
        raise _explained(project, error) from None


def _explained(project: Project, error: RalphError) -> RalphError:
    from ralph_wiggum.adapters.lost_plan import explained  # noqa: PLC0415 - only where something is amiss

    return explained(project, error)


def read_tasks(path: Path) -> bytes:
    """Return what tasks.md holds; RalphError if it cannot be read."""
    try:
        data = read_file(path, PLAN_BYTES + 1)
    except FileNotFoundError:
        raise RalphError(f"no tasks file: {path} is not there", hint="write it, or name another spec") from None
    except OSError as error:
        raise RalphError(f"cannot read {path}: {error.strerror}", hint="it must be a file that you may read") from None
    if len(data) > PLAN_BYTES:
        hint = f"a tasks file of up to {PLAN_BYTES >> 20} MB is read; split it into several specs"
        raise RalphError(f"{path} is too large to be a plan", hint=hint)
    return data


def decode_tasks(data: bytes, path: Path) -> str:
    """Return the text of tasks.md, byte for byte; RalphError with the line if it is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RalphError(
            f"{path}:{line}: not UTF-8 (byte {data[error.start]:#04x})",
            hint="save the file as UTF-8; ralph changes no byte that it cannot read",
        ) from None


def _key(content: bytes) -> bytes:
    """Return what the cache begins with: version and text, since loading hashlib takes longer than comparing them."""
    return f"{__version__} {len(content)}\n".encode() + content
