"""A site with good and bad pages: site.py prints its port and serves until it is ended."""

from __future__ import annotations

import base64
import hashlib
import http.server
import socketserver
import sys
import time
from contextlib import suppress

BUTTON = "<button data-testid=go {}>Go</button>"
PAGES = {
    "/": "<title>Home</title><h1 data-testid=go>Hello</h1>",
    "/hidden": "<h1>Hidden</h1>" + BUTTON.format("style='display:none'"),
    "/console": "<h1>C</h1><script>console.error('an error line', {a: 1}); console.warn('w')</script>",
    "/uncaught": "<h1>U</h1><script>setTimeout(() => { throw new Error('boom') }, 0)</script>",
    "/blank": "<title>Blank</title><div id=root></div>",
    "/canvas": "<canvas width=100 height=100></canvas>",
    "/shadow": "<p></p><script>document.body.attachShadow({mode: 'open'}).innerHTML = '<p>Shadow</p>'</script>",
    "/drawn-late": "<div id=root></div><script>setTimeout(() => root.textContent = 'late', 700)</script>",
    "/late": "<h1>L</h1><script>setTimeout(() => document.body.innerHTML += `" + BUTTON.format("") + "`, 600)</script>",
    "/missing-fetch": "<h1>F</h1><script>fetch('/missing.json')</script>",
    "/missing-image": "<h1>F</h1><img src=/nope.png>",
    "/broken-fetch": "<h1>F</h1><script>fetch('/500')</script>",
    "/refused": "<h1>F</h1><script>fetch('http://localhost:PORT/x').catch(() => {})</script>",
    "/aborted": "<h1>A</h1><script>const c = new AbortController(); fetch('/slow', {signal: c.signal}).catch(() => {});"
    " setTimeout(() => c.abort(), 50)</script>",
    "/loads": "<h1>Loading</h1><script>fetch('/slow').then(() => console.error('after the answer'))</script>",
    "/sockets": "<h1>S</h1><script>new WebSocket(`ws://${location.host}/ws`); new EventSource('/events')</script>",
    "/form": '<h1>Form</h1><input data-testid=name><button data-testid=go onclick="document.body.append('
    "'Hello ' + document.querySelector('input').value)\">Go</button>",
    "/single": "<h1>One</h1><button data-testid=go onclick=\"history.pushState({}, '', '/single/two')\">Go</button>",
    "/frame": "<h1>Frame</h1><iframe src=/nowhere></iframe>",
    "/alert": "<h1>Alert</h1><script>setTimeout(() => alert('hi'), 100)</script>",
    "/loop": "<h1>Loop</h1><script>setTimeout(() => { while (true); }, 300)</script>",
    "/link": "<h1>Link</h1><a data-testid=go href=/500>on</a>",
}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers; says nothing."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the standard library
        return

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        match path:
            case "/500":
                self._answer(500, "<h1>Broken</h1>")
            case "/redirect":
                self._answer(302, "", Location="/")
            case "/slow":
                time.sleep(1.5)
                self._answer(200, "<h1>Slow</h1>")
            case "/never":
                time.sleep(1000)
            case "/ws":
                self._socket()
            case "/events":
                self._events()
            case _ if path in PAGES:
                self._answer(200, PAGES[path].replace("PORT", sys.argv[1]))
            case _:
                self._answer(404, "<h1>Not found</h1>")

    def _answer(self, status: int, body: str, **headers: str) -> None:
        data = body.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "text/html", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(data)

    def _socket(self) -> None:
        key = f"{self.headers['Sec-WebSocket-Key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 4.2.2
        accept = base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest()).decode()
        self.send_response(101)
        for name, value in {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept}.items():
            self.send_header(name, value)
        self.end_headers()
        time.sleep(60)

    def _events(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        with suppress(OSError):
            for _ in range(120):
                self.wfile.write(b"data: x\n\n")
                self.wfile.flush()
                time.sleep(0.5)


class Site(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    with Site(("127.0.0.1", 0), Handler) as site:
        print(site.server_port, flush=True)
        site.serve_forever()
