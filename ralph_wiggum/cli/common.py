"""What all commands share: how errors are shown and become exit codes, -C and --version, where the settings come in.

Light at import: argparse and settings are loaded by the commands that use them.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ralph_wiggum import __version__
from ralph_wiggum.adapters.project import ACTIVITY_FILE, TASKS_FILE, Project, find_root, open_spec
from ralph_wiggum.core.errors import Exit, RalphError

if TYPE_CHECKING:
    import argparse

    from ralph_wiggum.core.settings import Settings

# What the machine or a person is to mend; any other error of the system that comes up to here is a surprise.
TROUBLE = frozenset(
    {
        *(errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS),
        *(errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN),
    }
)
TROUBLE_HINT = "see that the disk is not full and that the file may be written; then start again"
RUN_ID = "RALPH_RUN_ID"
PROJECT_SETTINGS = (".kiro/settings/ralph.yaml", ".kiro/settings/ralph.yml")


class Places(NamedTuple):
    """The settings that the small commands need."""

    tasks_file: str = TASKS_FILE
    activity_file: str = ACTIVITY_FILE
    visual_tasks: tuple[str, ...] = ()


def run_command(command: Callable[[], int]) -> int:
    """Carry out a command and return its exit code; print errors so that a person knows what to do."""
    try:
        _print_anything()
        code = command()
        sys.stdout.flush()
    except RalphError as error:
        return _say(str(error), error.hint, error.code)
    except KeyboardInterrupt:
        return int(Exit.INTERRUPTED)
    except BrokenPipeError:
        return _close_quietly()
    except SystemExit as stop:  # argparse: 0 after --help, 2 after a wrong call
        return stop.code if isinstance(stop.code, int) else int(Exit.BAD_INPUT)
    except Exception as error:  # noqa: BLE001 - the one place where a surprise of ours is told from a person's error
        code = _say_surprise(error)
    return code


def parser(program: str, text: str, epilog: str) -> argparse.ArgumentParser:
    """Return an argument parser with what all commands know: --help, --version, -C."""
    import argparse  # noqa: PLC0415 - 6 ms

    made = argparse.ArgumentParser(
        prog=program,
        description=text,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("-C", dest="directory", metavar="DIR", default="", help="work in this folder's project")
    made.add_argument("--version", action="version", version=version())
    return made


def version() -> str:
    """Return the program's name and version."""
    return f"ralph-wiggum {__version__}"


def refuse_within_an_agent(program: str) -> None:
    """Raise RalphError where an agent calls: only the person and the runner change state (O17)."""
    run = os.environ.get(RUN_ID)
    if run:
        raise RalphError(
            f"{program} changes state, and this is an agent of run {run} ({RUN_ID} is set)",
            hint="do the task, and end with a signal; the runner ticks and skips",
        )


def start_folder(directory: str) -> Path:
    """Return the folder that -C names, else the current one; RalphError if it is gone."""
    try:
        return Path.cwd() / directory if directory else Path.cwd()
    except FileNotFoundError:
        raise RalphError("the current folder was removed", hint="cd to one that is there") from None


def open_project(
    arguments: argparse.Namespace, flags: Mapping[str, object] | None = None
) -> tuple[Path, Settings, Project]:
    """Return root, settings and spec for parsed arguments with `directory` and `spec`."""
    from ralph_wiggum.adapters import settings_file  # noqa: PLC0415 - not for the commands that can do without
    from ralph_wiggum.adapters.lost_spec import put_back_lost  # noqa: PLC0415 - as above

    start = start_folder(arguments.directory)
    root = find_root(start)
    for words in put_back_lost(root):  # the settings may be among it
        print(f"ralph: {words}", file=sys.stderr)
    settings = settings_file.load(root, flags)
    project = open_spec(
        root, arguments.spec, tasks_file=settings.tasks_file, activity_file=settings.activity_file, start=start
    )
    return root, settings, project


def places(root: Path) -> Places:
    """Return where the files of specs lie and what is visual; settings are loaded only where there are any."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111 - cheaper than Path
    files = (*(root / name for name in PROJECT_SETTINGS), Path(base, "ralph/ralph.yaml"))
    if not any(os.path.exists(path) for path in files):  # noqa: PTH110 - cheaper than Path
        return Places()
    from ralph_wiggum.adapters import settings_file  # noqa: PLC0415 - only where there are settings

    settings = settings_file.load(root)
    return Places(settings.tasks_file, settings.activity_file, settings.visual_tasks)


def _print_anything() -> None:
    """Let a terminal that cannot show a character show another one instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _say(message: str, hint: str, code: int) -> int:
    try:
        print(f"ralph: {message}", file=sys.stderr)
        if hint:
            print(f"  hint: {hint}", file=sys.stderr)
    except OSError:  # a terminal that was closed: the interpreter would stumble over it again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    return int(code)


def _say_surprise(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in TROUBLE:
        return _say(str(error), TROUBLE_HINT, Exit.BAD_INPUT)
    return _say_bug(error)


def _say_bug(error: Exception) -> int:
    from ralph_wiggum.adapters import bug_report  # noqa: PLC0415 - never needed, we hope

    try:
        root = find_root(Path.cwd())
    except (RalphError, OSError):
        root = None
    path = bug_report.save(error, root, sys.argv)
    where = f"the details are in {path}; please send them to us" if path else "its details could not be saved"
    return _say(f"a bug in ralph: {type(error).__name__}: {error}", where, Exit.BUG)


def _close_quietly() -> int:
    """Give stdout another end, so that the interpreter has nothing to complain about when it flushes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return int(Exit.DONE)
