"""A lab for each test; nothing that a test started may be left when it ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.adapters.servers.lab import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path, f"test-{os.getpid()}-{tmp_path.name}")
    yield made
    for each in made.sets:
        each.stop()
    left = made.alive()
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert not left, "something of the test's servers was left alive"
