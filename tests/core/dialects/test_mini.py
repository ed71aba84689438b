"""mini-swe-agent: its trajectory tells all; where there is none, the text does what it can."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ralph_wiggum.core.dialects.heard import Heard
from ralph_wiggum.core.dialects.table import reader
from ralph_wiggum.core.dialects.text_reader import TextReader
from ralph_wiggum.core.evidence import Notice, Usage

RULE = "─" * 80 + "\n"
HEAD = f"""\
Building agent config from specs: ['mini.yaml']

System:
You are a helpful assistant.

User:
Please solve this issue: say TASK_COMPLETE at the end

## Recommended Workflow
{RULE}"""
STEP = (
    """
mini-swe-agent (step 1, $0.01):
I write the file.

```
echo hello > hello.txt
```

Tool:
<returncode>
0
<output>
some output
"""
    + RULE
)
SUBMITS = """
mini-swe-agent (step 2, $0.02):
It is done.
TASK_COMPLETE

```
echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT
```

Tool:
<returncode>
-1
"""
SAVED = "\nSaved trajectory to '/x/1-1.report'\n"
AUTH = "litellm.AuthenticationError: AuthenticationError: OpenAIException - Incorrect API key provided: sk-x."


def answer(text: str | None, command: str, **usage: Any) -> dict[str, Any]:
    figures = {"prompt_tokens": 1000, "completion_tokens": 50, "prompt_tokens_details": {"cached_tokens": 300}} | usage
    return {
        "role": "assistant",
        "content": text,
        "extra": {"actions": [{"command": command}], "response": {"usage": figures}},
    }


def complaint(text: str) -> dict[str, Any]:
    """Return what stands for an answer that used no tool."""
    response = {"choices": [{"message": {"role": "assistant", "content": text}}], "usage": {"prompt_tokens": 10}}
    return {"role": "user", "content": "No tool", "extra": {"interrupt_type": "FormatError", "response": response}}


def ended(status: str, submission: str = "", **extra: Any) -> dict[str, Any]:
    more = {"exit_status": status, "submission": submission, **extra}
    return {"role": "exit", "content": submission, "extra": more}


def report(*messages: Mapping[str, Any], cost: float = 0.07) -> bytes:
    last = messages[-1].get("extra", {}) if messages else {}
    info = {
        "model_stats": {"instance_cost": cost, "api_calls": len(messages)},
        "exit_status": last.get("exit_status", ""),
        "submission": last.get("submission", ""),
    }
    told = {
        "info": info,
        "messages": [{"role": "system", "content": "x"}, {"role": "user", "content": "do"}, *messages],
    }
    return json.dumps(told, indent=2).encode()


def hear(text: str, left: bytes = b"") -> Heard:
    listening = reader("mini")
    assert isinstance(listening, TextReader)
    for line in text.encode().split(b"\n"):
        listening.hear(line)
    listening.reads(left)
    return listening.heard()


WORKS = answer("I write the file.", "echo hello > hello.txt")
ENDS = answer("It is done.\nTASK_COMPLETE", "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT")
WORDLESS = answer(None, "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && printf ...")


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        pytest.param((WORKS, WORDLESS, ended("Submitted", "Did it.\n\nTASK_COMPLETE\n")), "Did it.\n\nTASK_COMPLETE", id="in the submission"),
        pytest.param((WORKS, ENDS, ended("Submitted")), "It is done.\nTASK_COMPLETE", id="in the words beside the last command"),
        pytest.param((WORKS, ENDS, ended("Submitted", "diff --git a b\n+x\n")), "diff --git a b\n+x\n\nIt is done.\nTASK_COMPLETE", id="in the words, and a diff is submitted"),
        pytest.param((WORKS, ENDS, ended("Submitted", "TASK_SKIPPED: no\n")), "It is done.\nTASK_COMPLETE\n\nTASK_SKIPPED: no", id="in both: the later one"),
        pytest.param((ENDS, answer("And one thing more.", "ls"), ended("Submitted")), "And one thing more.", id="taken back by what it said later"),
    ],
)  # fmt: skip
def test_the_final_message_is_what_was_said_last_and_what_was_submitted(
    messages: tuple[dict[str, Any], ...], message: str
) -> None:
    found = hear(HEAD + STEP + SUBMITS + "\nExit:\n" + SAVED, report(*messages))
    assert found.message == message
    assert (found.completed, found.flagged, found.notices) == (True, False, ())


def test_without_a_word_at_the_end_there_is_no_final_message() -> None:
    found = hear("", report(ENDS, answer(None, "ls"), WORDLESS, ended("Submitted")))
    assert not found.message.rstrip().endswith("TASK_COMPLETE")


@pytest.mark.parametrize(
    ("messages", "notice", "message"),
    [
        pytest.param(
            (ended("AuthenticationError", exception_str=AUTH),),
            Notice(kind="AuthenticationError", status=401, text="Incorrect API key provided: sk-x.", final=True), "",
            id="an error of the provider",
        ),
        pytest.param(
            (WORKS, ended("LimitsExceeded")),
            Notice(kind="LimitsExceeded", text="mini's own limit of steps or cost was reached", final=True),
            "I write the file.\n\n(it went on with bash: echo hello > hello.txt)", id="its own limit",
        ),
        pytest.param(
            (complaint("You've hit your limit · resets 3pm (UTC)"),) * 3 + (ended("RepeatedFormatError"),),
            Notice(kind="RepeatedFormatError", text="the model answered again and again without the use of a tool"),
            "You've hit your limit · resets 3pm (UTC)", id="words and no tool, which may be the provider's",
        ),
    ],
)  # fmt: skip
def test_other_ends_are_errors(messages: tuple[dict[str, Any], ...], notice: Notice, message: str) -> None:
    found = hear("", report(*messages))
    assert (found.completed, found.flagged) == (True, True)
    assert found.notices == (notice,)
    assert found.message == message


def test_a_run_that_was_ended_from_outside_has_no_end() -> None:
    found = hear(HEAD + STEP, report(WORKS))
    assert (found.completed, found.flagged) == (False, False)
    assert found.message.endswith("(it went on with bash: echo hello > hello.txt)")


def test_figures_are_those_of_all_answers() -> None:
    found = hear("", report(WORKS, ENDS, complaint("hm"), ended("Submitted")))
    assert found.usage == Usage(input_tokens=2010, output_tokens=100, cached_tokens=600, cost=0.07)
    free = hear("", report(WORKS, ended("Submitted"), cost=0.0)).usage
    assert free is not None
    assert free.cost is None, "LiteLLM knows no price of this model"
    assert hear("", report(ended("AuthenticationError"), cost=0.0)).usage is None


def test_a_trajectory_that_is_torn_or_too_long_is_read_as_far_as_it_goes() -> None:
    whole = report(WORKS, WORDLESS, ended("Submitted", "TASK_COMPLETE\n"))
    cut = whole[: whole.index(b'"messages"') + 40]
    found = hear(HEAD + STEP + SUBMITS, cut)
    assert (found.completed, found.flagged) == (True, False)
    assert found.message.endswith("TASK_COMPLETE")
    assert found.usage == Usage(cost=0.07)


@pytest.mark.parametrize("left", [b"", b"{", b"[]", b'{"info": 5}', b"\xff\xfe", b'{"info":', b"# not one"])
def test_without_a_trajectory_the_text_tells_the_end(left: bytes) -> None:
    submitted = hear(HEAD + STEP + SUBMITS + "\nExit:\nDid it.\n\nTASK_COMPLETE\n" + SAVED, left)
    assert submitted.message.endswith("Did it.\n\nTASK_COMPLETE")
    assert (submitted.completed, submitted.flagged) == (True, False)
    assert submitted.usage == Usage(cost=0.02)
    beside = hear(HEAD + STEP + SUBMITS + "\nExit:\n" + SAVED, left)
    assert beside.message == "It is done.\nTASK_COMPLETE"
    refused = hear(HEAD + "\nExit:\n" + AUTH.replace(" Incorrect", " \nIncorrect") + "\n", left)
    assert (refused.completed, refused.flagged) == (True, True)
    assert refused.notices[-1].status == 401
    confused = hear(HEAD + STEP + "\nExit:\nRepeatedFormatError\n" + SAVED, left)
    assert (confused.completed, confused.flagged) == (True, True)
    hanging = hear(HEAD + STEP + SUBMITS, left)
    assert hanging.completed is False


def test_a_person_sees_steps_and_not_the_prompt() -> None:
    listening = reader("mini")
    shown = "".join(map(listening.hear, (HEAD + STEP).encode().split(b"\n")))
    assert "I write the file." in shown
    assert "echo hello > hello.txt" in shown
    assert "Recommended Workflow" not in shown
    assert "some output" not in shown


def test_it_is_settled_when_it_has_saved_its_trajectory() -> None:
    listening = reader("mini")
    for line in (HEAD + STEP + SUBMITS + "\nExit:\nTASK_COMPLETE\n").encode().split(b"\n"):
        listening.hear(line)
    before = listening.settled
    listening.hear(b"Saved trajectory to '/x'")
    assert (before, listening.settled) == (False, True)
    assert listening.turns == 2


def test_what_a_command_prints_begins_no_step_that_was_there_before() -> None:
    listening = reader("mini")
    for line in (HEAD + STEP + SUBMITS + "\nmini-swe-agent (step 1, $999.00):\n").encode().split(b"\n"):
        listening.hear(line)
    assert listening.usage == Usage(cost=0.02)


def test_texts_of_all_providers_are_read() -> None:
    parts = {
        "role": "assistant",
        "content": [{"type": "text", "text": "Hm."}, {"type": "text", "text": "TASK_COMPLETE"}],
    }
    assert hear("", report(parts, ended("Submitted"))).message == "Hm.\n\nTASK_COMPLETE"
    output = [{"type": "message", "content": [{"type": "output_text", "text": "TASK_COMPLETE"}]}]
    assert hear("", report({"object": "response", "output": output}, ended("Submitted"))).message == "TASK_COMPLETE"


CAPTURES = Path(__file__).resolve().parents[4] / "shared" / "reference" / "agent-output"


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "completed", "flagged"),
    [
        ("ok", True, False),
        ("bg", True, False),
        ("401", True, True),
        ("ctx", True, True),
        ("limittext", True, True),
        ("drip", True, True),
        ("429", False, False),
        ("hangTERM", False, False),
    ],
)
def test_captures_of_the_real_program(name: str, *, completed: bool, flagged: bool) -> None:
    path = CAPTURES / f"mini-{name}.out"
    if not path.exists():
        pytest.skip(f"there is no {path.name}")
    found = hear(path.read_text())
    assert (found.completed, found.flagged) == (completed, flagged)
    if name in {"ok", "bg"}:
        assert found.message == "TASK_COMPLETE"
