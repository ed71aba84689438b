"""The status block of activity.md: text of a fixed size, so that it can be rewritten in place by one write (O27)."""

from __future__ import annotations

import re
from typing import NamedTuple

from ralph_wiggum.core.outside_text import cut_bytes, inline

BLOCK_BYTES = 1024
TITLE = "# Activity Log: "
BEGIN = "<!-- ralph:status -->"
END = "<!-- ralph:end"
CLOSE = "-->\n"
_BEGIN = re.compile(rb"\r?\n" + re.escape(BEGIN.encode()) + rb"\r?\n")  # an editor may have changed the line endings
_END = re.compile(rb" {9,}-->\r?\n?")  # the filling, also where the word before it was spoiled
_HEADLESS = re.compile(rb"^## Current Status\r?\n[^\0]{0,1024}?<!-- ralph:end {9,}-->\r?\n?", re.MULTILINE)
ROOM = BLOCK_BYTES - len(f"\n{END} {CLOSE}")


class StatusValues(NamedTuple):
    """What the status block says. `updated` is "YYYY-MM-DD HH:MM", `loop` "Running", "Complete" …."""

    spec: str = ""
    updated: str = ""
    completed: int = 0
    total: int = 0
    current: str = ""
    loop: str = "Stopped"
    detail: str = ""


def render(values: StatusValues) -> str:
    """Return the status block: always exactly BLOCK_BYTES bytes of UTF-8; names too long for it are cut."""
    detail = f" ({_short(values.detail, 200)})" if values.detail else ""
    return fixed_size(
        f"{TITLE}{_short(values.spec, 150)}\n{BEGIN}\n\n## Current Status\n\n"
        f"**Last Updated:** {_short(values.updated, 30)}  \n"
        f"**Tasks Completed:** {values.completed}/{values.total}  \n"
        f"**Current Task:** {_short(values.current, 300) or 'none'}  \n"
        f"**Loop Status:** {_short(values.loop, 60)}{detail}\n"
    )


def empty_block(spec: str) -> str:
    """Return the block of a log that has only just begun."""
    return render(StatusValues(spec=spec, updated="never"))


def fixed_size(text: str) -> str:
    """Return a block of any text brought to BLOCK_BYTES bytes; what fills it is invisible in rendered markdown."""
    if len(text.encode()) == BLOCK_BYTES and text.endswith(CLOSE):
        return text
    text = cut_bytes(text.rstrip("\n"), ROOM) + "\n"
    return f"{text}{END} ".ljust(BLOCK_BYTES - len(CLOSE) - _extra_bytes(text)) + CLOSE


def is_block(data: bytes) -> bool:
    """Say whether the first bytes of a log are a whole status block."""
    return (
        len(data) == BLOCK_BYTES
        and data.startswith(TITLE.encode())
        and f"\n{BEGIN}\n".encode() in data
        and f"\n{END} ".encode() in data
        and data.endswith(CLOSE.encode())
    )


def without_block(head: bytes) -> tuple[bytes, int]:
    """Find a block that is torn or no longer at the top, in the first bytes of a log.

    Returns the text above it, and where the text below it begins; (b"", 0) if there is none.
    """
    opened = _BEGIN.search(head)
    begin = opened.start() if opened is not None else 0
    title = head.rfind(TITLE.encode(), 0, begin)
    if title < 0 or b"\n" in head[title:begin]:
        headless = _HEADLESS.search(head)
        return (head[: headless.start()], headless.end()) if headless is not None else (b"", 0)
    found = _END.search(head, begin, title + 2 * BLOCK_BYTES)
    if found is not None:
        return head[:title], found.end()
    entry = head.find(b"\n## [", begin)
    return head[:title], entry + 1 if 0 <= entry < title + BLOCK_BYTES else min(title + BLOCK_BYTES, len(head))


def without_blocks(head: bytes) -> bytes:
    """Return the first bytes of a log without any block, whole or torn: somebody may have doubled it."""
    text = b""
    while (found := without_block(head))[1]:
        text += found[0]
        head = head[found[1] :]
    return text + head


def has_one_block(head: bytes) -> bool:
    """Say whether the first bytes of a log begin with a whole block and hold no other."""
    return is_block(head[:BLOCK_BYTES]) and not without_block(head[BLOCK_BYTES:])[1]


def _short(text: str, limit: int) -> str:
    return cut_bytes(inline(text), limit)


def _extra_bytes(text: str) -> int:
    return len(text.encode()) - len(text)
