"""The prompt templates that ship with the program."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

PROMPTS = Path(__file__).resolve().parent.parent / "templates" / "prompts"


def load_templates(folder: Path = PROMPTS) -> Mapping[str, str]:
    """Read every `*.md` of a folder of prompt templates: name without `.md` -> text.

    Raises OSError where the folder cannot be read: an installation that lost its data.
    """
    return MappingProxyType({path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.md"))})
