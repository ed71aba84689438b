"""YAML text -> a layer of settings with the line of each key (PyYAML, YAML 1.1, safe tags only)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import yaml

from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.layers import Layer

_KEY_TAGS = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"})
_NUMBERS = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})


def parse(text: str, name: str) -> Layer:
    """Return the layer of a YAML text: safe tags only, no key twice, times of day in quotes."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    hint = "mend the YAML there; quotes around a text help with most of it"
    try:
        reader = loader(text)
        node = reader.get_single_node()
        lines = dict(_lines(node, (), name, set())) if node is not None else {}
        data = reader.construct_document(node) if node is not None else None
    except yaml.YAMLError as error:
        raise RalphError(f"{name}{_place(error, text)}: {_words(error)}", hint=hint) from None
    except (RecursionError, ValueError) as error:  # ValueError: a date such as 2024-13-01
        raise RalphError(f"{name}: cannot be read as YAML: {error}", hint=hint) from None
    if data is None:
        return Layer(source=name, data={})
    if not isinstance(data, Mapping):
        raise RalphError(f"{name}:1: expected keys with values, such as agent: claude", hint=hint)
    return Layer(source=name, data=data, lines=lines)


def _lines(node: yaml.Node, path: tuple[str, ...], name: str, seen: set[int]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield each key path below a node with its 1-based line; RalphError for a key that stands there twice."""
    if id(node) in seen:  # an alias; one that holds itself would never end
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        firsts: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            word = key.value if isinstance(key, yaml.ScalarNode) else "a list or mapping"
            where = f"{name}:{line}: {'.'.join((*path, word))}"
            if key.tag not in _KEY_TAGS:
                raise RalphError(f"{where}: YAML does not read this key as a text", hint="put the key in quotes")
            if word in firsts:
                raise RalphError(f"{where}: stands here twice, first in line {firsts[word]}", hint="remove one")
            firsts[word] = line
            yield (*path, word), line
            yield from _lines(value, (*path, word), name, seen)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value, 1):
            yield (*path, str(number)), item.start_mark.line + 1
            yield from _lines(item, (*path, str(number)), name, seen)
    elif ":" in node.value and node.tag in _NUMBERS:
        where = f"{name}:{node.start_mark.line + 1}: {'.'.join(path)}"  # 7:00 is 420 in YAML 1.1: base sixty
        raise RalphError(f"{where}: YAML reads {node.value} as a number", hint="put it in quotes, or write seconds")


def _place(error: yaml.YAMLError, text: str) -> str:
    """Return ":line:column" of a YAML error, 1-based, or ""."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        return f":{mark.line + 1}:{mark.column + 1}"
    position = getattr(error, "position", None)  # a ReaderError: a character that YAML does not allow
    if not isinstance(position, int):
        return ""
    before = text[:position]
    return f":{before.count(chr(10)) + 1}:{position - before.rfind(chr(10))}"


def _words(error: yaml.YAMLError) -> str:
    """Return what a YAML error says, without its marks and excerpt, on one line."""
    parts = [getattr(error, part, None) for part in ("context", "problem", "reason")]
    return " ".join(": ".join(str(part) for part in parts if part).split()) or "is no YAML"
