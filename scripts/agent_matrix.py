"""Play every agent in every scenario against the model server on this machine, and print what came of it as a table.

usage: scripts/agent_matrix.py [--agent NAME …] [--scenario NAME …] [--jobs N] [--json FILE] [--keep]

Each cell is a night of two tasks in a repository of its own, by the real command and the real program of the agent
(scripts/agents.sh installs those that are missing; kiro, which is in no registry, is a stand-in). Nothing but 127.0.0.1
is asked, and nothing is spent. A cell says how the first attempt ended (done, or the class of its failure) and what
ralph did then; LEFT counts processes that were left behind, which has to be none. All cells take half an hour on two
cores; some agents try again by themselves for a minute.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT))

from tests.agents import cells, kiro_cells  # noqa: E402 - the tests of the checkout are no part of the package
from tests.agents.cells import SCENARIOS, Cell, Scenario  # noqa: E402 - as above
from tests.agents.installed import PROGRAMS, program  # noqa: E402 - as above
from tests.modelserver.serving import Server, serving  # noqa: E402 - as above
from tests.night import project as projects  # noqa: E402 - as above

AGENTS = (*PROGRAMS, "kiro")
INSTALL = """set -euo pipefail
project=$1
for part in venv browser agents; do source "$project/scripts/$part.sh"; done
agents_ready all
"""


def main(words: Sequence[str] | None = None) -> int:
    """Play and print; return 1 where a cell is unknown, broke, or left processes behind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agent", action="append", choices=AGENTS, help="this agent; again for more")
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument("--scenario", action="append", choices=names, help="this scenario; again for more")
    parser.add_argument("--jobs", type=int, default=2, help="nights at a time (2)")
    parser.add_argument("--json", type=Path, help="write the cells to this file too")
    parser.add_argument("--keep", action="store_true", help="leave the folders of the nights, and say where")
    chosen = parser.parse_args(words)
    agents: list[str] = chosen.agent or list(AGENTS)
    scenarios = [scenario for scenario in SCENARIOS if scenario.name in (chosen.scenario or names)]
    missing = [agent for agent in agents if agent != "kiro" and program(agent) is None]
    if missing:
        print(f"installing {', '.join(missing)}", file=sys.stderr)
        subprocess.run(["bash", "-c", INSTALL, "bash", str(CHECKOUT)], check=True)
    with serving() as server, ThreadPoolExecutor(max_workers=max(1, chosen.jobs)) as pool:
        asked = [(agent, scenario) for agent in agents for scenario in scenarios]
        played = pool.map(lambda each: _told(each[0], each[1], server, keep=chosen.keep), asked)
        found = {(agent, scenario.name): cell for (agent, scenario), cell in zip(asked, played, strict=True)}
    print("\n".join(table(agents, [scenario.name for scenario in scenarios], found)))
    if chosen.json:
        rows = [{"agent": a, "scenario": s, "words": c.words, **asdict(c)} for (a, s), c in found.items()]
        chosen.json.write_text(json.dumps(rows, indent=1, default=str) + "\n", encoding="utf-8")
    return 1 if any(cell.left or cell.first in {"unknown", "did not start"} for cell in found.values()) else 0


def _told(agent: str, scenario: Scenario, server: Server, *, keep: bool) -> Cell:
    cell = play(agent, scenario, server, keep=keep)
    print(f"{agent}, {scenario.name}: {cell.words} ({cell.seconds:.0f} s)", file=sys.stderr, flush=True)
    return cell


def play(agent: str, scenario: Scenario, server: Server, *, keep: bool) -> Cell:
    """Play one cell in a folder of its own; what breaks is a cell that says so."""
    base = Path(tempfile.mkdtemp(prefix=f"ralph-{agent}-{scenario.name.replace(' ', '-')}-"))
    project = None
    try:
        if agent == "kiro":
            project = kiro_cells.prepare_kiro(base, scenario)
        else:
            found = program(agent)
            if found is None:
                return _broken(f"{agent} could not be installed")
            url = cells.server_path(server, scenario, base.name)
            project = cells.prepare(base, agent, found, scenario, url)
        return cells.play(project)
    except (AssertionError, OSError, ValueError, subprocess.SubprocessError) as error:
        return _broken(f"unknown: {type(error).__name__}: {str(error)[:200]}")
    finally:
        if project is not None:
            projects.end_all(project)
        if keep:
            print(f"{agent}, {scenario.name}: {base}", file=sys.stderr)
        else:
            shutil.rmtree(base, ignore_errors=True)


def _broken(words: str) -> Cell:
    return Cell(first="unknown", then=words, states="", code=-1, left=0, seconds=0.0)


def table(agents: Sequence[str], scenarios: Sequence[str], found: dict[tuple[str, str], Cell]) -> Iterable[str]:
    """Yield the lines of a markdown table: a row a scenario, a column an agent."""
    yield f"| scenario | {' | '.join(agents)} |"
    yield f"|---|{'---|' * len(agents)}"
    for name in scenarios:
        words = (found[agent, name].words.replace("|", "/") for agent in agents)
        yield f"| {name} | {' | '.join(words)} |"


if __name__ == "__main__":
    sys.exit(main())
