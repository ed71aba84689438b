"""`ralph agents [NAME]`: the agents that are known, and which of them can work. Changes nothing, spends nothing."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ralph_wiggum.adapters.agents import launch, preflight
from ralph_wiggum.adapters.clock import SystemClock
from ralph_wiggum.adapters.keeper import Keeper
from ralph_wiggum.adapters.project import find_root
from ralph_wiggum.cli import common
from ralph_wiggum.core import agent_entry, agent_report
from ralph_wiggum.core.agent_choice import asked_for, in_order
from ralph_wiggum.core.agent_report import Row
from ralph_wiggum.core.errors import Exit, RalphError
from ralph_wiggum.core.settings import AgentSettings, Settings

PIPED_WIDTH = 500  # what reads a pipe can cut lines itself
SETTINGS_FILE = ".kiro/settings/ralph.yaml"

TEXT = """List the agents that ralph knows, built in or from the settings: whether each is installed, its version,
whether somebody is logged in as far as can be told without spending, how it is driven, and which of them a run asks
that names none (1, 2, …: in this order). With NAME: all about one of them.

Outside of a project it shows the built-in ones and those of ~/.config/ralph/ralph.yaml."""

EPILOG = """examples:
  ralph agents
  ralph agents --no-login          ask nobody whether somebody is logged in
  ralph agents claude              how it is called, resumed and bounded, what it needs
  ralph agents claude --yaml       its entry for .kiro/settings/ralph.yaml, to be changed there
  ralph agents --json              for programs

--json prints a list of objects (with NAME: of that one):
  name, default (its place among those that are asked, or null), usable (installed and not known to be logged out),
  installed, path, install_hint, version, minimum_version, version_ok (null: nobody can tell),
  login ("yes", "no", "unknown"), login_by (the variable or file that tells it, or null), driver, dialect,
  resume (whether it can go on with a session), tells ("cost", "tokens" or null), docs,
  words (what is to be known, or ""), hint (what to do, or "")
--yaml prints the values of env too, as they stand in the settings; nothing else prints the value of a variable.

exit codes:
  0  at least one agent can be used (with NAME: that one)     2  none can; or bad usage or input
  1  a bug in ralph (report saved)"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = common.parser("ralph agents", TEXT, EPILOG)
    parser.add_argument("name", metavar="NAME", nargs="?", default="", help="all about this one")
    parser.add_argument("--no-login", action="store_true", help="ask no agent whether somebody is logged in")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--yaml", action="store_true", help="with NAME: print its entry for the settings")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return common.run_command(lambda: show(build_parser().parse_args(argv)))


def show(arguments: argparse.Namespace) -> int:
    """Print what was asked for; RalphError after that where no agent can be used."""
    keeper = Keeper.start()  # before the settings are loaded, so that it stays small
    try:
        return _show(arguments, keeper)
    except KeyboardInterrupt:
        keeper.hang_up()  # it ends what was asked, without us
        raise
    finally:
        keeper.close()


def _show(arguments: argparse.Namespace, keeper: Keeper) -> int:
    from ralph_wiggum.adapters import settings_file  # noqa: PLC0415 - after the fork

    root = _folder(arguments.directory)
    settings = settings_file.load(root)
    if arguments.name and arguments.name not in settings.agents:
        raise _unknown(arguments.name, settings)
    if arguments.yaml:
        return _print_yaml(arguments.name, settings)
    wanted = [settings.agents[arguments.name]] if arguments.name else in_order(settings)
    rows = look(settings, wanted, keeper, root, login=not arguments.no_login)
    if arguments.json:
        plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
        print(json.dumps([agent_report.as_json(row) for row in rows], ensure_ascii=plain, indent=2))
    else:
        print("\n".join(_lines(rows, settings, root, one=bool(arguments.name))))
    if not agent_report.usable(rows):
        raise _none(rows)
    return int(Exit.DONE)


def look(
    settings: Settings, agents: Sequence[AgentSettings], keeper: Keeper, root: Path, *, login: bool = True
) -> list[Row]:
    """Return what can be learnt of agents, each asked for 10 s at most, several at a time."""
    from ralph_wiggum.adapters.agents.survey import survey  # noqa: PLC0415 - after the fork

    found = survey(agents, keeper, SystemClock(), root, os.environ, login=login)
    paths = {agent.name: _path(agent, root) for agent in settings.agents.values()}
    asked = asked_for(settings, {name for name, path in paths.items() if path})
    places = {name: place for place, name in enumerate(asked, 1)}
    return [
        Row(
            agent=agent,
            readiness=found[agent.name],
            path=paths[agent.name],
            place=places.get(agent.name, 0),
        )
        for agent in agents
    ]


def _folder(directory: str) -> Path:
    """Return the project's root, or outside of a project the folder that is meant."""
    start = common.start_folder(directory)
    try:
        return find_root(start)
    except RalphError:
        if not start.is_dir():
            raise
        return start


def _path(agent: AgentSettings, root: Path) -> str:
    env = launch.own_environment(agent, os.environ)
    return launch.locate(launch.arguments(agent, {})[0], root, env.get("PATH")) or ""


def _lines(rows: Sequence[Row], settings: Settings, root: Path, *, one: bool) -> list[str]:
    width, colour = _screen()
    if not one:
        return agent_report.table(rows, settings, width, colour=colour)
    agent, path = rows[0].agent, _path(rows[0].agent, root)
    words = launch.arguments(agent, {})
    command = (launch.native(agent, path), *words[1:]) if path else words
    env = launch.own_environment(agent, os.environ)
    return agent_entry.details(rows[0], command, lambda each: preflight.has(each, env), width, colour=colour)


def _print_yaml(name: str, settings: Settings) -> int:
    if not name:
        raise RalphError("--yaml prints one agent's entry", hint="name it: ralph agents NAME --yaml")
    import yaml  # noqa: PLC0415 - seldom asked

    entry = {"agents": agent_entry.as_entry(settings.agents[name])}
    print(yaml.safe_dump(entry, sort_keys=False, default_flow_style=None, width=110), end="")
    return int(Exit.DONE)


def _unknown(name: str, settings: Settings) -> RalphError:
    import difflib  # noqa: PLC0415 - only on the way out

    near = difflib.get_close_matches(name, settings.agents, n=1)
    known = ", ".join(agent.name for agent in in_order(settings))
    return RalphError(
        f"no agent {name!r}",
        hint=f"did you mean {near[0]}?" if near else f"there are: {known}; others go under agents: in {SETTINGS_FILE}",
    )


def _none(rows: Sequence[Row]) -> RalphError:
    if len(rows) == 1:
        (row,) = rows
        words = row.readiness.words or f"{row.agent.name} cannot be used"
        return RalphError(words, hint=row.readiness.hint)
    return RalphError(
        "no agent can be used",
        hint=f"install one of the above or log in, or describe another program under agents: in {SETTINGS_FILE}",
    )


def _screen() -> tuple[int, bool]:
    """Return the width to fit in, and whether colours are wanted (no-color.org)."""
    if not sys.stdout.isatty():
        return PIPED_WIDTH, False
    try:
        width = os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except OSError:
        width = 80
    return width, not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


if __name__ == "__main__":
    sys.exit(main())
