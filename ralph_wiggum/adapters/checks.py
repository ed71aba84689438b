"""Quality checks, run by the runner itself: shell commands in a process family of their own (O18)."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from ralph_wiggum.adapters.capture import KIB, Capture, PipeSource
from ralph_wiggum.adapters.process import Ended, Family, Start
from ralph_wiggum.adapters.project import STATE, bytecode_apart, make_state
from ralph_wiggum.core import baseline as base
from ralph_wiggum.core import check_gate, check_plan, excerpt, failures, obstacles
from ralph_wiggum.core.check_gate import CheckResult
from ralph_wiggum.core.evidence import Ending, Gate, GateStatus
from ralph_wiggum.core.failures import Failures
from ralph_wiggum.core.settings import CheckPlan, Limits
from ralph_wiggum.ports import Watcher

_OPENING = 64 * KIB  # of a long output, what is read for failures: the beginning and the end
_END = 256 * KIB
_LOG = 512 * KIB  # of each end, in the log
_EXCERPT = 6000  # bytes of a gate's excerpt
_BEGINNING = 0.25  # its share for the beginning: summaries stand at the end
_TREES = 16  # work trees whose results are kept


class ShellChecks:
    """Runs checks one after the other and remembers what was red before the first task.

    `env` is the whole environment of the commands, to which is added what keeps tools from asking, colouring and
    leaving bytecode in the work tree. Each run has a log in `log_dir`. What passed is used again for the same tree;
    what failed is not, for its cause may lie outside of the tree: a dependency, a database. `bounds` are the limits of
    memory and disk; those of time are each check's own.
    """

    def __init__(
        self,
        plans: Sequence[CheckPlan],
        root: Path,
        family: Family,
        log_dir: Path,
        env: Mapping[str, str],
        bounds: Limits | None = None,
    ) -> None:
        self._plans = tuple(plans)
        self._root = root
        self._family = family
        self._log_dir = log_dir
        self._env = environment(env, root)
        self._shell = shutil.which("bash", path=env.get("PATH")) or "/bin/sh"
        self._bounds = (
            Limits() if bounds is None else Limits(memory_bytes=bounds.memory_bytes, disk_bytes=bounds.disk_bytes)
        )
        self._before: dict[str, Failures] = {}
        self._passed: dict[str, dict[str, Gate]] = {}  # tree -> command key -> gate
        self._runs = 0

    @property
    def plans(self) -> Sequence[CheckPlan]:
        """Return every check that may run, cheapest first."""
        return self._plans

    def baseline(self, tree: str, watcher: Watcher) -> Sequence[Gate]:
        """Run all checks, also after a failure, and remember how they failed; gates in the order of the plans.

        A check that could not run is set aside until it can; then all its failures count.
        """
        gates: list[Gate] = []
        for plan in self._plans:
            result = self._run(plan, watcher)
            if not result.stopped:
                seen = Failures(exit_code=None, obstacle=result.obstacle) if result.obstacle else result.failures
                self._before[_key(plan)] = seen
            gates.append(self._remember(tree, plan, check_gate.gate(plan, result, None, taking_baseline=True)))
        return gates

    def run(self, changed: Sequence[str] | None, tree: str, watcher: Watcher) -> Sequence[Gate]:
        """Run the checks that `changed` paths call for (None or no match: all), cheapest first.

        Stops at the first failure; the gates after it are NOT_RUN. Where a person stops the run, that gate and all
        after it are NOT_RUN with the reason "stopped": they prove nothing.
        """
        gates: list[Gate] = []
        skip_reason = ""
        for plan in check_plan.choose(self._plans, changed):
            gate = check_gate.not_run(plan, skip_reason) if skip_reason else self._checked(plan, tree, watcher)
            gates.append(gate)
            if gate.failed:
                skip_reason = check_gate.EARLIER_FAILED
            elif gate.reason == check_gate.STOPPED:
                skip_reason = gate.reason
        return gates

    def baseline_data(self) -> dict[str, object]:
        """Return the baseline as data for JSON, so that a restart does not take another one over a half-done task."""
        return base.to_data(self._before)

    def load_baseline(self, data: Mapping[str, object]) -> None:
        """Take a baseline that `baseline_data` gave; what is of another shape is left out."""
        self._before = base.from_data(data)

    def _checked(self, plan: CheckPlan, tree: str, watcher: Watcher) -> Gate:
        known = self._passed.get(tree, {}).get(_key(plan)) if tree else None
        if known is not None:
            return replace(known, reason=f"{known.reason}, as before on the same tree", seconds=0.0)
        gate = check_gate.gate(plan, self._run(plan, watcher), self._before.get(_key(plan)))
        return self._remember(tree, plan, gate)

    def _remember(self, tree: str, plan: CheckPlan, gate: Gate) -> Gate:
        if tree and gate.status is GateStatus.PASSED:
            self._passed.setdefault(tree, {})[_key(plan)] = gate
            while len(self._passed) > _TREES:
                del self._passed[next(iter(self._passed))]
        return gate

    def _run(self, plan: CheckPlan, watcher: Watcher) -> CheckResult:
        """Run one command to its end."""
        folder = self._root / plan.cwd
        if watcher.stop_reason():
            return CheckResult(failures=Failures(), stopped=True)
        if not folder.is_dir():
            return CheckResult(failures=Failures(keys=(f"the folder {plan.cwd} is not there",), exit_code=None))
        with suppress(OSError):  # bytecode goes there; without it, Python keeps none
            make_state(self._root / STATE)
        with Capture(
            self._next_log(plan),
            head_bytes=_LOG,
            tail_bytes=_LOG,
            message_bytes=KIB,
            excerpt_bytes=_END,
            opening_bytes=_OPENING,
            header=f"check: {plan.name}\ncommand: {plan.command}\nfolder: {folder}\n\n",
            watcher=watcher,
        ) as capture:
            start, source = self._connect(plan, folder, capture)
            limits = replace(self._bounds, task_seconds=plan.timeout, no_progress_seconds=plan.timeout)
            ended = self._family.run(start, [source], limits, watcher, watch_commands=False)
        return _result(plan, ended, self._read(capture))

    def _next_log(self, plan: CheckPlan) -> Path:
        self._runs += 1
        name = re.sub(r"[^\w.-]+", "-", plan.name).strip("-")[:40]
        return self._log_dir / f"check-{self._runs:03d}-{name}.log"

    def _connect(self, plan: CheckPlan, folder: Path, capture: Capture) -> tuple[Start, PipeSource]:
        """Return what the family starts: nothing to read, both outputs in one pipe and so in their order."""
        with ExitStack() as opened:
            stdin = os.open(os.devnull, os.O_RDONLY)
            opened.callback(os.close, stdin)
            reading, writing = os.pipe()
            opened.callback(os.close, writing)
            opened.callback(os.close, reading)
            source = PipeSource(reading, capture)
            opened.pop_all()  # from here on they are the family's
        argv = (self._shell, "-c", plan.command)
        return Start(argv=argv, cwd=folder, env=self._env, stdin=stdin, stdout=writing, stderr=writing), source

    def _read(self, capture: Capture) -> str:
        """Return the output with paths relative to the project: where it was cut, its beginning and its end."""
        output = capture.excerpt()
        if capture.total > _END:
            output = f"{capture.opening()}\n{output}"
        for root in {str(self._root), os.path.realpath(self._root)}:
            output = output.replace(f"{root}/", "")
        return failures.short_lines(output)


def environment(env: Mapping[str, str], root: Path) -> dict[str, str]:
    """Return the environment of a check: nobody watches (CI), no colours, bytecode kept out of the work tree."""
    kept = {name: value for name, value in env.items() if name not in {"FORCE_COLOR", "CLICOLOR_FORCE"}}
    ours = {"CI": "1", "NO_COLOR": "1", "GIT_TERMINAL_PROMPT": "0", "PAGER": "cat"}
    return {**bytecode_apart(env, root), **kept, **ours}


def _key(plan: CheckPlan) -> str:
    return base.command_key(plan.command, plan.cwd)


def _result(plan: CheckPlan, ended: Ended, output: str) -> CheckResult:
    match ended.ending:
        case Ending.STOPPED:
            return CheckResult(failures=Failures(), seconds=ended.seconds, stopped=True)
        case Ending.TASK_TIMEOUT | Ending.NO_PROGRESS:
            found, obstacle = failures.timed_out(), ""
        case Ending.NOT_STARTED:
            found, obstacle = Failures(keys=("not started",), exit_code=None), ended.error
        case Ending.EXITED | Ending.CRASHED:
            found = failures.of(output, plan.command, ended.exit_code, signal=ended.signal)
            obstacle = _obstacle(plan, ended, output, found)
        case _:  # by the machine's bounds: memory is the fault of the tests, a full disk is nobody's
            found, obstacle = (
                failures.ended(ended.ending.value),
                ended.error if ended.ending is Ending.DISK_FULL else "",
            )
            output = f"{output}\n{ended.error}"
    return CheckResult(
        failures=found,
        seconds=ended.seconds,
        obstacle=obstacle,
        excerpt=excerpt.ends(output.strip("\n"), _EXCERPT, first=_BEGINNING),
        counts=failures.counts(output),
    )


def _obstacle(plan: CheckPlan, ended: Ended, output: str, found: Failures) -> str:
    if found.passed:
        return ""
    if ended.exit_code is None and ended.signal is None:  # the keeper was lost, and with it how the command ended
        return ended.error or "how the command ended is not known"
    return obstacles.of(output, plan.command, ended.exit_code, named=failures.names_failures(output, plan.command))
