"""Errors as providers word them, inside what agents make of them -> status, the vendor's word, the sentence.

Agents wrap the body of an HTTP answer in their own words: `[API Error: {"error":{"code":401, …}}]` (gemini, qwen),
`API Error: 529 …` (claude), `unexpected status 401 Unauthorized: …` (codex), `… Last error: 529 Overloaded` (copilot).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ralph_wiggum.core.dialects import fields
from ralph_wiggum.core.dialects.fields import Event
from ralph_wiggum.core.outside_text import plain

_READ = 8000  # characters of an error
_KEPT = 500
_WRAPPED = re.compile(r"\[API Error:\s*(?P<inner>.*)\]", re.DOTALL)
_STATUS = (
    re.compile(r"\A(?:API Error:?\s*)?(?:Request rejected \()?([45]\d\d)\b"),
    re.compile(r"\b(?:status(?: code)?|last error|http)[:\s]+([45]\d\d)\b", re.IGNORECASE),
)
_SERVES_AGAIN = re.compile(
    r"\b(?:retry|try again) (?:after|in) (\d{1,7}(?:\.\d{1,9})?)\s?s(?:ec(?:ond)?s?)?\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderError:
    """One error of a provider: `status` of HTTP or 0, `kind` its own word or "", `text` in one line.

    `retry_after` is in seconds, 0 where the text does not tell it.
    """

    status: int = 0
    kind: str = ""
    text: str = ""
    retry_after: float = 0.0


def read(words: str) -> ProviderError:
    """Read what an agent says of a provider's error; never fails, the text is what was said if nothing else is found.

    >>> read('[API Error: {"error": {"code": 401, "message": "Bad key", "status": "UNAUTHENTICATED"}}]')
    ProviderError(status=401, kind='UNAUTHENTICATED', text='Bad key', retry_after=0.0)
    """
    words = words[:_READ].strip()
    wrapped = _WRAPPED.match(words)
    inner = wrapped["inner"].strip() if wrapped else words
    body = _body(inner)
    said = fields.text(body, "message") or inner
    return ProviderError(
        status=_status(body) or _status_in(inner),
        kind=plain(kind(body), _KEPT),
        text=plain(said, _KEPT),
        retry_after=_retry_after(inner),
    )


def kind(body: Event) -> str:
    """Return the word of a vendor for an error: OpenAI's code, Google's status, Anthropic's type."""
    return fields.text(body, "status", "code", "type")


def of_body(text: str) -> Event:
    """Return the error in the JSON body of an HTTP answer, an empty object where there is none."""
    return _body(text[:_READ].strip())


def _body(text: str) -> Event:
    found = fields.event(text[max(0, text.find("{")) :]) or {}
    return fields.mapping(found, "error") or found


def _status(body: Event) -> int:
    status = fields.whole(body, "code")
    return status if 400 <= status <= 599 else 0  # noqa: PLR2004 - the errors of HTTP


def _status_in(text: str) -> int:
    found = next(filter(None, (pattern.search(text) for pattern in _STATUS)), None)
    return int(found[1]) if found else 0


def _retry_after(text: str) -> float:
    found = _SERVES_AGAIN.search(text)
    return float(found[1]) if found else 0.0
