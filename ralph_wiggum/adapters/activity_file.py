"""activity.md on disk (ports.ActivityLog): a block of fixed size rewritten in place, entries appended below it.

No cost here grows with the log: the block is one write at the start, an entry one write at the end, and only the
last 64 KiB are looked at to see whether an entry is there already.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from ralph_wiggum.adapters.rights import give_back
from ralph_wiggum.adapters.whole_file import make_way, replace_file
from ralph_wiggum.core import activity, log_block

TAIL = 64 << 10
HEAD = 64 << 10
CHUNK = 1 << 20
SURE = 5  # bytes of a heading, "## [2", by which one that was cut off is known


class ActivityFile:
    """The log of one spec. Text that others wrote into it stays (O29)."""

    def __init__(self, path: Path, spec: str = "") -> None:
        self._path = path
        self._spec = spec or path.parent.name
        self._last_block = b""
        self._looked = False  # for a block that stands there twice: once a process, for it costs more

    def status(self, block: str) -> None:
        """Rewrite the status block; one that is torn, doubled or not there yet is built anew above what is there."""
        self._last_block = log_block.fixed_size(block).encode()
        fd = self._open(os.O_RDWR)
        try:
            size = log_block.BLOCK_BYTES if self._looked else HEAD
            if not log_block.has_one_block(os.pread(fd, size, 0)):
                self._rebuild(fd)
            else:
                os.pwrite(fd, self._last_block, 0)
            self._looked = True
        finally:
            os.close(fd)

    def append(self, entry_id: str, text: str) -> None:
        """Append an entry with its id, unless the id stands in the last 64 KiB; a half of it that a crash left goes."""
        fd = self._open(os.O_RDWR | os.O_APPEND)
        try:
            size = os.fstat(fd).st_size
            tail = os.pread(fd, TAIL, max(0, size - TAIL))
            marker = activity.marker(entry_id).encode()
            if marker in tail:
                return
            whole = text.encode("utf-8", "replace").rstrip(b"\n") + b"\n" + marker + b"\n"
            if half := _begun(tail, whole):
                size -= half
                os.ftruncate(fd, size)
                tail = tail[:-half]
            gap = b"\n" if tail.endswith(b"\n") else b"\n\n"
            _append(fd, (b"" if half else gap) + whole, size)
        finally:
            os.close(fd)

    def has(self, entry_id: str) -> bool:
        """Say whether an entry with this id stands in the last 64 KiB."""
        try:
            with self._path.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
                return activity.marker(entry_id).encode() in file.read()
        except OSError:  # it is not there, or something that an agent put in its place
            return False

    def missing(self, entry_ids: Iterable[str]) -> frozenset[str]:
        """Return those of the ids that stand nowhere in the log; the whole of it is read, in pieces."""
        wanted = set(entry_ids)
        longest = max((len(activity.marker(each)) for each in wanted), default=0)
        before = b""
        try:
            with self._path.open("rb") as file:
                while wanted and (piece := file.read(CHUNK)):
                    text = before + piece
                    wanted -= {each for each in wanted if activity.marker(each).encode() in text}
                    before = text[-longest:]  # a marker may stand across two pieces
        except OSError:
            pass
        return frozenset(wanted)

    def _open(self, flags: int) -> int:
        """Open the file for a block or an entry; where there is none, begin one with a block.

        A folder, a pipe or a link that leads nowhere makes way: it is kept beside the new file. Rights that were taken
        away are given back. OSError where none of that helps.
        """
        for last in (False, False, False, True):
            try:
                fd = os.open(self._path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                if last or not self._prepared(error):
                    raise
            else:
                if stat.S_ISREG(os.fstat(fd).st_mode):
                    return fd
                os.close(fd)
                make_way(self._path)
        raise OSError(errno.EINVAL, "it is no file, again and again", str(self._path))

    def _prepared(self, error: OSError) -> bool:
        """Do what may help after a failure to open the file; say whether there was anything to do."""
        if isinstance(error, FileNotFoundError) and not (self._path.is_symlink() and _leads_nowhere(self._path)):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._path, (self._block(),))
            return True
        if isinstance(error, PermissionError):
            return any((give_back(self._path.parent), give_back(self._path, write=True)))
        if error.errno in {errno.ENOENT, errno.EISDIR, errno.ELOOP, errno.ENXIO}:
            make_way(self._path)
            return True
        return False

    def _block(self) -> bytes:
        return self._last_block or log_block.fixed_size(log_block.empty_block(self._spec)).encode()

    def _rebuild(self, fd: int) -> None:
        """Put a whole block above the text of the log; what is left of torn, displaced or doubled ones goes."""
        head = log_block.without_blocks(os.pread(fd, HEAD, 0))
        replace_file(self._path, _parts(self._block() + head, fd, HEAD))


def _begun(tail: bytes, entry: bytes) -> int:
    """Return how many bytes of an entry stand at the end of the log already, without the rest of it."""
    at = tail.rfind(b"\n" + entry[:SURE]) + 1
    return len(tail) - at if at and entry.startswith(tail[at:]) else 0


def _append(fd: int, data: bytes, size: int) -> None:
    """Write at the end of the file in one write; nothing stays of what could not be written whole."""
    written = os.write(fd, data)
    if written == len(data):
        return
    try:
        os.write(fd, data[written:])  # raises what stood in the way
    except OSError:
        os.ftruncate(fd, size)
        raise


def _leads_nowhere(path: Path) -> bool:
    return not Path(os.path.realpath(path)).parent.is_dir()


def _parts(head: bytes, fd: int, start: int) -> Iterator[bytes]:
    yield head
    while part := os.pread(fd, CHUNK, start):
        yield part
        start += len(part)
