"""What a run waits for, whom it leaves alone and that it was asked to stop, in words for the status and the screens.

Imported by `ralph-status`, so it stays light.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ralph_wiggum.core.history import History
from ralph_wiggum.core.journal import Held, StopAsked, Waiting
from ralph_wiggum.core.outside_text import plain


def standing(history: History, now: datetime, *, running: bool = True) -> tuple[tuple[str, str], ...]:
    """Return what a run waits for, whom it leaves alone and whether it stops, as pairs of a label and words.

    Where none is `running`, how the last one ended, and whom the next one leaves alone.
    """
    if not running:
        return (*last_run(history, now), *(("Left alone", words) for words in held_words(history, now)))
    waiting = (("Waiting", waiting_words(history.waiting, now)),) if history.waiting is not None else ()
    held = tuple(("Left alone", words) for words in held_words(history, now))
    stop = stop_words(history.stop)
    return (*waiting, *held, *((("Stopping", stop.removeprefix("stopping ")),) if stop else ()))


def last_run(history: History, now: datetime) -> tuple[tuple[str, str], ...]:
    """Return how the last run ended, where none is on; nothing where none ever was."""
    if history.run is None:
        return ()
    ended = history.ended
    if ended is None:
        return (("Last run", "was killed; the next start goes on from there"),)
    at = moment(ended.at)
    when = f" {clock_words(at, now)}" if at is not None else ""
    return (("Last run", f"ended{when}: {plain(ended.reason)}"),)


def waiting_words(waiting: Waiting, now: datetime) -> str:
    """Return "until 03:30: the API is down", with the day where that is a day off."""
    until = moment(waiting.until)
    return f"until {clock_words(until, now)}: {plain(waiting.reason)}" if until is not None else plain(waiting.reason)


def held_words(history: History, now: datetime) -> tuple[str, ...]:
    """Return a line for each agent that is left alone now: "claude until 05:00: usage limit (…)"."""
    return tuple(_held(held, now) for held in history.held.values() if is_held(held, now))


def is_held(held: Held, now: datetime) -> bool:
    """Say whether an agent is still left alone."""
    until = moment(held.until)
    return until is not None and until > now


def stop_words(stop: StopAsked | None) -> str:
    """Return what was asked for through `ralph stop`, "" if nothing was."""
    if stop is None:
        return ""
    return "stopping now" if stop.now else "stopping after the attempt at hand"


def wait_ends(waiting: Waiting, otherwise: datetime) -> datetime:
    """Return when a wait ends, as far as its entry tells; else `otherwise`."""
    if (until := moment(waiting.until)) is not None:
        return until
    began = moment(waiting.at)
    return began + timedelta(seconds=waiting.seconds) if began is not None else otherwise


def clock_words(at: datetime, now: datetime) -> str:
    """Return a time of day in the zone of `now`: "03:30"; "Sat 03:30", "2026-11-28 03:30" where that is a day off."""
    at = at.astimezone(now.tzinfo)
    if abs(at - now) < timedelta(days=1):
        return f"{at:%H:%M}"
    return f"{at:%a %H:%M}" if abs(at - now) < timedelta(days=6) else f"{at:%Y-%m-%d %H:%M}"


def moment(text: str) -> datetime | None:
    """Return the moment that an entry of the journal names, aware of its zone; None where it names none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _held(held: Held, now: datetime) -> str:
    until = moment(held.until)
    when = f" until {clock_words(until, now)}" if until is not None else ""
    cause = plain(held.cause)
    reason = plain(held.reason)
    said = cause if not reason or reason.startswith(cause) else f"{cause} ({reason})"
    return f"{plain(held.agent)}{when}: {said or reason}"
