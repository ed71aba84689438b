"""A turn over the Agent Client Protocol, from the handshake to its end (O11, O16, O20, B1)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ralph_wiggum.core.evidence import Ending, Notice, Usage
from ralph_wiggum.core.provider.cause import Cause
from ralph_wiggum.core.provider.classify import diagnose
from ralph_wiggum.core.settings import Limits
from ralph_wiggum.core.signals import read
from tests.adapters.agents.conftest import Watching
from tests.agents.acp.conftest import Talk

pytestmark = pytest.mark.long  # of real processes and servers: a minute of the ordinary run

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


def test_a_task_is_completed(talk: Talk) -> None:
    script = r"""
    def prompt(params):
        assert params["prompt"] == [{"type": "text", "text": "- [ ] 1. größer"}], params
        assert params["sessionId"] == SESSION
        say("thinking", "agent_thought_chunk")
        say("I will run the tests.")
        update("plan", entries=[{"content": "run them", "status": "in_progress", "priority": "high"}])
        update("tool_call", toolCallId="t-1", title="npm test", kind="execute", rawInput={"command": "npm test"})
        update("tool_call_update", toolCallId="t-1", status="completed")
        say("Do"); say("ne.\n")
        say("TASK_COMPLETE\n")
        return "end_turn"
    """
    outcome = talk(script)
    assert (outcome.ending, outcome.exit_code, outcome.errors) == (Ending.EXITED, 0, "")
    assert (outcome.message, outcome.completed, outcome.flagged) == ("Done.\nTASK_COMPLETE\n", True, False)
    assert outcome.session == "s-1"
    assert outcome.excerpt == "I will run the tests.\n  [>] run them\nexecute: npm test\nDone.\nTASK_COMPLETE\n"
    assert outcome.leftovers == 0


def test_the_client_says_what_it_can(talk: Talk) -> None:
    script = """
    def hello(params):
        global said
        said = params
        return {"protocolVersion": 1}
    def new(params):
        said["new"] = params
        return {"sessionId": SESSION}
    def prompt(params):
        say(json.dumps(said))
        return "end_turn"
    """
    said = talk(script).message
    assert '"clientCapabilities": {"fs": {"readTextFile": true, "writeTextFile": true}, "terminal": true' in said
    assert '"name": "ralph-wiggum"' in said
    assert f'"new": {{"cwd": "{talk.work}", "mcpServers": []}}' in said


@pytest.mark.parametrize("reason", ["max_tokens", "max_turn_requests", "refusal", "something_new", ""])
def test_a_turn_that_ends_for_another_reason_is_no_end(talk: Talk, reason: str) -> None:
    outcome = talk(f"def prompt(params):\n    complete()\n    return {reason!r}")
    assert (outcome.completed, outcome.flagged) == (True, True)
    assert outcome.notices[-1].kind == (reason or "no_stop_reason")


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        pytest.param((429, "You exceeded your quota. Please retry in 3600s."), Cause.USAGE_LIMIT, id="gemini's limit"),
        pytest.param((401, "API key not valid."), Cause.NOT_LOGGED_IN, id="gemini's wrong key"),
        pytest.param(
            (
                -32603,
                "You've hit your usage limit. Try again at 7:39 AM.",
                {"codex_error_info": "usage_limit_exceeded"},
            ),
            Cause.USAGE_LIMIT,
            id="codex's limit",
        ),
        pytest.param(
            (-32603, "Internal error", {"details": "Unauthorized: invalid api key"}),
            Cause.NOT_LOGGED_IN,
            id="opencode's",
        ),
        pytest.param((-32603, "Internal error", {"error": {"message": "529 Overloaded"}}), Cause.OVERLOADED, id="deep"),
        pytest.param((-32000, "Authentication required"), Cause.NOT_LOGGED_IN, id="logged out in the middle"),
        pytest.param((-32603, "Internal error", "the rhubarb broke"), Cause.FAILED, id="anything"),
    ],
)
def test_an_error_in_the_place_of_an_answer_is_told_by_its_words(
    talk: Talk, error: tuple[object, ...], cause: Cause
) -> None:
    outcome = talk(f"def prompt(params):\n    raise Refusal(*{error!r})")
    assert (outcome.exit_code, outcome.completed, outcome.flagged) == (1, True, True)
    assert outcome.notices[-1].final
    assert diagnose(outcome, read(outcome.message), NOW).cause is cause


COPILOT = """
def hello(params):
    return {"protocolVersion": 1, "agentInfo": {"name": "Copilot", "version": "1.0.102"}}
"""


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("429 5-hour usage limit reached. It will reset in 60 minutes.", Cause.USAGE_LIMIT),
        ("Failed to get response from the AI model; retried 5 times Last error: 529 Overloaded", Cause.OVERLOADED),
        (r"Authentication failed with provider at http://x (HTTP 401).\n  Check your KEY.", Cause.NOT_LOGGED_IN),
    ],
)
def test_an_error_that_copilot_says_as_a_message_is_one(talk: Talk, error: str, cause: Cause) -> None:
    script = f"""{COPILOT}
def prompt(params):
    say("Info: Request failed due to a transient API error. Retrying...")
    say("Error: {error}")
    return "end_turn"
"""
    outcome = talk(script)
    assert (outcome.exit_code, outcome.flagged) == (1, True)
    assert [notice.final for notice in outcome.notices] == [False, True]
    assert diagnose(outcome, read(outcome.message), NOW).cause is cause


def test_what_copilots_model_says_after_an_error_stands(talk: Talk) -> None:
    script = f"""{COPILOT}
def prompt(params):
    say("Error: in the first line of a file")
    say(" I have mended it.")
    return complete()
"""
    outcome = talk(script)
    assert (outcome.exit_code, outcome.flagged) == (0, False)
    assert outcome.message.endswith("Done.\nTASK_COMPLETE")


def test_what_it_used_is_added_up_and_a_cost_of_before_is_not_counted(talk: Talk) -> None:
    script = """
    def load(params):
        assert params["sessionId"] == "s-old"
        say("TASK_COMPLETE")
        update("usage_update", used=10, size=100, cost={"amount": 2.0, "currency": "USD"})
        return {}
    def prompt(params):
        say("Anew.")
        update("usage_update", used=20, size=100, cost={"amount": 2.25, "currency": "USD"})
        usage = {"totalTokens": 1160, "inputTokens": 100, "outputTokens": 50, "cachedReadTokens": 1000, "thoughtTokens": 10}
        return {"stopReason": "end_turn", "usage": usage}
    """
    outcome = talk(script, session="s-old")
    assert outcome.usage == Usage(input_tokens=1100, output_tokens=60, cached_tokens=1000, cost=0.25)
    assert (outcome.message, outcome.session) == ("Anew.", "s-old"), (
        "the session's past is told again, and is no message"
    )


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("", id="it says so"),
        pytest.param("def load(params):\n    sys.exit(0)", id="it ends, as kiro-cli does"),
        pytest.param("def hello(params):\n    return {'protocolVersion': 1}", id="it knows no sessions"),
    ],
)
def test_a_session_that_is_gone_is_told_apart(talk: Talk, script: str) -> None:
    outcome = talk(script, session="s-old")
    assert outcome.exit_code == 3
    assert [(notice.kind, notice.final) for notice in outcome.notices] == [("session_gone", True)]
    assert script or outcome.notices[0].text == "the agent knows no session s-old: Invalid params: unknown session"
    assert outcome.session == ""


def test_a_cost_that_may_be_of_before_is_not_told(talk: Talk) -> None:
    script = """
    def load(params):
        return {}
    def prompt(params):
        update("usage_update", used=20, size=100, cost={"amount": 2.25, "currency": "USD"})
        return {"stopReason": "end_turn", "usage": {"inputTokens": 10, "outputTokens": 5}}
    """
    assert talk(script, session="s-old").usage == Usage(input_tokens=10, output_tokens=5, cost=None)
    assert talk(script).usage == Usage(input_tokens=10, output_tokens=5, cost=2.25)


@pytest.mark.parametrize(("replays", "code"), [("", 3), ("say('Of before.')", 0)])
def test_a_session_that_qwen_made_up_is_gone(talk: Talk, replays: str, code: int) -> None:
    script = f"""
def hello(params):
    info = {{"name": "qwen-code", "version": "0.15.10"}}
    return {{"protocolVersion": 1, "agentCapabilities": {{"loadSession": True}}, "agentInfo": info}}
def load(params):
    {replays}
    return {{}}
"""
    assert talk(script, session="s-old").exit_code == code


def test_a_session_can_be_gone_on_with_without_being_told_again(talk: Talk) -> None:
    script = """
    calls["session/resume"] = "load"
    def hello(params):
        return {"protocolVersion": 1, "agentCapabilities": {"sessionCapabilities": {"resume": {}}}}
    def load(params):
        return {}
    """
    outcome = talk(script, session="s-old")
    assert (outcome.exit_code, outcome.session) == (0, "s-old")


def test_an_agent_that_is_not_logged_in_says_what_it_offers(talk: Talk) -> None:
    script = """
    def hello(params):
        methods = [{"id": "oauth", "name": "Log in with Example"}, {"id": "key", "name": "Use an API key"}]
        return {"protocolVersion": 1, "authMethods": methods}
    def new(params):
        raise Refusal(-32000, "Authentication required")
    """
    outcome = talk(script)
    words = "the agent is not logged in: Authentication required; it offers: Log in with Example, Use an API key"
    assert outcome.notices == (Notice(kind="authentication", status=401, text=words, final=True),)
    assert outcome.exit_code == 1
    assert diagnose(outcome, read(outcome.message), NOW).cause is Cause.NOT_LOGGED_IN


@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [
        pytest.param("sys.exit(7)", "agent_ended", "ended with exit code 7: it did not initialize", id="at once"),
        pytest.param(
            "def prompt(params):\n    os.kill(os.getpid(), 9)",
            "agent_ended",
            "ended by signal 9 before its turn",
            id="later",
        ),
        pytest.param(
            "def prompt(params):\n    os.close(1)\n    time.sleep(60)", "agent_ended", "closed its output", id="mute"
        ),
        pytest.param("def hello(params):\n    return {'protocolVersion': 7}", "protocol", "version 7", id="version"),
        pytest.param("def hello(params):\n    return []", "protocol", "version None", id="no object"),
        pytest.param("def new(params):\n    return {}", "protocol", "without an id", id="no session"),
    ],
)
def test_an_agent_that_fails_is_told_in_words(talk: Talk, script: str, kind: str, words: str) -> None:
    outcome = talk(f"import os, time\n{script}")
    assert (outcome.ending, outcome.exit_code, outcome.flagged) == (Ending.EXITED, 1, True)
    assert outcome.notices[-1].kind == kind
    assert words in outcome.notices[-1].text
    assert "Traceback" not in outcome.excerpt


def test_what_belongs_to_no_protocol_is_shown_and_read_over(talk: Talk) -> None:
    script = r"""
    raw("Debugger listening\n\n\x1b[31mwarning\x1b[0m {not json\n[1, 2]\n{}\n")
    raw('{"jsonrpc": "2.0", "id": [1], "result": {}}\n{"id": "x", "result": 1}\n{"method": 5}\n{"id": 99, "error": 5}\n')
    raw('{"jsonrpc": "2.0", "method": "session/update", "params": {"update": {"sessionUpdate": 5}}}\n')
    raw('{"jsonrpc": "2.0", "method": "_mine/news", "params": 7}\n')
    def prompt(params):
        update("something_new", content=5); update("tool_call"); update("plan", entries=[5, {"content": 5}])
        update("agent_message_chunk", content={"type": "image", "data": "x"})
        assert tried("mine/method").startswith("refused [-32601")
        assert tried("fs/read_text_file").startswith("refused [-32602")
        assert tried("terminal/output", terminalId="none").startswith("refused [-32602")
        return complete()
    """
    outcome = talk(script)
    assert (outcome.exit_code, outcome.message) == (0, "Done.\nTASK_COMPLETE")
    assert "Debugger listening\nwarning {not json\n" in outcome.excerpt


def test_a_flood_and_a_line_without_end_do_no_harm(talk: Talk) -> None:
    script = r"""
    def prompt(params):
        raw("x" * (17 << 20) + "\n")
        for _ in range(300):
            raw("log line\n")
        content = {"type": "text", "text": "größer" * (1 << 20)}
        update = {"sessionUpdate": "agent_message_chunk", "content": content}
        raw(json.dumps({"method": "session/update", "params": {"update": update}}, ensure_ascii=False) + "\n")
        say("\nTASK_COMPLETE\n")
        return "end_turn"
    """
    outcome = talk(script)
    assert outcome.message.endswith("größer\nTASK_COMPLETE\n")
    assert "longer than 16 MiB" in talk.log
    assert talk.log.count("log line") < 300


def test_an_agent_that_hangs_at_its_start_is_given_up(talk: Talk) -> None:
    outcome = talk("import time\ndef hello(params):\n    time.sleep(60)", start_seconds=1.0)
    assert outcome.exit_code == 1
    assert outcome.notices[-1] == Notice(
        kind="start_timeout", text="the agent did not initialize within 1 s", final=True
    )


def test_a_stop_cancels_the_turn_and_what_comes_then_does_not_count(talk: Talk) -> None:
    script = r"""
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it goes to all of a family at once; the word for the agent is another
    def prompt(params):
        say("begun\n")
        while not cancelled:
            receive()
        open("cancelled", "w").close()
        return complete()
    """

    class Stopping(Watching):
        def stop_reason(self) -> str | None:
            return "stop" if "begun" in "".join(self.shown) else None

    outcome = talk(script, watching=Stopping())
    assert outcome.ending is Ending.STOPPED
    assert (talk.work / "cancelled").exists()
    assert "TASK_COMPLETE" not in outcome.message
    assert outcome.seconds < 20


@pytest.mark.parametrize("deaf", ["", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"])
def test_nothing_is_left_of_an_agent_that_does_not_end(talk: Talk, deaf: str) -> None:
    script = f"""
    import os, signal, subprocess, time
    {deaf}
    def prompt(params):
        subprocess.Popen(["sleep", "1000"], start_new_session=True)
        complete()
        send(id=3, result={{}})
        raw(json.dumps({{"id": 2, "result": {{"stopReason": "end_turn"}}}}) + chr(10))
        while True:
            time.sleep(100)
    """
    outcome = talk(script, limits=Limits(task_seconds=60.0))
    assert (outcome.ending, outcome.exit_code, outcome.completed) == (Ending.EXITED, 0, True)
    assert outcome.error == ""
    assert outcome.seconds < 30
