"""Agents that read their prompt from standard input and print their message to a pipe (design: driver pipe)."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ralph_wiggum.adapters.agents.launch import (
    CannotStart,
    Launch,
    capture_of,
    not_started,
    prepare,
    prompt_file,
    report_file,
)
from ralph_wiggum.adapters.agents.launch import outcome as outcome_of
from ralph_wiggum.adapters.agents.report import read_report
from ralph_wiggum.adapters.capture import Capture, PipeSource, Stream
from ralph_wiggum.core.evidence import AgentOutcome, Ending
from ralph_wiggum.core.settings import AgentSettings
from ralph_wiggum.ports import AgentRequest, Watcher

if TYPE_CHECKING:
    from ralph_wiggum.adapters.agents.hearing import Hearing
    from ralph_wiggum.adapters.process import Family, Start


@dataclass(frozen=True, slots=True)
class PipeAgent:
    """Runs a program with the prompt as its standard input, a file that comes to its end by itself.

    Never an open pipe (several agents wait for its end for ever) and never the prompt as an argument (it may look
    like an option, and 128 KiB is the limit).
    """

    settings: AgentSettings
    family: Family

    @property
    def name(self) -> str:
        """Return the name that a person chose it by."""
        return self.settings.name

    def run(self, request: AgentRequest, watcher: Watcher) -> AgentOutcome:
        """Run one attempt to its end (O11); what is printed on standard error goes into excerpt and errors only."""
        try:
            launch = prepare(self.settings, request, os.environ)
        except CannotStart as error:
            return not_started(error)
        with capture_of(launch, self.name, request, watcher) as capture, ExitStack() as ours:
            hearing = self._hearing(capture, request)
            try:
                start, sources = self._connect(launch, request, capture, hearing, ours)
            except OSError as error:
                return not_started(error)
            ended = self.family.run(start, sources, request.limits, watcher, files_token=request.files_token)
            heard = hearing.finish(read_report(report_file(request))) if hearing else None
        outcome = outcome_of(self.settings, ended, capture, heard)
        return judge(outcome, hearing) if hearing else outcome

    def _hearing(self, capture: Capture, request: AgentRequest) -> Hearing | None:
        """Return what understands what the agent prints, None where that is its message as it stands."""
        if self.settings.dialect == "text":
            return None
        from ralph_wiggum.adapters.agents.hearing import Hearing  # noqa: PLC0415 - start-up: most agents print text
        from ralph_wiggum.core.dialects.bounds import Bounds  # noqa: PLC0415 - as above
        from ralph_wiggum.core.dialects.table import reader  # noqa: PLC0415 - as above

        limits = request.limits
        bounds = Bounds(turns=limits.turns, cost=limits.cost, prices=self.settings.prices)
        return Hearing(capture, reader(self.settings.dialect), bounds=bounds)

    def _connect(
        self, launch: Launch, request: AgentRequest, capture: Capture, hearing: Hearing | None, ours: ExitStack
    ) -> tuple[Start, list[PipeSource]]:
        from ralph_wiggum.adapters.process import Start  # noqa: PLC0415 - start-up: only a run needs it

        with ExitStack() as childs:
            read = prompt_file(self.settings, request) if self.settings.prompt == "stdin" else os.devnull
            stdin = os.open(read, os.O_RDONLY)
            childs.callback(os.close, stdin)
            written, sources = [], []
            for stream in Stream:
                reading, writing = os.pipe()
                childs.callback(os.close, writing)
                if hearing is not None and stream is Stream.STDOUT:
                    source = PipeSource(reading, hearing, stream, over=hearing.over)
                else:
                    source = PipeSource(reading, capture, stream)
                ours.callback(source.close)
                written.append(writing)
                sources.append(source)
            childs.pop_all()  # from here on the family closes them, once the child has them
        start = Start(
            argv=launch.argv, cwd=launch.cwd, env=launch.env, stdin=stdin, stdout=written[0], stderr=written[1]
        )
        return start, sources


def judge(outcome: AgentOutcome, hearing: Hearing) -> AgentOutcome:
    """Add to an outcome what the hearing decided: why the attempt had to end, and lines that it left out."""
    notes = (*outcome.notes, hearing.note) if hearing.note else outcome.notes
    over = hearing.must_end
    if over is None or outcome.ending is not Ending.STOPPED:
        return replace(outcome, notes=notes)
    _, more, survivors = outcome.error.partition("; ")  # the first part says only that a source ended the attempt
    why = over.words
    if over.ending is Ending.NO_PROGRESS and outcome.notices:
        why = outcome.notices[-1].text
    if over.ending is Ending.LINGERED:
        return replace(outcome, ending=over.ending, error=survivors, notes=(*notes, why))
    return replace(outcome, ending=over.ending, error=why + more + survivors, notes=notes)
