"""The dialects by the names that settings give them; apart, for most runs need only one of them or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ralph_wiggum.core.dialects import acp, claude, codex, copilot, gemini, opencode, qwen
from ralph_wiggum.core.dialects.aider import Aider
from ralph_wiggum.core.dialects.heard import Dialect
from ralph_wiggum.core.dialects.mini import Mini
from ralph_wiggum.core.dialects.reader import Reader
from ralph_wiggum.core.dialects.text_reader import TextDialect, TextReader

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "claude": claude.hear,
        "codex": codex.hear,
        "opencode": opencode.hear,
        "gemini": gemini.hear,
        "qwen": qwen.hear,
        "copilot": copilot.hear,
        "acp": acp.hear,
    }
)
TEXTS: Mapping[str, Callable[[], TextDialect]] = MappingProxyType({"mini": Mini, "aider": Aider})


def reader(name: str) -> Reader | TextReader:
    """Return what hears one attempt of an agent of this dialect. KeyError for "text", whose lines need no reader."""
    return TextReader(TEXTS[name]()) if name in TEXTS else Reader(DIALECTS[name])
