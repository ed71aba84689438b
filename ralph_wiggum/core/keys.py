"""Keys of tasks as names of files."""

from __future__ import annotations

LONGEST_NAME = 80


def file_name(key: str) -> str:
    """Return a task's key as a file name without an ending: letters, digits and `.-@~_` stay, at most 80 characters.

    >>> file_name("2.1@3"), file_name("~set up / run")
    ('2.1@3', '~set_up___run')
    """
    return "".join(letter if letter.isalnum() or letter in ".-@~_" else "_" for letter in key)[:LONGEST_NAME]
