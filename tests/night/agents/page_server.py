"""A development server: page_server.py PORT [WORD[=VALUE] …]. It serves the files of its folder, "/" as page.html.

status=N        answer everything with that code
die=SECONDS     end with exit code 7 after that time
frozen          serve page.html as it was at the start, as a server does that does not reload
crash=PATH      end with exit code 7 when that path is asked for
stale=SECONDS   serve "<h1>Before</h1>" for so long after a file was changed, as reloaders that poll do
reload          serve from a child in a session of its own that ignores TERM, as some reloaders do
note=FILE       add a line to a file for each start: the words behind PORT, and the pid
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from pathlib import Path

PORT = int(sys.argv[1])
WORDS = dict(word.partition("=")[::2] for word in sys.argv[2:])
FROZEN = Path("page.html").read_bytes() if "frozen" in WORDS else b""


def content(path: str) -> bytes | None:
    if path == "/" and FROZEN:
        return FROZEN
    file = Path("page.html" if path == "/" else path.lstrip("/"))
    if "stale" in WORDS and file.is_file() and time.time() - file.stat().st_mtime < float(WORDS["stale"]):
        return b"<h1>Before</h1>"
    return file.read_bytes() if file.is_file() else None


def answer(line: socket.socket) -> None:
    """Answer one request; one that does not come within a second is none."""
    line.settimeout(1.0)
    asked = line.recv(65536).decode("latin-1").split()
    if len(asked) < 2:
        return
    if asked[1] == WORDS.get("crash"):
        os._exit(7)
    found = content(asked[1])
    status = int(WORDS.get("status", "404" if found is None else "200"))
    body = found or b"nothing here"
    line.sendall(f"HTTP/1.0 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


def serve() -> None:
    end = time.monotonic() + float(WORDS.get("die", "inf"))
    listener = socket.create_server(("127.0.0.1", PORT))
    print(f"listening on {PORT}", flush=True)
    while time.monotonic() < end:
        wait = None if "die" not in WORDS else max(0.0, end - time.monotonic())
        if not select.select([listener], [], [], wait)[0]:
            continue
        line, _ = listener.accept()
        with line:
            try:
                answer(line)
            except OSError as error:
                print("trouble with a client:", error, flush=True)
    sys.exit(7)


def main() -> None:
    if "note" in WORDS:
        with Path(WORDS["note"]).open("a") as file:
            file.write(f"{PORT} {os.getpid()}\n")
    if "reload" in WORDS:
        if os.fork():
            os.wait()
            return
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    serve()


if __name__ == "__main__":
    main()
