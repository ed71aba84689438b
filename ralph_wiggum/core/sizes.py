"""Sizes in bytes and spans of time as people write and read them."""

from __future__ import annotations

import re

_UNITS = {"b": 1} | {
    f"{letter}{ending}": base**power
    for power, letter in enumerate("kmgt", 1)
    for ending, base in (("", 1000), ("b", 1000), ("ib", 1024))
}
_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]+)\s*", re.IGNORECASE)
_SHARE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*")
_STEPS = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))
_MINUTE = 60.0
_WHOLE = 10  # from here on without a decimal


def parse(text: str) -> int | None:
    """Return the bytes that a size with its unit means, None for what is none; k, M, G and T are powers of 1,000.

    >>> parse("500 MB"), parse("2GiB"), parse("1.5k"), parse("12")
    (500000000, 2147483648, 1500, None)
    """
    found = _SIZE.fullmatch(text)
    unit = _UNITS.get(found[2].lower()) if found else None
    return round(float(found[1]) * unit) if found and unit else None


def parse_share(text: str) -> float | None:
    """Return what a text in per cent means as a part of 1, None for what is none.

    >>> parse_share("80%"), parse_share("80")
    (0.8, None)
    """
    found = _SHARE.fullmatch(text)
    return float(found[1]) / 100 if found else None


def size(count: float) -> str:
    """Return bytes in words, rounded down, so that what is left never looks like more than it is.

    >>> size(499_999_999), size(1_250_000_000), size(12)
    ('499 MB', '1.2 GB', '12 bytes')
    """
    for step, unit in _STEPS:
        if count >= step:
            value = count / step
            return f"{int(value)} {unit}" if value >= _WHOLE else f"{int(value * 10) / 10:g} {unit}"
    return f"{int(count)} bytes"


def span(seconds: float) -> str:
    """Return a time in words, to the minute where it is longer than one.

    >>> span(45), span(7_800), span(3_600), span(172_800)
    ('45 s', '2 h 10 min', '1 h', '48 h')
    """
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    hours, rest = divmod(round(seconds / _MINUTE), 60)
    return " ".join(filter(None, (f"{hours} h" if hours else "", f"{rest} min" if rest else "")))
