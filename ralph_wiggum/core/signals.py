"""What an agent says of its own work: the signal that ends its final message (O16). Never more than a claim."""

from __future__ import annotations

import re

from ralph_wiggum.core import excerpt, fences
from ralph_wiggum.core.evidence import Claim, Said

SUMMARY_LIMIT = 2000  # characters
DETAIL_LIMIT = 500  # characters

_NO_CHANGE = "NO_CHANGE_NEEDED"
_BARE = frozenset({Claim.TASK_COMPLETE, Claim.ALL_TASKS_COMPLETE})  # these take no reason, no name
_WRAPPED = re.compile(r"(\*\*|__|`|\*|_)(?P<inner>(?:(?!\1).)+)\1(?P<dot>\.?)")
_WORD = re.compile("|".join([*(claim for claim in Claim if claim is not Claim.NONE), _NO_CHANGE]))
_SIGNAL = re.compile(
    rf"(?P<wrap>\*\*|__|`|\*|_|)(?P<word>{_WORD.pattern})"
    r"(?:(?P<dot>\.?)(?P=wrap)\.?|(?:[:：](?P=wrap)|(?P=wrap)[:：])[ \t]*(?P<detail>.*))",
)
_PLACEHOLDER = re.compile(r"<[^<>]*>|\[[^\[\]]*\]|\{[^{}]*\}|…|\.\.\.")  # "<reason>": copied from an explanation
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[^`\n]*$\n?", re.MULTILINE)
_HEADING = re.compile(r"^\s{0,3}#{1,6}(?:[ \t]+|$)", re.MULTILINE)
_UNDERLINE = re.compile(r"^\s{0,3}(?:=+|-+)[ \t]*$", re.MULTILINE)
_GAPS = re.compile(r"\n{3,}")


def read(message: str) -> Said:
    """Read the signal off the last non-empty line of a final message, and the summary above it (O16).

    A signal may stand in bold, emphasis or backticks, end with a full stop, and follow one `> ` (an agent that prompts
    so); nothing else may stand on its line. `NO_CHANGE_NEEDED: reason` counts on the line directly before it, blank
    lines aside. A reason that is a placeholder (`<reason>`) was copied from an explanation and makes no signal.
    """
    lines = excerpt.printable(message).split("\n")
    last = _last_filled(lines, len(lines))
    signal = _parse(lines[last]) if last >= 0 else None
    if signal is None or signal[0] == _NO_CHANGE:
        return Said(summary=summary("\n".join(lines)))
    before = _last_filled(lines, last)
    reason = _parse(lines[before]) if before >= 0 else None
    no_change = reason[1] if reason and reason[0] == _NO_CHANGE else None
    rest = lines[: before if no_change is not None else last]
    return Said(claim=Claim(signal[0]), detail=signal[1], no_change=no_change, summary=summary("\n".join(rest)))


def summary(text: str) -> str:
    """Return the end of a message, at most 2,000 characters, fit for a log: no fenced blocks, headings or comments.

    Where all of it stands in fences, their content is the summary.
    """
    text = excerpt.printable(text)
    plain = fences.without(text).strip() or text
    plain = _FENCE.sub("", plain)
    plain = _UNDERLINE.sub("", _HEADING.sub("", plain)).replace("<!--", "&lt;!--")
    plain = _GAPS.sub("\n\n", plain).strip()
    if len(plain) <= SUMMARY_LIMIT:
        return plain
    kept = plain[2 - SUMMARY_LIMIT :]
    cut = kept.find("\n")
    return "…\n" + (kept[cut + 1 :] if 0 <= cut < SUMMARY_LIMIT // 2 else kept).lstrip()


def defuse(text: str) -> str:
    """Return the text, printable, with every line that would read as a signal marked as quoted.

    For what goes into a prompt: whatever part of it an agent echoes, and wherever the echo ends, it says nothing.
    """
    text = excerpt.printable(text)
    if not _WORD.search(text):
        return text
    return "\n".join(f"(quoted) {line.strip()}" if _parse(line) else line for line in text.split("\n"))


def _last_filled(lines: list[str], end: int) -> int:
    """Return the index of the last line before `end` that holds something, -1 if there is none."""
    return next((index for index in range(end - 1, -1, -1) if _bare_line(lines[index])), -1)


def _bare_line(line: str) -> str:
    """Return a line without the spaces around it and one leading `> `."""
    line = line.strip()
    return line[1:].strip() if line == ">" or line.startswith("> ") else line


def _parse(line: str) -> tuple[str, str] | None:
    """Return the signal word and the reason or name of a line that is a signal and nothing else."""
    line = _bare_line(line)
    while wrapped := _WRAPPED.fullmatch(line):
        line = wrapped["inner"].strip()
    found = _SIGNAL.fullmatch(line)
    if not found:
        return None
    word, detail = found["word"], (found["detail"] or "").strip()
    if word in _BARE and found["detail"] is not None:
        return None
    if _PLACEHOLDER.fullmatch(detail) or (word == _NO_CHANGE and not detail):
        return None
    return word, detail[:DETAIL_LIMIT]
