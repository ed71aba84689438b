"""python -m tests.night.faults [--fault NAME …] [--jobs N] [--row K] [--sample N] [--at N]: a table of all nights."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tests.night.faults.effects import STRIKES, Share
from tests.night.faults.workers import Tally, spend, told


def main(arguments: Sequence[str]) -> int:
    """Print what went wrong and, for each fault, a line of figures; exit 1 where anything went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.night.faults", description=__doc__)
    parser.add_argument("--fault", action="append", choices=sorted(STRIKES), help="default: all, one after the other")
    parser.add_argument("--jobs", type=int, default=2, help="nights at a time")
    parser.add_argument("--row", type=int, default=1, help="so many effects in a row go wrong")
    parser.add_argument("--sample", type=int, default=0, help="only so many nights, spread over the effects")
    parser.add_argument("--first", type=int, default=1, help="go on from this effect")
    parser.add_argument("--at", type=int, default=0, help="only this effect")
    parser.add_argument("--like", default="", help="count only effects whose name holds this")
    given = parser.parse_args(arguments)
    wrong = False
    for kind in given.fault or STRIKES:
        fault = {"kind": kind, "row": given.row, "like": given.like}
        only = ({**fault, "at": given.at},) if given.at else ()
        tally = spend(Share(faults=only, fault=fault, sample=given.sample, first=given.first), given.jobs, _say)
        print(f"{kind if given.row == 1 else f'{kind}*{given.row}':10} {line(tally)}", flush=True)
        wrong = wrong or bool(tally.failed or tally.broken)
    return int(wrong)


def line(tally: Tally) -> str:
    """Return the figures of one fault."""
    figures = (
        f"{tally.nights:5} nights",
        f"{len(tally.failed):3} wrong",
        f"slowest {tally.slowest_night:.1f} s",
        f"slowest clean-up {tally.slowest_clean_up:.2f} s",
        f"{tally.seconds:.0f} s in all",
        *tally.broken,
    )
    return "  ".join(figures)


def _say(found: Mapping[str, Any]) -> None:
    for each in told(found):
        print(each, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
