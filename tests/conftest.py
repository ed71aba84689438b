"""What holds for every test: Ctrl-C reaches the programs that a test starts."""

from __future__ import annotations

import signal

# A shell starts what it puts in the background with SIGINT ignored, which every child would inherit (POSIX, 2.11).
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
