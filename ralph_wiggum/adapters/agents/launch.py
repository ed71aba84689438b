"""What all drivers share: from settings and request to a start of the program, and from its end to an outcome."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import ralph_wiggum
from ralph_wiggum.adapters.capture import Capture
from ralph_wiggum.core.dialects.heard import Heard
from ralph_wiggum.core.evidence import AgentOutcome, Ending
from ralph_wiggum.core.settings import AgentSettings, Limits
from ralph_wiggum.ports import AgentRequest, Watcher

if TYPE_CHECKING:
    from ralph_wiggum.adapters.process import Ended

PACKAGE = Path(ralph_wiggum.__file__).parent
NODE_ARCHITECTURES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}


class CannotStart(Exception):  # noqa: N818 - it reads as what it says
    """The program cannot be started here; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A program that can be started: absolute path and arguments, folder, complete environment."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]

    def header(self, name: str) -> str:
        """Return the first lines of the log."""
        return f"agent: {name}\ncommand: {shlex.join(self.argv)}\nfolder: {self.cwd}\n\n"


def prepare(settings: AgentSettings, request: AgentRequest, base: Mapping[str, str]) -> Launch:
    """Write the prompt to its file and work out how the program is started. CannotStart if it cannot be.

    `base` is the environment that the agent's settings and the attempt's own variables are added to.
    """
    if not request.cwd.is_dir():
        raise CannotStart(f"the folder {request.cwd} is not there")
    env = environment(settings, request, base)
    words = arguments(settings, _values(settings, request), session=request.session, limits=request.limits)
    program = locate(words[0], request.cwd, env.get("PATH"))
    if program is None:
        what, hint = missing(words[0], request.cwd), settings.install_hint
        raise CannotStart(f"{what}; {hint}" if hint else what)
    _write_prompt(settings, request)
    _write_files(settings, request)
    return Launch(argv=(native(settings, program), *words[1:]), cwd=request.cwd, env=env)


def _values(settings: AgentSettings, request: AgentRequest) -> dict[str, str]:
    prompt = prompt_file(settings, request)
    if settings.prompt_key and prompt.is_relative_to(request.cwd):
        prompt = prompt.relative_to(
            request.cwd
        )  # mini-swe-agent 2.4 takes a path with "=" in it for a key and its value
    files = {"prompt_file": str(prompt), "report_file": str(report_file(request)), "files": str(files_folder(request))}
    return {**request.substitutions, **files, "session": request.session}


def prompt_file(settings: AgentSettings, request: AgentRequest) -> Path:
    """Return the path at which the agent finds its prompt: a `.yaml` where it stands below a key.

    mini-swe-agent 2.4 looks for that ending, whatever ending it was told.
    """
    return request.prompt_file.with_suffix(".yaml") if settings.prompt_key else request.prompt_file


def report_file(request: AgentRequest) -> Path:
    """Return the path at which an agent may leave a report on its run, beside its log."""
    return request.log.with_suffix(".report")


def files_folder(request: AgentRequest) -> Path:
    """Return the folder of the files that the agent's settings describe, beside the prompt."""
    return request.prompt_file.with_suffix(".files")


def _write_files(settings: AgentSettings, request: AgentRequest) -> None:
    """Write the files of the settings anew: a program may have changed those of an attempt that was cut off."""
    folder = files_folder(request)
    try:
        for name, text in settings.files.items():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8", errors="replace", newline="")
    except OSError as error:
        raise CannotStart(
            f"cannot write agents.{settings.name}.files to {folder}: {error.strerror or error}"
        ) from error


def _write_prompt(settings: AgentSettings, request: AgentRequest) -> None:
    text = _under(settings.prompt_key, request.prompt) if settings.prompt_key else request.prompt
    with suppress(OSError):
        report_file(request).unlink()  # that of an attempt of the same number that was cut off
    path = prompt_file(settings, request)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="replace", newline="")
    except OSError as error:
        raise CannotStart(f"cannot write the prompt to {path}: {error.strerror or error}") from error


# JSON may hold these as they are, YAML may not, or takes them for the end of a line.
_ESCAPED_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def _under(key: str, prompt: str) -> str:
    """Return the prompt below a dotted key, as JSON, which is YAML."""
    value: object = prompt
    for name in reversed(key.split(".")):
        value = {name: value}
    text = json.dumps(value, ensure_ascii=False)  # escaped, a character beyond 16 bits would be two for YAML
    return _ESCAPED_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def environment(settings: AgentSettings, request: AgentRequest, base: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of the agent: base, the agent's settings, the attempt's own; the last wins.

    PWD is the folder it runs in: opencode 1.18 works where that says, and the person may stand in another one (-C).
    """
    own = own_environment(settings, base, files_folder(request))
    return {**own, "PWD": str(request.cwd.absolute()), **request.env}


def own_environment(settings: AgentSettings, base: Mapping[str, str], files: Path | None = None) -> dict[str, str]:
    """Return the environment with what the agent's settings add to it.

    `{files}` in a value is replaced by the folder `files`; where there is none, outside of an attempt, such variables
    are left out.
    """
    own = {**settings.env, **(settings.root_env if os.geteuid() == 0 else {})}
    if files is None:
        return {**base, **{name: value for name, value in own.items() if "{files}" not in value}}
    return {**base, **{name: value.replace("{files}", str(files)) for name, value in own.items()}}


def arguments(
    settings: AgentSettings, values: Mapping[str, str], *, session: str = "", limits: Limits | None = None
) -> tuple[str, ...]:
    """Return the command with `{name}` replaced for each known name; other braces are left as they are.

    `session`: it goes on with that one, where the agent can. What bounds turns and cost stands with the arguments of
    the settings.
    """
    words = settings.resume if session and settings.resume else settings.command
    known = {"python": sys.executable, "package": str(PACKAGE), **values}
    args = list(settings.args)
    if limits is not None:
        known |= {"turns": str(limits.turns), "cost": f"{limits.cost:.2f}"}
        args += settings.turn_limit if limits.turns else ()
        args += settings.cost_limit if limits.cost else ()
    if "{args}" in words:
        place = words.index("{args}")
        words = (*words[:place], *args, *words[place + 1 :])
    else:
        words = (*words, *args)
    pattern = re.compile("|".join(re.escape(f"{{{name}}}") for name in known))
    return tuple(pattern.sub(lambda found: known[found.group()[1:-1]], word) for word in words)


def native(settings: AgentSettings, program: str) -> str:
    """Return the binary behind a program that only launches it, where it lies where the settings say; else that."""
    if not settings.native:
        return program
    folder = Path(os.path.realpath(program)).parent
    machine = os.uname().machine
    here = {"os": sys.platform, "arch": NODE_ARCHITECTURES.get(machine, machine)}
    for each in settings.native:
        found = os.path.normpath(folder / each.replace("{os}", here["os"]).replace("{arch}", here["arch"]))
        if shutil.which(found):
            return found
    return program


def locate(program: str, cwd: Path, path: str | None) -> str | None:
    """Return the absolute path of a program that can be executed; one with a slash is looked up from `cwd`."""
    if "/" not in program:
        return shutil.which(program, path=path)
    return shutil.which(str((cwd / program).absolute()))


def missing(program: str, cwd: Path) -> str:
    """Say what is wrong with a program that could not be located."""
    if "/" in program:
        return f"{program} is {'not executable' if (cwd / program).exists() else 'not there'}"
    return f"{program} is not installed: it was not found in PATH"


def capture_of(launch: Launch, name: str, request: AgentRequest, watcher: Watcher) -> Capture:
    """Return what takes in all that the program prints; its log keeps the beginning and the end."""
    half = request.limits.log_bytes // 2
    return Capture(request.log, head_bytes=half, tail_bytes=half, header=launch.header(name), watcher=watcher)


def not_started(error: Exception) -> AgentOutcome:
    """Return the outcome of an attempt that never began."""
    return AgentOutcome(ending=Ending.NOT_STARTED, error=str(error))


def outcome(settings: AgentSettings, ended: Ended, capture: Capture, heard: Heard | None = None) -> AgentOutcome:
    """Put together how the process ended and what it printed; the capture is closed. `heard`: in its events."""
    said = heard or Heard(message=capture.message())
    return AgentOutcome(
        ending=ended.ending,
        exit_code=ended.exit_code,
        signal=ended.signal,
        seconds=ended.seconds,
        message=without_footer(said.message, settings.footer),
        excerpt=capture.excerpt(),
        output_bytes=capture.total,
        ended_commands=ended.ended_commands,
        waited_for=ended.waited_for,
        leftovers=ended.leftovers,
        error=ended.error,
        notes=(capture.problem,) if capture.problem else (),
        errors=capture.errors(),
        notices=said.notices,
        completed=said.completed,
        flagged=said.flagged,
        denied=said.denied,
        usage=said.usage,
        session=said.session,
    )


def without_footer(message: str, footer: str) -> str:
    """Return the message without the empty lines and footer lines at its end; unchanged where there is no footer."""
    lines = message.split("\n")
    while footer and lines and (not lines[-1].strip() or re.fullmatch(footer, lines[-1].strip())):
        lines.pop()
    return "\n".join(lines) if footer else message
