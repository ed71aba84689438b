"""Whether a file of git's object store holds what its name, or its own checksum, says."""

from __future__ import annotations

import hashlib
import os
import zlib
from pathlib import Path
from typing import Any

_CHUNK = 1 << 20
_LONG_NAME = 62  # of a loose object in a SHA-256 repository, without the two characters of its folder
_CHECKED = (".pack", ".idx", ".rev", ".mtimes")  # these end with a checksum (gitformat-pack(5))
_SHA1_BYTES, _SHA256_BYTES = 20, 32


def intact(path: Path) -> bool:
    """Say whether an object or a pack can be trusted; reads all of it. What cannot be read cannot be."""
    try:
        if path.parent.name == "pack":
            return path.suffix not in _CHECKED or _ends_with_checksum(path)
        return _is_named_after_content(path)
    except (OSError, zlib.error):
        return False


def _is_named_after_content(path: Path) -> bool:
    digest = _digest(long=len(path.name) == _LONG_NAME)
    unpack = zlib.decompressobj()
    with path.open("rb") as file:
        while chunk := unpack.unconsumed_tail or file.read(_CHUNK):
            digest.update(unpack.decompress(chunk, _CHUNK))
    digest.update(unpack.flush())
    return bool(unpack.eof and digest.hexdigest() == path.parent.name + path.name)


def _ends_with_checksum(path: Path) -> bool:
    # the name of a pack is as long as the ids in it
    long = len(path.stem.removeprefix("pack-")) == 2 * _SHA256_BYTES
    digest, size = _digest(long=long), _SHA256_BYTES if long else _SHA1_BYTES
    with path.open("rb") as file:
        left = os.fstat(file.fileno()).st_size - size
        while left > 0 and (chunk := file.read(min(_CHUNK, left))):
            digest.update(chunk)
            left -= len(chunk)
        return left == 0 and file.read() == digest.digest()


def _digest(*, long: bool) -> Any:
    return hashlib.sha256(usedforsecurity=False) if long else hashlib.sha1(usedforsecurity=False)
