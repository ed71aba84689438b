"""The processes of this machine: who is below whom, since when, with which mark, listening or not.

Linux is read straight from /proc, which is quick and needs no other library (the keeper stays small); elsewhere
psutil answers the same questions.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

MARK = "RALPH_RUN_ID"  # the environment variable that marks every process of a run

_TICK = 1.0 / os.sysconf("SC_CLK_TCK")
_TCP_LISTEN = "0A"  # include/net/tcp_states.h


@dataclass(frozen=True, slots=True)
class Seen:
    """One process as it was seen.

    `started` counts seconds since the machine's boot (Linux) or since 1970 (elsewhere), suspended time included;
    together with the pid it names a process without doubt, as does `birth`, the same as the system writes it.
    `own_cpu` and `ended_cpu` are seconds of CPU, of the process itself and of those of its children that it has
    waited for.
    """

    pid: int
    ppid: int
    session: int
    started: float
    birth: str
    zombie: bool = False
    own_cpu: float = 0.0
    ended_cpu: float = 0.0


@dataclass(frozen=True, slots=True)
class Program:
    """What a process runs: the path of its executable ("" if it cannot be read), its arguments, its folder."""

    exe: str
    argv: tuple[str, ...]
    cwd: str


class ProcessTable(Protocol):
    """What the rest asks of the machine's list of processes. A process that is gone is left out, never an error."""

    def now(self) -> float:
        """Return the present in the terms of `Seen.started`."""
        ...

    def look(self, pid: int) -> Seen | None:
        """Return one process, zombies too, or None."""
        ...

    def everything(self) -> Mapping[int, Seen]:
        """Return all processes, zombies too."""
        ...

    def below(self, root: int) -> Mapping[int, Seen]:
        """Return all descendants of a process, zombies too; one that is just born or orphaned may be missed."""
        ...

    def program(self, pid: int) -> Program:
        """Return what a process runs."""
        ...

    def marked(self, marks: Collection[str] | None, *, below: bool = False) -> Mapping[int, Seen]:
        """Return the living processes of this user that carry one of the marks; None: any mark.

        `below` also takes marks that lie below one of them, "run/server-web" below "run".
        """
        ...

    def listening(self, pids: Iterable[int]) -> bool:
        """Say whether one of the processes listens on a TCP port."""
        ...


class LinuxTable:
    """The process table out of /proc."""

    def __init__(self, root: str = "/proc") -> None:
        self._root = root
        self._children = os.path.exists(f"{root}/self/task/{os.getpid()}/children")  # noqa: PTH110 - pathlib costs
        self._children_of_threads = f"{root}/%d/task"

    def now(self) -> float:
        """Return seconds since boot."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def look(self, pid: int) -> Seen | None:
        """Return one process, zombies too, or None."""
        text = _read(f"{self._root}/{pid}/stat")
        if not text:
            return None
        # proc(5): the name is in brackets and may itself hold brackets and blanks; the state follows the last one.
        field = text[text.rindex(b")") + 2 :].split()
        return Seen(
            pid=pid,
            ppid=int(field[1]),
            session=int(field[3]),
            started=int(field[19]) * _TICK,
            birth=field[19].decode(),
            zombie=field[0] in (b"Z", b"X") and int(field[17]) <= 1,  # a main thread may end before the others
            own_cpu=(int(field[11]) + int(field[12])) * _TICK,
            ended_cpu=(int(field[13]) + int(field[14])) * _TICK,
        )

    def everything(self) -> Mapping[int, Seen]:
        """Return all processes, zombies too."""
        seen = (self.look(int(name)) for name in os.listdir(self._root) if name.isdigit())  # noqa: PTH208 - as above
        return {process.pid: process for process in seen if process is not None}

    def below(self, root: int) -> Mapping[int, Seen]:
        """Return all descendants of a process, zombies too."""
        if not self._children:
            return _descendants(root, self.everything())
        found: dict[int, Seen] = {}
        todo = [root]
        while todo:
            for pid in self._children_of(todo.pop()):
                if pid not in found and (seen := self.look(pid)) is not None:
                    found[pid] = seen
                    todo.append(pid)
        return found

    def program(self, pid: int) -> Program:
        """Return what a process runs."""
        words = _read(f"{self._root}/{pid}/cmdline").rstrip(b"\0").split(b"\0")
        return Program(
            exe=_link(f"{self._root}/{pid}/exe").removesuffix(" (deleted)"),
            argv=tuple(os.fsdecode(word) for word in words) if words != [b""] else (),
            cwd=_link(f"{self._root}/{pid}/cwd"),
        )

    def marked(self, marks: Collection[str] | None, *, below: bool = False) -> Mapping[int, Seen]:
        """Return the living processes of this user that carry one of the marks."""
        pids = [int(name) for name in os.listdir(self._root) if name.isdigit()]  # noqa: PTH208 - as above
        own = (pid for pid in pids if _own(f"{self._root}/{pid}"))
        found = (self.look(pid) for pid in own if _fits(self._mark(pid), marks, below=below))
        return {seen.pid: seen for seen in found if seen is not None and not seen.zombie}

    def listening(self, pids: Iterable[int]) -> bool:
        """Say whether one of the processes listens on a TCP port."""
        return any(self._listens(pid) for pid in pids)

    def _children_of(self, pid: int) -> Iterable[int]:
        tasks = self._children_of_threads % pid
        try:
            threads = os.listdir(tasks)  # noqa: PTH208 - as above
        except OSError:
            return
        for thread in threads:
            yield from map(int, _read(f"{tasks}/{thread}/children").split())

    def _mark(self, pid: int) -> str | None:
        """Return the mark of a process, None if it has none or cannot be looked into."""
        variables = _read(f"{self._root}/{pid}/environ")
        prefix = f"{MARK}=".encode()
        if prefix not in variables:
            return None
        words = (word for word in variables.split(b"\0") if word.startswith(prefix))
        return next((os.fsdecode(word[len(prefix) :]) for word in words), None)

    def _listens(self, pid: int) -> bool:
        folder = f"{self._root}/{pid}/fd"
        try:
            links = {_link(f"{folder}/{name}") for name in os.listdir(folder)}  # noqa: PTH208 - as above
        except OSError:
            return False
        if not any(link.startswith("socket:[") for link in links):
            return False
        tables = (_read(f"{self._root}/{pid}/net/{name}") for name in ("tcp", "tcp6"))
        return any(f"socket:[{inode}]" in links for table in tables for inode in _listening_inodes(table.decode()))


class PsutilTable:
    """The process table by psutil, for systems without /proc; slower, and blind where the system hides things."""

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    def look(self, pid: int) -> Seen | None:
        """Return one process, zombies too, or None."""
        import psutil  # noqa: PLC0415 - costs 18 ms, and is not needed on Linux

        try:
            process = psutil.Process(pid)
            with process.oneshot():
                zombie = process.status() == psutil.STATUS_ZOMBIE
                times = None if zombie else process.cpu_times()
                return Seen(
                    pid=pid,
                    ppid=process.ppid(),
                    session=_session(pid),
                    started=process.create_time(),
                    birth=str(process.create_time()),
                    zombie=zombie,
                    own_cpu=times.user + times.system if times else 0.0,
                    ended_cpu=getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0),
                )
        except psutil.Error:
            return None

    def everything(self) -> Mapping[int, Seen]:
        """Return all processes, zombies too."""
        import psutil  # noqa: PLC0415 - as above

        found = (self.look(pid) for pid in psutil.pids())
        return {seen.pid: seen for seen in found if seen is not None}

    def below(self, root: int) -> Mapping[int, Seen]:
        """Return all descendants of a process, zombies too."""
        return _descendants(root, self.everything())

    def program(self, pid: int) -> Program:
        """Return what a process runs."""
        import psutil  # noqa: PLC0415 - as above

        try:
            info = psutil.Process(pid).as_dict(["exe", "cmdline", "cwd"])
        except psutil.Error:
            return Program("", (), "")
        return Program(info["exe"] or "", tuple(info["cmdline"] or ()), info["cwd"] or "")

    def marked(self, marks: Collection[str] | None, *, below: bool = False) -> Mapping[int, Seen]:
        """Return the living processes of this user that carry one of the marks."""
        import psutil  # noqa: PLC0415 - as above

        found: dict[int, Seen] = {}
        for process in psutil.process_iter(["environ", "uids"]):
            uids, mark = process.info["uids"], (process.info["environ"] or {}).get(MARK)
            if uids is None or uids.real != os.getuid() or not _fits(mark, marks, below=below):
                continue
            if (seen := self.look(process.pid)) is not None and not seen.zombie:
                found[seen.pid] = seen
        return found

    def listening(self, pids: Iterable[int]) -> bool:
        """Say whether one of the processes listens on a TCP port."""
        import psutil  # noqa: PLC0415 - as above

        for pid in pids:
            try:
                process = psutil.Process(pid)
                # psutil before 6 has the older name
                connections = (getattr(process, "net_connections", None) or process.connections)(kind="tcp")
            except psutil.Error:
                continue
            if any(connection.status == psutil.CONN_LISTEN for connection in connections):
                return True
        return False


def system_table() -> ProcessTable:
    """Return the process table of this system."""
    return LinuxTable() if sys.platform == "linux" else PsutilTable()


def ancestors(table: ProcessTable, pid: int) -> frozenset[int]:
    """Return a process and all that are above it."""
    found: set[int] = set()
    while pid > 0 and pid not in found:
        found.add(pid)
        seen = table.look(pid)
        pid = seen.ppid if seen is not None else 0
    return frozenset(found)


def _fits(mark: str | None, marks: Collection[str] | None, *, below: bool) -> bool:
    if mark is None or marks is None:
        return mark is not None
    return mark in marks or (below and any(mark.startswith(f"{each}/") for each in marks))


def _descendants(root: int, everything: Mapping[int, Seen]) -> dict[int, Seen]:
    children: dict[int, list[Seen]] = {}
    for seen in everything.values():
        children.setdefault(seen.ppid, []).append(seen)
    found: dict[int, Seen] = {}
    todo = [root]
    while todo:
        for seen in children.get(todo.pop(), ()):
            if seen.pid not in found:
                found[seen.pid] = seen
                todo.append(seen.pid)
    return found


def _listening_inodes(table: str) -> Sequence[str]:
    rows = (line.split() for line in table.splitlines()[1:])
    return [row[9] for row in rows if len(row) > 9 and row[3] == _TCP_LISTEN]  # noqa: PLR2004 - columns of proc(5)


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def _own(folder: str) -> bool:
    try:
        return os.stat(folder).st_uid == os.getuid()  # noqa: PTH116 - as above
    except OSError:
        return False


def _read(path: str) -> bytes:
    """Return a file's bytes, or none where the process is gone or hidden."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        pieces = []
        while piece := os.read(descriptor, 1 << 16):
            pieces.append(piece)
        return b"".join(pieces)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _link(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115 - as above
    except OSError:
        return ""
