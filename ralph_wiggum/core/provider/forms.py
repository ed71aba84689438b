"""How agents print what their provider said: whole lines, in the words of each program (B1).

A form is matched against a whole line (one that was wrapped is joined first), never searched within one: an agent that
writes about rate limits does not print these lines, and a line that it quotes stands in a fence, a list or a quote.
"""

from __future__ import annotations

import re
from functools import cache

# Marks that programs put before a message of their own; those of markdown (-, *, >, 1.) are not among them.
MARKS = re.compile(r"(?:[●⏺⎿■✖✗✘×✕⚠❌❗‼│┃▌░█]\ufe0f?\s*)+")
# Log lines (tracing, winston) and words of error before the message itself; they may stand in a row.
_WRAPPER = re.compile(
    r"(?:\[?\d{4}-\d\d-\d\d[T ][\d:.,]+Z?\]?\s+)?(?:ERROR|WARN)\s+(?:[\w:.-]+:\s+)?(?=\S)"
    r"|(?i:fatal )?(?i:error|fatal):\s*"
    r"|API Error:\s*|Exit:\s*|Execution failed:\s*|Model call failed:\s*|Failed:\s*|\[?ERROR\]\s*|stream error:\s*"
    r"|Uncaught\s+|(?:[A-Z]\w*)?Error:\s*(?=litellm\.)"
    r"|(?:Terminal|Retryable)QuotaError:\s*|AI_\w*Error:\s*|Error sending prompt:\s*"
)

_REQUEST = r"\.?(?:\s*[(\[](?:[Rr]equest|[Cc]onversation)[_ ](?:id|ID): [^()\[\]]{0,80}[)\]]){0,2}\.?"
_JSON = r"\{.*"
_MODEL_NAME = r"(?=.{0,120}(?:\w-\w|\d))"  # "gpt-5.2", "opus-4-8"; "User" is one of the project's own

# Lines that only these programs print, in these words: they count at any exit code.
_STRICT = (
    # Claude Code: "You've hit your limit · resets 7:43am (UTC)", "… session limit …", "… Opus limit …", older forms
    (
        r"You['’]ve (?:hit|reached) your (?:(?:session|weekly|daily|monthly|usage|5-hour|spend|spending|extra|[A-Z]\w+"
        r"(?: \d[\d.]*)?|org(?:anization)?['’]s) ){0,3}limit(?:\s*[·∙•|]\s*(?:resets?|contact) .{1,60})?\.?"
    ),
    r"Claude (?:AI )?usage limit reached(?:\|\d{10,13}|\..{0,120}|, .{0,120})?",
    (
        r"(?:(?:5-hour|Session|Weekly|Daily|Usage|Opus|Sonnet|Opus weekly|Sonnet weekly) ){1,2}limit reached\s*[·∙•]\s*"
        r"resets? .{1,60}"
    ),
    r"You['’]re out of (?:extra usage|usage credits)(?:\s*[·∙•]\s*resets? .{1,60})?",
    r"Your credit balance is too low to access the (?:Anthropic|Claude) API\b.{0,160}",
    r"Credit balance (?:is )?too low(?:\s*[·∙•]\s*.{1,120})?",
    (
        r"(?:Not logged in|Login expired|Invalid API key|OAuth (?:token|session) \w[\w ]{0,40})\s*[·∙•]\s*"
        r"(?:Please run /login|Fix external API key).{0,80}"
    ),
    r"Please run /login\s*[·∙•]\s*API Error: .*",
    r"Failed to authenticate[.:] (?:API Error|OAuth)\b.*",
    r"OAuth (?:token has expired|token revoked|session expired)(?:\s*[.·].{0,160})?",
    r"(?:API Error: \d{3} .{0,40})?This organization has been disabled\..{0,160}",
    r"Your organization has disabled (?:Claude subscription|API key).{0,200}",
    rf"API Error: (?:Repeated )?[45]\d\d\s*(?:{_JSON}|(?:Overloaded(?: errors)?|Internal server error)(?:\..*)?)",
    r"API Error: [45]\d\d [A-Z][\w ]{0,40}\. This is a server-side issue.*",
    (
        r"API Error: (?:Request rejected \(\d{3}\)|Server is temporarily limiting requests|Overloaded|Connection error"
        r"|Request timed out|Unable to connect to API|Connection closed mid-response|Rate limit reached"
        r"|The operation timed out|fetch failed)\s?(?:[.:(·].*)?"
    ),
    (
        r"API Error: (?:Stream idle timeout - .{1,60}|The socket connection was closed unexpectedly\..*"
        r"|Connection lost mid.*)"
    ),
    r"Your account does not have access to Claude(?: Code)?\..{0,120}",
    r"Unable to connect to API(?: \(\w+\)| due to poor internet connection).{0,120}",
    r"Prompt is too long(?:\s*[·∙•]\s*.*)?",
    r"There['’]s an issue with the selected model \(.{1,120}\)\..*",
    r"Claude [A-Z]\w+ is not available with the Claude \w+ plan.*",
    # Gemini CLI and Qwen Code: "[API Error: …]", also over several lines
    r"\[API Error: .*\](?: Please wait and try again later\..*)?",
    r"Error when talking to Gemini API\b.*",
    r"(?:Please set an Auth method in your|Invalid auth method selected).{0,300}",
    # Kiro, and Amazon Q before it
    rf"The monthly usage limit has been reached{_REQUEST}",
    r"You['’]ve reached your monthly usage limit\. .{1,160}",
    rf"You['’]ve reached your overage limit{_REQUEST}",
    rf"You have reached the limit for overages{_REQUEST}",
    r"Kiro rate limit reached:.{0,160}",
    r"The model you(?:['’]ve| have) selected is experiencing a high volume of traffic\. .{1,240}",
    r"I am experiencing high traffic, please try again shortly\.",
    rf"The request was throttled by the service{_REQUEST}",
    rf"Too many requests, please wait before trying again\.?{_REQUEST}",
    rf"(?:Kiro|Amazon Q) is having trouble responding right now(?:[.:].*|{_REQUEST})",
    rf"(?:error: )?[Tt]he context window has overflowed{_REQUEST}",
    r"Authentication failed\. Your session may have expired\..{0,160}",
    r"(?:error: )?You are not logged in,? please log in with .{1,120}",
    r"The model you['’]ve selected is temporarily unavailable\..{0,160}",
    # Codex
    r"You['’]ve hit your usage limit(?:\.| for ).*(?:[Tt]ry again|admin|credits).*",
    r"Quota exceeded\. Check your plan and billing details\.",
    r"(?:stream error: )?exceeded retry limit, last status: \d{3}\b.*",
    r"unexpected status \d{3} .{0,80}:.*",
    r"stream disconnected before completion: .*",
    r"Selected model is at capacity\. Please try a different model\.",
    r"We['’]re currently experiencing high demand, which may cause temporary errors\.",
    r"Codex ran out of room in the model['’]s context window\..*",
    r"To use Codex with your ChatGPT plan, upgrade to Plus: .*",
    r"Your workspace is out of credits\. .{1,120}",
    r"You hit your spend cap set .{1,200}",
    r"Your access token could not be refreshed\b.*",
    # Copilot
    r"Failed to get response from the AI model; retried \d+ times .*",
    r"Sorry, you['’]ve hit a rate limit that restricts the number of Copilot .*",
    r"Sorry, you['’]ve exceeded your [\w -]{1,40} limits?\. Please (?:wait|retry|try) .{1,240}",
    r"Sorry, you have been rate-limited\. Please wait .{1,240}",
    r"You['’]ve reached your weekly rate limit\. Please wait .{1,300}",
    r"You['’]ve used all (?:of )?your premium requests for this month\..{0,160}",
    # opencode and its own service
    r"OpenAI API error \((?:429|5\d\d)\): \{.*",
    r"Free usage exceeded, subscribe to .{1,120}",
    r"(?:5-hour|Weekly|Monthly) usage limit reached\. (?:Resets in|It will reset in) .{1,200}",
    r"(?:No payment method|Insufficient balance)\. (?:Add a payment method|Manage your billing) here: https?://\S+",
    r"Quota exceeded\. Upgrade to increase your limit: .*",
    r"(?:Model call failed: )?\{\"message\":\"You have no quota\".*",
    r"No authentication information found\..*",
    # LiteLLM, as aider and mini-swe-agent print it
    r"litellm\.\w+: (?:litellm\.\w+: )?(?:\w+(?:Error|Exception): )?\w*(?:Error|Exception) - .*",
    r"litellm\.BadRequestError: LLM Provider NOT provided\..*",
    r"https://aider\.chat/docs/troubleshooting/token-limits\.html",
)

# What stands alone after "Error:" in the words of HTTP, of the APIs and of the languages that agents are written in.
_LOOSE = (
    rf"(?:[45]\d\d )?{_JSON}(?:\"type\"|\"error\"|\"code\"|\"message\").*",
    r"(?:HTTP )?(?:429|529)\b.*",
    r"(?:HTTP )?5\d\d (?:Internal Server Error|Bad Gateway|Service (?:Temporarily )?Unavailable|Gateway Time-?out)\b.*",
    r"(?:[45]\d\d )?(?:rate_limit|overloaded|authentication|permission|billing|api|not_found)_error\b.*",
    r"(?:Rate limit (?:reached|exceeded)|Too Many Requests|Overloaded|RESOURCE_EXHAUSTED)\b.*",
    r"request to \S+ failed, reason: getaddrinfo (?:ENOTFOUND|EAI_AGAIN)\b.*",
    r"getaddrinfo (?:ENOTFOUND|EAI_AGAIN)(?:\s+\S+\.\S+.*)?",  # a name without a dot is the project's own
    (
        r"(?:request to \S+ failed, reason: )?connect E(?:CONNREFUSED|HOSTUNREACH|NETUNREACH|TIMEDOUT) "
        r"(?!127\.|::1|localhost|0\.0\.0\.0|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|/)\S+.*"  # not the project's
    ),
    (
        r"(?:Connection error|Network is unreachable|fetch failed|Request timed out"
        r"|Temporary failure in name resolution)\.?"
    ),
    r"Connection failed: error sending request for url .*",
    r"(?:Invalid|Incorrect|Missing|No) API key\b.*",
    r"API key not valid\b.*",
    r"(?:You are |You['’]re )?[Nn]ot (?:logged|signed) in\b.*",
    r"OAuth (?:token|session) (?:has )?(?:expired|been revoked|revoked)\b.*",
    r"Missing environment variable: .?\w+_API_KEY.*",
    r"Could not resolve authentication method\b.*",
    r"Session was not created with authentication info\b.*",
    rf"{_MODEL_NAME}(?:The )?[Mm]odel .{{1,120}}(?:does not exist|not found|is not supported|is not available)\b.*",
    rf"{_MODEL_NAME}(?:Unknown|Invalid) model\b.*",
    r"(?:This model['’]s maximum context length|Input token count|The input token count|prompt is too long)\b.*",
    r"(?:Attempt \d+ failed: )?You (?:have )?exhausted your (?:daily quota|capacity) on this model\b.*",
    r"You exceeded your current quota\b.*",
)

# The program goes on trying: no end, but a cause where the runner ended it meanwhile.
_RETRYING = (
    r"Retrying \S+ in [\d.]+ seconds as it raised (?P<what>.*)",  # mini-swe-agent (tenacity)
    r"(?P<what>(?:API Error|Unable to connect to API)\b.*)\bRetrying in .*",  # Claude Code
    r"(?P<what>Attempt \d+ failed\b.*?)\bRetrying (?:with backoff|after)\b(?P<more>.*)",  # Gemini CLI
    r"Reconnecting\.\.\. \d+/\d+(?P<what>.*)",  # Codex
    r"(?P<what>.*); retrying \d+/\d+ in .*",  # Codex
    (
        r"timestamp=\S+ level=ERROR .{0,80}?message=\"stream error\".{0,400}?error\.error=\"(?:AI_\w+: )?"
        r"(?P<what>.*?)\"(?: \w[\w.]*=.*)?"  # opencode, told to print its log; its events say nothing of retries
    ),
)

# What programs print after such a line.
_POSTSCRIPT = (
    r"Tokens: .* sent, .* received\..*",
    r"Retrying in [\d.]+ ?s(?:econds)?\b.*",
    r"The API provider(?:'s servers)? (?:is not able|has rate limited|has refused|are down|timed out)\b.*",
    r"Saved trajectory to .*",
    r"(?:Location:|crates/\S+:\d+|Backtrace omitted\..*|Run with (?:RUST_BACKTRACE|COLORBT)\S* .*)",
    r"/(?:login|upgrade|usage|extra-usage|model) to .*",
    r"Please wait and try again later\..*",
    r"(?:▸ )?Credits: .*",
    r"[✻✢·] \w+ for [\dhms ]+",
    r"https?://(?!\S+/token-limits)\S+",
)  # fmt: skip


@cache  # start-up: to compile them takes 40 ms, and only an attempt that failed needs them
def _any_of(*forms: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{form})" for form in forms), re.DOTALL)


def bare(line: str) -> str:
    """Return a line without spaces around it and without the marks of a program before it."""
    line = line.strip()
    marks = MARKS.match(line)
    return line[marks.end() :].strip() if marks else line


def is_strict(line: str) -> bool:
    """Say whether a line (bare) is one that only an agent's program prints, about its provider."""
    return any(_any_of(*_STRICT).fullmatch(each) for each in _unwrapped(line))


def is_loose(line: str) -> bool:
    """Say whether a line (bare) is one that a program prints about its provider, where it is known to have failed."""
    return is_strict(line) or any(_any_of(*_LOOSE).fullmatch(each) for each in _unwrapped(line))


def retrying(line: str) -> str:
    """Return what a line (bare) says a program is retrying over; "" where it is no such line."""
    for form in _RETRYING:
        if found := _any_of(form).fullmatch(line):
            return " ".join(part for part in found.groups() if part).strip() or line
    return ""


def is_postscript(line: str) -> bool:
    """Say whether a line (bare) is one that programs print after their last word."""
    return bool(_any_of(*_POSTSCRIPT).fullmatch(line))


def _unwrapped(line: str) -> list[str]:
    """Return the line, and the line without each of the wrappers at its beginning."""
    forms = [line]
    while len(forms) < 6 and (found := _WRAPPER.match(line)) and found.end():  # noqa: PLR2004 - a bound, no measure
        line = line[found.end() :]
        forms.append(line)
    return forms
