"""Measure what ralph promises, each number beside its floor in the same run: a table, and JSON.

usage: scripts/bench.py [--only NAME …] [--quick] [--json FILE]

Nothing is asserted: a machine that does other work as well shows it here. Medians; what is compared is measured by
turns. TMPDIR says on which disk: one where much was deleted just now makes new files slowly. Needs the commands
installed beside this Python, git, and better a C compiler; pages need agent-browser and Chromium, else they are left
out.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from bench_flood import flood
from bench_gap import gap
from bench_ground import Ground, LeftOutError, Row, compile_stub
from bench_night import night
from bench_pages import pages
from bench_repository import repository
from bench_start import parsing, prompt, status
from bench_stop import stop

MEASUREMENTS: dict[str, Callable[[Ground], Iterator[Row]]] = {
    "gap": gap,
    "status": status,
    "flood": flood,
    "prompt": prompt,
    "stop": stop,
    "repository": repository,
    "parsing": parsing,
    "pages": pages,
    "night": night,
}
HEADINGS = ("what", "measured", "goal", "met", "floor", "times", "the floor is")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; return 0."""
    arguments = build_parser().parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="ralph-bench-") as folder:
        ground = Ground(Path(folder).resolve(), arguments.quick, compile_stub(Path(folder)))
        rows: list[Row] = []
        left_out: dict[str, str] = {}
        for name in arguments.only or MEASUREMENTS:
            try:
                rows += measure(name, ground)
            except LeftOutError as reason:
                left_out[name] = str(reason)
    print("\n".join([*table(rows), *(f"{name} is left out: {reason}" for name, reason in left_out.items())]))
    if arguments.json:
        found = as_json(rows, left_out, quick=arguments.quick)
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="bench.py", description="Measure what ralph promises.")
    parser.add_argument("--only", metavar="NAME", nargs="+", choices=MEASUREMENTS, help=", ".join(MEASUREMENTS))
    parser.add_argument("--quick", action="store_true", help="small numbers, to see that everything works")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the rows there as JSON too")
    return parser


def measure(name: str, ground: Ground) -> Iterator[Row]:
    """Yield the rows of one measurement, saying on standard error what goes on."""
    print(f"measuring {name} …", file=sys.stderr, flush=True)
    yield from MEASUREMENTS[name](ground)


def table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of the table, aligned."""
    cells = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    return ["  ".join(map(_aligned, line, widths, range(len(widths)))).rstrip() for line in cells]


def _aligned(text: str, width: int, column: int) -> str:
    return text.ljust(width) if column in {0, 6} else text.rjust(width)


def _cells(row: Row) -> tuple[str, ...]:
    goal = "" if row.goal is None else f"{'≥' if row.more else '≤'} {_number(row.goal)} {row.unit}"
    floor = "" if row.floor is None else f"{_number(row.floor)} {row.unit}"
    ratio = "" if row.ratio is None else f"{row.ratio:.1f}"
    met = {None: "", True: "yes", False: "NO"}[row.met]
    return (row.what, f"{_number(row.measured)} {row.unit}", goal, met, floor, ratio, row.floor_is)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def as_json(rows: Sequence[Row], left_out: Mapping[str, str], *, quick: bool) -> dict[str, object]:
    """Return all rows as JSON values, with the kind of machine and nothing that names it."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "quick": quick,
        "left_out": dict(left_out),
        "rows": [asdict(row) | {"met": row.met, "ratio": row.ratio} for row in rows],
    }


if __name__ == "__main__":
    sys.exit(main())
