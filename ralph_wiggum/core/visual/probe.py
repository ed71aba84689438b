"""The script that asks a page what is on it, and how its answer is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ralph_wiggum.core.outside_text import plain
from ralph_wiggum.core.visual.page import Request, Seen
from ralph_wiggum.core.visual.reply import Reply

# Counts what can be read, and what can be seen without being read; open shadow roots too. `ended` are the URLs of
# requests that are over, also those that were refused, aborted or sent on.
SCRIPT = """
(() => {
  const drawn = "img,svg,canvas,video,picture,input,textarea,select,button,iframe,frame,object,embed,progress,meter";
  let text = 0, things = 0, left = 20000;
  const look = (root) => {
    const body = root.body || root;
    text += (body.innerText ?? body.textContent ?? "").trim().length;
    for (const element of root.querySelectorAll("*")) {
      if (--left < 0) return;
      const box = element.matches(drawn) && element.getBoundingClientRect();
      if (box && box.width > 0 && box.height > 0) things++;
      if (element.shadowRoot) look(element.shadowRoot);
    }
  };
  look(document);
  const ended = performance.getEntriesByType("resource").slice(-250).map((entry) => entry.name.slice(0, 300));
  return {url: location.href, title: document.title.slice(0, 200), state: document.readyState, text, things, ended};
})()
"""
COMMAND = ("eval", " ".join(SCRIPT.split()))
LISTED = 200  # console errors, uncaught ones, that are kept of a page: which are ignored is decided later
_TEXTS = 100_000  # characters of all of them
_LONGEST = 2000
_SNAPSHOT = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a page said of itself; `complete` once it has loaded, `ended` the URLs of requests that are over."""

    seen: Seen
    complete: bool
    ended: frozenset[str]


def read(address: str, reply: Reply) -> Answered | None:
    """Return what a page said of itself; None where it could not be asked (it is navigating, it is no document)."""
    found = reply.data.get("result") if reply.ok else None
    if not isinstance(found, Mapping):
        return None
    ended = found.get("ended")
    return Answered(
        seen=Seen(
            address=address or str(found.get("url", "")),
            url=str(found.get("url", "")),
            title=plain(str(found.get("title", "")), 200),
            text=_count(found.get("text")),
            things=_count(found.get("things")),
        ),
        complete=found.get("state") == "complete",
        ended=frozenset(map(str, ended if isinstance(ended, list) else ())),
    )


def waiting(listed: Reply, ended: frozenset[str]) -> tuple[Request, ...]:
    """Return the requests of `network requests` that a page may still change by.

    What was refused, aborted or sent on to another address stays in that list without a status for ever.
    """
    entries = listed.data.get("requests")
    requests = (
        Request(
            url=str(each.get("url", "")),
            kind=str(each.get("resourceType", "")).lower(),
            status=_count(each.get("status")),
        )
        for each in (entries if isinstance(entries, list) else ())
        if isinstance(each, Mapping)
    )
    calls = (request for request in requests if request.kind != "document")  # a page that has loaded has its own
    return tuple(request for request in calls if request.waits and request.url[:300] not in ended)


def evidence(
    answered: Answered | None,
    address: str,
    console: Reply,
    uncaught: Reply,
    snapshot: Reply,
    requests: Sequence[Request],
) -> Seen:
    """Put together what was seen of a page. A page that could not be asked is not called blank for that."""
    seen = answered.seen if answered else Seen(address=address, text=1)
    return replace(
        seen,
        console=_texts(console.data.get("messages"), only="error"),
        uncaught=_texts(uncaught.data.get("errors")),
        requests=tuple(requests),
        snapshot=str(snapshot.data.get("snapshot", ""))[:_SNAPSHOT],
    )


def _texts(entries: Any, *, only: str = "") -> tuple[str, ...]:
    """Return the texts of messages, each once, in their order."""
    texts = (
        str(each.get("text", ""))[:_LONGEST]
        for each in (entries if isinstance(entries, list) else ())
        if isinstance(each, Mapping) and (not only or each.get("type") == only)
    )
    kept: list[str] = []
    left = _TEXTS
    for text in list(dict.fromkeys(texts))[:LISTED]:
        left -= len(text)
        if left < 0:
            break
        kept.append(text)
    return tuple(kept)


def _count(value: object) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0
