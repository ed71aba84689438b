"""A stand-in for agent-browser that reads pages without a browser.

page_reader.py FOLDER --json COMMAND … speaks agent-browser's JSON, fetches pages for real and keeps a daemon in a
session of its own, as agent-browser does. An element is there if the page holds `<… id="NAME"`, and visible unless
`hidden` follows; `console.error("…")` in a page is an error on its console. FOLDER/looks.jsonl lists the commands;
while FOLDER/no-look exists, everything fails, and while FOLDER/no-wait does, nothing is waited for.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1])
PRIVATE = Path(os.environ["AGENT_BROWSER_SOCKET_DIR"])
PAGE = PRIVATE / "page.json"
DAEMON = PRIVATE / "daemon.pid"
SECONDS = float(os.environ["AGENT_BROWSER_DEFAULT_TIMEOUT"]) / 1000
PNG = b"\x89PNG\r\n\x1a\n"
URL = re.compile(r"(?P<scheme>https?)://(?P<host>[\w.]+):(?P<port>\d+)(?P<path>/\S*)?")

Answer = dict[str, Any]


def good(**data: object) -> Answer:
    return {"success": True, "data": data, "error": None}


def bad(error: str) -> Answer:
    return {"success": False, "data": None, "error": error}


def page() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PAGE.read_text()) if PAGE.exists() else {"url": "about:blank", "text": ""}
    return found


def fetch(url: str) -> Answer:
    """Get a page; what goes wrong is told in Chromium's words."""
    parts = URL.fullmatch(url)
    if parts is None:
        return bad("net::ERR_INVALID_URL")
    try:
        with socket.create_connection((parts["host"], int(parts["port"])), SECONDS) as plain:
            line = secured(plain, parts["host"]) if parts["scheme"] == "https" else plain
            line.sendall(f"GET {parts['path'] or '/'} HTTP/1.0\r\nHost: {parts['host']}\r\n\r\n".encode())
            data = b"".join(iter(lambda: line.recv(65536), b""))
    except ConnectionRefusedError:
        return bad("net::ERR_CONNECTION_REFUSED")
    except TimeoutError:
        return bad(f"Operation timed out after {SECONDS * 1000:.0f}ms")
    except OSError as error:
        return bad("net::ERR_CERT_AUTHORITY_INVALID" if "CERT" in str(error) else "net::ERR_CONNECTION_RESET")
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/"):
        return bad("net::ERR_EMPTY_RESPONSE")
    kept = {"url": url, "status": int(head.split()[1]), "text": body.decode()}
    PAGE.write_text(json.dumps(kept))
    return good(url=url, title="")


def secured(line: socket.socket, host: str) -> socket.socket:
    import ssl  # noqa: PLC0415 - few pages need it

    context = ssl.create_default_context()
    if os.environ.get("AGENT_BROWSER_IGNORE_HTTPS_ERRORS") == "true":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(line, server_hostname=host)


def element(selector: str) -> bool | None:
    """Say whether an element is visible; None where it is not there."""
    found = re.search(rf'<\w+ id="{re.escape(selector.removeprefix("#"))}"(?P<hidden> hidden)?', page()["text"])
    return None if found is None else not found["hidden"]


def told() -> Answer:
    """Answer the runner's script: what is on the page."""
    text = re.sub(r"<[^>]*>", "", page()["text"]).strip()
    return good(
        result={"url": page()["url"], "title": "", "state": "complete", "text": len(text), "things": 0, "ended": []}
    )


def har(path: str) -> Answer:
    entry = {
        "_resourceType": "Document",
        "request": {"url": page()["url"], "method": "GET"},
        "response": {"status": page().get("status", 0)},
    }
    Path(path).write_text(json.dumps({"log": {"entries": [entry] if "status" in page() else []}}))
    return good(path=path)


def wait(seconds: float) -> None:
    """Wait, but not while FOLDER/no-wait exists."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not (FOLDER / "no-wait").exists():
        time.sleep(min(0.05, seconds))


def obey(argv: list[str]) -> Answer:
    """Carry out a command; what is not known here succeeds."""
    match argv:
        case ["open", url]:
            return fetch(url)
        case ["wait", milliseconds] if milliseconds.isdecimal():
            wait(int(milliseconds) / 1000)
        case ["network", "har", "stop", path]:
            return har(path)
        case ["screenshot", path, *_]:
            Path(path).write_bytes(PNG)
        case ["close"]:
            close()
        case _:
            return tell(argv)
    return good()


def tell(argv: list[str]) -> Answer:
    """Answer a question about the page."""
    match argv:
        case ["is", "visible", selector]:
            shown = element(selector)
            return bad("Element not found") if shown is None else good(visible=shown)
        case ["eval", "-b", _]:
            return told()
        case ["console"]:
            errors = re.findall(r'console\.error\("([^"]*)"\)', page()["text"])
            return good(messages=[{"type": "error", "text": text} for text in errors])
        case ["snapshot", *_]:
            return good(snapshot=page()["text"])
    return good(errors=[], requests=[])


def close() -> None:
    PAGE.unlink(missing_ok=True)
    with contextlib.suppress(OSError, ValueError):
        os.kill(int(DAEMON.read_text()), signal.SIGTERM)


def have_daemon() -> None:
    """Start a daemon if there is none: in a session of its own, its parent gone, and deaf to a hang-up."""
    if DAEMON.exists():
        return
    DAEMON.touch()
    if os.fork():
        os.wait()
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    DAEMON.write_text(str(os.getpid()))
    time.sleep(600)
    os._exit(0)


def main() -> int:
    argv = [word for word in sys.argv[2:] if word != "--json"]
    with (FOLDER / "looks.jsonl").open("a") as file:
        file.write(json.dumps(argv) + "\n")
    if (FOLDER / "no-look").exists():
        print(json.dumps(bad("Chrome exited early (exit code: 1)")))
        return 1
    if argv != ["close"]:
        have_daemon()
    if argv[0] == "batch":
        answers = [(each, obey(each.split())) for each in argv[1:]]
        print(
            json.dumps(
                [
                    {"command": each, "success": a["success"], "result": a["data"], "error": a["error"]}
                    for each, a in answers
                ]
            )
        )
        return 0
    answer = obey(argv)
    print(json.dumps(answer))
    return int(not answer["success"])


if __name__ == "__main__":
    sys.exit(main())
