"""How each vendor refuses a request: status, headers and body, in its own words."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.modelserver import anthropic, gemini
from tests.modelserver.conversation import Json
from tests.modelserver.scenario import LIMIT_SECONDS, Scenario


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is an error."""

    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)


def refusal(wire: str, mode: str, scenario: Scenario, now: float) -> Refusal:
    """Return how the vendor of a wire format refuses in a mode of `REFUSED`. `now` in seconds since 1970."""
    if mode == "limit" and scenario.reset is None:
        return refusal(wire, mode, _reset(scenario), now)
    if wire == anthropic.NAME:
        return _anthropic(mode, scenario.reset, now)
    if wire == gemini.NAME:
        return _gemini(mode, scenario.reset)
    return _openai(mode, scenario.reset, now, codex=wire == "responses")


def warning(now: float, reset: float | None) -> dict[str, str]:
    """Return Anthropic's headers of an answer with 95 % of the five-hour limit used."""
    at = str(int(now + (LIMIT_SECONDS if reset is None else reset)))
    name = "anthropic-ratelimit-unified"
    return {
        f"{name}-status": "allowed_warning",
        f"{name}-reset": at,
        f"{name}-representative-claim": "five_hour",
        f"{name}-5h-status": "allowed_warning",
        f"{name}-5h-reset": at,
        f"{name}-5h-utilization": "0.95",
        f"{name}-5h-surpassed-threshold": "0.9",
    }


def _reset(scenario: Scenario) -> Scenario:
    return Scenario(name=scenario.name, mode=scenario.mode, reset=LIMIT_SECONDS)


def _wait(reset: float | None) -> dict[str, str]:
    return {} if reset is None else {"retry-after": str(math.ceil(reset))}


_ANTHROPIC = {
    "401": (401, "authentication_error", "invalid x-api-key"),
    "402": (402, "billing_error", "Your account has an unpaid invoice. Please update your payment details."),
    "403": (403, "permission_error", "Your API key does not have permission to use the specified resource."),
    "429": (
        429,
        "rate_limit_error",
        "This request would exceed your organization's rate limit of 50 requests per minute.",
    ),
    "500": (500, "api_error", "Internal server error"),
    "529": (529, "overloaded_error", "Overloaded"),
    "limit": (429, "rate_limit_error", "This request would exceed your account's rate limit. Please try again later."),
    "quota": (
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade.",
    ),
    "ctx": (400, "invalid_request_error", "prompt is too long: 214000 tokens > 200000 maximum"),
}


def _anthropic(mode: str, reset: float | None, now: float) -> Refusal:
    status, kind, message = _ANTHROPIC[mode]
    headers = _wait(reset)
    if mode == "limit":
        # What a subscription is told (code.claude.com: usage limits); with an API key the client reads the body alone.
        at = str(int(now + (reset or 0)))
        name = "anthropic-ratelimit-unified"
        headers |= {
            f"{name}-status": "rejected",
            f"{name}-reset": at,
            f"{name}-representative-claim": "five_hour",
            f"{name}-5h-status": "rejected",
            f"{name}-5h-reset": at,
            f"{name}-5h-utilization": "1.0",
            f"{name}-overage-status": "rejected",
            f"{name}-overage-disabled-reason": "org_level_disabled",
            "x-should-retry": "false",
        }
    return Refusal(status, {"type": "error", "error": {"type": kind, "message": message}}, headers)


_OPENAI = {
    "401": (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-mock."),
    "402": (402, "insufficient_balance", "insufficient_balance", "Insufficient Balance"),
    "403": (403, "permission_error", "permission_denied", "You have insufficient permissions for this operation."),
    "429": (429, "requests", "rate_limit_exceeded", "Rate limit reached for mock-model on requests per min (RPM)"),
    "500": (
        500,
        "server_error",
        "server_error",
        "The server had an error while processing your request. Sorry about that!",
    ),
    "529": (529, "overloaded_error", "overloaded", "Overloaded"),
    "limit": (429, "usage_limit_reached", "usage_limit_reached", "The usage limit has been reached"),
    "quota": (
        429,
        "insufficient_quota",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "ctx": (
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 214000 tokens.",
    ),
}


def _openai(mode: str, reset: float | None, now: float, *, codex: bool) -> Refusal:
    status, kind, code, message = _OPENAI[mode]
    error: Json = {"message": message, "type": kind, "param": None, "code": code}
    headers = _wait(reset)
    if mode == "429" and reset is not None:
        error["message"] = f"{message}: Limit 3, Used 3, Requested 1. Please try again in {reset:g}s."
        headers["x-ratelimit-reset-requests"] = f"{reset:g}s"
    if mode == "limit" and reset is not None:
        at = int(now + reset)
        error |= {"plan_type": "plus", "resets_at": at, "resets_in_seconds": math.ceil(reset)}
        if not codex:  # providers of plans over this format say the time in words
            error["message"] = f"5-hour usage limit reached. It will reset in {_spoken(reset)}."
            headers["x-ratelimit-reset"] = str(at * 1000)
    return Refusal(status, {"error": error}, headers)


def _spoken(seconds: float) -> str:
    whole = math.ceil(seconds)
    if whole >= 60 and whole % 60 == 0:
        return f"{whole // 60} minutes"
    return f"{whole} seconds"


_GEMINI = {
    "401": (401, "UNAUTHENTICATED", "API key not valid. Please pass a valid API key."),
    "402": (402, "FAILED_PRECONDITION", "Billing is not enabled for this project."),
    "403": (403, "PERMISSION_DENIED", "The caller does not have permission"),
    "429": (429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    "500": (500, "INTERNAL", "An internal error has occurred."),
    "529": (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),  # it has no 529
    "limit": (
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "quota": (
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "ctx": (
        400,
        "INVALID_ARGUMENT",
        "The input token count (1214000) exceeds the maximum number of tokens allowed (1048576).",
    ),
}
_PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
_PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"


def _gemini(mode: str, reset: float | None) -> Refusal:
    status, name, message = _GEMINI[mode]
    details: list[Json] = []
    if mode in {"limit", "quota"} or (mode == "429" and reset is not None):
        quota = _PER_DAY if mode == "quota" else _PER_MINUTE
        metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
        details.append(
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{"quotaMetric": metric, "quotaId": quota, "quotaValue": "50"}],
            }
        )
        message += f"\n* Quota exceeded for metric: {metric}, limit: 50"
    if reset is not None:
        message += f"\nPlease retry in {reset:g}s."
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{reset:g}s"})
    error = {"code": status, "message": message, "status": name, "details": details}
    return Refusal(status, {"error": error}, _wait(reset))


def stamp(now: float) -> str:
    """Return a time for the log, as ISO 8601 in UTC."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
