"""Text from outside inside a prompt: in tags that it cannot close, and with no line that could pass for a signal."""

from __future__ import annotations

import re

from ralph_wiggum.core import excerpt, signals


def quoted(tag: str, text: str, **attributes: str | int) -> str:
    """Return the text between `<tag …>` and `</tag>`, each on a line of its own.

    Where the text itself holds that tag, the tag becomes `tag-2`, and so on: nothing in the text is changed for it,
    and nothing in the text can end the block. Control characters go, lines that read as a signal are marked.
    """
    text = signals.defuse(text).strip("\n")
    name, count = tag, 1
    while re.search(rf"<\s*/?\s*{re.escape(name)}(?![\w-])", text, re.IGNORECASE):
        count += 1
        name = f"{tag}-{count}"
    said = "".join(f' {key}="{_attribute(str(value))}"' for key, value in attributes.items() if value != "")
    return f"<{name}{said}>\n{text}\n</{name}>"


def line(text: str, limit: int = 300) -> str:
    """Return a text as one line of at most `limit` characters that cannot pass for a signal."""
    text = " ".join(excerpt.printable(text).split())
    text = text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"
    return signals.defuse(text)


def code(text: str, limit: int = 300) -> str:
    """Return a command or a path as one line of inline code, whatever backticks it holds."""
    text = line(text, limit)
    marks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{marks}{space}{text}{space}{marks}"


def _attribute(value: str) -> str:
    return line(value, 120).replace('"', "'").replace("<", "(").replace(">", ")")
