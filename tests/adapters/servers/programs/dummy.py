"""A throwaway server that does what servers do to people: dummy.py PORT [WORD[=VALUE] …].

host=ADDRESS    listen there (default 127.0.0.1)
status=N        answer with that code; status=@FILE: with the one in a file, read for every answer
silent          accept, and never answer
drip            answer one byte a second, and never come to the end of the line
hang_up         accept, and close
greet=TEXT      say something that is no HTTP
tls=FILE        speak TLS with the certificate and key of that file
late=SECONDS    listen only after that time
die=SECONDS     end with exit code 7 after that time
stubborn        ignore TERM, INT and HUP
away            in a session of its own
say=TEXT        print a line, once it listens
pids=FILE       add the pid to a file
code=FILE       answer with what that file held when it was started, as a server without a reloader does
spoil=FILE      once there is such a file, take it away and answer 500 from then on
big             answer with two megabytes, and complain if they are not taken
"""

from __future__ import annotations

import os
import signal
import socket
import ssl
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

PORT = int(sys.argv[1])
WORDS = dict(word.partition("=")[::2] for word in sys.argv[2:])


CODE = Path(WORDS["code"]).read_bytes() if "code" in WORDS else b"xxxxx"
SPOILT: list[str] = []


def status() -> str:
    with suppress(FileNotFoundError):
        if "spoil" in WORDS:
            Path(WORDS["spoil"]).unlink()
            SPOILT.append("500")
    if SPOILT:
        return SPOILT[0]
    wanted = WORDS.get("status", "200")
    return Path(wanted[1:]).read_text().strip() if wanted.startswith("@") else wanted


def answer(line: socket.socket) -> None:
    if "silent" in WORDS:
        time.sleep(1000)
    if "drip" in WORDS:
        for byte in b"HTTP/1.1 200" + b" " * 1000:
            line.sendall(bytes([byte]))
            time.sleep(1)
    if "greet" in WORDS:
        line.sendall(WORDS["greet"].encode() + b"\r\n")
    elif "hang_up" not in WORDS and line.recv(65536):
        body = b"x" * (2 << 20) if "big" in WORDS else CODE
        head = f"HTTP/1.1 {status()} Whatever\r\nContent-Length: {len(body)}\r\n\r\n"
        line.sendall(head.encode())
        time.sleep(0.05 if "big" in WORDS else 0)
        line.sendall(body)


def serve(line: socket.socket) -> None:
    try:
        if "tls" in WORDS:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(WORDS["tls"])
            line = context.wrap_socket(line, server_side=True)
        answer(line)
    except OSError as error:
        print("trouble with a client:", error, flush=True)
    line.close()


if "away" in WORDS:
    os.setsid()
if "stubborn" in WORDS:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
if "pids" in WORDS:
    with Path(WORDS["pids"]).open("a") as file:
        file.write(f"{os.getpid()}\n")
if "die" in WORDS:
    threading.Timer(float(WORDS["die"]), lambda: os._exit(7)).start()
time.sleep(float(WORDS.get("late", "0")))
host = WORDS.get("host", "127.0.0.1")
server = socket.create_server((host, PORT), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
print(WORDS.get("say", f"listening on {PORT}"), flush=True)
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
