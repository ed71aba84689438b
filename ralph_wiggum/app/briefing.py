"""What an agent is told: the prompt of one attempt, put together from spec, journal and settings (O36)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from ralph_wiggum.app.order import Order
from ralph_wiggum.core import context, prompt, steering
from ralph_wiggum.core.commands import LONG_COMMANDS
from ralph_wiggum.core.decide import Retry
from ralph_wiggum.core.evidence import Gate
from ralph_wiggum.core.history import TaskRecord
from ralph_wiggum.core.journal import Ended, Started
from ralph_wiggum.core.model import Plan, Task
from ralph_wiggum.core.past import PastAttempt
from ralph_wiggum.core.prompt import PromptRequest
from ralph_wiggum.core.quoting import code
from ralph_wiggum.core.servers.standing import Health, Standing
from ralph_wiggum.core.steering import SteeringFile
from ralph_wiggum.core.strategy import Strategy
from ralph_wiggum.core.visual.wanted import names_commands
from ralph_wiggum.ports import Spec

LOOKED_AT = (
    "This is a visual task. When you have ended, the runner runs its agent-browser commands itself, in a browser "
    "session of its own. Each has to succeed, each `is visible` has to be true, no request may fail, and the console "
    "must show no new error. You need not run them, nor take screenshots."
)
LOOKED_AT_PAGES = (
    "This is a visual task. When you have ended, the runner opens the project's pages with agent-browser itself. They "
    "have to load with a good status and show something, no request may fail, and the console must show no new error. "
    "You need not do that, nor take screenshots."
)
LOG_LINES = 3
LOG_LINE = 100  # characters
NAMED = 10  # servers

REQUIREMENTS = ("requirements.md", "bugfix.md", "spec.md")


class Briefing:
    """Writes prompts. Everything that it says about the task comes from the spec and the journal."""

    def __init__(
        self,
        order: Order,
        spec: Spec,
        templates: Mapping[str, str],
        *,
        check_commands: tuple[str, ...] = (),
        servers: Callable[[], Sequence[Standing]] = tuple,
    ) -> None:
        self._order = order
        self._spec = spec
        self._templates = templates
        self._checks = check_commands
        self._servers = servers

    def prompt(
        self, plan: Plan, task: Task, record: TaskRecord, retry: Retry, started: Started, blocked: Sequence[Gate]
    ) -> str:
        """Return the prompt of one attempt; `blocked` are the gates that failed at a checkpoint (O19)."""
        request = self._request(plan, task, record, retry, started)
        if not blocked:
            return prompt.build(request, self._templates)
        rounds = self._order.checkpoint_rounds
        return prompt.fix_round(
            request, blocked, self._templates, round_number=started.attempt, rounds=max(rounds, started.attempt)
        )

    def _request(self, plan: Plan, task: Task, record: TaskRecord, retry: Retry, started: Started) -> PromptRequest:
        limits = self._order.limits
        name, requirements = self._requirements()
        design = self._spec.document("design.md")
        attempts = [ended for ended in record.counted if ended.result == "failed"]
        same = [ended for ended in record.attempts if started.resumes and ended.session == started.resumes]
        if same:
            whole = self._request(plan, task, record, retry, started._replace(resumes=""))
            whole = replace(whole, resumed="task")
            if all(ended.result == "interrupted" for ended in same):  # what was asked may never have got into it
                return whole
            return replace(
                whole,
                context=replace(whole.context, about="", requirements="", missing=(), design=""),
                documents=(),
                steering=(),
            )
        return PromptRequest(
            spec=self._order.spec,
            task=task,
            tasks_file=self._order.tasks_path,
            context=context.gather(plan, task, requirements, design),
            documents=tuple(self._beside(each) for each in (name, "design.md" if design else "") if each),
            steering=self._steering(task, attempts),
            attempts=tuple(_past(ended) for ended in attempts),
            strategy=retry.strategy,
            attempt=started.attempt,
            checks=self._checks,
            task_seconds=retry.timeout,
            command_seconds=limits.command_seconds,
            no_progress_seconds=limits.no_progress_seconds,
            longer_commands=tuple(pair for pair in limits.command_patterns if pair not in LONG_COMMANDS),
            servers=tuple(f"{each.address} ({each.name})" for each in self._servers() if each.health is Health.UP)[
                :NAMED
            ],
            notes=(*_about_the_tree(record), *self._about_pages(task)),
            resumed="spec" if started.resumes else "",
        )

    def _up(self) -> Iterator[Standing]:
        return (each for each in self._servers() if each.health is Health.UP)

    def _about_pages(self, task: Task) -> Iterator[str]:
        """Yield what the agent of a visual task has to know: what is looked at, which server is not up (O25, O26)."""
        if not self._order.looks_at(task):
            return
        yield LOOKED_AT if names_commands(task) else LOOKED_AT_PAGES
        down = [each for each in self._servers() if each.health is not Health.UP and each.reason]
        for server in down[:NAMED]:
            last = [code(text, LOG_LINE) for text in server.tail.splitlines()[-LOG_LINES:] if text.strip()]
            said = f"; the last that it printed: {', '.join(last)}" if last else ""
            yield f"The server {server.name} is not up: {server.reason}{said}"

    def _requirements(self) -> tuple[str, str]:
        """Return name and text of the document that tasks cite: requirements.md, else bugfix.md, else spec.md."""
        for name in REQUIREMENTS:
            if text := self._spec.document(name):
                return name, text
        return "", ""

    def _beside(self, name: str) -> str:
        folder, slash, _ = self._order.tasks_path.rpartition("/")
        return f"{folder}{slash}{name}"

    def _steering(self, task: Task, attempts: Sequence[Ended]) -> tuple[SteeringFile, ...]:
        files = [SteeringFile(name=name, text=text) for name, text in self._spec.steering()]
        touched = [line[2:] for line in (attempts[-1].files if attempts else ())]
        return steering.choose(files, touched, task.text)


def _about_the_tree(record: TaskRecord) -> Iterator[str]:
    """Yield what the last attempt left in the tree, where it was cut off: it is in no list of failed ones.

    Of one that was killed with the runner nobody looked at what it left.
    """
    last = record.attempts[-1] if record.attempts else None
    if last is None or last.result != "interrupted" or (last.after and not last.files):
        return
    if not last.files:
        yield (
            "An earlier attempt at this task was cut off, for no fault of its own, and may have left work in the work "
            "tree: look at it first (`git status`, `git diff`) and go on from there."
        )
        return
    named = ", ".join(code(path[2:], 100) for path in last.files[:NAMED])
    more = f" and {len(last.files) - NAMED} more" if len(last.files) > NAMED else ""
    yield (
        "An earlier attempt at this task was cut off, for no fault of its own. What was changed so far is still in "
        f"the work tree ({named}{more}): look at it first (`git status`, `git diff`) and go on from there."
    )


def _past(ended: Ended) -> PastAttempt:
    return PastAttempt(
        number=ended.attempt,
        strategy=Strategy.FIRST if ended.how else Strategy(ended.strategy),
        reason=ended.reason,
        command=ended.failing,
        excerpt=ended.excerpt,
        ended_commands=ended.ended_commands,
        said=ended.summary,
        files=tuple(line[2:] for line in ended.files),
        fingerprint=ended.fingerprint,
        look=bool(ended.how),
    )
