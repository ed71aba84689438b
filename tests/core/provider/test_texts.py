"""What programs print when their provider does not serve them: vendors' texts, at every exit code (B1)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ralph_wiggum.core.evidence import Ending
from ralph_wiggum.core.provider.cause import Cause
from tests.core.provider.attempts import cause, diagnosed, printed

USAGE, RATE, BUSY, OFFLINE = Cause.USAGE_LIMIT, Cause.RATE_LIMIT, Cause.OVERLOADED, Cause.OFFLINE
LOGIN, CREDIT, MODEL, CONTEXT = Cause.NOT_LOGGED_IN, Cause.NO_CREDIT, Cause.UNKNOWN_MODEL, Cause.CONTEXT_OVERFLOW

# Whole lines that only these programs print: they count at exit code 0 as well.
LINES = [
    # Claude Code
    ("You've hit your limit · resets 9pm", USAGE),
    ("You've hit your limit · resets Nov 23, 6:13pm (UTC)", USAGE),
    ("You've hit your session limit · resets 3pm (America/Bogota)", USAGE),
    ("You've hit your weekly limit · resets Nov 25, 8am (Europe/Paris)", USAGE),
    ("You’ve hit your Opus limit · resets Nov 25, 8am", USAGE),
    ("You've hit your Sonnet 5 limit · resets 8am", USAGE),
    ("You've reached your weekly limit", USAGE),
    ("Claude AI usage limit reached|1795160626", USAGE),
    ("Claude usage limit reached. Your limit will reset at 3pm (America/Santiago).", USAGE),
    ("5-hour limit reached ∙ resets 9pm", USAGE),
    ("Opus weekly limit reached ∙ resets Nov 23 at 9pm", USAGE),
    ("You're out of extra usage · resets 9pm", USAGE),
    ("API Error: Request rejected (429) · This request would exceed your account's rate limit.", RATE),
    ('API Error: 429 {"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}', RATE),
    ("API Error: Server is temporarily limiting requests (not your usage limit) · Rate limited", BUSY),
    ("API Error: 529 Overloaded. This is a server-side issue, usually temporary", BUSY),
    ("API Error: Repeated 529 Overloaded errors. The API is at capacity", BUSY),
    ('API Error: 529 {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', BUSY),
    ('API Error: 500 {"type":"error","error":{"type":"api_error","message":"Internal server error"}}', BUSY),
    ("API Error: 500 Internal server error. This is a server-side issue", BUSY),
    ("API Error: Request timed out.", BUSY),
    ("API Error: Connection closed mid-response. The response above may be incomplete.", BUSY),
    ("  ⎿  API Error: Connection error.", OFFLINE),
    ("API Error: Unable to connect to API (ConnectionRefused)", OFFLINE),
    ("Unable to connect to API due to poor internet connection", OFFLINE),
    ("Credit balance is too low", CREDIT),
    ("Invalid API key · Please run /login", LOGIN),
    ("Invalid API key · Fix external API key", LOGIN),
    ("Not logged in · Please run /login", LOGIN),
    ("Login expired · Please run /login", LOGIN),
    ("OAuth token revoked · Please run /login", LOGIN),
    ("OAuth token has expired. Please obtain a new token.", LOGIN),
    ('API Error: 401 {"type":"error","error":{"type":"authentication_error","message":"Invalid bearer token"}}', LOGIN),
    ("Please run /login · API Error: 401 Invalid authentication credentials", LOGIN),
    ("Failed to authenticate: OAuth session expired and could not be refreshed", LOGIN),
    ("This organization has been disabled.", LOGIN),
    ("Prompt is too long", CONTEXT),
    ("Prompt is too long · the request is ~214000 tokens (limit 200000)", CONTEXT),
    ("There's an issue with the selected model (claude-opus-9). It may not exist or you may not have access.", MODEL),
    ("Claude Opus is not available with the Claude Pro plan.", MODEL),
    # Codex
    ("You’ve hit your usage limit. Upgrade to Pro (https://x.example), or try again at 7:39 AM.", USAGE),
    ("You’ve hit your usage limit. Try again later.", USAGE),
    ("You've hit your usage limit for Spark. Switch to another model now, or try again at 9:00 PM.", USAGE),
    ("ERROR: You've hit your usage limit. Visit https://x.example to purchase more credits or try again later.", USAGE),
    ("Quota exceeded. Check your plan and billing details.", CREDIT),
    ("Your workspace is out of credits. Add credits to continue.", CREDIT),
    ("To use Codex with your ChatGPT plan, upgrade to Plus: https://x.example", CREDIT),
    ("■ exceeded retry limit, last status: 429 Too Many Requests, request id: 9a5-SIN", RATE),
    ("exceeded retry limit, last status: 401 Unauthorized", LOGIN),
    ("unexpected status 401 Unauthorized: Incorrect API key provided, url: https://api.openai.com/v1", LOGIN),
    ("unexpected status 503 Service Unavailable: Unknown error, url: https://api.openai.com/v1", BUSY),
    ("2026-11-20T06:41:18.165Z ERROR codex_core::session: exceeded retry limit, last status: 429", RATE),
    ("stream disconnected before completion: Transport error: body", BUSY),
    ("stream disconnected before completion: error sending request for url (https://chatgpt.com)", OFFLINE),
    ("stream disconnected before completion: Rate limit reached for x on tokens per min. Please try again in 12s.", RATE),
    ("Selected model is at capacity. Please try a different model.", BUSY),
    ("We're currently experiencing high demand, which may cause temporary errors.", BUSY),
    ("Codex ran out of room in the model's context window. Start a new thread or clear earlier history.", CONTEXT),
    # Gemini, Qwen
    ("[API Error: You have exhausted your daily quota on this model.]", USAGE),
    ("[API Error: 401 Incorrect API key provided: sk-x.]", LOGIN),
    ("[API Error: 429 Rate limit reached. Please try again in 20s.]", RATE),
    ("[API Error: Connection error.]", OFFLINE),
    ("✕ [API Error: terminated]", BUSY),
    (
        ("[API Error: You exceeded your current quota, please check your plan.\n* Quota exceeded for metric: x, limit: 50\n"
        "Please retry in 3600s.]\nPlease wait and try again later. To increase your limits, use AI Studio"),
        USAGE,
    ),
    ("[API Error: You exceeded your current quota, please check your plan and billing details.]", CREDIT),
    ("Please set an Auth method in your /root/.gemini/settings.json or specify GEMINI_API_KEY", LOGIN),
    ("You've hit your org's monthly spend limit", USAGE),
    ("You've hit your org's monthly usage limit · contact your admin", USAGE),
    ("You've reached your Sonnet 5 limit · resets 9pm", USAGE),
    ("API Error: Stream idle timeout - partial response received", BUSY),
    ("API Error: The socket connection was closed unexpectedly. For more information, pass `verbose: true`", BUSY),
    ("Your account does not have access to Claude Code. Please run /login.", LOGIN),
    # Kiro
    ("You have reached the limit for overages. (request_id: 6e19-4e96)", USAGE),
    ("You've reached your overage limit. (Request ID: 882c-4808)", USAGE),
    ("⚠️ Kiro rate limit reached:\n   Request quota exceeded. Please wait a moment and try again.", RATE),
    (
        (
            "Error sending prompt: The model you've selected is experiencing a high volume of traffic. Try changing the "
            "model and re-running your prompt. (Request ID: d703-421e) (Conversation ID: sess_e0b8)"
        ),
        BUSY,
    ),
    ("I am experiencing high traffic, please try again shortly.", BUSY),
    # opencode and its own service
    ('Error: OpenAI API error (429): {"code":"rate_limit_exceeded","message":"Rate limit exceeded."}', RATE),
    ("Error: Free usage exceeded, subscribe to Go https://example.com/go", USAGE),
    ("Error: Monthly usage limit reached. Resets in 7 days.", USAGE),
    ("Error: Insufficient balance. Manage your billing here: https://example.com/billing", CREDIT),
    ("Error: No payment method. Add a payment method here: https://example.com/billing", CREDIT),
    # Copilot
    ("Sorry, you've exceeded your 5 hour session limits. Please retry after 2733 seconds.", USAGE),
    ("Sorry, you have been rate-limited. Please wait 2 minutes before trying again or switch to Auto.", RATE),
    (
        (
            "You've reached your weekly rate limit. Please wait for your limit to reset on November 23, 2026 at 2:00 AM "
            "or switch to auto model to continue."
        ),
        USAGE,
    ),
    ("✖ You've used all your premium requests for this month.", USAGE),
    ("The monthly usage limit has been reached (request_id: 0e06d8cd-211d)", USAGE),
    ("> The monthly usage limit has been reached", USAGE),
    ("You've reached your monthly usage limit. Please return next month to continue building.", USAGE),
    ("The request was throttled by the service (request_id: 75c1c430)", RATE),
    ("Too many requests, please wait before trying again.", RATE),
    ("Kiro is having trouble responding right now", BUSY),
    ("Authentication failed. Your session may have expired. Run `kiro-cli login` to re-authenticate.", LOGIN),
    ("error: You are not logged in, please log in with kiro-cli login", LOGIN),
    (
        ("Kiro is having trouble responding right now:\n   0: Failed to send the request: x\n"
        '   1: Error { code: "AccessDeniedException" }\n\nLocation:\n   crates/chat-cli/src/cli/chat/mod.rs:1426\n\n'
        "Backtrace omitted. Run with RUST_BACKTRACE=1 environment variable to display it.\n"
        "Run with RUST_BACKTRACE=full to include source snippets."),
        LOGIN,
    ),
    ("Amazon Q is having trouble responding right now:\n   0: dispatch failure\n   1: dns error", OFFLINE),
    ("Kiro is having trouble responding right now:\n   0: The monthly usage limit has been reached", USAGE),
    # Copilot
    (
        ("✗ Sorry, you've hit a rate limit that restricts the number of Copilot model requests you can make. Please try"
        " again in 2 hours."),
        USAGE,
    ),
    ("✘ Quota exceeded. Upgrade to increase your limit: https://github.com/features/copilot/plans", USAGE),
    ("Failed to get response from the AI model; retried 5 times (total retry wait time: 16 s) Last error: 529 x", BUSY),
    # aider, mini-swe-agent
    ("litellm.RateLimitError: RateLimitError: OpenAIException - Rate limit reached. Please try again in 20s.", RATE),
    ("litellm.APIError: APIError: OpenAIException - Overloaded", BUSY),
    ("litellm.APIConnectionError: APIConnectionError: OpenAIException - Connection error.", OFFLINE),
    ("litellm.Timeout: APITimeoutError - Request timed out. Error_str: Request timed out.", BUSY),
    ("litellm.NotFoundError: NotFoundError: OpenAIException - The model `gpt-9` does not exist", MODEL),
    ("litellm.InternalServerError: AnthropicException - Overloaded", BUSY),
    (
        ("litellm.AuthenticationError: AuthenticationError: OpenAIException - Incorrect \nAPI key provided: sk-x.\n"
        "The API provider is not able to authenticate you. Check your API key."),
        LOGIN,
    ),
    (
        ("Exit:\nlitellm.AuthenticationError: AuthenticationError: OpenAIException - Incorrect \n"
        "API key provided: sk-x. You can permanently set your API key with `mini-extra\nconfig set KEY VALUE`."),
        LOGIN,
    ),
    ("Use a smaller model.\n\nhttps://aider.chat/docs/troubleshooting/token-limits.html", CONTEXT),
]  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), LINES, ids=[line[:60] for line, _ in LINES])
@pytest.mark.parametrize("code", [0, 1])
def test_b1_a_line_of_the_program_itself_counts_at_any_exit_code(line: str, expected: Cause, code: int) -> None:
    assert cause(printed(line, code=code)) is expected
    if not line.startswith("> "):  # kiro's sign before all that it says; further down it is a quote
        assert cause(printed(f"I looked at the task.\n\n{line}\n", code=code)) is expected
        assert cause(printed(errors=f"Loading.\n{line}\n", code=code)) is expected


# Lines that other programs print too: they count on standard error, or where the program failed and they came last.
LOOSE = [
    ("429 rate_limit_error: slow down, retry after 3 s", RATE),
    ("Error: 429 Too Many Requests", RATE),
    ("ERROR: HTTP 429 Too Many Requests", RATE),
    ("error: 529 overloaded_error", BUSY),
    ("Error: 503 Service Unavailable", BUSY),
    ('Error: 401 {"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}', LOGIN),
    ("Error: getaddrinfo ENOTFOUND api.anthropic.com", OFFLINE),
    ("request to https://generativelanguage.googleapis.com/v1 failed, reason: getaddrinfo EAI_AGAIN x", OFFLINE),
    ("Error: connect ECONNREFUSED 160.79.104.10:443", OFFLINE),
    ("Error: connect ETIMEDOUT 160.79.104.10:443", OFFLINE),
    ("Connection error.", OFFLINE),
    ("Fatal error: Network is unreachable", OFFLINE),
    ("Error: Request timed out", BUSY),
    ("Error: Invalid API key", LOGIN),
    ("Error: You are not logged in. Run `agent login`.", LOGIN),
    ("Missing environment variable: `OPENAI_API_KEY`.", LOGIN),
    ("Error: Session was not created with authentication info or custom provider", LOGIN),
    ("Error: Unknown model: gpt-99", MODEL),
    ("Error: The model `gpt-99` does not exist or you do not have access to it.", MODEL),
    ("Error: This model's maximum context length is 128000 tokens. Your messages resulted in 214000 tokens.", CONTEXT),
    ("You exceeded your current quota, please check your plan and billing details.", CREDIT),
]


@pytest.mark.parametrize(("line", "expected"), LOOSE, ids=[line[:60] for line, _ in LOOSE])
def test_b1_a_line_that_others_print_too_counts_where_the_program_failed(line: str, expected: Cause) -> None:
    assert cause(printed(errors=f"Starting.\n{line}\n", code=1)) is expected
    assert cause(printed(f"Starting.\n\n{line}\n", code=1)) is expected
    assert cause(printed(errors=line, code=0)) is expected  # it said nothing else at all
    assert cause(printed(f"Starting.\n\n{line}\n", code=0)) is Cause.FAILED


def test_b1_standard_error_counts_at_exit_code_0_only_if_it_came_last() -> None:
    outcome = printed("I looked at the task.", errors="Error: 429 Too Many Requests")
    assert cause(outcome) is RATE
    before = printed("I looked at the task.", errors="Error: 429 Too Many Requests", code=0)
    before = type(before)(
        ending=Ending.EXITED,
        exit_code=0,
        message=before.message,
        errors=before.errors,
        excerpt=f"{before.errors}\n{before.message}",
    )
    assert cause(before) is Cause.FAILED


@pytest.mark.parametrize(
    "errors",
    [
        pytest.param("Error: 429 Too Many Requests\n    at f (file:///a.js:1:2)\n    at g (b.js:3)\n{\n  status: 429\n}", id="a stack below"),
        pytest.param("Traceback (most recent call last):\n  File 'x'\n╭──╮\n│ x │\n╰──╯\nRateLimitError: litellm.RateLimitError: RateLimitError: OpenAIException - Rate \nlimit reached.", id="a traceback above"),
        pytest.param("\x1b[31mError:\x1b[0m 429 Too Many Requests\x1b[0m\r\n", id="colours"),
        pytest.param("Error: 429 Too Many Requests\nwarning: 3 files were left open\nbye", id="a few lines below"),
    ],
)  # fmt: skip
def test_b1_noise_around_the_line_is_read_over(errors: str) -> None:
    assert cause(printed(errors=errors, code=1)) is RATE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("You've hit your limit · resets 7:43am (UTC)", "2026-11-20T07:43"),
        ("Claude AI usage limit reached|1795160626", "2026-11-20T07:43:46"),
        ("You’ve hit your usage limit. Try again at Nov 23rd, 2026 6:23 PM.", "2026-11-23T18:23"),
        ("[API Error: You exceeded your current quota.\n* Quota exceeded\nPlease retry in 3600s.]", "2026-11-20T07:41"),
        ("The monthly usage limit has been reached", None),
        ("litellm.RateLimitError: RateLimitError: OpenAIException - Slow down\nRetrying in 32.0 seconds...", None),
        ("API Error: 529 Overloaded. Try again in 5 minutes", None),  # only what is timed by a limit
    ],
)
def test_b1_the_time_of_return_is_told(text: str, expected: str | None) -> None:
    until = diagnosed(printed(text, code=1)).until
    assert until == (None if expected is None else datetime.fromisoformat(expected).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("printed_last", "expected"),
    [
        pytest.param("litellm.APIError: APIError: OpenAIException - Overloaded\nRetrying in 32.0 seconds...", BUSY, id="aider"),
        pytest.param("Retrying <unknown> in 32 seconds as it raised RateLimitError: litellm.RateLimitError: RateLimitError: OpenAIException - Slow down..", RATE, id="mini-swe-agent"),
        pytest.param("  ⎿  API Error (Connection error.) · Retrying in 40 seconds… (attempt 10/10)", OFFLINE, id="claude"),
        pytest.param('Attempt 1 failed with status 429. Retrying with backoff... _ApiError: {"error":{"code":429}}\n    at x (file:///y.js:1:2)\n  status: 429\n}', RATE, id="gemini, with its stack"),
        pytest.param("Attempt 1 failed: You have exhausted your capacity on this model. Your quota will reset after 4s.. Retrying after 5042ms...", USAGE, id="gemini, capacity"),
        pytest.param("Reconnecting... 5/5 (unexpected status 529 <unknown status code>: Overloaded)", BUSY, id="codex"),
        pytest.param('timestamp=2026-11-20T18:21:06.925Z level=ERROR run=20f message="stream error" providerID=a modelID=b session.id=ses_1 small=false agent=build mode=primary error.error="AI_APICallError: 5-hour usage limit reached. It will reset in 60 minutes."', USAGE, id="opencode, by its log"),
        pytest.param('timestamp=2026-11-20T18:21:06.925Z level=ERROR run=20f message="stream error" providerID=a error.error="AI_APICallError: Overloaded" more=1', BUSY, id="opencode, overloaded"),
        pytest.param("⚠️ stream error: Rate limit is exceeded; retrying 1/5 in 209ms…", RATE, id="codex, older"),
        pytest.param("The monthly usage limit has been reached (request_id: 0e0)", USAGE, id="kiro, which waits for a person"),
        pytest.param("Compiling.\nRetrying in 5 seconds...", Cause.KILLED, id="something else that retries"),
        pytest.param("litellm.APIError: APIError: OpenAIException - Overloaded\nRetrying in 1.0 seconds...\nI will edit a.py", Cause.KILLED, id="it went on after that"),
        pytest.param("Error: 429 Too Many Requests", Cause.KILLED, id="a line that others print too"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ending", [Ending.NO_PROGRESS, Ending.TASK_TIMEOUT])
def test_b1_an_agent_that_was_only_retrying_when_it_was_ended_was_not_served(
    printed_last: str, expected: Cause, ending: Ending
) -> None:
    assert cause(printed(f"Working.\n{printed_last}", ending=ending)) is expected
    assert cause(printed("Working.", errors=printed_last, ending=ending)) is expected


def test_b1_the_words_are_one_clean_line() -> None:
    words = diagnosed(printed("", errors="Error: 429 Too Many Requests " + "\x1b[1mx\u202e\t " * 200, code=1)).words
    assert words.startswith("Error: 429 Too Many Requests x x")
    assert len(words) <= 200
    assert words.isprintable()
