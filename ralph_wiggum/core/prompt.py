"""The prompt of one attempt: one task, what it needs of its spec, what was tried before, the rules (O36).

Its size depends on the task and not on the spec: every part has a limit of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ralph_wiggum.core import excerpt, past
from ralph_wiggum.core.commands import LONG_SECONDS
from ralph_wiggum.core.context import TaskContext
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.evidence import Gate
from ralph_wiggum.core.model import Task
from ralph_wiggum.core.past import PastAttempt
from ralph_wiggum.core.quoting import code, line, quoted
from ralph_wiggum.core.steering import SteeringFile
from ralph_wiggum.core.strategy import Strategy
from ralph_wiggum.core.template import fill

__all__ = ["PastAttempt", "PromptRequest", "build", "fix_round", "spoken"]

TASK_LIMIT = 24 * 1024  # bytes, as all limits here
STEERING_LIMIT = 16 * 1024
FAILURES_LIMIT = 14 * 1024
FAILURE_LIMIT = 3 * 1024  # of one failed check beside its output
NAMED_GATES = 4  # checks stop at the first failure, so more than one is rare
NAMED_FAILURES = 30
NAMED_CHECKS = 20
NAMED_PATTERNS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRequest:
    """Everything that one attempt's prompt is made of. Times in seconds; paths relative to the workspace.

    `attempt` is 1 for the first; `documents` are the spec's own files that are there; `steering` the files that hold
    for this task (`steering.choose`); `attempts` those that failed, oldest first; `checks` the commands that the
    runner will run; `longer_commands` the person's own patterns of commands with a limit of their own; `servers` words
    or addresses of servers that are up; `today` a date, or "" to say none; `notes` further sentences for the agent.
    `resumed`: the agent goes on with the session of the last attempt at this "task", or of an earlier task of the
    "spec"; what it was told of the task then is not told again.
    """

    spec: str
    task: Task
    tasks_file: str
    context: TaskContext = field(default_factory=TaskContext)
    documents: tuple[str, ...] = ()
    steering: tuple[SteeringFile, ...] = ()
    attempts: Sequence[PastAttempt] = ()
    strategy: Strategy = Strategy.FIRST
    attempt: int = 1
    checks: tuple[str, ...] = ()
    task_seconds: float = 600.0
    command_seconds: float = 60.0
    no_progress_seconds: float = 300.0
    longer_commands: tuple[tuple[str, float], ...] = ()
    servers: tuple[str, ...] = ()
    today: str = ""
    notes: tuple[str, ...] = ()
    resumed: str = ""


def build(request: PromptRequest, templates: Mapping[str, str]) -> str:
    """Return the prompt for an attempt at a task.

    `templates` holds the texts of `templates/prompts/`, by name. Raises RalphError where one is missing or names a
    placeholder that is not there.
    """
    own = {"attempt": str(request.attempt)}
    return fill("task", _template(templates, "task"), _values(request, templates) | own)


def fix_round(
    request: PromptRequest,
    gates: Sequence[Gate],
    templates: Mapping[str, str],
    *,
    round_number: int,
    rounds: int,
) -> str:
    """Return the prompt that asks to fix what failed at a checkpoint (O19).

    `request.task` is the checkpoint, `gates` the results of its checks, of which the failed ones count; this is round
    `round_number` of at most `rounds`. Raises RalphError as `build` does.
    """
    own = {
        "checkpoint": line(request.task.label, 200),
        "round": str(round_number),
        "rounds": str(rounds),
        "failures": _failures([gate for gate in gates if gate.failed]),
    }
    return fill("fix", _template(templates, "fix"), _values(request, templates) | own)


def spoken(seconds: float) -> str:
    """Say a time as a person would.

    >>> spoken(600), spoken(60), spoken(90), spoken(5400)
    ('10 minutes', '60 seconds', '90 seconds', '90 minutes')
    """
    if seconds >= 120 and seconds % 60 == 0:  # noqa: PLR2004 - "60 seconds" is clearer than "1 minutes"
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds:g} seconds"


def _values(request: PromptRequest, templates: Mapping[str, str]) -> dict[str, str]:
    """Return the values that both prompts share."""
    context = request.context
    references = dict.fromkeys(path for each in request.steering for path in each.references)
    return {
        "spec": line(request.spec, 120),
        "resumed": _template(templates, f"resumed-{request.resumed}").strip("\n") if request.resumed else "",
        "task": _task(request),
        "strategy": _strategy(request, templates),
        "attempts": past.tell(request.attempts),
        "about": line(context.about, 700),
        "section": line(context.section),
        "parents": "\n".join(_parent(each.label, each.text) for each in context.parents),
        "later": "\n".join(f"- {line(each, 200)}" for each in context.later),
        "today": line(request.today, 60),
        "notes": "\n".join(f"- {line(each, 500)}" for each in request.notes),
        "requirements": quoted("requirements", context.requirements) if context.requirements else "",
        "missing": ", ".join(line(each, 60) for each in context.missing[:NAMED_FAILURES]),
        "design": quoted("design", context.design) if context.design else "",
        "documents": ", ".join(map(code, request.documents)),
        "steering": _steering(request.steering),
        "references": ", ".join(map(code, [*references][:NAMED_FAILURES])),
        "rules": _rules(request, templates),
        "ending": _template(templates, "ending").strip("\n"),
    }


def _task(request: PromptRequest) -> str:
    task = request.task
    note = (
        f"[… a part of this task is left out here; read all of it in {request.tasks_file} from line {task.line} on …]"
    )
    text = excerpt.ends(excerpt.printable(task.text) or task.label, TASK_LIMIT, note, first=0.75)
    return quoted("task", text, id=task.id)


def _parent(label: str, text: str) -> str:
    return quoted("part-of", f"{label}\n{text}".rstrip())


def _strategy(request: PromptRequest, templates: Mapping[str, str]) -> str:
    """Return the text of the strategy; a first attempt with nothing before it needs none."""
    if request.strategy is Strategy.FIRST and not request.attempts:
        return ""
    name = f"strategy-{request.strategy}"
    angles = _template(templates, "angles").strip().split("\n")
    angle = angles[len(request.attempts) % len(angles)]
    return fill(name, _template(templates, name), {"angle": angle})


def _steering(files: Sequence[SteeringFile]) -> str:
    """Return the steering files within their limit: small ones whole, large ones cut, with a word about where."""
    texts = [excerpt.printable(each.text).strip() for each in files]
    limits = excerpt.shares([excerpt.size(text) for text in texts], STEERING_LIMIT - 80 * len(files))
    cut = [
        excerpt.head(text, limit, f"[… the rest stands in {line(each.name, 120)}]")
        for each, text, limit in zip(files, texts, limits, strict=True)
    ]
    return "\n\n".join(quoted("rules", text, file=each.name) for each, text in zip(files, cut, strict=True) if text)


def _rules(request: PromptRequest, templates: Mapping[str, str]) -> str:
    longer = [f"{code(pattern, 80)} {spoken(limit)}" for pattern, limit in request.longer_commands[:NAMED_PATTERNS]]
    name = "checks" if request.checks else "no-checks"
    checks = [f"- {code(each)}" for each in request.checks[:NAMED_CHECKS]]
    left_out = len(request.checks) - NAMED_CHECKS
    values = {
        "tasks_file": line(request.tasks_file, 200),
        "servers": ", ".join(line(each, 120) for each in request.servers),
        "task_time": spoken(request.task_seconds),
        "command_time": spoken(request.command_seconds),
        "usual_time": spoken(LONG_SECONDS),
        "progress_time": spoken(request.no_progress_seconds),
        "longer": ", ".join(longer),
        "checks": fill(
            name,
            _template(templates, name),
            {"checks": "\n".join([*checks, *([f"- and {left_out} more"] if left_out > 0 else [])])},
        ),
    }
    return fill("rules", _template(templates, "rules"), values)


def _failures(gates: Sequence[Gate]) -> str:
    """Return what failed: command, reason, the failures by name, the output, within its limit."""
    gates = gates[:NAMED_GATES]
    heads = [excerpt.head(_failure(gate), FAILURE_LIMIT) for gate in gates]
    room = FAILURES_LIMIT - sum(excerpt.size(head) + 60 for head in heads)
    outputs = [excerpt.printable(gate.excerpt).strip() for gate in gates]
    limits = excerpt.shares([excerpt.size(text) for text in outputs], max(room, 0))
    return "\n\n".join(
        quoted(
            "failed-check",
            "\n".join(filter(None, (head, text and f"Output:\n{excerpt.ends(text, limit, first=0.25)}"))),
        )
        for head, text, limit in zip(heads, outputs, limits, strict=True)
    )


def _failure(gate: Gate) -> str:
    named = [f"- {line(each, 200)}" for each in gate.failures[:NAMED_FAILURES]]
    more = len(gate.failures) - NAMED_FAILURES
    return "\n".join(
        filter(
            None,
            (
                f"Check: {line(gate.name, 120)}",
                gate.command and f"Command: {code(gate.command)}",
                gate.reason and f"Failed: {line(gate.reason)}",
                gate.counts and f"Totals: {line(gate.counts, 200)}",
                *(["Failures that count:"] if named else []),
                *named,
                f"- and {more} more" if more > 0 else "",
            ),
        ),
    )


def _template(templates: Mapping[str, str], name: str) -> str:
    try:
        return templates[name]
    except KeyError:
        raise RalphError(
            f"prompt template {name}.md is missing",
            hint="install ralph-wiggum again: its templates belong to it",
        ) from None
