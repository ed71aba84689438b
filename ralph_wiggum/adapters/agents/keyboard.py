"""Typing on a terminal from the other end: a prompt of any length, and the replies that every terminal gives."""

from __future__ import annotations

import os
import select
import termios

from ralph_wiggum.core.terminal import clean

PIECE_BYTES = 4000  # a terminal in line mode drops what goes past 4,095 bytes of a line (Linux: N_TTY_BUF_SIZE)

PASTE_ON = b"\x1b[?2004h"
PASTE_OFF = b"\x1b[?2004l"

# Programs that draw ask what they run on and wait for the reply: cursor position, status, kind of terminal.
REPLIES = (
    (b"\x1b[6n", b"\x1b[1;1R"),
    (b"\x1b[5n", b"\x1b[0n"),
    (b"\x1b[c", b"\x1b[?62;22c"),
    (b"\x1b[0c", b"\x1b[?62;22c"),
)
REPLY_WINDOW = 64  # bytes at the end of what was printed: a program that asks waits, so nothing follows


def replies(printed: bytes) -> bytes:
    """Return what a terminal replies to the questions for a terminal at the end of what was printed, or b""."""
    end = printed[-REPLY_WINDOW:]
    return b"".join(reply for query, reply in REPLIES if query in end)


def send(fd: int, data: bytes) -> int:
    """Type bytes without waiting; return how many were taken, 0 where the terminal is full or gone."""
    try:
        return os.write(fd, data)
    except OSError:  # BlockingIOError: full; EIO: nobody has the other end open
        return 0


class Typist:
    """Types a prompt as fast as the program reads it, without ever blocking.

    In line mode a long line is handed over in pieces, each ended by the end-of-file character, which delivers what
    was typed so far and is no end of the file in the middle of a line (POSIX, General Terminal Interface); so no
    line is too long. At the end comes Enter, then the end of the file: nobody will type more. A program that switched
    line mode off gets the text as a paste where it asked for that, then Enter.
    """

    def __init__(self, fd: int, prompt: str) -> None:
        self._fd = fd
        self._prompt = clean(prompt).encode("utf-8").removesuffix(b"\n")
        self._left: bytes | None = None

    @property
    def begun(self) -> bool:
        """Say whether typing has begun."""
        return self._left is not None

    @property
    def done(self) -> bool:
        """Say whether all has been typed."""
        return self._left == b""

    def begin(self, printed: bytes) -> None:
        """Choose the way of typing by the state of the terminal and by what the program printed so far."""
        attributes = termios.tcgetattr(self._fd)
        if attributes[3] & termios.ICANON:
            self._left = in_lines(self._prompt, attributes[6][termios.VEOF])
        elif printed.rfind(PASTE_ON) > printed.rfind(PASTE_OFF):
            self._left = b"\x1b[200~" + self._prompt + b"\x1b[201~\r"
        else:
            self._left = self._prompt + b"\r"

    def go_on(self, patience: float) -> None:
        """Type until all is typed or the terminal takes no more for `patience` seconds."""
        ready = select.poll()
        ready.register(self._fd, select.POLLOUT)
        while self._left and any(event & select.POLLOUT for _, event in ready.poll(patience * 1000)):
            taken = send(self._fd, self._left[: 64 * 1024])
            if not taken:
                return
            self._left = self._left[taken:]


def in_lines(prompt: bytes, end_of_file: bytes) -> bytes:
    """Return what has to be typed in line mode so that the program reads exactly the prompt and a newline."""
    lines = []
    for line in prompt.split(b"\n"):
        pieces = [line[start : start + PIECE_BYTES] for start in range(0, len(line), PIECE_BYTES)]
        lines.append(end_of_file.join(pieces) + b"\n")
    return b"".join(lines) + end_of_file
