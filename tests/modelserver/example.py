"""The least value that a JSON schema allows: for arguments that a tool requires and for answers in a given form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXT = "what the task asks for"
_PLAIN: Mapping[str, Any] = {"string": TEXT, "integer": 1, "number": 1, "boolean": False, "array": [], "null": None}


def example(schema: Mapping[str, Any]) -> Any:
    """Return a value for a schema: its constant, its first choice, its default, or the least of its type.

    >>> example({"type": "object", "properties": {"a": {"enum": ["x", "y"]}, "b": {}}, "required": ["a"]})
    {'a': 'x'}
    """
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    if "default" in schema:
        return schema["default"]
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return example(schema[key][0])
    kind = schema.get("type", "object" if "properties" in schema else "string")
    name = str(kind[0] if isinstance(kind, list) and kind else kind).lower()  # Gemini writes STRING
    if name == "object":
        properties = schema.get("properties") or {}
        return {each: example(properties.get(each, {})) for each in schema.get("required") or ()}
    return _PLAIN.get(name, TEXT)
