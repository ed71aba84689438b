"""What is said of a server: gates with stable keys, words for the log."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from ralph_wiggum.core.check_gate import STOPPED
from ralph_wiggum.core.evidence import Gate, GateStatus
from ralph_wiggum.core.fingerprint import of_gates
from ralph_wiggum.core.servers import words
from ralph_wiggum.core.servers.life import Life, Phase
from ralph_wiggum.core.servers.words import Holder
from ralph_wiggum.core.settings import Ready, ServerSettings

SERVER = ServerSettings(name="web", command="npm run dev", ready=Ready(url="http://localhost:5173"))


def gate(life: Life, *, note: str = "", stopped: bool = False, seconds: float = 1.24) -> Gate:
    return words.gate(
        SERVER,
        life,
        stopped=stopped,
        command="npm run dev",
        where="at http://localhost:5173",
        note=note,
        seconds=seconds,
        tail="the end of the log",
    )


@pytest.mark.parametrize(
    ("life", "note", "reason"),
    [
        pytest.param(
            Life(phase=Phase.UP, ours=True, tries=1), "", "up at http://localhost:5173 (started, 1.2 s)", id="started"
        ),
        pytest.param(
            Life(phase=Phase.UP, ours=True, tries=1, renewed=True),
            "",
            "up at http://localhost:5173 (started anew, 1.2 s)",
            id="started anew",
        ),
        pytest.param(Life(phase=Phase.UP, ours=True), "", "up at http://localhost:5173", id="up since earlier"),
        pytest.param(Life(phase=Phase.UP), "", "up at http://localhost:5173 (adopted)", id="adopted"),
        pytest.param(
            Life(phase=Phase.UP, tries=1),
            "",
            "up at http://localhost:5173 (its command has ended, and what it started is left alone)",
            id="into the background for good",
        ),
        pytest.param(
            Life(phase=Phase.UP), "; whose?", "up at http://localhost:5173 (adopted; whose?)", id="adopted, doubtful"
        ),
    ],
)
def test_good_news(life: Life, note: str, reason: str) -> None:
    found = gate(life, note=note)
    assert (found.name, found.kind, found.status) == ("server web", "server", GateStatus.PASSED)
    assert (found.reason, found.excerpt, found.failures) == (reason, "", ())
    assert found.command == "npm run dev"


def test_bad_news() -> None:
    found = gate(Life(phase=Phase.FAILED, reason="its process ended with exit code 1 after 0.4 s"))
    assert found.failed
    assert found.reason == "its process ended with exit code 1 after 0.4 s"
    assert found.excerpt == "the end of the log"
    assert found.failures == ("server web: its process ended with exit code 1 after <duration>",)
    assert not found.environment


def test_one_that_is_up_and_answers_badly_has_failed() -> None:
    found = gate(Life(phase=Phase.UP, ours=True, reason="answers 500, expected 200-399"))
    assert found.failures == ("server web: answers 500, expected 200-399",)


def test_a_port_that_somebody_else_holds_is_the_environment() -> None:
    assert gate(Life(phase=Phase.FAILED, held=True, reason="port 5173 is held")).environment


def test_a_wait_that_was_stopped_proves_nothing() -> None:
    found = gate(Life(phase=Phase.UP), stopped=True)
    assert (found.status, found.reason) == (GateStatus.NOT_RUN, STOPPED)


def test_the_same_failure_has_the_same_key_whenever_it_happens() -> None:
    first = Life(phase=Phase.FAILED, reason=words.how_it_ended(1, 0.4))
    second = replace(first, reason=words.how_it_ended(1, 13.2))
    other = replace(first, reason=words.how_it_ended(2, 0.4))
    assert of_gates([gate(first)]) == of_gates([gate(second)])
    assert of_gates([gate(first)]) != of_gates([gate(other)])


@pytest.mark.parametrize(
    ("code", "said", "hopeless"),
    [
        (0, "its process ended with exit code 0 after 1.5 s", False),
        (1, "its process ended with exit code 1 after 1.5 s", False),
        (-15, "its process was killed by signal 15 after 1.5 s", False),
        (126, "its command cannot be executed (exit code 126, after 1.5 s)", True),
        (127, "its command was not found (exit code 127, after 1.5 s)", True),
    ],
)
def test_how_a_process_ended(code: int, said: str, *, hopeless: bool) -> None:
    assert words.how_it_ended(code, 1.5) == said
    assert words.hopeless(code) is hopeless


@pytest.mark.parametrize(
    ("holder", "who"),
    [
        (Holder(123, "node", "/x"), "pid 123 (node)"),
        (Holder(123), "pid 123"),
        (Holder(), "something else"),
    ],
)
def test_who_holds_a_port(holder: Holder, who: str) -> None:
    assert words.held(SERVER, holder, "answers 500") == (
        f"port 5173 is held by {who} that answers 500; stop it, or put {{port}} into servers.web.command"
    )


@pytest.mark.parametrize(
    ("folder", "warns"),
    [
        ("/work/app", False),
        ("/work/app/frontend", False),
        ("/work/app2", True),
        ("/elsewhere", True),
        ("/", False),  # where the system's services run
        ("", False),
    ],
)
def test_what_runs_outside_of_the_project_may_be_another_one(folder: str, *, warns: bool) -> None:
    said = words.stranger(Holder(7, "node", folder), "/work/app")
    assert said == (f"pid 7 (node) runs in {folder}, outside of this project" if warns else "")
    assert words.doubt(said) == (f"; {said}: is it the right one?" if warns else "")


def test_what_carries_the_mark_of_another_run_belongs_to_that() -> None:
    said = words.stranger(Holder(7, "node", "/work/app", of_another_run=True), "/work/app")
    assert said == "pid 7 (node) belongs to another run of ralph"


def test_what_the_log_is_told_of_strangers() -> None:
    clause = words.stranger(Holder(7, "node", "/other"), "/work/app")
    assert words.adopted("web", "at http://localhost:5173", clause) == (
        "server web was there before, at http://localhost:5173, but pid 7 (node) runs in /other, outside of this "
        "project: is it the right one?"
    )
    assert words.passed_by("web", 5173, clause) == (
        "server web: port 5173 is left to somebody else: pid 7 (node) runs in /other, outside of this project"
    )


def test_whom_nobody_can_find_is_no_stranger() -> None:
    assert words.stranger(Holder(), "/work/app") == ""


DIED = Life(phase=Phase.UP, ours=True)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param(DIED, replace(DIED, reason="answers 500"), "", id="the same phase is no news"),
        pytest.param(
            DIED,
            replace(DIED, phase=Phase.ENDING, reason="its process ended with exit code 1 after 9.0 s", again_at=12.0),
            "server web: its process ended with exit code 1 after 9.0 s; started again in 2 s",
            id="it died",
        ),
        pytest.param(
            DIED,
            replace(DIED, phase=Phase.ENDING, reason="it hung", again_at=10.0),
            "server web: it hung; started again",
            id="it died while somebody waits",
        ),
        pytest.param(
            DIED,
            replace(DIED, phase=Phase.ENDING, reason="it died", again_at=inf),
            "server web: it died; it is started again when a task needs it",
            id="restarts are off",
        ),
        pytest.param(
            DIED,
            replace(DIED, phase=Phase.ENDING, then=Phase.FAILED, reason="crash loop"),
            "server web: crash loop; it is given up until a task needs it",
            id="a crash loop",
        ),
        pytest.param(
            Life(phase=Phase.UP),
            Life(phase=Phase.DOWN, reason="stopped answering: connection refused", again_at=10),
            "server web, which was there before, stopped answering: connection refused; started again",
            id="what was adopted is gone",
        ),
        pytest.param(
            Life(phase=Phase.STARTING, ours=True, deaths=1),
            Life(phase=Phase.UP, ours=True, deaths=1),
            "server web is up again",
            id="up again",
        ),
        pytest.param(
            Life(phase=Phase.ASKING, ours=True, deaths=1),
            Life(phase=Phase.UP, deaths=1),
            "server web is up again: somebody else has started it",
            id="up again by somebody else",
        ),
        pytest.param(
            Life(phase=Phase.STARTING, ours=True), Life(phase=Phase.UP, ours=True), "", id="the first start is no news"
        ),
        pytest.param(
            Life(phase=Phase.HELD),
            Life(phase=Phase.FAILED, reason="port 1 is held"),
            "server web: port 1 is held",
            id="given up",
        ),
        pytest.param(Life(phase=Phase.ENDING), Life(phase=Phase.FAILED, reason="x"), "", id="told when its end began"),
    ],
)
def test_news(before: Life, after: Life, said: str) -> None:
    assert words.news("web", before, after, 10.0) == said
