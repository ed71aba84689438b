"""What an agent is told: the prompt of one attempt, put together from spec, journal and settings (O36)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from ralph_wiggum.core.steering import SteeringFile
from ralph_wiggum.core.strategy import Strategy
from ralph_wiggum.ports import Spec

REQUIREMENTS = ("requirements.md", "bugfix.md", "spec.md")


class Briefing:
    """Writes prompts. Everything that it says about the task comes from the spec and the journal."""

    def __init__(
        self, order: Order, spec: Spec, templates: Mapping[str, str], *, check_commands: tuple[str, ...] = ()
    ) -> None:
        self._order = order
        self._spec = spec
        self._templates = templates
        self._checks = check_commands

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
        )

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


def _past(ended: Ended) -> PastAttempt:
    return PastAttempt(
        number=ended.attempt,
        strategy=Strategy(ended.strategy),
        reason=ended.reason,
        command=ended.failing,
        excerpt=ended.excerpt,
        ended_commands=ended.ended_commands,
        said=ended.summary,
        files=tuple(line[2:] for line in ended.files),
        fingerprint=ended.fingerprint,
    )
