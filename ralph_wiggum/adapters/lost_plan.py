"""A tasks.md that went away in the middle of an attempt, together with its runner: the next start puts it back.

The copy that is held before each attempt lies beside the journal. It counts only where the last run was killed in the
middle of an attempt: what happens to tasks.md after a run that ended, or between two attempts, is the person's wish.
"""

from __future__ import annotations

from pathlib import Path

from ralph_wiggum.adapters.project import HELD, Project
from ralph_wiggum.adapters.whole_file import read_file
from ralph_wiggum.core.errors import RalphError


def is_lost(project: Project) -> bool:
    """Say whether tasks.md is gone, or no file any more, and the next start puts it back."""
    return not _is_there(project.tasks_file) and was_cut_off(project)


def was_cut_off(project: Project) -> bool:
    """Say whether the last run was killed in the middle of an attempt, or is in one, and a copy of tasks.md is held."""
    if not (project.state / HELD).is_file():
        return False
    # these are loaded only where something is amiss: `ralph-status` has to be quick
    from ralph_wiggum.adapters.journal_file import read_journal  # noqa: PLC0415 - see above
    from ralph_wiggum.core.cut_off import cut_off  # noqa: PLC0415 - see above
    from ralph_wiggum.core.history import History  # noqa: PLC0415 - see above

    try:
        return cut_off(History(read_journal(project.journal_file)[0])) is not None
    except RalphError:
        return False


def explained(project: Project, error: RalphError) -> RalphError:
    """Return the error of a tasks.md that cannot be read, with what to do where a copy of it is held."""
    copy = project.state / HELD
    shown = str(copy).removeprefix(f"{project.root}/")
    if was_cut_off(project):
        what = "was spoilt" if _is_there(project.tasks_file) else "went away"
        hint = (
            f"it {what} in the middle of an attempt. It is put back as it was: by the run that is at it when the "
            f"attempt ends, else by the next `ralph-overnight {project.spec}`, from {shown}"
        )
    elif copy.is_file() and not _is_there(project.tasks_file):
        hint = f"write it, or name another spec; {shown} is a copy from before the last attempt"
    else:
        return error
    return RalphError(str(error), hint=hint, code=error.code)


def _is_there(path: Path) -> bool:
    """Say whether a file stands there, readable or not."""
    try:
        read_file(path, 1)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
