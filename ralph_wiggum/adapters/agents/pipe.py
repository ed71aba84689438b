"""Agents that read their prompt from standard input and print their message to a pipe (design: driver pipe)."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ralph_wiggum.adapters.agents.launch import CannotStart, Launch, not_started, outcome, prepare
from ralph_wiggum.adapters.capture import Capture, PipeSource, Stream
from ralph_wiggum.core.evidence import AgentOutcome
from ralph_wiggum.core.settings import AgentSettings
from ralph_wiggum.ports import AgentRequest, Watcher

if TYPE_CHECKING:
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
        """Run one attempt to its end (O11); what is printed on standard error goes into the excerpt only."""
        try:
            launch = prepare(self.settings, request, os.environ)
        except CannotStart as error:
            return not_started(error)
        with Capture(request.log, header=launch.header(self.name), watcher=watcher) as capture, ExitStack() as ours:
            try:
                start, sources = self._connect(launch, request, capture, ours)
            except OSError as error:
                return not_started(error)
            ended = self.family.run(start, sources, request.limits, watcher, files_token=request.files_token)
        return outcome(self.settings, ended, capture)

    def _connect(
        self, launch: Launch, request: AgentRequest, capture: Capture, ours: ExitStack
    ) -> tuple[Start, list[PipeSource]]:
        from ralph_wiggum.adapters.process import Start  # noqa: PLC0415 - start-up: only a run needs it

        with ExitStack() as childs:
            stdin = os.open(request.prompt_file if self.settings.prompt == "stdin" else os.devnull, os.O_RDONLY)
            childs.callback(os.close, stdin)
            written, sources = [], []
            for stream in Stream:
                reading, writing = os.pipe()
                childs.callback(os.close, writing)
                source = PipeSource(reading, capture, stream)
                ours.callback(source.close)
                written.append(writing)
                sources.append(source)
            childs.pop_all()  # from here on the family closes them, once the child has them
        start = Start(
            argv=launch.argv, cwd=launch.cwd, env=launch.env, stdin=stdin, stdout=written[0], stderr=written[1]
        )
        return start, sources
