"""What the small files of a git folder may hold (gitrepository-layout(5)): pure looks at their bytes."""

from __future__ import annotations

import re

_ID = rb"(?:[0-9a-f]{64}|[0-9a-f]{40})"
_NAME = rb"refs/[^\x00-\x20~^:?*\[\\\x7f]+"
_HEAD = re.compile(rb"ref:\s*" + _NAME + rb"\s*|" + _ID + rb"\s*")
_REF = re.compile(rb"ref:\s*" + _NAME + rb"\s*|" + _ID + rb"\s.*|" + _ID, re.DOTALL)
_PACKED = re.compile(rb"(?:#[^\n]*\n|" + _ID + rb" " + _NAME + rb"\n|\^" + _ID + rb"\n)*")
_PACKED_REF = re.compile(rb"^(" + _ID + rb") (" + _NAME + rb")$", re.MULTILINE)
_REFLOG = re.compile(rb"^" + _ID + rb" (" + _ID + rb") [^\n]*$", re.MULTILINE)
_INDEX_HEADER_BYTES = 12  # "DIRC", version, number of entries (gitformat-index(5))
_INDEX_VERSIONS = range(2, 5)


def sound_head(content: bytes) -> bool:
    r"""Say whether git takes this for a HEAD: the name of a ref, or an id.

    >>> sound_head(b"ref: refs/heads/main\n"), sound_head(b"garbage"), sound_head(b"")
    (True, False, False)
    """
    return _HEAD.fullmatch(content) is not None


def sound_ref(content: bytes) -> bool:
    """Say whether a loose ref holds an id, or the name of another ref; an id of zeros is none."""
    return _REF.fullmatch(content) is not None and content[:40].strip(b"0") != b""


def sound_packed(content: bytes) -> bool:
    """Say whether packed-refs holds whole lines of refs and nothing else."""
    return _PACKED.fullmatch(content) is not None


def sound_index(content: bytes) -> bool:
    """Say whether an index begins as one; what follows is for git to judge."""
    version = int.from_bytes(content[4:8], "big")
    return len(content) >= _INDEX_HEADER_BYTES and content[:4] == b"DIRC" and version in _INDEX_VERSIONS


_JUDGES = {"HEAD": sound_head, "index": sound_index, "packed-refs": sound_packed}


def is_judged(name: str) -> bool:
    """Say whether anything is asked of a file of that name in git's folder."""
    return name in _JUDGES or name.startswith("refs/")


def sound(name: str, content: bytes) -> bool:
    """Say whether git can read what a file of that name in its folder holds, as far as that is known."""
    return sound_ref(content) if name.startswith("refs/") else _JUDGES.get(name, lambda _: True)(content)


def ref_id(content: bytes) -> str:
    """Return the id in a loose ref or a HEAD; "" where it names another ref, or is no ref."""
    found = re.match(_ID, content)
    return found[0].decode() if found else ""


def packed_refs(content: bytes) -> dict[str, str]:
    """Return name -> id of every whole line of packed-refs."""
    return {name.decode("utf-8", "surrogateescape"): at.decode() for at, name in _PACKED_REF.findall(content)}


def reflog_ids(content: bytes) -> list[str]:
    """Return where a ref was, by its reflog, the newest first; torn lines are left out."""
    return [found.decode() for found in reversed(_REFLOG.findall(content))]
