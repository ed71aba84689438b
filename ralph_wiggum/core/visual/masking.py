"""What the commands of visual_validation.before type is a password, often: nobody gets to read it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ralph_wiggum.core.outside_text import inline
from ralph_wiggum.core.visual.commands import Command
from ralph_wiggum.core.visual.page import Request, Seen
from ralph_wiggum.core.visual.policy import NAVIGATES, positional
from ralph_wiggum.core.visual.verdict import Failure

MASK = "•••"
_SHORTEST = 3  # characters: what is shorter is no secret, and stands in every other word
_TYPES = frozenset({"fill", "type"})
_KEYBOARD = frozenset({"type", "inserttext"})
# Commands whose words are all for everybody to see; of any other one only the first word is shown.
_OPEN = frozenset({"click", "dblclick", "hover", "focus", "is", "get", "wait", "press", "check", "uncheck", "find"})


def named(command: Command, number: int) -> Command:
    """Return a command of visual_validation.before under a name that tells no secret; `number` counts from 1.

    >>> named(Command(argv=("fill", "#password", "hunter2"), text="agent-browser fill …", line=0), 2).text
    'before #2: fill "#password" …'
    """
    if not command.argv:
        return replace(command, text=f"before #{number}")
    words = positional(command.argv[1:])
    shown = [_quoted(word) for word in _shown(command.argv, words)]
    more = ["…"] if len(shown) < len(command.argv) - 1 else []
    return replace(command, text=f"before #{number}: {' '.join([command.argv[0], *shown, *more])}")


def typed(command: Command) -> tuple[str, ...]:
    """Return the texts that a command types into a page."""
    words = positional(command.argv[1:])
    match command.argv[:1]:
        case ("fill" | "type",):
            return words[1:]
        case ("keyboard",) if words[:1] and words[0] in _KEYBOARD:
            return words[1:]
        case ("find",):
            return words[_act(words) + 1 :]
    return ()


@dataclass(frozen=True, slots=True)
class Mask:
    """Replaces texts wherever they stand."""

    texts: tuple[str, ...] = ()

    @classmethod
    def of(cls, commands: Sequence[Command]) -> Mask:
        """Return the mask of what commands type, as it is and as it stands in quotes; the longest first."""
        texts = {text for command in commands for text in typed(command) if len(text) >= _SHORTEST}
        quoted = {json.dumps(text, ensure_ascii=False)[1:-1] for text in texts}
        return cls(tuple(sorted(texts | quoted, key=lambda text: (-len(text), text))))

    def text(self, text: str) -> str:
        """Return the text without what was typed."""
        for secret in self.texts:
            text = text.replace(secret, MASK)
        return text

    def failure(self, failure: Failure) -> Failure:
        """Return the failure with words and a key that can be shown."""
        return replace(failure, words=self.text(failure.words), key=self.text(failure.key))

    def seen(self, seen: Seen) -> Seen:
        """Return what was seen of a page, all of its texts without what was typed."""
        if not self.texts:
            return seen
        return replace(
            seen,
            url=self.text(seen.url),
            title=self.text(seen.title),
            console=tuple(map(self.text, seen.console)),
            uncaught=tuple(map(self.text, seen.uncaught)),
            requests=tuple(map(self._request, seen.requests)),
            snapshot=self.text(seen.snapshot),
        )

    def _request(self, request: Request) -> Request:
        return replace(request, url=self.text(request.url), error=self.text(request.error))


def _shown(argv: Sequence[str], words: tuple[str, ...]) -> tuple[str, ...]:
    if argv[0] in NAVIGATES:
        return tuple(word.partition("?")[0].rpartition("@")[2] for word in words[:1])  # no token, no user's name
    if argv[0] == "find":
        return words[: _act(words) + 1]
    if argv[0] in _OPEN:
        return words
    return () if argv[0] == "eval" else words[:1]


def _act(words: tuple[str, ...]) -> int:
    """Return where the word stands that says what is done to what was found: before it, how to find it."""
    return next((place for place, word in enumerate(words) if place > 1 and word in _TYPES), len(words))


def _quoted(word: str) -> str:
    plain = inline(word, 100)
    return plain if plain and all(sign.isalnum() or sign in "-_./:@" for sign in plain) else f'"{plain}"'
