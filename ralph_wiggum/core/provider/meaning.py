"""What the words of a provider mean: one message -> a cause (B1). Which messages are its own is decided elsewhere.

The phrases are those that Claude Code (code.claude.com/docs/en/errors), Codex (codex-rs/protocol/src/error.rs), Gemini
and Qwen, Copilot, Kiro, LiteLLM (aider, mini) and the services behind them use. They are regular expressions.
"""

from __future__ import annotations

import re
from functools import cache

from ralph_wiggum.core.provider.cause import Cause

_READ = 4000  # characters

# The first that is found decides: a more special meaning stands before a more general one.
_CERTAIN: tuple[tuple[Cause, tuple[str, ...]], ...] = (
    (Cause.OVERLOADED, (r"not your usage limit",)),  # Claude Code says so of a 529
    (
        Cause.CONTEXT_OVERFLOW,
        (
            r"prompt is too long",
            r"maximum context length",
            r"context[ _-]?(?:window|length|limit)[ _-]?(?:has )?(?:been )?(?:exceeded|overflow|reached)",
            r"context ?overflow",
            r"ran out of room in the model['’]s context",
            r"input token count.{0,60}exceeds",
            r"exceeds? the (?:model['’]s )?(?:maximum )?context",
            r"conversation (?:is )?too long",
            r"request[ _]too[ _]large",
            r"hit a token limit|troubleshooting/token-limits",
            r"input is too long",
        ),
    ),
    (
        Cause.USAGE_LIMIT,
        (
            r"hit your (?:[\w.'’-]+ ){0,4}limit",
            r"reached your (?:[\w.-]+ ){0,4}(?:usage|session|weekly|daily|monthly|overage)(?: rate)? limit",
            r"reached your (?:opus|sonnet|haiku|fable)\b[\w. ]{0,20} limit",
            r"reached the limit for overages",
            r"exceeded your (?:[\w.-]+ ){0,4}(?:session|weekly|daily|monthly) limits?",
            r"free usage exceeded",
            r"used all (?:of )?your premium requests",
            r"(?:usage|session|weekly|monthly|daily|5-hour|opus|sonnet) limit (?:has been )?(?:reached|exceeded)",
            r"usage_limit",
            r"(?:daily|weekly|monthly) (?:usage )?(?:quota|limit)",
            r"quota will (?:be )?re(?:set|fresh)",
            r"quota_exceeded",
            r"you have no quota",
            r"(?:requests?|tokens?)_?per_?day",
            r"\((?:rpd|tpd)\)",
            r"premium request allowance",
            r"quota exceeded\. upgrade",
            r"out of extra usage",
            r"five_hour|seven_day",
        ),
    ),
    (
        Cause.NO_CREDIT,
        (
            r"credit balance (?:is )?too low",
            r"insufficient[ _](?:credits?|quota|funds|balance)",
            r"billing_error",
            r"payment required",
            r"out of (?:usage )?credits",
            r"quota exceeded\. check your plan",
            r"exceeded your current quota",
            r"spend cap",
            r"billing hard limit",
            r"to use codex with your chatgpt plan",
            r"usage credits required",
            r"requires more credits",
            r"no payment method",
        ),
    ),
    (
        Cause.UNKNOWN_MODEL,
        (
            r"model[ _]not[ _]found",
            r"not_found_error.{0,80}model",
            r"\bmodel\b.{0,120}(?:does not exist|was not found|not found|is not supported|is not available)",
            r"issue with the selected model",
            r"(?:no such|unknown|invalid) model",
            r"llm provider not provided",
            r"not available with the claude",
            r"not a valid model",
        ),
    ),
    (
        Cause.NOT_LOGGED_IN,
        (
            r"(?:invalid|incorrect|missing|no|expired) (?:x-)?api[ -]?key",
            r"api[ -]?key (?:is )?(?:not valid|invalid|missing|not set|expired)",
            r"authentication[ _](?:error|failed|fails)",
            r"authenticationerror",
            r"failed to authenticate",
            r"unauthenticated",
            r"not (?:logged|signed) in",
            r"run /login",
            r"log ?in (?:again|expired|first)",
            r"oauth (?:session|token).{0,40}(?:expired|revoked|invalid)",
            r"token (?:has )?(?:been )?(?:expired|revoked|invalidated)",
            r"session (?:is|may have|has) (?:been )?(?:invalid|expired)",
            r"accessdenied",
            r"access token could not",
            r"bearer token.{0,40}invalid|invalid bearer token",
            r"(?:resolve|no) authentication (?:method|information)",
            r"not created with authentication info",
            r"organization has (?:been )?disabled",
            r"not authorized to make this call",
            r"missing environment variable: \S*key",
            r"set an auth method|invalid auth method",
            r"account does not have access to claude",
            r"scope requirement",
        ),
    ),
    (
        Cause.RATE_LIMIT,
        (
            r"rate[ _-]?limit(?:ed|[ _-]?error|[ _-]?exceeded)?\b",
            r"too[ _]many[ _]requests",
            r"throttl(?:ed|ing)",
            r"resource[ _](?:has been )?exhausted",
            r"exhausted your capacity",
            r"(?:requests|tokens) per min",
            r"request rejected \(429\)",
        ),
    ),
    (
        Cause.OFFLINE,
        (
            r"connect etimedout|enotfound|eai_again|enetunreach|ehostunreach|enetdown",
            r"getaddrinfo",
            r"name resolution",
            r"name or service not known",
            r"nodename nor servname",
            r"could not resolve (?:host|proxy)",
            r"failed to resolve",
            r"network is (?:unreachable|down)",
            r"no route to host",
            r"unable to connect to api",
            r"error sending request for url",
            r"dns error",
            r"dispatch failure",
            r"connection error\b",
            r"internet connection",
        ),
    ),
    (
        Cause.OVERLOADED,
        (
            r"overloaded",
            r"server_?error\b",
            r"internal[ _]server[ _]?error",
            r"internalserverexception",
            r"service[ _]?unavailable",
            r"bad gateway",
            r"gateway time-?out",
            r"high (?:demand|(?:volume of )?traffic)",
            r"stream idle timeout",
            r"at capacity",
            r"internal error encountered",
            r"having trouble responding",
            r"disconnected before completion",
            r"mid-(?:response|stream)",
            r"peer closed connection|incomplete (?:chunked )?read",
            r"error (?:reading a body from connection|decoding response body)",
            r"failed to finalize \S+ stream",
            r"stream ended without a finish reason",
            r"temporarily unavailable",
        ),
    ),
)
# Enough where it is known that the provider speaks; in any other mouth they may mean the project's own services.
_VAGUE: tuple[tuple[Cause, tuple[str, ...]], ...] = (
    (Cause.NOT_LOGGED_IN, (r"unauthorized", r"forbidden", r"permission_error", r"access denied", r"credentials")),
    (Cause.NO_CREDIT, (r"\bbilling\b", r"\bcredits?\b")),
    (Cause.USAGE_LIMIT, (r"\bquota\b", r"usage limit")),
    (
        Cause.OFFLINE,
        (
            r"econnrefused|connection ?refused",
            r"unable to connect|failed to connect|connection failed",
            r"fetch failed",
            r"connecterror|apiconnectionerror|failedtoopensocket",
            r"certificate|\bssl\b|\btls\b",
            r"connect(?:ion)? time(?:d ?|-)out",
            r"failed to send the request",
        ),
    ),
    (
        Cause.OVERLOADED,
        (
            r"time(?:d ?|-)?out\b",
            r"etimedout|econnreset",
            r"socket hang up",
            r"connection (?:was )?(?:closed|reset)",
            r"premature close|terminated",
            r"api_?error",
            r"unavailable",
            r"failed to get response from the ai model; retried",
        ),
    ),
)
_NAMED_STATUS = re.compile(
    r"(?:\b(?:status(?: code)?|(?:api|last) error|http|code)\W{1,12}|\A\W{0,4})(?P<status>[45]\d\d)\b", re.IGNORECASE
)

# HTTP (RFC 9110), and Anthropic's 529; every other 5xx is the server's fault as well.
_STATUS = {
    401: Cause.NOT_LOGGED_IN,
    402: Cause.NO_CREDIT,
    403: Cause.NOT_LOGGED_IN,
    404: Cause.UNKNOWN_MODEL,
    408: Cause.OVERLOADED,
    413: Cause.CONTEXT_OVERFLOW,
    425: Cause.OVERLOADED,
    429: Cause.RATE_LIMIT,
}
_SERVER_ERRORS = range(500, 600)


def of(text: str, *, known: bool) -> Cause | None:
    """Return what a message means, None if it says nothing of a provider.

    `known`: it is known that the provider speaks (a structured event, a form that only its program prints). Else only
    phrases count that hardly anything else uses.
    """
    text = text[:_READ]
    found = _first(_CERTAIN, text)
    if found or not known:
        return found
    status = _NAMED_STATUS.search(text)
    return (of_status(int(status["status"])) if status else None) or _first(_VAGUE, text)


def of_status(status: int) -> Cause | None:
    """Return what an HTTP status means by itself; None for 0 and for statuses that say nothing of the provider."""
    return Cause.OVERLOADED if status in _SERVER_ERRORS else _STATUS.get(status)


def _first(table: tuple[tuple[Cause, tuple[str, ...]], ...], text: str) -> Cause | None:
    return next((cause for cause, phrases in table if _any_of(phrases).search(text)), None)


@cache  # start-up: only an attempt that failed needs them
def _any_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE)
