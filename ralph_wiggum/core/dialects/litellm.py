"""Errors of LiteLLM, through which mini-swe-agent and aider reach every provider: one line of text -> a notice.

A line reads `litellm.RateLimitError: RateLimitError: OpenAIException - what the provider said`. The names and their
statuses: https://docs.litellm.ai/docs/exception_mapping.
"""

from __future__ import annotations

import re

from ralph_wiggum.core.dialects import provider_error
from ralph_wiggum.core.evidence import Notice

_STATUS = {
    "BadRequestError": 400,
    "UnsupportedParamsError": 400,
    "ContextWindowExceededError": 400,
    "ContentPolicyViolationError": 400,
    "AuthenticationError": 401,
    "PermissionDeniedError": 403,
    "NotFoundError": 404,
    "UnprocessableEntityError": 422,
    "RateLimitError": 429,
    "InternalServerError": 500,
    "BadGatewayError": 502,
    "ServiceUnavailableError": 503,
}  # APIError, APIConnectionError and Timeout have none of their own
_PREFIXES = re.compile(r"(?:(?:litellm\.)?(?:[A-Z]\w*(?:Error|Exception)|Timeout): ?)+(?:\w+(?:Error|Exception) - )?")
_LINE = re.compile(r"litellm\.(?:exceptions\.)?\w{1,60}: ")
_WITHIN = re.compile(r"litellm\.\w{1,60}: (?:litellm\.\w{1,60}: )?\w{1,60}: \w{1,60} - ")
_NAME = re.compile(r"litellm\.(?:exceptions\.)?(\w{1,60})")


def error_in(line: str) -> str:
    """Return the error of LiteLLM that a line is, or that ends it where an answer broke off in it; else "".

    >>> error_in("It took a whilelitellm.APIConnectionError: APIConnectionError: OpenAIException - peer closed")
    'litellm.APIConnectionError: APIConnectionError: OpenAIException - peer closed'
    """
    found = _LINE.match(line) or _WITHIN.search(line)
    return line[found.start() :] if found else ""


def notice(words: str, *, name: str = "", final: bool, wait: float = 0.0) -> Notice:
    """Return the notice of an error; `name` of its class where that is known, `wait` in seconds before a retry.

    >>> notice("litellm.AuthenticationError: AuthenticationError: OpenAIException - Bad key", final=True).text
    'Bad key'
    """
    words = " ".join(words.split())
    found = _NAME.match(words)
    name = name or (found[1] if found else "")
    said = provider_error.read(_PREFIXES.sub("", words, count=1) or words)
    return Notice(
        kind=name,
        status=_STATUS.get(name, said.status),
        text=said.text,
        retry_after=said.retry_after or wait,
        final=final,
    )
