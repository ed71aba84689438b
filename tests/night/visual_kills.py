"""kill -9 of the runner at random moments of a visual night: its end is the same, and nothing is left (O24, B2).

python -m tests.night.visual_kills 100 [SEED] prints the figures, with a stand-in for agent-browser;
python -m tests.night.visual_kills 20 [SEED] --browser has agent-browser, Chromium and `python -m http.server`.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

from tests import browser_tools
from tests.night import kills, visual
from tests.night import project as projects
from tests.night.kills import Figures
from tests.night.project import Project, Script

PLAN = """\
# Plan

- [ ] 1. Build the page
  - [ ] 1.1 Add one
    - `agent-browser open http://localhost:{port}/page.html`
    - `agent-browser is visible "#one"`
  - [ ] 1.2 Add two
    - `agent-browser open http://localhost:{port}/page.html`
    - `agent-browser wait 100`
    - `agent-browser is visible "#two"`
- [ ] 2. **Validate: one and two are there**
  - `agent-browser open http://localhost:{port}/page.html`
  - `agent-browser is visible "#one"`
  - `agent-browser is visible "#two"`
- [ ] 3. Write a note
- [ ] 4. Add three
  - `agent-browser open http://localhost:{port}/page.html`
  - `agent-browser is visible "#three"`
"""
PLAIN_SECONDS, BROWSER_SECONDS = 3.0, 6.0  # within which a kill comes; a whole night takes longer
MOST_LEFT_SECONDS = 5.0


def page(*parts: str) -> str:
    body = "".join(f'<p id="{part}">{part}</p>\n' for part in parts)
    return f"<!doctype html>\n<title>Parts</title>\n{body}"


def writes(text: str) -> Script:
    """Return a script that writes the page in two steps, with a helper left behind."""
    return [
        kills.HELPER,
        ["write", "page.html", "half"],
        ["sleep", 0.1],
        ["write", "page.html", text],
        ["say", "Did it."],
        ["say", "TASK_COMPLETE"],
    ]


def make(folder: Path, browser: tuple[str, str] | None) -> Project:
    """Make the project; `browser` are the paths of agent-browser and Chromium, None for the stand-in."""
    port = visual.new_port()
    files = {"page.html": page("none"), ".gitignore": "node_modules\n"}
    project = projects.make(folder, PLAN.replace("{port}", str(port)), files)
    visual.install_tool(project)
    tool, chromium = browser or (visual.TOOL, visual.TOOL)
    command = f"{sys.executable} -m http.server {port} --bind 127.0.0.1" if browser else visual.page_server(port)
    project.settings(
        servers={"web": visual.web(port, command, ready=f"http://localhost:{port}/page.html")},
        visual_validation={"tool": tool, "browser": chromium},
        quality_checks={"all": ["sleep 0.03"]},
    )
    hidden = page("one", "two", "three").replace('"three"', '"three" hidden')
    project.plays(
        {
            "1.1": [writes(page("one"))],
            "1.2": [writes(page("one", "two"))],
            "4": [writes(hidden), writes(page("one", "two", "three"))],
        },
        by_attempt=True,
    )
    projects.commit_all(project)
    project.git("tag", "-f", "evening")
    return project


def look(project: Project) -> dict[str, object]:
    """Return all that must be the same with and without kills; the plan and its commits name a port of their own."""
    found = kills.look(project)
    files, blobs = found["work tree"], found["tree"]
    assert isinstance(files, dict)
    assert isinstance(blobs, dict)
    apart = (".kiro/", "node_modules/", "screenshots/")  # ports, folders, and pictures that are never quite the same
    return {
        **found,
        "tasks.md": project.states(),
        "work tree": {path: data for path, data in files.items() if not path.startswith(apart)},
        "tree": {path: blob for path, blob in blobs.items() if not path.startswith(apart)},
        "screenshots": sorted(path for path in files if path.startswith("screenshots/")),
    }


def undisturbed(folder: Path, browser: tuple[str, str] | None) -> dict[str, object]:
    """Return what a night without kills comes to."""
    project = make(folder, browser)
    result = project.night(timeout=90)
    assert result.code == 0, result.out + result.err
    assert project.states() == "xxxxxx"
    project.sound()
    return look(project)


def compare(project: Project, wanted: dict[str, object]) -> None:
    """Fail if a project whose runs were killed came to another end."""
    found = look(project)
    for name, value in wanted.items():
        assert found[name] == value, f"{name}: {found[name]!r}, without kills {value!r}\n{project.activity}"
    assert not [entry for entry in project.log() if entry["event"] == "overlap"], "two agents at once"
    project.sound()


def spend(number: int, seed: int, folder: Path, browser: tuple[str, str] | None = None) -> Figures:
    """Spend a number of kills; AssertionError at the first difference, which names the seed's project."""
    chance = random.Random(seed)
    figures = Figures()
    wanted = undisturbed(folder / "undisturbed", browser)
    longest = BROWSER_SECONDS if browser else PLAIN_SECONDS
    while figures.kills < number:
        project = make(folder / f"night-{figures.nights}", browser)
        try:
            kills.run_until_done(project, chance, number, figures, code=0, longest=longest, watched=0.7)
            compare(project, wanted)
        except BaseException:
            projects.end_all(project)
            print(f"seed {seed}, {project.root}", file=sys.stderr)
            raise
        figures.nights += 1
        figures.agents += project.runs()
        figures.cut += sum(1 for entry in project.journal("ended") if entry.get("result") == "interrupted")
    return figures


def main(arguments: list[str]) -> int:
    browser = browser_tools.need_browser() if "--browser" in arguments else None
    given = [argument for argument in arguments if argument != "--browser"]
    number, seed = (int(text) for text in (*given, *("100", "1")[len(given) :]))
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="ralph-visual-kills-"))
    print(f"{spend(number, seed, folder, browser)} in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
