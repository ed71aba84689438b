"""Which attempts go on with a session of their agent, and which begin a fresh one (O11, retry_session, context_mode)."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.evidence import AgentOutcome, Ending, Usage
from ralph_wiggum.core.history import History, Session
from ralph_wiggum.core.journal import Ended, Entry, Renumbered, Reopened, Skipped, Started
from ralph_wiggum.core.provider.cause import Cause, Diagnosis
from ralph_wiggum.core.sessions import lost, to_resume

FAILED = Ended(agent="claude", session="s-1", kind="check")
CUT_OFF = Ended(agent="claude", session="s-2", result="interrupted", reason="stopped by a person")
LIMITED = Ended(agent="claude", session="s-2", result="interrupted", cause="usage limit")
LOST = Ended(agent="claude", session="s-1", result="interrupted", cause="session lost")
FULL = Ended(agent="claude", session="s-1", kind="context overflow")
OF_CODEX = Ended(agent="codex", session="t-1")
FULL_DISK = Ended(agent="claude", session="s-1", kind="disk")
LOOK = Ended(how="validation")
UNTOLD = Ended(agent="claude")
BEFORE = Session("claude", "s-0", "1")


@pytest.mark.parametrize(
    ("attempts", "tried", "mode", "continuous", "expected"),
    [
        pytest.param([], 0, "resume", False, "", id="a first attempt is fresh"),
        pytest.param([], 0, "fresh", True, "s-0", id="unless the session goes on from task to task"),
        pytest.param([FAILED], 1, "fresh", False, "", id="a retry is fresh"),
        pytest.param([FAILED], 1, "fresh", True, "", id="also where sessions go on: what failed is not carried along"),
        pytest.param([FAILED], 1, "resume", False, "s-1", id="a retry goes on where it is wanted so"),
        pytest.param([FAILED], 1, "alternate", False, "s-1", id="every second one: the second goes on"),
        pytest.param([FAILED, FAILED], 2, "alternate", False, "", id="every second one: the third is fresh"),
        pytest.param([FAILED, FAILED, FAILED], 3, "alternate", False, "s-1", id="every second one: the fourth goes on"),
        pytest.param([FAILED, LOOK], 1, "resume", False, "s-1", id="a look of the runner is no attempt"),
        pytest.param([LIMITED], 0, "resume", False, "s-2", id="after a limit"),
        pytest.param([LIMITED], 0, "alternate", False, "", id="an attempt that does not count is made again as it was"),
        pytest.param([CUT_OFF], 0, "fresh", True, "s-2", id="what was cut off goes on where sessions do"),
        pytest.param([CUT_OFF], 0, "fresh", False, "", id="and nowhere else"),
        pytest.param([FAILED, OF_CODEX], 2, "resume", False, "", id="another agent was there meanwhile"),
        pytest.param([OF_CODEX], 1, "resume", False, "", id="the session of another agent"),
        pytest.param([FULL], 1, "resume", False, "", id="a session that is full"),
        pytest.param([FULL_DISK], 1, "resume", False, "", id="what it did was put back, to make room"),
        pytest.param([FAILED, LOST], 1, "resume", False, "", id="a session that the agent does not know any more"),
        pytest.param([LOST], 0, "fresh", True, "", id="the same, from task to task"),
        pytest.param([UNTOLD], 1, "resume", False, "", id="no session was told"),
    ],
)
def test_which_attempts_go_on(attempts: list[Ended], tried: int, mode: str, continuous: bool, expected: str) -> None:  # noqa: FBT001 - a column
    assert to_resume(attempts, BEFORE, "claude", retry_session=mode, continuous=continuous, tried=tried) == expected


def test_the_session_of_another_agent_is_nobodys_to_go_on_with() -> None:
    assert to_resume([], BEFORE, "codex", retry_session="fresh", continuous=True, tried=0) == ""


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param(Started(key="2"), Session("claude", "s-1", "1"), id="the next task begins"),
        pytest.param(Skipped(key="2"), Session(), id="a task was taken out"),
        pytest.param(Reopened(key="2", by="runner"), Session(), id="a task was put back, which had gone on with it"),
        pytest.param(Renumbered(keys={"1": "3"}), Session("claude", "s-1", "3"), id="its task has another number"),
        pytest.param(Renumbered(keys={"1": ""}), Session("claude", "s-1", ""), id="its task is gone"),
    ],
)
def test_the_session_of_the_last_task_that_passed_is_kept_while_all_of_it_stands(
    entry: Entry, expected: Session
) -> None:
    passed = Ended(key="1", agent="claude", session="s-1", result="passed")
    assert History([Started(key="1"), passed, entry]).passed == expected


ENDED = AgentOutcome(ending=Ending.EXITED, exit_code=1)


@pytest.mark.parametrize(
    ("cause", "outcome", "expected"),
    [
        pytest.param(Cause.FAILED, ENDED, Cause.SESSION_LOST, id="it ended at once, with an error"),
        pytest.param(
            Cause.FAILED,
            AgentOutcome(ending=Ending.EXITED, exit_code=0, flagged=True, usage=Usage(cost=0.0)),
            Cause.SESSION_LOST,
            id="its last event said so",
        ),
        pytest.param(
            Cause.FAILED,
            AgentOutcome(ending=Ending.EXITED, exit_code=1, usage=Usage(input_tokens=10)),
            Cause.FAILED,
            id="a model was asked",
        ),
        pytest.param(
            Cause.FAILED,
            AgentOutcome(ending=Ending.EXITED, exit_code=1, completed=False, message="I look at it first."),
            Cause.FAILED,
            id="a model answered, and nobody told tokens (Codex, of a turn that failed)",
        ),
        pytest.param(
            Cause.FAILED,
            AgentOutcome(ending=Ending.EXITED, exit_code=1, message="no such session"),
            Cause.SESSION_LOST,
            id="what a program prints that tells no events may be the error itself",
        ),
        pytest.param(Cause.FAILED, AgentOutcome(ending=Ending.EXITED, exit_code=0), Cause.FAILED, id="no error"),
        pytest.param(Cause.USAGE_LIMIT, ENDED, Cause.USAGE_LIMIT, id="its provider is to blame"),
        pytest.param(Cause.KILLED, AgentOutcome(ending=Ending.NO_PROGRESS), Cause.KILLED, id="it hung"),
        pytest.param(Cause.CONTEXT_OVERFLOW, ENDED, Cause.SESSION_LOST, id="it is full"),
        pytest.param(Cause.DONE, AgentOutcome(ending=Ending.EXITED, exit_code=0), Cause.DONE, id="it went well"),
    ],
)
def test_a_session_that_cannot_be_gone_on_with(cause: Cause, outcome: AgentOutcome, expected: Cause) -> None:
    assert lost(Diagnosis(cause=cause), outcome).cause is expected
