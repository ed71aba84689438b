"""The id of a run: of its folder, its processes, its journal. Light, for those that must not import the wiring."""

from __future__ import annotations

import os
from datetime import datetime


def new_run_id(now: datetime) -> str:
    """Return the id of a run: the time and a random part, sortable."""
    return f"{now:%Y%m%d-%H%M%S}-{os.urandom(2).hex()}"
