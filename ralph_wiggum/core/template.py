"""Filling a prompt template: strict about its placeholders, and silent about what there is nothing to say of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Template

from ralph_wiggum.core.errors import RalphError


def fill(name: str, template: str, values: Mapping[str, str]) -> str:
    """Fill in `$placeholders`. Values are not looked into: a `$` in them stays one; `$$` in a template is a `$`.

    A paragraph whose placeholders are all empty is left out, and so is a section (`## …`, also one that a value brings)
    of which only the heading would be left. Raises RalphError for a placeholder that no value is given for.
    """
    check(name, template, values)
    sections: list[list[str]] = [[]]
    for paragraph in re.split(r"\n{2,}", template.strip("\n")):
        filled = _filled(paragraph, values)
        if filled.startswith("## "):
            sections.append([])
        sections[-1].append(filled)
    return "\n\n".join(part for section in sections for part in _kept(section))


def check(name: str, template: str, values: Mapping[str, str]) -> None:
    """Raise RalphError if a template is not well formed or names a placeholder that is not there."""
    known = f"its placeholders are {', '.join(f'${each}' for each in sorted(values)) or 'none'}"
    if not Template(template).is_valid():
        raise RalphError(f"prompt template {name}: a $ that begins no placeholder", hint=f"write $$ for a $; {known}")
    if unknown := sorted(set(Template(template).get_identifiers()) - values.keys()):
        raise RalphError(f"prompt template {name}: unknown placeholder ${unknown[0]}", hint=known)


def _kept(section: list[str]) -> list[str]:
    """Return the paragraphs of a section that say something; none where that is only its heading."""
    kept = [part for part in section if part]
    return [] if len(section) > len(kept) == 1 and kept[0].startswith("## ") else kept


def _filled(paragraph: str, values: Mapping[str, str]) -> str:
    """Fill one paragraph; "" where it has placeholders and none of them has anything to say."""
    names = Template(paragraph).get_identifiers()
    if names and not any(values[name] for name in names):
        return ""
    return Template(paragraph).substitute(values).rstrip()
