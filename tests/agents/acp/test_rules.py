"""The pure parts behind the driver acp: who is a command, what is a message, what a tool touches, what an event means."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.acp.figures import tokens
from ralph_wiggum.acp.permissions import answer, refusal, touched
from ralph_wiggum.acp.pipes import checked
from ralph_wiggum.acp.tools import brief, words
from ralph_wiggum.core.commands import Rules, commands
from ralph_wiggum.core.evidence import Notice
from ralph_wiggum.core.program import Process
from ralph_wiggum.core.settings import Limits
from tests.core.dialects.hearing import heard, listen

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)

# --- commands (O21)

KEEPER, AGENT, NOW = 10, 100, 1000.0


def row(pid: int, ppid: int, *argv: str, age: float = 100.0, exe: str = "") -> Process:
    return Process(pid=pid, ppid=ppid, started=NOW - age, exe=exe or f"/usr/bin/{argv[0]}", argv=argv, cwd="/work")


CLIENT = row(
    AGENT, KEEPER, "python3", "-P", "/lib/ralph_wiggum/acp/client.py", "--", "/opt/thing", exe="/usr/bin/python3.11"
)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param([CLIENT, row(1, AGENT, "/opt/thing", "serve")], [], id="the first child is the agent"),
        pytest.param(
            [CLIENT, row(2, AGENT, "/opt/thing", "serve"), row(1, AGENT, "npm", "test", age=50)],
            ["npm test"],
            id="a later one is a command that the client runs",
        ),
        pytest.param(
            [CLIENT, row(1, AGENT, "/opt/thing"), row(2, 1, "make")], ["make"], id="what the agent starts is a command"
        ),
        pytest.param(
            [CLIENT, row(1, AGENT, "sh", "./mine.sh"), row(2, 1, "/opt/server"), row(3, 2, "make")],
            ["make"],
            id="a shell in the agent's place only starts it",
        ),
        pytest.param(
            [CLIENT, row(1, AGENT, "npx", "some-agent"), row(2, 1, "node", "/x/agent.js"), row(3, 2, "ls")],
            ["ls"],
            id="a launcher as well",
        ),
        pytest.param(
            [CLIENT, row(1, AGENT, "/opt/thing"), row(2, AGENT, "bash", "-c", "a", age=9), row(3, 2, "a", age=9)],
            ["bash -c a"],
            id="a shell that the client runs later starts a command",
        ),
        pytest.param(
            [row(AGENT, KEEPER, "/opt/agent"), row(1, AGENT, "/opt/thing")], ["/opt/thing"], id="of others it is one"
        ),
    ],
)
def test_the_agent_behind_the_client_is_no_command(table: Sequence[Process], expected: list[str]) -> None:
    assert [one.line for one in commands(table, AGENT, NOW, Rules.of(Limits()))] == expected


# --- messages


@given(JSON)
def test_every_message_is_safe_for_the_library_or_none(value: object) -> None:
    for key in ("method", "id", "result", "error"):
        message = checked({"method": "a", "id": 1, key: value} if key == "method" else {"id": 1, key: value})
        if message is None:
            continue
        json.dumps(message)
        if "method" in message:
            assert isinstance(message["method"], str)
            assert isinstance(message["params"], dict)
        else:
            assert isinstance(message["id"], int)
            error = message.get("error", {"code": 1, "message": ""})
            assert (type(error["code"]) is int or isinstance(error["code"], bool), type(error["message"])) == (
                True,
                str,
            )


# --- permissions


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/work/a", ""),
        ("/work/kept/a", "is kept by the runner"),
        ("/work/kept2", ""),
        ("/work2/a", "lies outside"),
        ("/", "lies outside"),
        ("/work", "the workspace itself"),
    ],
)
def test_paths_are_refused_by_where_they_lie(path: str, why: str) -> None:
    found = refusal(path, "/work", ("/work/kept",))
    assert (why in found) is True
    assert bool(found) is bool(why)


@pytest.mark.parametrize(
    ("tool", "paths"),
    [
        ({"kind": "read", "locations": [{"path": "/a"}]}, ()),
        (
            {"kind": "edit", "locations": [{"path": "/a"}, 5, {}], "content": [{"type": "diff", "path": "/b"}]},
            ("/a", "/b"),
        ),
        ({"kind": "move", "rawInput": {"source": "a", "destination": "b"}}, ("b", "a")),
        ({"kind": "edit", "rawInput": {"changes": {"/c": {}}}}, ("/c",)),
        ({"rawInput": {"file_path": "/d"}, "locations": "x"}, ("/d",)),
        ({"kind": "execute", "rawInput": {"command": "rm /e"}}, ()),
    ],
)
def test_what_a_tool_touches(tool: Mapping[str, object], paths: tuple[str, ...]) -> None:
    assert touched(tool) == touched(brief(tool)) == paths


@given(st.sampled_from(["workspace", "allow", "reject"]), st.lists(JSON), st.booleans())
def test_an_answer_is_always_one_of_the_options(policy: str, options: list[object], refused: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    chosen = answer(policy, options, refused=refused)
    ids = [option.get("optionId") for option in options if isinstance(option, dict)]
    assert not chosen.option or chosen.option in ids
    assert chosen.allowed is (policy == "allow" or (policy == "workspace" and not refused))


@given(JSON)
def test_whatever_is_told_of_a_tool_is_bounded(value: object) -> None:
    for name in ("kind", "title", "locations", "content", "rawInput", "toolCallId"):
        told = brief({name: value, "rawInput": {"command": value, "changes": value} if name == "toolCallId" else value})
        assert touched(told) is not None
        assert len(words(told)) == 2
    assert len(json.dumps(brief({"rawInput": {"command": ["x" * 10**6] * 200, "content": "x" * 10**6}}))) < 10_000


# --- what is told


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        ({"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}, (10, 5, 0)),
        ({"inputTokens": 10, "outputTokens": 5, "cachedReadTokens": 100, "totalTokens": 115}, (110, 5, 100)),
        ({"inputTokens": 110, "outputTokens": 5, "cachedReadTokens": 100, "totalTokens": 115}, (110, 5, 100)),
        ({"inputTokens": 10, "outputTokens": 5, "thoughtTokens": 3}, (10, 8, 0)),
        ({"inputTokens": 10, "outputTokens": 8, "thoughtTokens": 3, "totalTokens": 18}, (10, 8, 0)),
        ({"input_tokens": 7, "output_tokens": 2}, (7, 2, 0)),
        ({"inputTokens": "x", "outputTokens": -1}, (0, 0, 0)),
    ],
)
def test_tokens_are_counted_once(used: Mapping[str, object], expected: tuple[int, int, int]) -> None:
    assert tokens(used) == expected


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        ({"kind": "execute", "title": "bash", "locations": [{"path": "/work"}]}, ("execute", "bash")),
        ({"kind": "execute", "rawInput": {"command": ["bash", "-lc", "a b"]}}, ("execute", "bash -lc 'a b'")),
        ({"kind": "edit", "title": "Edit", "locations": [{"path": "/work/a"}]}, ("edit", "/work/a")),
        ({"kind": "other", "title": "Ask"}, ("Ask", "")),
        ({}, ("tool", "")),
    ],
)
def test_a_tool_in_words(tool: Mapping[str, object], expected: tuple[str, str]) -> None:
    assert words(brief(tool)) == expected


def test_events_of_a_whole_turn() -> None:
    found, shown = listen(
        "acp",
        {"type": "session", "id": "s-1", "agent": "OpenCode", "version": "1"},
        {"type": "retry", "text": "Last error: 529 Overloaded"},
        {"type": "text", "text": "I will", "message": "m1"},
        {"type": "tool", "name": "execute", "doing": "bash"},
        {"type": "tool_given", "name": "execute", "doing": "npm test"},
        {"type": "denied", "tool": "edit", "doing": "/etc/hosts", "why": "/etc/hosts lies outside the workspace"},
        {"type": "text", "text": "Done.\nTASK_", "message": "m2"},
        {"type": "text", "text": "COMPLETE", "message": "m2"},
        {"type": "end", "reason": "end_turn"},
    )
    assert (found.message, found.completed, found.flagged) == ("Done.\nTASK_COMPLETE", True, False)
    assert (found.session, found.denied) == ("s-1", ("edit: /etc/hosts",))
    assert [(notice.status, notice.stale, notice.final) for notice in found.notices] == [(529, True, False)]
    assert "execute: bash\nexecute: npm test\n  refused: /etc/hosts lies outside the workspace\n" in shown


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            {"code": 429, "message": "You exceeded your quota.\nPlease retry in 3600s."},
            ("error", 429, "You exceeded your quota. Please retry in 3600s.", 3600.0),
        ),
        (
            {"code": -32603, "message": "Internal error", "data": {"details": "401 Incorrect key."}},
            ("error", 401, "401 Incorrect key.", 0.0),
        ),
        (
            {
                "code": -32603,
                "message": "Internal error",
                "data": {"codex_error_info": "usage_limit_exceeded", "message": "Hit."},
            },
            ("usage_limit_exceeded", 0, "Hit.", 0.0),
        ),
        (
            {"code": 401, "message": '{"error":{"code":401,"message":"Bad key.","status":"UNAUTHENTICATED"}}'},
            ("UNAUTHENTICATED", 401, "Bad key.", 0.0),
        ),
        (
            {"code": -32000, "message": "Authentication required"},
            ("authentication", 401, "Authentication required", 0.0),
        ),
        (
            {"code": -32602, "message": "Invalid params", "data": "no prompt"},
            ("error", 0, "Invalid params: no prompt", 0.0),
        ),
        (
            {"kind": "start_timeout", "text": "it did not initialize"},
            ("start_timeout", 0, "it did not initialize", 0.0),
        ),
        ({"code": "x", "message": 5, "data": [5]}, ("error", 0, "the agent answered with an error", 0.0)),
    ],
)
def test_errors_are_told_by_their_words(error: dict[str, object], expected: tuple[object, ...]) -> None:
    (notice,) = heard("acp", {"type": "error", **error}).notices
    assert (notice.kind, notice.status, notice.text, notice.retry_after) == expected
    assert notice.final


@given(
    st.dictionaries(st.sampled_from(["text", "id", "reason", "code", "data", "entries", "cost", "name"]), JSON), JSON
)
def test_any_event_is_heard(event: dict[str, object], kind: object) -> None:
    for each in (
        "text",
        "tool",
        "plan",
        "usage",
        "error",
        "end",
        "denied",
        "note",
        "retry",
        "session",
        "session_gone",
        kind,
    ):
        assert isinstance(heard("acp", {"type": each, **event}).notices, tuple)


def test_a_session_that_is_gone() -> None:
    found = heard("acp", {"type": "session_gone", "id": "x", "text": "the agent knows no session x"})
    assert found.notices == (Notice(kind="session_gone", text="the agent knows no session x", final=True),)
    assert (found.completed, found.flagged) == (True, True)
