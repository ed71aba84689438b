"""How full the battery is, and whether it is being emptied."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ralph_wiggum.adapters.whole_file import read_file

SUPPLIES = Path("/sys/class/power_supply")

_LINE_BYTES = 256


@dataclass(frozen=True, slots=True)
class Battery:
    """`percent` of all batteries of the machine together; `discharging`: nothing feeds them."""

    percent: float
    discharging: bool


def read_battery(supplies: Path = SUPPLIES, *, linux: bool = sys.platform == "linux") -> Battery | None:
    """Return the battery that the machine runs on, None where it has none, or says nothing of it.

    Linux tells in files (kernel, Documentation/ABI/testing/sysfs-class-power): 0.1 ms, where psutil is 18 ms to
    import and answers for the first battery only. Elsewhere psutil is asked.
    """
    return _from_files(supplies) if linux else _from_psutil()


def _from_files(supplies: Path) -> Battery | None:
    full = now = 0.0
    percents: list[float] = []
    fed, discharging = False, False
    for supply in _folders(supplies):
        kind = _line(supply / "type")
        if kind in ("Mains", "USB", "Wireless"):
            fed = fed or _line(supply / "online") == "1"
        if kind != "Battery" or _line(supply / "scope") == "Device":  # a mouse has a battery too
            continue
        percent = _number(supply / "capacity")
        if percent is None:
            continue
        percents.append(percent)
        discharging = discharging or _line(supply / "status") == "Discharging"
        whole = _number(supply / "energy_full") or _number(supply / "charge_full") or 0.0
        full, now = full + whole, now + whole * percent / 100
    if not percents:
        return None
    percent = 100 * now / full if full else sum(percents) / len(percents)
    return Battery(percent=percent, discharging=discharging and not fed)


def _from_psutil() -> Battery | None:
    import psutil  # noqa: PLC0415 - costs 18 ms, and is not needed on Linux

    try:
        found = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    except (OSError, RuntimeError, psutil.Error):  # some virtual machines have a battery that cannot be asked
        return None
    return None if found is None else Battery(percent=float(found.percent), discharging=found.power_plugged is False)


def _folders(supplies: Path) -> Iterator[Path]:
    try:
        yield from sorted(supplies.iterdir())
    except OSError:
        return


def _line(path: Path) -> str:
    try:
        return read_file(path, _LINE_BYTES).decode("utf-8", errors="replace").strip()
    except OSError:
        return ""


def _number(path: Path) -> float | None:
    try:
        return float(_line(path))
    except ValueError:
        return None
