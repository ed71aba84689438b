"""O13: a retry knows what was tried and how it failed; however often it was tried, it stays short."""

from __future__ import annotations

from ralph_wiggum.core import excerpt
from ralph_wiggum.core.past import ATTEMPTS_LIMIT, PastAttempt, tell
from ralph_wiggum.core.strategy import Strategy


def _attempt(
    number: int, output: str = "", reason: str = "pytest: test_tide failed", fingerprint: str = "a"
) -> PastAttempt:
    return PastAttempt(
        number=number,
        strategy=Strategy.SAME,
        reason=reason,
        command="python -m unittest",
        excerpt=output,
        fingerprint=fingerprint,
    )


def test_o13_everything_known_of_an_attempt_is_told() -> None:
    told = tell(
        [
            PastAttempt(
                number=2,
                strategy=Strategy.SIMPLER,
                reason="test_tide failed",
                command="python -m unittest",
                excerpt="AssertionError: 3 != 4",
                ended_commands=("npm install",),
                said="I made\nit simple.",
                files=("a.py", "b.py"),
            ),
        ],
    )
    assert told == (
        "Earlier attempts, oldest first:\n\n"
        '<attempt number="2">\n'
        "Way: a simpler scope\n"
        "Changed: `a.py`, `b.py`\n"
        "Its own summary: I made it simple.\n"
        "Failed: test_tide failed\n"
        "Failing check: `python -m unittest`\n"
        "Ended because they ran too long: `npm install`\n"
        "Output:\nAssertionError: 3 != 4\n"
        "</attempt>"
    )


def test_no_attempt_says_nothing() -> None:
    assert tell([]) == ""


def test_o13_the_last_five_are_told_in_detail_and_the_older_by_kind() -> None:
    older = [_attempt(n, fingerprint="ab"[n > 6], reason="x" if n > 6 else "y") for n in range(1, 8)]
    told = tell([*older, *(_attempt(n) for n in range(8, 13))])
    assert "- 6 attempts from 1 to 6: y\n- attempt 7: x\n" in told
    assert told.count("<attempt ") == 5
    assert '<attempt number="8">' in told


def test_an_output_that_came_again_is_not_repeated() -> None:
    told = tell([_attempt(1, "boom"), _attempt(2, "bang"), _attempt(3, "boom")])
    assert told.count("boom") == 1
    assert "Output: the same as of attempt 3" in told


def test_o13_however_much_there_was_it_stays_within_its_limit() -> None:
    many = [
        PastAttempt(
            number=n,
            strategy=Strategy.OTHER_APPROACH,
            reason="界" * 5000,
            command="c" * 5000,
            excerpt=f"{n} " + "long line 界\n" * 9000,
            ended_commands=("npm " * 500,) * 40,
            said="s" * 9000,
            files=tuple(f"src/{'d' * 80}/{m}.py" for m in range(400)),
            fingerprint=str(n),
        )
        for n in range(1, 31)
    ]
    told = tell(many)
    assert excerpt.size(told) <= ATTEMPTS_LIMIT
    assert told.count("Output:\n") == 5
    assert told.rstrip().endswith("</attempt>")


def test_the_last_output_gets_the_most_room_and_keeps_its_end() -> None:
    outputs = [f"{n}\n" + "".join(f"line {m} of {n}\n" for m in range(2000)) + "the end" for n in range(1, 6)]
    sizes = [
        excerpt.size(part)
        for part in tell([_attempt(n, output) for n, output in enumerate(outputs, 1)]).split("</attempt>")
    ]
    assert max(sizes) == sizes[4] > 2 * sizes[3]
    assert all("the end" in tell([_attempt(1, output)]) for output in outputs)
