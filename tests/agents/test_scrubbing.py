"""What is kept of a real agent's output: nothing of the machine, the same ids where they were the same, moved times."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.agents.scrubbing import FILE_LIMIT, MOMENT, Scene, scrub

BEGAN = datetime(2026, 7, 30, 23, 41, 12, tzinfo=UTC)
SCENE = Scene(
    began=BEGAN.timestamp(),
    port=40001,
    places={"/tmp/run_1/project": "/home/person/project", "/tmp/run_1": "/home/person/tmp", "box-7": "host"},
)
HOUR = MOMENT + timedelta(hours=1)


def after(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        pytest.param("at /tmp/run_1/project/a.py on box-7", "at /home/person/project/a.py on host", id="paths"),
        pytest.param("/tmp/run_1/projects", "/home/person/tmp/projects", id="a path that only begins like another"),
        pytest.param("-tmp-run-1-project", "-home-person-project", id="a path as the name of a folder"),
        pytest.param("http://127.0.0.1:40001/s/401/v1", "http://127.0.0.1:8765/s/401/v1", id="the port"),
        pytest.param(
            "toolu_8b7b971c6c344543, max_output_tokens", "toolu_0000000000000001, max_output_tokens", id="an id"
        ),
        pytest.param("ses_e084345a8ffeU2H752JTM76ebd", "ses_" + "1".zfill(26), id="an id of letters and digits"),
        pytest.param("tree 4b825dc642cb6eb9 seed 123456789", "tree 0000000000000001 seed 123456789", id="a hash"),
        pytest.param(f"in {after(3).isoformat()}", f"in {MOMENT:%Y-%m-%dT%H:%M:%S}.000+00:00", id="a moment"),
        pytest.param(f"{after(3):%Y-%m-%dT%H:%M:%S}.443Z", f"{MOMENT:%Y-%m-%dT%H:%M:%S}.000Z", id="with milliseconds"),
        pytest.param(
            f"e-{after(3):%Y-%m-%dT%H-%M-%S}-443Z.json", f"e-{MOMENT:%Y-%m-%dT%H-%M-%S}-000Z.json", id="of a file"
        ),
        pytest.param(f"{after(9):%a, %d %b %Y %H:%M:%S} GMT", f"{MOMENT:%a, %d %b %Y %H:%M:%S} GMT", id="of HTTP"),
        pytest.param(f"{after(3603).timestamp():.0f}", f"{HOUR.timestamp():.0f}", id="seconds since 1970"),
        pytest.param(f"{after(3603).timestamp():.0f}123", f"{HOUR.timestamp():.0f}000", id="milliseconds since 1970"),
        pytest.param(f"{after(3).timestamp():.0f}.4429", f"{MOMENT.timestamp():.0f}.0", id="with a fraction"),
        pytest.param("resets 12:41am (UTC)", "resets 1:07pm (UTC)", id="a time of the next day"),
        pytest.param("try again at 12:41 AM.", "try again at 1:07 PM.", id="a time in capitals"),
        pytest.param("1000 tokens, 128000 at most, 15:30", "1000 tokens, 128000 at most, 15:30", id="other figures"),
    ],
)
def test_what_is_of_one_run_is_made_up(text: str, scrubbed: str) -> None:
    assert scrub(text, SCENE) == scrubbed


def test_the_same_id_becomes_the_same_and_another_one_another() -> None:
    first, second = "5383cb11-0cdd-44a5-890c-f543b0862450", "81dd3449-45fd-4d64-95d5-1fffd927a80a"
    one, other, again = scrub(f"{first} {second} {first}", SCENE).split()
    assert one == again != other


def test_durations_and_long_texts_go_and_the_event_stays() -> None:
    event = {
        "type": "result",
        "duration_ms": 941,
        "totalApiDurationMs": 12.5,
        "retries": 0,
        "tools": [f"Tool{number}" for number in range(20)],
        "blocks": [{"text": "kept"} for _ in range(10)],
        "prompt": "a" * 5000 + "the end",
    }
    found = json.loads(scrub(json.dumps(event), SCENE))
    assert (found["type"], found["duration_ms"], found["totalApiDurationMs"], found["retries"]) == (
        "result",
        500,
        500,
        0,
    )
    assert found["tools"] == [*(f"Tool{number}" for number in range(5)), "… 15 more …"]
    assert len(found["blocks"]) == 10
    assert len(found["prompt"]) < 1000
    assert found["prompt"].endswith("the end")


def test_a_stack_trace_is_cut_and_the_error_around_it_is_not() -> None:
    trace = "\n".join(f"    at call{number} (file.js:{number})" for number in range(30))
    found = scrub(f"Error: 401\n{trace}\n  status: 401\n", SCENE)
    assert found.startswith("Error: 401\n    at call0")
    assert found.endswith("\n    [… 28 lines …]\n  status: 401\n")


def test_a_flood_of_events_keeps_its_beginning_and_its_end() -> None:
    events = [json.dumps({"type": "step", "number": number}, separators=(",", ":")) for number in range(5000)]
    found = scrub("\n".join(events), SCENE).split("\n")
    assert found[0] == events[0]
    assert found[-1] == events[-1]
    assert sum(map(len, found)) <= FILE_LIMIT
    assert set(found) - set(events) == {f"[… {5000 - len(found) + 1} lines …]"}


def test_events_that_differ_in_their_ids_alone_are_cut() -> None:
    events = [
        json.dumps({"type": "changed", "data": {}, "id": f"e{number}"}, separators=(",", ":")) for number in range(9)
    ]
    other = '{"type":"changed","data":{"count":1},"id":"e9"}'
    assert scrub("\n".join([*events, other]), SCENE).split("\n") == [*events[:2], "[… 7 lines …]", other]


def test_what_a_vendor_says_of_its_skills_is_cut() -> None:
    skills = [{"name": "review", "description": "Use it when " * 50}]
    found = json.loads(scrub(json.dumps({"type": "skills", "skills": skills}), SCENE))
    assert found["skills"][0]["name"] == "review"
    assert len(found["skills"][0]["description"]) < 100


def test_text_that_needs_no_change_has_none_and_scrubbing_again_changes_nothing() -> None:
    plain = 'Exit:\nI did it.\n\nTASK_COMPLETE\n{"type":"turn.started"}\n'
    assert scrub(plain, SCENE) == plain
    once = scrub('{"id":"5383cb11-0cdd-44a5-890c-f543b0862450","n":1}\nbox-7\n', SCENE)
    assert scrub(once, SCENE) == once
