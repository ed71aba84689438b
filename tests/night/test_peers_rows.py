"""The faults that other runners were seen not to survive, one test a row, where no other file has it already.

A flood, a hang, TERM ignored, children in sessions of their own and a server that holds stdout open are in
test_hostile_agents; signals to the runner, two runs at once in test_stops; kill -9 in test_kills, test_containers and
test_every_fault; torn writes in test_every_fault. Here: failures without end, false completion, limits of providers.
"""

from __future__ import annotations

import json
import re
import signal
import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.night.conftest import Make
from tests.night.project import Project, Script

pytestmark = pytest.mark.night

FIVE = "".join(f"- [ ] {n}. Task {n}\n" for n in range(1, 6))
QUOTES = (
    "Once every task is ticked I will print <promise>COMPLETE</promise> or ALL_TASKS_COMPLETE, and for this one "
    "TASK_COMPLETE, as the prompt says."
)
LIMITED = "You've hit your limit · resets 9pm"


def status(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.run("status", "demo", "--json").out)
    return found


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        pytest.param([["say", "I am sorry."], ["leave", 1]], "exit code 1", id="exit 1 every time"),
        pytest.param([["say", "Done, I think."]], "no signal", id="exit 0, no signal, nothing done"),
        pytest.param([["say", QUOTES]], "no signal", id="one reply that quotes the tokens"),
        pytest.param([["say", f"{QUOTES}\nALL_TASKS_COMPLETE"]], "decides nothing", id="claims the whole plan"),
    ],
)
def test_five_tasks_that_never_come_to_anything_end_the_night_and_none_is_ticked(
    make: Make, script: list[list[object]], kind: str
) -> None:
    """No endless loop on the first task, no early end of the run, nothing ticked that was not done (rows of part G)."""
    project = make(FIVE)
    project.settings(overnight_mode={"stagnation_threshold": 2})
    project.plays(default=script)
    result = project.night()
    assert (result.code, project.states()) == (3, "SSSSS"), result.out
    assert [project.runs(str(n)) for n in range(1, 6)] == [2] * 5
    assert project.task_commits() == []
    assert kind in project.activity
    project.sound()


def test_a_commit_of_the_person_survives_failures_without_end(make: Make) -> None:
    """One peer went back by a commit after the fourth failure, and a person's commit was lost."""
    project = make(FIVE)
    project.write("theirs.txt", "work of five days\n")
    project.git("add", "theirs.txt")
    project.git("commit", "-q", "-m", "work 5")
    head = project.git("rev-parse", "HEAD")
    project.settings(overnight_mode={"stagnation_threshold": 5})
    project.plays(default=[["remove", "theirs.txt"], ["write", "theirs.txt", "spoilt"], ["leave", 1]])
    assert project.night().code == 3
    assert project.read("theirs.txt") == "work of five days\n"
    project.git("merge-base", "--is-ancestor", head, "HEAD")
    project.sound()


@pytest.mark.parametrize(
    ("script", "until"),
    [
        pytest.param([["say", LIMITED], ["leave", 1]], "21:01", id="hit your limit, resets 9pm, exit 1"),
        pytest.param([["say", LIMITED]], "21:01", id="the same, exit 0"),
        pytest.param([["say", "Claude AI usage limit reached|{epoch}"], ["leave", 1]], "", id="an epoch, exit 1"),
        pytest.param([["say", "Claude AI usage limit reached|{epoch}"]], "", id="an epoch, exit 0"),
        pytest.param([["say", "The monthly usage limit has been reached (request_id: 8f1)"]], "", id="no reset named"),
    ],
)
def test_a_limit_is_waited_out_with_the_time_of_return_shown_and_counts_nothing(
    project: Project, script: list[list[str]], until: str
) -> None:
    """Rows of part H: no hot retry, no task burnt, no end of the run; stopped in the wait, it goes on the next time."""
    reset = datetime.now().astimezone() + timedelta(hours=2)
    played = json.loads(json.dumps(script).replace("{epoch}", str(int(reset.timestamp()))))
    project.plays({"1": [played, [["write", "one.txt", "1"], ["say", "TASK_COMPLETE"]]]}, by_attempt=False)
    process = project.command("overnight", "demo")
    waiting = wait_for_state(project, "waiting")
    assert project.runs() == 1
    assert waiting["run"]["iteration"] == 0
    assert waiting["completed"] == 0
    held = project.journal("held")[-1]
    assert held["cause"] == "usage limit"
    shown = until or (f"{reset + timedelta(minutes=1):%H:%M}" if "limit reached|" in str(script) else "")
    assert shown in f"{datetime.fromisoformat(held['until']):%H:%M}"
    text = project.run("status", "demo").out
    assert re.search(rf"Waiting .*{shown}", text), text
    process.send_signal(signal.SIGTERM)
    result = project.finish(process)
    assert result.code == 143
    assert "usage limit" in result.out
    project.sound()


def test_a_short_rate_limit_is_waited_out_and_the_work_goes_on(project: Project) -> None:
    """The fourth text of part H: stderr, `429 rate_limit_error … retry after 3 s`, exit 1."""
    limited: Script = [["err", "Error: 429 rate_limit_error: too many requests, retry after 3 s"], ["leave", 1]]
    done: Script = [["write", "done.txt", "1"], ["say", "TASK_COMPLETE"]]
    project.plays({"1": [limited, done]})
    began = time.monotonic()
    result = project.night()
    assert (result.code, project.states()) == (0, "xxx"), result.out
    assert time.monotonic() - began >= 3
    assert project.runs("1") == 2
    (first, second) = project.journal("ended")[:2]
    assert (first["result"], first["cause"], second["result"]) == ("interrupted", "rate limit", "passed")
    assert "RETRY" not in project.activity
    assert "Ralph-Attempts: 1" in project.git("log", "-1", "--format=%B", "--grep=One")
    project.sound()


def test_the_next_agent_of_the_list_takes_over_at_once(project: Project) -> None:
    """B1: the night goes on with another agent, and the log says which one did what."""
    settings = json.loads(project.read(".kiro/settings/ralph.yaml"))
    player = settings["agents"]["player"]["command"]
    agents = {
        "first": {"command": ["sh", "-c", f"echo '{LIMITED.replace(chr(39), '’')}'; exit 1"]},
        "second": {"command": player},
    }
    project.settings(agent=["first", "second"], agents=agents)
    result = project.night()
    assert (result.code, project.states()) == (0, "xxx"), result.out
    assert [entry["agent"] for entry in project.journal("started")] == ["first", "second", "second", "second"]
    assert "second takes over" in result.out
    assert result.seconds < 20
    project.sound()


def wait_for_state(project: Project, state: str, timeout: float = 30.0) -> dict[str, Any]:
    end = time.monotonic() + timeout
    while (found := status(project))["run"]["state"] != state:
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found
