"""What attempts cost: figures of the agents, prices of the person, sums (T7)."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.costs import cost_of, since
from ralph_wiggum.core.evidence import Usage
from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import Ended, RunStarted, Started
from ralph_wiggum.core.settings import Prices
from ralph_wiggum.core.spent import Spent, added, of, total
from ralph_wiggum.core.spent_words import by_agent, tokens

PRICES = Prices(input=3.0, output=15.0, cached=0.3)
MILLION = 1_000_000


@pytest.mark.parametrize(
    ("usage", "prices", "expected"),
    [
        pytest.param(None, PRICES, None, id="nothing was told"),
        pytest.param(Usage(input_tokens=5, output_tokens=5), None, None, id="tokens, and no prices"),
        pytest.param(Usage(input_tokens=5, cost=0.5), PRICES, 0.5, id="the agent's own figure comes first"),
        pytest.param(Usage(input_tokens=MILLION, output_tokens=MILLION), PRICES, 18.0, id="tokens at the prices"),
        pytest.param(
            Usage(input_tokens=MILLION, cached_tokens=MILLION // 2), PRICES, 1.65, id="half of the input was cached"
        ),
        pytest.param(
            Usage(input_tokens=MILLION, cached_tokens=MILLION), Prices(input=3.0, output=15.0), 3.0, id="no other price"
        ),
        pytest.param(Usage(input_tokens=10, cached_tokens=99), PRICES, 3e-6, id="more cached than went in"),
        pytest.param(Usage(cost=0.0), PRICES, 0.0, id="nothing was used"),
        pytest.param(
            Usage(input_tokens=MILLION, cost=0.0), PRICES, 3.0, id="a cost of nothing, where there are prices"
        ),
        pytest.param(Usage(input_tokens=MILLION, cost=0.0), None, 0.0, id="a model that costs nothing"),
    ],
)
def test_what_an_attempt_cost(usage: Usage | None, prices: Prices | None, expected: float | None) -> None:
    assert cost_of(usage, prices) == (None if expected is None else pytest.approx(expected))


def test_figures_that_count_from_the_beginning_of_a_session_lose_what_was_told_before() -> None:
    """Codex tells 4,000 tokens after the second turn of 2,000 each."""
    before = Spent(input_tokens=2000, output_tokens=100, cached_tokens=50)
    assert since(Usage(input_tokens=4000, output_tokens=250, cached_tokens=80), before) == Usage(
        input_tokens=2000, output_tokens=150, cached_tokens=30
    )
    assert since(Usage(input_tokens=10), before) == Usage(), "a session that began anew tells less, never less than 0"


def test_sums_know_of_how_many_attempts_nobody_can_tell() -> None:
    attempts = [
        Ended(agent="claude", seconds=5, cost=0.5, input_tokens=10, output_tokens=1),
        Ended(agent="claude", seconds=5, cost=0.25, priced=True),
        Ended(agent="claude", seconds=5),
        Ended(how="validation", seconds=9),
    ]
    whole = of(attempts)
    assert whole == Spent(attempts=3, cost=0.75, input_tokens=10, output_tokens=1, untold=1, priced=True)
    assert total({"a": whole, "b": whole}).attempts == 6
    assert added({"a": whole}, {"b": whole}) == {"a": whole, "b": whole}


def test_the_history_keeps_what_each_agent_used_of_this_run_and_of_those_before() -> None:
    def attempt(agent: str, cost: float, session: str = "") -> list[Started | Ended]:
        return [Started(key="1", agent=agent), Ended(key="1", agent=agent, seconds=1, cost=cost, session=session)]

    first = [RunStarted(run="a"), *attempt("claude", 1.0), *attempt("codex", 0.5, "t-1")]
    second = [RunStarted(run="b"), *attempt("codex", 0.25, "t-1")]
    history = History([*first, *second])
    assert {name: each.cost for name, each in history.spent.items()} == {"codex": 0.25}
    assert {name: each.cost for name, each in history.spent_before.items()} == {"claude": 1.0, "codex": 0.5}
    assert history.sessions["t-1"].attempts == 2
    assert history.cost == 0.25


@pytest.mark.parametrize(
    ("ended", "untold"),
    [
        pytest.param(Ended(agent="kiro", seconds=60), 1, id="it was at work and told nothing"),
        pytest.param(Ended(agent="claude", result="interrupted"), 1, id="the runner was killed, and it with it"),
        pytest.param(Ended(agent="claude", result="interrupted", after="tree"), 0, id="it was stopped before it began"),
        pytest.param(Ended(agent="claude", result="interrupted", cause="usage limit", seconds=2), 0, id="turned away"),
        pytest.param(Ended(agent="claude", kind="not started"), 0, id="it could not be started"),
        pytest.param(Ended(agent="claude", seconds=60, cost=0.0), 0, id="a model that costs nothing"),
    ],
)
def test_of_which_attempts_nobody_knows_what_they_cost(ended: Ended, untold: int) -> None:
    assert of([ended]).untold == untold


ONE_DOLLAR = Spent(attempts=1, cost=1.0)
UNKNOWN = Spent(attempts=2, untold=2)


@pytest.mark.parametrize(
    ("spent", "words"),
    [
        pytest.param({}, "", id="nothing ran"),
        pytest.param({"kiro": UNKNOWN}, "", id="an agent that tells nothing"),
        pytest.param({"claude": Spent(attempts=1)}, "", id="an agent that was only turned away"),
        pytest.param({"claude": ONE_DOLLAR}, "$1.00", id="one agent needs no name"),
        pytest.param({"claude": Spent(attempts=1), "codex": ONE_DOLLAR}, "$1.00: codex $1.00", id="one turned away"),
        pytest.param(
            {"claude": ONE_DOLLAR, "kiro": UNKNOWN},
            "$1.00 and 2 attempts of unknown cost: claude $1.00; kiro unknown cost",
            id="the sum says what it lacks",
        ),
        pytest.param(
            {"codex": Spent(attempts=1, untold=1, input_tokens=9), "gemini": Spent(attempts=1, untold=1)},
            "unknown cost: codex unknown cost for 9 tokens in, 0 out; gemini unknown cost",
            id="tokens alone are no dollars",
        ),
        pytest.param({"opencode": Spent(attempts=1, cost=0.004)}, "less than $0.01", id="less than a cent"),
    ],
)
def test_what_a_run_spent_in_words(spent: dict[str, Spent], words: str) -> None:
    assert by_agent(spent) == words


def test_numbers_of_tokens_stay_short() -> None:
    assert tokens(Spent(input_tokens=999_499, output_tokens=999_999)) == "999k tokens in, 1.0M out"
