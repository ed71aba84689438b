"""What the real programs printed, where those captures are: every one is understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from ralph_wiggum.core.dialects.heard import Heard
from ralph_wiggum.core.dialects.reader import Reader
from ralph_wiggum.core.dialects.table import DIALECTS

CAPTURES = Path(__file__).resolve().parents[4] / "shared" / "reference" / "agent-output"
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captures of real agents are not here"),
]
# Scenario -> completed, flagged; the others of the table below name them. A run that was ended from outside has no end.
ENDED: dict[str, tuple[bool, bool]] = {
    **dict.fromkeys(("ok", "drip", "limittext", "pty", "warn"), (True, False)),
    **dict.fromkeys(("hangTERM",), (False, False)),
    **dict.fromkeys(("ctx",), (True, True)),
}


def hear(path: Path) -> Heard:
    reader = Reader(DIALECTS[path.name.split("-")[0]])
    for each in path.read_bytes().split(b"\n"):
        reader.hear(each)
    return reader.heard()


def captures() -> list[Path]:
    found = sorted(CAPTURES.glob("*.out")) if CAPTURES.is_dir() else []
    return [path for path in found if path.name.split("-")[0] in DIALECTS]


@pytest.mark.parametrize("path", captures(), ids=lambda path: path.stem)
def test_a_capture_is_understood(path: Path) -> None:
    found = hear(path)
    assert found.completed is not None, "it has events"
    if (expected := ENDED.get(path.stem.split("-")[1])) is not None:
        assert (found.completed, found.flagged) == expected
    if path.stem.split("-")[1] in {"ok", "pty", "drip"}:
        assert found.message.endswith("\nTASK_COMPLETE")
        assert found.notices == ()
        assert found.session
    if found.flagged:
        assert found.notices[-1].final


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("claude-401", 401, "authentication_failed"),
        ("claude-529", 529, "overloaded"),
        ("claude-limit", 429, "rate_limit"),
        ("claude-quota", 400, "billing_error"),
        ("claude-ctx", 400, "prompt_too_long"),
        ("claude-subscription-limit-claim-seven_day", 429, "rate_limit"),
        ("codex-401", 401, "turn.failed"),
        ("codex-429", 429, "turn.failed"),
        ("codex-529", 529, "turn.failed"),
        ("opencode-401", 401, "invalid_api_key"),
        ("opencode-429", 429, "rate_limit_exceeded"),
        ("opencode-ctx", 0, "ContextOverflowError"),
        ("gemini-401", 401, "UNAUTHENTICATED"),
        ("qwen-401", 401, ""),
        ("qwen-ctx", 400, ""),
        ("copilot-401", 401, "authentication"),
        ("copilot-429", 429, "rate_limit"),
        ("copilot-529", 529, "query"),
        ("copilot-limit", 429, "usage_limit_reached"),
        ("copilot-quota", 429, "insufficient_quota"),
    ],
)
def test_the_last_notice_says_what_the_provider_said(name: str, status: int, kind: str) -> None:
    path = CAPTURES / f"{name}.out"
    if not path.exists():
        pytest.skip(f"there is no {path.name}")
    last = hear(path).notices[-1]
    assert (last.status, last.kind, last.stale) == (status, kind, False)


def test_a_limit_of_the_plan_has_its_reset() -> None:
    path = CAPTURES / "claude-subscription-limit-claim-seven_day-reset-300000.out"
    if not path.exists():
        pytest.skip(f"there is no {path.name}")
    last = hear(path).notices[-1]
    assert last.final
    assert last.resets_at > 1_795_000_000


def test_costs_are_those_of_the_programs() -> None:
    costs = {path.stem: usage.cost for path in captures() if (usage := hear(path).usage) is not None}
    if costs:
        assert costs["claude-ok"] == 0.0125
        assert costs["opencode-ok"] == 0.0075
        assert costs["codex-ok"] is costs["gemini-ok"] is costs["qwen-ok"] is None
