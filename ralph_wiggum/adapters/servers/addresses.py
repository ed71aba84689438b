"""Addresses and ports of this machine: where a name leads, which port is free, who listens on one."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import PurePath

from ralph_wiggum.adapters.process_table import ProcessTable, system_table
from ralph_wiggum.adapters.servers.probe import Address
from ralph_wiggum.core.servers.words import Holder

_LOOPBACK: tuple[tuple[int, str], ...] = ((socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1"))
_ANY = frozenset({"localhost", "0.0.0.0", "::", ""})  # noqa: S104 - compared, not bound
_LISTEN = "0A"  # include/net/tcp_states.h
_TRIES = 50


class Names:
    """Where hosts lead. This machine's own names are known (RFC 6761, 6.3); others are looked up once, when asked to.

    To look one up is the only thing here that can wait: for as long as the system's resolver does.
    """

    def __init__(self) -> None:
        self._found: dict[str, tuple[tuple[int, str], ...]] = {}

    def look_up(self, host: str) -> None:
        """Look a name up that does not speak for itself, if that has not been done with success."""
        if _of_itself(host) or self._found.get(host):
            return
        with suppress(OSError, UnicodeError):
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            self._found[host] = tuple((family, str(address[0])) for family, _, _, _, address in found)

    def addresses(self, host: str, port: int) -> tuple[Address, ...]:
        """Return the addresses of a host, none where they are not known. Never waits."""
        return tuple(_address(each, port) for each in _of_itself(host) or self._found.get(host, ()))


def _of_itself(host: str) -> tuple[tuple[int, str], ...]:
    if host.lower() in _ANY or host.lower().endswith(".localhost"):
        return _LOOPBACK
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, host)
            return ((family, host),)
    return ()


def _address(place: tuple[int, str], port: int) -> Address:
    family, host = place
    return (family, (host, port, 0, 0)) if family == socket.AF_INET6 else (family, (host, port))


def is_free(port: int) -> bool:
    """Say whether a server could listen on a port of this machine, at any of its own addresses."""
    return all(_can_bind(place, port) for place in _LOOPBACK)


def free_port(taken: Iterable[int]) -> int:
    """Return a port that nobody listens on and that is not in `taken`; OSError where there is none."""
    avoided = set(taken)
    for _ in range(_TRIES):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as line:
            line.bind(("127.0.0.1", 0))
            port: int = line.getsockname()[1]
        if port not in avoided and is_free(port):
            return port
    raise OSError("no free port was found")


def _can_bind(place: tuple[int, str], port: int) -> bool:
    family, address = _address(place, port)
    try:
        with socket.socket(family, socket.SOCK_STREAM) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that were closed hold nothing
            if family == socket.AF_INET6:
                line.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            line.bind(address)
    except PermissionError:  # a low port: whether it is free cannot be tried out
        return True
    except OSError as error:
        return error.errno != errno.EADDRINUSE  # without IPv6 its address is in nobody's way
    return True


def is_here(host: str) -> bool:
    """Say whether a host is this machine beyond doubt, by a name or an address that every machine has."""
    return host.startswith("127.") or _of_itself(host) == _LOOPBACK or host == "::1"


def holder(port: int, marks: Collection[str] = (), table: ProcessTable | None = None) -> Holder:
    """Return who listens on a port of this machine, as far as that can be found out; reads all of /proc.

    With `marks`, values of RALPH_RUN_ID, it is also looked whether it carries another one (that is not below them).
    """
    table = table or system_table()
    pid = _listener(port)
    if not pid:
        return Holder()
    program = table.program(pid)
    name = PurePath(program.exe or (program.argv[0] if program.argv else "")).name
    elsewhere = bool(marks) and pid in table.marked(None) and pid not in table.marked(marks, below=True)
    return Holder(pid, name, program.cwd, elsewhere)


def _listener(port: int) -> int:
    if sys.platform != "linux":
        return _listener_by_psutil(port)
    links = {f"socket:[{inode}]" for inode in _inodes(port)}
    pids = sorted(int(name) for name in os.listdir("/proc") if name.isdigit()) if links else []  # noqa: PTH208 - many
    return next((pid for pid in pids if links & _links(pid)), 0)


def _inodes(port: int) -> Iterable[str]:
    """Yield the inodes of the sockets that listen on a port (proc(5): net/tcp)."""
    for name in ("tcp", "tcp6"):
        with suppress(OSError), open(f"/proc/net/{name}", encoding="ascii") as file:  # noqa: PTH123 - as above
            for row in file.read().splitlines()[1:]:
                fields = row.split()
                if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]


def _links(pid: int) -> set[str]:
    found: set[str] = set()
    with suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208 - as above
            with suppress(OSError):
                found.add(os.readlink(f"/proc/{pid}/fd/{name}"))  # noqa: PTH115 - as above
    return found


def _listener_by_psutil(port: int) -> int:
    import psutil  # noqa: PLC0415 - heavy, and needed only where there is no /proc

    for process in psutil.process_iter():
        with suppress(psutil.Error):
            connections = (getattr(process, "net_connections", None) or process.connections)(kind="tcp")
            if any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in connections):
                return int(process.pid)
    return 0
