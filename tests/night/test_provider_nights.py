"""Whole nights with agents that tell events, and with the troubles of their providers (B1).

The agents are throwaway programs that print what six vendors' programs print; see agents/vendor.py.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ralph_wiggum.adapters.journal_file import JournalFile
from ralph_wiggum.core.journal import Held
from tests.night.conftest import Make
from tests.night.project import PLAYER, Project, Script, Step
from tests.night.terminals import Terminal, console

pytestmark = [pytest.mark.night, pytest.mark.long]

VENDOR = Path(__file__).parent / "agents" / "vendor.py"
DIALECTS = ("claude", "codex", "copilot", "gemini", "opencode", "qwen")
ONE = "- [ ] 1. One\n"
TWO = "- [ ] 1. One\n- [ ] 2. Two\n"
MINUTE = 60.0
HOUR = 3600.0

BEGINS: Script = [["begins"], ["uses", "printf half > half.txt"]]
DONE: Script = [
    ["begins"],
    ["uses", "mkdir -p done && printf {task} > done/{task}.txt"],
    ["says", "Did {task}.\n\nTASK_COMPLETE"],
    ["ends"],
]
PLAIN: Script = [["write", "done/{task}.txt", "{task}"], ["say", "Did {task}."], ["say", "TASK_COMPLETE"]]


def asks(project: Project, *names: str, agents: Mapping[str, Mapping[str, Any]] | None = None, **settings: Any) -> None:
    """Let the run ask these agents: dialects, also as "claude-2", "player", or others of `agents`.

    `agents` also adds to those that are known.
    """
    known: dict[str, dict[str, Any]] = {
        "player": {"command": [sys.executable, "-I", "-S", str(PLAYER), str(project.play)]}
    }
    for name in names:
        if (dialect := name.partition("-")[0]) in DIALECTS:
            command = [sys.executable, "-I", "-S", str(VENDOR), str(project.play), dialect]
            known[name] = {"command": command, "dialect": dialect, "resume": [*command, "--resume", "{session}"]}
    chosen = {name: known.get(name, {}) | dict((agents or {}).get(name, {})) for name in names}
    project.settings(agent=list(names), agents=chosen, **settings)


def status(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.run("status", "demo", "--json").out)
    return found


def begin_and_wait(project: Project) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """Begin a night, and return it and the status once it waits."""
    process = project.command("overnight", "demo")
    end = time.monotonic() + 60
    while (found := status(project))["run"]["state"] != "waiting":
        assert process.poll() is None, project.finish(process)
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return process, found


def held(project: Project) -> list[dict[str, Any]]:
    """Return the holds, without those that were lifted."""
    return [entry for entry in project.journal("held") if entry.get("until")]


def seconds_until(entry: Mapping[str, Any], began: float) -> float:
    return datetime.fromisoformat(entry["until"]).timestamp() - began


def attempts_of(project: Project, key: str) -> str:
    """Return the trailer of a task's commit."""
    return project.git(
        "log", "-1", "--format=%(trailers:key=Ralph-Attempts,valueonly)", f"--grep=Ralph-Task: {key}$"
    ).strip()


# --- each dialect: what is shown, what is understood, what it cost

TOOL = {
    "claude": "Bash: ",
    "codex": "command: /bin/bash -lc ",
    "copilot": "bash: ",
    "gemini": "run_shell_command: ",
    "opencode": "bash: ",
    "qwen": "run_shell_command: ",
}
TELLS_COST = {"claude", "opencode"}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_night_of_two_tasks_with_an_agent_that_tells_events(make: Make, dialect: str) -> None:
    """The screen shows what it says and does, the message holds the signal, its figures are kept and added up."""
    project = make(TWO)
    asks(project, dialect)
    first: Script = [
        ["begins"],
        ["says", "I look at the plan first."],
        ["uses", "printf one > one.txt; cat one.txt"],
        ["log", "here"],
        ["until", "{folder}/go"],
        ["says", "I wrote one.txt, as asked.\n\nTASK_COMPLETE"],
        ["ends"],
    ]
    project.plays({"1": [first]}, default=DONE)
    window = Terminal(project, *console("overnight", "demo"))
    try:
        project.wait("here", "1")
        window.until("I look at the plan first.")
        window.until(TOOL[dialect])
        (project.play / "go").touch()
        shown = window.rest()
    finally:
        window.close()
    assert window.process.wait(timeout=30) == 0, shown
    assert project.states() == "xx"
    assert '{"type"' not in shown
    spent = "" if dialect == "copilot" else "$0.50; 2.4k tokens in" if dialect in TELLS_COST else "unknown cost; 2.4k"
    assert (f"Spent {spent}" in shown) is bool(spent), shown
    one, two = project.journal("ended")
    assert [ended["result"] for ended in (one, two)] == ["passed", "passed"]
    assert (one["summary"], two["summary"]) == ("I wrote one.txt, as asked.", "Did 2.")
    assert "I wrote one.txt, as asked." in project.activity
    figures = (one.get("input_tokens", 0), one.get("output_tokens", 0), one.get("cost", -1.0))
    wanted = (0, 0) if dialect == "copilot" else (1200, 340)
    assert figures == (*wanted, 0.25 if dialect in TELLS_COST else -1.0)
    (log,) = project.root.glob(".ralph/demo/runs/*/logs/1-1.log")
    assert '{"type":' in log.read_text(), "the log holds what came, not what was made of it"
    assert held(project) == []
    assert project.task_commits() == ["1", "2"]
    project.sound()


# --- the provider does not serve: which cause, how long the agent is left alone

Words = Callable[[float], Step]  # of the time (seconds since 1970) at which the test runs
LATER = 2 * HOUR
RATE = "Rate limit reached for the model on requests per min (RPM): Limit 3, Used 3. Please try again in 20s."
RETRIED = (
    "Failed to get response from the AI model; retried 5 times (total retry wait time: 59.27 seconds) Last error: "
)
QUOTA = (
    "You exceeded your current quota, please check your plan and billing details.\n"
    "* Quota exceeded for metric: generate_requests, limit: 50\nPlease retry in 3600s."
)
COPILOT_LIMIT = (
    "Sorry, you've hit a rate limit that restricts the number of Copilot model requests you can make within a specific "
    "time period. Please try again in 2 hours."
)
CUT = "stream disconnected before completion: "


def fails(*arguments: object) -> Words:
    return lambda now: ["fails", *arguments]


def hits_its_limit(now: float) -> Step:
    return ["fails", 429, "rate_limit", "You've hit your limit · resets 9pm", now + LATER]


def names_an_epoch(now: float) -> Step:
    return ["fails", 429, "rate_limit", f"Claude AI usage limit reached|{now + LATER:.0f}"]


def names_a_time(now: float) -> Step:
    """Codex tells a time of day of this place, without seconds."""
    at = datetime.fromtimestamp(now + LATER).astimezone()
    return ["fails", 429, "", f"You’ve hit your usage limit. Upgrade to Pro, or try again at {at:%I:%M %p}."]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An agent that its provider does not serve, and for how many seconds it is then left alone."""

    agent: str
    words: Words
    least: float
    most: float


def each(least: float, most: float, **words: Words) -> tuple[Refusal, ...]:
    return tuple(Refusal(agent, say, least, most) for agent, say in words.items())


PERSON = (300, 300)  # a person has to mend it: the next look is in five minutes
BACK_OFF = (7.5, 12.5)  # 10 s, a quarter more or less
UNSERVED: dict[str, tuple[Refusal, ...]] = {
    "usage limit": (
        Refusal("claude", hits_its_limit, LATER + MINUTE - 1, LATER + MINUTE),
        Refusal("claude-2", names_an_epoch, LATER + MINUTE - 1, LATER + MINUTE),
        Refusal("codex", names_a_time, LATER - 1, LATER + MINUTE),
        Refusal("copilot", fails(429, "rate_limit", COPILOT_LIMIT), LATER + MINUTE, LATER + MINUTE),
        Refusal("gemini", fails(429, "plain", QUOTA), HOUR + MINUTE, HOUR + MINUTE),
        Refusal("opencode", fails(429, "limit", "Usage limit reached", 0, LATER), LATER + MINUTE, LATER + MINUTE),
        Refusal("qwen", fails(429, "", "429 You have exceeded your daily quota"), 300, 300),
    ),
    "rate limit": (
        Refusal("claude", fails(429, "rate_limit", f"API Error: Request rejected (429) · {RATE}"), 23, 23),
        Refusal("codex", fails(429, "", "exceeded retry limit, last status: 429 Too Many Requests"), 22.5, 37.5),
        Refusal("copilot", fails(429, "rate_limit", f"{RETRIED}429 {RATE}"), 23, 23),
        Refusal("gemini", fails(429, "RESOURCE_EXHAUSTED", "Please retry in 20s."), 23, 23),
        Refusal("opencode", fails(429, "rate_limit_exceeded", "Too many", 0, 20), 23, 23),
        Refusal("qwen", fails(429, "", f"429 {RATE}"), 23, 23),
    ),
    "overloaded": each(
        *BACK_OFF,
        claude=fails(529, "overloaded", "API Error: 529 Overloaded. Try again."),
        codex=fails(529, "", "unexpected status 529 <unknown>: Overloaded, url: u"),
        copilot=fails(529, "query", f"{RETRIED}529 Overloaded"),
        gemini=fails(503, "UNAVAILABLE", "The model is overloaded."),
        opencode=fails(529, "overloaded_error", "Overloaded"),
        qwen=fails(500, "", "500 Internal server error"),
    ),
    "overloaded: the stream broke off": each(
        *BACK_OFF,
        codex=fails(0, "", f"{CUT}stream closed before response.completed"),
        copilot=fails(0, "query", f"{RETRIED}premature close"),
        opencode=lambda _: ["breaks", 400],  # for ever: the runner ends it
        qwen=fails(0, "", "terminated"),
    ),
    "not logged in": each(
        *PERSON,
        claude=fails(401, "authentication_failed", "Invalid API key · Please run /login"),
        codex=fails(401, "", "unexpected status 401 Unauthorized: no, url: u"),
        copilot=fails(401, "authentication", "401 Incorrect API key provided"),
        gemini=fails(401, "UNAUTHENTICATED", "API key not valid."),
        opencode=fails(401, "invalid_api_key", "Incorrect API key provided: sk-x."),
        qwen=fails(401, "", "401 Incorrect API key provided: sk-x."),
    ),
    "no credit": each(
        *PERSON,
        claude=fails(400, "billing_error", "Credit balance is too low"),
        codex=fails(429, "", "Quota exceeded. Check your plan and billing details."),
    ),
    "unknown model": each(
        *PERSON,
        claude=fails(404, "invalid_request", "There's an issue with the selected model (opus-9). It may not exist."),
        opencode=fails(404, "model_not_found", "The model `mock` does not exist."),
    ),
    "offline": each(
        15,
        15,
        claude=fails(0, "unknown", "API Error: Unable to connect to API (ENOTFOUND)"),
        codex=fails(0, "", f"{CUT}error sending request for url (https://api.example.com)"),
        gemini=fails(0, "plain", "request to u failed, reason: getaddrinfo ENOTFOUND h"),
        opencode=fails(0, "", "getaddrinfo EAI_AGAIN api.example.com"),
        qwen=fails(0, "", "Connection error."),
    ),
}


@pytest.mark.parametrize(("what", "refusals"), UNSERVED.items(), ids=list(UNSERVED))
def test_who_is_not_served_is_left_alone_and_the_next_takes_over(
    make: Make, what: str, refusals: Sequence[Refusal]
) -> None:
    """One agent after the other; no attempt and no iteration is counted, and what the first had begun is kept."""
    project = make(ONE)
    names = [refusal.agent for refusal in refusals]
    asks(project, *names, "player")
    began = time.time()
    project.plays({"1": [*([*BEGINS, refusal.words(began)] for refusal in refusals), PLAIN]})
    result = project.night()
    assert (result.code, project.states()) == (0, "x"), result.out + result.err
    cause = what.partition(":")[0]
    assert [(e["result"], e.get("cause", "")) for e in project.journal("ended")] == [
        *((("interrupted", cause),) * len(names)),
        ("passed", ""),
    ]
    holds = held(project)
    assert [(hold["agent"], hold["cause"], hold["strikes"]) for hold in holds] == [(name, cause, 1) for name in names]
    for hold, refusal, successor in zip(holds, refusals, [*names[1:], "player"], strict=True):
        assert refusal.least - 1 <= seconds_until(hold, began) <= refusal.most + result.seconds, hold
        assert re.search(rf"{refusal.agent}: .*; left alone until .*, {successor} takes over", result.out)
    started = [(e["agent"], e.get("attempt", 1), e["iteration"]) for e in project.journal("started")]
    assert started == [(name, 1, 1) for name in (*names, "player")]
    assert "RETRY" not in project.activity
    assert attempts_of(project, "1") == "1"
    assert project.read("half.txt") == "half"
    project.sound()


def test_a_hang_in_the_middle_of_retries_is_the_providers(make: Make) -> None:
    """O22 with B1: ended for their silence, counted as nothing. Status 0: nobody answered at all."""
    project = make(ONE)
    retries = {"claude": 529, "claude-2": 0, "codex": 529, "copilot": 503, "gemini": 503}
    asks(project, *retries, "player", overnight_mode={"no_progress_timeout": 2})
    scripts = []
    for code in retries.values():
        retry = ["retries", code, "overloaded" if code else "unknown"]
        scripts.append([*BEGINS, retry, retry, ["sleep", 600]])
    project.plays({"1": [*scripts, PLAIN]})
    result = project.night()
    assert (result.code, project.states()) == (0, "x"), result.out + result.err
    wanted = [(name, "overloaded" if code else "offline") for name, code in retries.items()]
    assert [(hold["agent"], hold["cause"]) for hold in held(project)] == wanted
    assert [ended["result"] for ended in project.journal("ended")] == ["interrupted"] * len(retries) + ["passed"]
    assert attempts_of(project, "1") == "1"
    project.sound()


# --- what does count

LIMIT_TEXTS = """\
You've hit your limit · resets 9pm
Error: 429 rate_limit_error: too many requests, retry after 3600 s
[API Error: 401 Incorrect API key provided]
You’ve hit your usage limit. Try again at 7:39 AM.
getaddrinfo ENOTFOUND api.example.com
"""
LIMIT_EVENTS = (
    '{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":9999999999}}\n'
    '{"type":"error","message":"You have hit your usage limit. Try again in 5 hours."}\n'
    '{"type":"session.error","data":{"errorType":"rate_limit","statusCode":429,"message":"429"}}\n'
)
QUOTES: Script = [["begins"], ["uses", "cat texts.txt events.txt"]]
NO_SIGNAL = ([*QUOTES, ["says", "I looked at it."], ["ends"]], "no signal")
TOO_LONG = "This model's maximum context length is 128000 tokens. However, your messages resulted in 214000 tokens."
TORN = '{"type":"assistant","message":{"id":"m","content":[{"type":"text","text":"Done.\\nTASK_COMPLETE'


def overflows(*arguments: object) -> tuple[Script, str]:
    return [*BEGINS, ["fails", *arguments]], "context overflow"


COUNTED: dict[str, tuple[tuple[Script, str], ...]] = {  # dialect -> scripts that fail, and the kinds of their failures
    "claude": (
        NO_SIGNAL,
        overflows(400, "invalid_request", "Prompt is too long · 214000 tokens"),
        ([*BEGINS, ["says", "I was not allowed to."], ["ends", "rm -rf build"]], "permission denied"),
        ([*BEGINS, ["kill", "SEGV"]], "crash"),
        ([*BEGINS, ["raw", TORN]], "exit"),
    ),
    "codex": (NO_SIGNAL, overflows(0, "", "Codex ran out of room in the model's context window. Start a new thread.")),
    "copilot": (NO_SIGNAL, overflows(400, "query", f"400 {TOO_LONG}")),
    "gemini": (NO_SIGNAL, overflows(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum (8).")),
    "opencode": (NO_SIGNAL, overflows(400, "context_length_exceeded", TOO_LONG)),
    "qwen": (NO_SIGNAL, overflows(400, "", f"400 {TOO_LONG}")),
}


@pytest.mark.parametrize("dialect", COUNTED)
def test_what_is_not_the_providers_fault_is_an_attempt_and_work_on_limits_is_no_limit(make: Make, dialect: str) -> None:
    """A repository about rate limits: tools print them, the agent writes about them and gets over some of its own."""
    project = make(TWO, {"texts.txt": LIMIT_TEXTS, "events.txt": LIMIT_EVENTS})
    asks(project, dialect)
    story = (
        f"Clients are told:\n\n    {LIMIT_TEXTS.splitlines()[0]}\n\n- 429 rate_limit_error is retried\n\nTASK_COMPLETE"
    )
    retries: Script = [["retries", 529, "overloaded"], ["retries", 529, "overloaded"]]
    tells = [*QUOTES, *retries, DONE[1], ["says", story], ["ends"]]
    project.plays({"1": [*(script for script, _ in COUNTED[dialect]), DONE], "2": [tells]})
    result = project.night()
    assert (result.code, project.states()) == (0, "xx"), result.out + result.err
    *failures, one, two = project.journal("ended")
    assert [e.get("kind") for e in failures] == [kind for _, kind in COUNTED[dialect]]
    assert {e.get("result", "failed") for e in failures} == {"failed"}
    assert [e["result"] for e in (one, two)] == ["passed", "passed"]
    assert [e["iteration"] for e in project.journal("started")] == list(range(1, len(failures) + 3))
    assert held(project) == []
    assert [attempts_of(project, key) for key in "12"] == [str(len(failures) + 1), "1"]
    assert "RETRY 1/10" in project.activity
    project.sound()


# --- alone: the wait is seen, ended, outlived


@pytest.mark.parametrize(
    ("dialect", "words", "cause", "stop", "code"),
    [
        pytest.param("claude", hits_its_limit, "usage limit", (), 143, id="claude, by SIGTERM"),
        pytest.param("codex", names_a_time, "usage limit", ("stop", "demo", "--now"), 143, id="codex, by stop --now"),
        pytest.param(
            "gemini", fails(401, "UNAUTHENTICATED", "No."), "not logged in", ("stop", "demo"), 4, id="gemini, by stop"
        ),
    ],
)
def test_a_wait_shows_its_end_and_is_ended_by_whoever_asks(
    make: Make, dialect: str, words: Words, cause: str, stop: Sequence[str], code: int
) -> None:
    """O12: nobody is needed, but somebody may come. Nothing is counted, and the task is as it was."""
    project = make(TWO)
    asks(project, dialect)
    project.plays({"1": [[*BEGINS, words(time.time())], DONE]}, default=DONE)
    process, waiting = begin_and_wait(project)
    assert (waiting["run"]["iteration"], waiting["completed"], waiting["skipped"]) == (0, 0, 0)
    (hold,) = held(project)
    at = f"{datetime.fromisoformat(hold['until']):%H:%M}"
    text = project.run("status", "demo").out
    assert re.search(rf"^Waiting +until {at}: {dialect}: ", text, re.MULTILINE), text
    assert re.search(rf"^Left alone +{dialect} until {at}: {cause}", text, re.MULTILINE), text
    assert re.search(rf"^\*\*Loop Status:\*\* Waiting .*{at}", project.activity, re.MULTILINE), project.activity
    if stop:
        stopped = project.run(*stop)
        assert stopped.code == 0, stopped.out + stopped.err
    else:
        process.send_signal(signal.SIGTERM)
    result = project.finish(process, timeout=20)
    assert result.code == code, result.out + result.err
    assert project.runs() == 1
    assert [(e["result"], e["cause"]) for e in project.journal("ended")] == [("interrupted", cause)]
    assert project.task_commits() == []
    assert project.states() in ("- ", "  ")
    project.sound()


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        ("claude", fails(429, "rate_limit", "API Error: Request rejected (429) · Please try again in 2s.")),
        ("opencode", fails(429, "rate_limit_exceeded", "Too many requests", 0, 2)),
    ],
)
def test_a_rate_limit_of_seconds_is_waited_out(make: Make, dialect: str, words: Words) -> None:
    project = make(TWO)
    asks(project, dialect)
    project.plays({"1": [[*BEGINS, words(0.0)], DONE]}, default=DONE)
    result = project.night()
    assert (result.code, project.states()) == (0, "xx"), result.out + result.err
    first, second = (e["at"] for e in project.log() if e["event"] == "start" and e["task"] == "1")
    (hold,) = held(project)
    assert second >= datetime.fromisoformat(hold["until"]).timestamp() >= first + 2
    assert "waiting until" in result.out
    assert f"Waited for {round_seconds(result.out)} s in all: {dialect}: " in result.out
    assert [e["iteration"] for e in project.journal("started")] == [1, 1, 2]
    assert attempts_of(project, "1") == "1"
    assert [entry.get("until", "") for entry in project.journal("held")][-1] == "", "it served: nothing is held"
    project.sound()


def round_seconds(screen: str) -> int:
    found = re.search(r"Waited for (\d+) s in all", screen)
    assert found, screen
    assert 2 <= int(found[1]) <= 30
    return int(found[1])


def test_two_overloads_in_a_row_are_backed_off_from(make: Make) -> None:
    """10 s, then 20 s, a quarter more or less; no attempt is counted."""
    project = make(ONE)
    asks(project, "claude")
    overloaded: Script = [*BEGINS, ["fails", 529, "overloaded", "API Error: 529 Overloaded. Try again."]]
    project.plays({"1": [overloaded, overloaded, DONE]})
    result = project.night(timeout=110)
    assert (result.code, project.states()) == (0, "x"), result.out + result.err
    assert [(hold["cause"], hold["strikes"]) for hold in held(project)] == [("overloaded", 1), ("overloaded", 2)]
    starts = [e["at"] for e in project.log() if e["event"] == "start"]
    first, second = (after - before for before, after in pairwise(starts))
    assert 6.5 <= first < 22  # the journal keeps the end of a hold to the second, so it may come one early
    assert 14 <= second < 40
    assert attempts_of(project, "1") == "1"
    project.sound()


def test_the_first_of_the_list_is_taken_back_when_its_limit_is_over(make: Make) -> None:
    project = make("- [ ] 1. One\n- [ ] 2. Two\n- [ ] 3. Three\n")
    asks(project, "claude", "codex")
    limited = ["fails", 429, "rate_limit", "API Error: Request rejected (429) · Please try again in 1s."]
    project.plays({"1": [[*BEGINS, limited], [["sleep", 6], *DONE]]}, default=DONE)
    result = project.night()
    assert (result.code, project.states()) == (0, "xxx"), result.out + result.err
    assert [entry["agent"] for entry in project.journal("started")] == ["claude", "codex", "claude", "claude"]
    assert "waiting until" not in result.out
    project.sound()


@pytest.mark.parametrize("short", [True, False], ids=["a limit of seconds", "a limit of hours"])
def test_a_limit_outlives_the_death_of_the_runner(make: Make, short: bool) -> None:  # noqa: FBT001 - a column
    """B2 with B1: the next start does not ask before its end, and the status tells of it meanwhile."""
    project = make(ONE)
    asks(project, "claude")
    words = (
        ["fails", 429, "rate_limit", "API Error: Request rejected (429) · Please try again in 8s."]
        if short
        else hits_its_limit(time.time())
    )
    project.plays({"1": [[*BEGINS, words], DONE]})
    process, _ = begin_and_wait(project)
    process.kill()
    project.finish(process)
    project.nothing_left()
    (hold,) = held(project)
    assert status(project)["run"]["state"] == "idle"
    at = datetime.fromisoformat(hold["until"])
    again, _ = begin_and_wait(project)
    assert f"claude until {at:%H:%M}: {hold['cause']}" in project.run("status", "demo").out
    if not short:
        again.send_signal(signal.SIGTERM)
    result = project.finish(again)
    assert result.code == (0 if short else 143), result.out + result.err
    assert held(project) == [hold]
    waits = project.journal("waiting")
    assert [wait["until"] for wait in waits] == [hold["until"]] * 2
    starts = [e["at"] for e in project.log() if e["event"] == "start"]
    assert len(starts) == (2 if short else 1)
    assert not short or starts[1] >= at.timestamp()
    project.sound()


@pytest.fixture
def nowhere() -> str:
    """Return an address of this machine at which nobody listens."""
    return f"127.{os.getpid() % 200 + 20}.{time.time_ns() // 1000 % 250 + 1}.9"


def test_offline_waits_for_the_network_and_goes_on_as_soon_as_it_is_back(make: Make, nowhere: str) -> None:
    """B1. Four times in a row it was gone, so the fifth wait would take four minutes: a look ends it sooner."""
    project = make(ONE)
    asks(project, "player", agents={"player": {"hosts": [nowhere]}})
    journal = JournalFile(project.root / ".ralph/demo/journal.jsonl")
    past = datetime.now(UTC) - timedelta(minutes=1)
    journal.append(Held(agent="player", cause="offline", reason="gone", until=past.isoformat(), strikes=4))
    journal.close()
    gone: Script = [["err", "Error: getaddrinfo ENOTFOUND api.example.com"], ["leave", 1]]
    project.plays({"1": [gone, PLAIN]})
    process, _ = begin_and_wait(project)
    hold = held(project)[-1]
    assert (hold["cause"], hold["strikes"]) == ("offline", 5)
    time.sleep(6)  # looks are 15 s apart: the first has found nobody by now, the second finds the network back
    began = time.time()
    with closing(socket.socket()) as server:
        try:
            server.bind((nowhere, 443))
        except PermissionError:
            pytest.skip("port 443 may not be bound here")
        server.listen()
        result = project.finish(process, timeout=60)
    assert (result.code, project.states()) == (0, "x"), result.out + result.err
    assert seconds_until(hold, began) > 150, "it did not wait to the end"
    assert project.runs() == 2
    assert attempts_of(project, "1") == "1"
    project.sound()


def test_refusals_in_a_fix_round_of_a_checkpoint_take_none_of_its_rounds(make: Make) -> None:
    """O19 with B1: there are two rounds; two agents are refused, the third fails in one and mends it in the other."""
    project = make("- [ ] 1. One\n- [ ] 2. Checkpoint\n")
    checks = {
        "code": {"paths": ["code/**"], "commands": ["true"]},
        "docs": {"paths": ["docs/**"], "commands": ["test ! -e code/broken"]},
    }
    asks(project, "claude", "codex", "gemini", quality_checks=checks, retry_limit=2)
    refused = [[*BEGINS, refusal.words(0.0)] for refusal in UNSERVED["not logged in"][:2]]
    mends: Script = [["begins"], ["uses", "rm code/broken"], ["says", "Mended.\n\nTASK_COMPLETE"], ["ends"]]
    breaks: Script = [["begins"], ["uses", "mkdir code; touch code/broken"], *DONE[2:]]
    project.plays({"1": [breaks], "2": [*refused, DONE, mends]})
    result = project.night()
    assert (result.code, project.states()) == (0, "xx"), result.out + result.err
    started = [(e["agent"], e.get("attempt", 1), e["iteration"]) for e in project.journal("started")]
    assert started == [("claude", 1, 1), ("claude", 1, 2), ("codex", 1, 2), ("gemini", 1, 2), ("gemini", 2, 3)]
    project.sound()


def test_a_limit_beyond_the_end_of_the_run_ends_it_at_once(make: Make) -> None:
    """Nobody is helped by a wait that goes on after --until."""
    project = make(ONE)
    asks(project, "claude")
    project.plays({"1": [[*BEGINS, hits_its_limit(time.time())]]})
    soon = datetime.now().astimezone() + timedelta(hours=1)
    result = project.night("--until", f"{soon:%H:%M}")
    assert (result.code, project.runs()) == (4, 1)
    assert re.search(r"The run ended: claude: .*You've hit your limit.* past --until", result.out), result.out
    assert "waiting" not in [entry["event"] for entry in project.journal()]
    project.sound()


def test_of_two_limits_the_one_that_ends_first_is_waited_for(make: Make) -> None:
    project = make(ONE)
    asks(project, "claude", "codex")
    soon = ["fails", 429, "", "exceeded retry limit, last status: 429 Too Many Requests. Please try again in 1s."]
    project.plays({"1": [[*BEGINS, hits_its_limit(time.time())], [*BEGINS, soon], DONE]})
    result = project.night()
    assert (result.code, project.states()) == (0, "x"), result.out + result.err
    assert [entry["agent"] for entry in project.journal("started")] == ["claude", "codex", "codex"]
    assert re.search(r"waiting until [\d:]+: codex: ", result.out)
    project.sound()


# --- after the runner began to stop it


@pytest.mark.parametrize("dialect", ["claude", "codex"])
def test_a_completion_after_the_task_timeout_does_not_count(make: Make, dialect: str) -> None:
    """O16: the model answered within the shutdown, with the signal and a good end."""
    project = make(ONE)
    asks(project, dialect, overnight_mode={"max_task_timeout": 2})
    hangs: Script = [["done_on_term"], *BEGINS, ["log", "here"], ["sleep", 600]]
    project.plays({"1": [hangs, DONE]})
    result = project.night()
    assert (result.code, project.states()) == (0, "x"), result.out + result.err
    assert [e["event"] for e in project.log() if e["event"] == "term"] == ["term"], "it did answer"
    one, two = project.journal("ended")
    assert (one.get("result", "failed"), one["kind"], two["result"]) == ("failed", "timeout", "passed")
    assert "summary" not in one
    assert attempts_of(project, "1") == "2"
    project.sound()


def test_a_completion_after_ctrl_c_does_not_count(make: Make) -> None:
    project = make(TWO)
    asks(project, "claude")
    project.plays({"1": [[["done_on_term"], *BEGINS, ["log", "here"], ["sleep", 600]], DONE]}, default=DONE)
    process = project.command("overnight", "demo")
    project.wait("here", "1")
    process.send_signal(signal.SIGINT)
    result = project.finish(process, timeout=20)
    assert result.code == 130
    project.wait("term", "1")
    assert [e["result"] for e in project.journal("ended")] == ["interrupted"]
    assert project.task_commits() == []
    assert project.night().code == 0
    assert project.states() == "xx"
    assert attempts_of(project, "1") == "1"
    project.sound()


# --- what else may come out of an agent


@pytest.mark.parametrize("dialect", ["claude", "gemini"])
def test_a_line_of_20_mib_is_left_out_and_the_rest_is_understood(make: Make, dialect: str) -> None:
    project = make(ONE)
    asks(project, dialect)
    many = ["uses", "head -c 20971520 /dev/zero | tr '\\0' x"]
    large = ["uses", "head -c 9000000 /dev/zero | tr '\\0' y"]
    project.plays({"1": [[["begins"], large, many, *DONE[1:]]]})
    result = project.night()
    assert (result.code, project.states()) == (0, "x"), result.out + result.err
    (ended,) = project.journal("ended")
    assert (ended["result"], ended["summary"]) == ("passed", "Did 1.")
    assert any("1 line was longer than 16 MiB" in note for note in ended["notes"]), ended["notes"]
    (log,) = project.root.glob(".ralph/demo/runs/*/logs/1-1.log")
    assert log.stat().st_size < 8_000_000
    project.sound()


def test_refused_tools_beside_a_good_end_are_no_failure(make: Make) -> None:
    project = make(ONE)
    asks(project, "claude")
    project.plays({"1": [[*DONE[:-1], ["ends", "sudo true"]]]})
    assert (project.night().code, project.states(), project.runs()) == (0, "x", 1)
    project.sound()


# --- the evening: who can work at all

NOT_THERE = {"command": ["/nowhere/agent"]}
LOGGED_OUT = {"login": ["sh", "-c", "echo 'Not logged in'; exit 1"]}


def test_an_agent_that_is_not_installed_is_passed_over(project: Project) -> None:
    asks(project, "mine", "player", agents={"mine": NOT_THERE})
    result = project.night()
    assert (result.code, project.states()) == (0, "xxx"), result.out + result.err
    assert {entry["agent"] for entry in project.journal("started")} == {"player"}
    assert re.search(r"mine: .*/nowhere/agent.*; left alone until .*, player takes over", result.out)
    assert result.out.count("/nowhere/agent") <= 4, "said once in the evening and once in the morning"
    project.sound()


def test_an_agent_that_nobody_is_logged_in_with_is_passed_over(project: Project) -> None:
    asks(project, "claude", "player", agents={"claude": LOGGED_OUT})
    result = project.night()
    assert (result.code, project.states()) == (0, "xxx"), result.out + result.err
    assert {entry["agent"] for entry in project.journal("started")} == {"player"}
    assert "claude is not logged in (run " in result.out
    (hold,) = held(project)
    assert (hold["agent"], hold["cause"]) == ("claude", "not logged in")
    project.sound()


def test_a_login_that_nobody_can_tell_of_is_no_obstacle(project: Project) -> None:
    """A version that does not know the command, one that hangs over it."""
    asks(project, "claude", agents={"claude": {"login": ["sh", "-c", "echo 'unknown command: auth' >&2; exit 2"]}})
    project.plays(default=DONE)
    result = project.night()
    assert (result.code, project.states()) == (0, "xxx"), result.out + result.err
    project.sound()


def test_a_night_without_any_agent_that_can_work_is_refused_in_the_evening(project: Project) -> None:
    asks(project, "mine", "claude", agents={"mine": NOT_THERE, "claude": LOGGED_OUT})
    result = project.night()
    assert result.code == 2, result.out + result.err
    for words in ("no agent can work", "/nowhere/agent", "claude is not logged in", "hint: "):
        assert words in result.err
    assert project.states() == "   "
    project.nothing_left()


# --- money and time


@pytest.mark.parametrize(
    ("most", "done", "why"),
    [
        pytest.param("0.90", 3, "the next attempt, about $0.25, would go beyond the $0.90", id="the next is too much"),
        pytest.param("1", 4, "$1.00 are spent, of the $1.00", id="to the cent"),
    ],
)
def test_the_night_ends_before_it_costs_more_than_that(make: Make, most: str, done: int, why: str) -> None:
    """O10: by the agent's own figures, 0.25 dollars each; attempts that fail cost as well."""
    project = make("".join(f"- [ ] {n}. Task {n}\n" for n in range(1, 6)))
    asks(project, "claude")
    project.plays({"2": [[*DONE[:2], ["says", "Not yet."], ["ends"]], DONE]}, default=DONE)
    result = project.night("--max-cost", most)
    assert result.code == 4, result.out + result.err
    assert len(project.journal("ended")) == done
    assert project.states() == "x" * (done - 1) + " " * (6 - done)
    assert why in result.out
    assert f"Spent ${done * 0.25:.2f}" in result.out
    assert project.night().code == 0, "that was the limit of one run"
    project.sound()


def test_a_limit_of_cost_needs_an_agent_that_tells_its_cost(project: Project) -> None:
    asks(project, "codex")
    result = project.night("--max-cost", "5")
    assert result.code == 2
    assert "codex" in result.err
    assert project.runs() == 0


def test_an_attempt_under_way_is_cut_at_the_time_that_until_names(make: Make) -> None:
    """O10. The clock of the run goes before by so many seconds that its next minute begins soon."""
    project = make(TWO)
    asks(project, "claude")
    project.plays({"2": [[*BEGINS, ["log", "here"], ["sleep", 600]], DONE]}, default=DONE)
    lead = 12.0
    end = time.time() + lead
    ahead = 60 - int(end) % 60
    until = datetime.fromtimestamp(end + ahead, UTC)
    result = project.run("overnight", "demo", "--until", f"{until:%H:%M}", TZ=f"XYZ-00:00:{ahead:02}")
    assert result.code == 4, result.out + result.err
    assert lead - 2 < result.seconds < lead + 10
    assert project.states() in ("x-", "x ")
    one, two = project.journal("ended")
    assert (one["result"], two["result"]) == ("passed", "interrupted")
    assert "--until" in two["reason"]
    assert "--until" in result.out
    project.nothing_left()
    assert project.night().code == 0
    assert project.states() == "xx"
    assert attempts_of(project, "2") == "1"
    project.sound()
