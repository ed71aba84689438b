"""What a run used: tokens and cost, by the several ways in which agents tell them over the protocol."""

from __future__ import annotations

from collections.abc import Mapping

from ralph_wiggum.core.dialects import fields
from ralph_wiggum.core.dialects.fields import Event


class Figures:
    """What this run used: tokens of the turn, and the cost by which the session's grew.

    `resumed`: the session had a cost before. Where that was not told (opencode 1.18), that of this run is not known.
    """

    def __init__(self, *, resumed: bool = False) -> None:
        self.news = False
        self._resumed = resumed
        self._tokens = (0, 0, 0)
        self._cost_before: float | None = None
        self._cost: float | None = None

    def so_far(self) -> Mapping[str, object]:
        """Return the figures as the event has them, and take the news as told."""
        self.news = False
        before = self._cost_before if self._resumed else 0.0
        cost = None if self._cost is None or before is None else max(0.0, self._cost - before)
        return dict(zip(("input_tokens", "output_tokens", "cached_tokens"), self._tokens, strict=True)) | {"cost": cost}

    def hear(self, update: Event, kind: str, *, before: bool) -> None:
        """Take an update: opencode tells the session's cost, qwen what each call of the model used."""
        cost = fields.mapping(update, "cost")
        if kind == "usage_update" and fields.text(cost, "currency").upper() == "USD":
            if before:
                self._cost_before = fields.number(cost, "amount")
            else:
                self._cost, self.news = fields.number(cost, "amount"), True
        used = fields.mapping(update, "_meta", "usage")
        if used and not before:
            self._tokens = tuple(map(sum, zip(self._tokens, tokens(used), strict=True)))  # type: ignore[assignment]  # three
            self.news = True

    def conclude(self, answer: Event) -> None:
        """Take the answer to the prompt; where it holds the whole turn, that stands in the place of the parts."""
        found = fields.mapping(answer, "usage") or fields.mapping(answer, "_meta", "quota", "token_count")
        if found:
            self._tokens, self.news = tokens(found), True


def tokens(used: Event) -> tuple[int, int, int]:
    """Return input (with what was cached), output (with thoughts) and cached tokens.

    The names are those of the protocol, and gemini's. Whether the input holds the cached ones already is told by the
    sum, where there is one.
    """
    given = fields.whole(used, "inputTokens", "input_tokens")
    written = fields.whole(used, "outputTokens", "output_tokens")
    read, stored = fields.whole(used, "cachedReadTokens"), fields.whole(used, "cachedWriteTokens")
    thought = fields.whole(used, "thoughtTokens")
    total = fields.whole(used, "totalTokens")
    if not total or total >= given + written + read + stored:
        given += read + stored
    if not total or total >= given + written + thought:
        written += thought
    return given, written, read
