"""The dialects by the names that settings give them; apart, for most runs need only one of them or none."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ralph_wiggum.core.dialects import claude, codex, copilot, gemini, opencode, qwen
from ralph_wiggum.core.dialects.heard import Dialect

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "claude": claude.hear,
        "codex": codex.hear,
        "opencode": opencode.hear,
        "gemini": gemini.hear,
        "qwen": qwen.hear,
        "copilot": copilot.hear,
    }
)
