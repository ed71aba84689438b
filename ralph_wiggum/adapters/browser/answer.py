"""What agent-browser printed -> replies: JSON of two versions, errors of its own making, floods."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ralph_wiggum.adapters.capped_log import Tail
from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.visual.page import Request
from ralph_wiggum.core.visual.reply import Reply

LARGEST = 16 << 20  # bytes of an answer; a snapshot of a page with 10,000 elements has one
HAR_LARGEST = 64 << 20
_READ = 1 << 20
_ERROR = 2000  # characters of an error that are kept

# The tool's or the browser's own trouble, not the page's (agent-browser 0.27 and 0.41).
_BROKEN = re.compile(
    r"chrome (?:exited|not found)|failed to launch|no usable sandbox|auto-launch failed|could not (?:find|locate) chrom"
    r"|failed to connect|daemon (?:failed|exited|did not|process)|browser (?:not launched|closed|crashed|disconnected)"
    r"|(?:target|page|tab) crashed|target closed|tab_gone|cdp (?:connection|response channel) closed"
    r"|websocket (?:connection )?(?:closed|error)|broken pipe|connection reset|no active page",
    re.IGNORECASE,
)


class Heard:
    """One output of the tool, as the process loop reads it: the beginning is kept, the rest only counted."""

    def __init__(self, descriptor: int, *, largest: int = LARGEST) -> None:
        self._descriptor = descriptor
        self._largest = largest
        self._kept = bytearray()
        self._end = Tail(_ERROR)
        self.total = 0
        os.set_blocking(descriptor, False)

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._descriptor

    def read(self) -> int:
        """Read what is there; return how many bytes, 0 at the end. BlockingIOError: nothing now."""
        data = os.read(self._descriptor, _READ)
        self.total += len(data)
        self._end.add(data)
        if room := self._largest - len(self._kept):
            self._kept += data[:room]
        return len(data)

    def quiet(self, seconds: float) -> bool:  # noqa: ARG002 - the loop's interface; nobody is asked anything
        """Never end the command for its silence."""
        return False

    def close(self) -> None:
        """Close the descriptor; may be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @property
    def flooded(self) -> bool:
        """Say whether more came than is kept."""
        return self.total > self._largest

    @property
    def text(self) -> str:
        """Return what was kept."""
        return self._kept.decode("utf-8", errors="replace")

    @property
    def end(self) -> str:
        """Return the end as one clean line."""
        return plain(self._end.text(), _ERROR)


def read_one(text: str, seconds: float) -> Reply | None:
    """Return the reply in an output of `--json`; None where there is none."""
    found = _json(text)
    return _reply(found, found.get("data"), seconds) if isinstance(found, Mapping) and "success" in found else None


def read_batch(text: str, seconds: float) -> tuple[Reply, ...] | None:
    """Return the replies in an output of `batch --json`; None where there are none. The last one has the seconds."""
    found = _json(text)
    if not isinstance(found, Sequence) or not all(isinstance(each, Mapping) for each in found):
        return None
    last = len(found) - 1
    return tuple(_reply(each, each.get("result"), seconds if at == last else 0.0) for at, each in enumerate(found))


def read_requests(har: str) -> tuple[Request, ...]:
    """Return the requests in a HAR file that agent-browser wrote: what was not answered has status 0 and why."""
    try:
        entries = json.loads(har)["log"]["entries"]
        return tuple(_request(entry) for entry in entries)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()


def read_listed(data: Mapping[str, Any]) -> tuple[Request, ...]:
    """Return the requests that `network requests` lists; what has no answer there cannot be told from what waits."""
    listed = data.get("requests")
    return tuple(
        Request(
            url=str(each.get("url", "")),
            kind=str(each.get("resourceType", "")).lower(),
            method=str(each.get("method", "GET")),
            status=_status(each.get("status")),
        )
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, Mapping)
    )


def broken(error: str, seconds: float = 0.0) -> Reply:
    """Return the reply for a tool that did not do its work."""
    return Reply(ok=False, error=plain(error, _ERROR), seconds=seconds, broken=True)


def _reply(found: Mapping[str, Any], data: object, seconds: float) -> Reply:
    values = {name: value for name, value in data.items() if name != "lifecycle"} if isinstance(data, Mapping) else {}
    error = found.get("error")
    said = plain(error if isinstance(error, str) else "" if error is None else json.dumps(error), _ERROR)
    ok = found.get("success") is True
    trouble = not ok and not said.startswith("Evaluation error") and _BROKEN.search(said) is not None
    return Reply(ok=ok, data=values, error=said, seconds=seconds, broken=trouble)


def _json(text: str) -> object:
    """Return the value that a text is, or that its last line is which holds one: warnings may stand before it."""
    lines = text.strip().splitlines()
    for candidate in (text.strip(), *(line.strip() for line in reversed(lines))):
        if candidate.startswith(("{", "[")):
            try:
                return json.loads(candidate)
            except (ValueError, RecursionError):
                continue
    return None


def _request(entry: Mapping[str, Any]) -> Request:
    answered = entry.get("response") or {}
    status = _status(answered.get("status"))
    asked = entry["request"]
    return Request(
        url=str(asked["url"]),
        kind=str(entry.get("_resourceType", "")).lower(),
        method=str(asked.get("method", "GET")),
        status=status,
        error="" if status else str(answered.get("statusText") or ""),
    )


def _status(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
