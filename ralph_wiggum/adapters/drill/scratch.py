"""The scratch copy of one rehearsal: a clone, the person's files, a spec of the drill's own, a scripted agent."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from ralph_wiggum.adapters.drill.lane import Lane
from ralph_wiggum.adapters.drill.model import Model
from ralph_wiggum.adapters.drill.small_disk import SmallDisk
from ralph_wiggum.adapters.git.commands import Git
from ralph_wiggum.adapters.settings_file import PROJECT_FILE
from ralph_wiggum.core.drill.scenario import SPARE, WORK, Scenario, Stage
from ralph_wiggum.core.drill.scratch_settings import scratch_settings
from ralph_wiggum.core.settings import Settings

ACTOR = Path(__file__).with_name("actor.py")
IDENTITY = ("-c", "user.name=ralph-wiggum", "-c", "user.email=ralph-wiggum@localhost")
NO_HOOKS = "core.hooksPath=/dev/null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """Where a rehearsal takes place. `folder` holds all of it; `top` is the copy, `root` the project in it.

    `evening` is the commit that it begins with, "" where there is no repository. `filler` is the file that fills the
    small disk.
    """

    folder: Path
    top: Path
    root: Path
    spec: str
    work: str
    evening: str = ""
    disk: SmallDisk | None = None

    @property
    def tasks_file(self) -> Path:
        """Return the plan."""
        return self.root / ".kiro/specs" / self.spec / "tasks.md"

    @property
    def state(self) -> Path:
        """Return the folder of the runner's state."""
        return self.root / ".ralph" / self.spec

    @property
    def events(self) -> Path:
        """Return what the scripted agent notes."""
        return self.folder / "events.jsonl"

    @property
    def filler(self) -> Path:
        """Return the file that fills the small disk."""
        return self.folder / "disk/filler"


def make_scratch(
    scenario: Scenario, spec: str, settings: Settings, model: Model, folder: Path, lane: Lane
) -> Generator[None, None, Scratch]:
    """Make the copy for one rehearsal in a folder, which is made. RalphError if it cannot be, NoSmallDiskError."""
    folder.mkdir()
    disk = SmallDisk(folder / "disk", model.size) if scenario.stage is Stage.SMALL_DISK else None
    try:
        top = (disk.folder if disk is not None else folder) / "repo"
        yield from _copy(model, top, scenario, folder, lane)
        root = top / model.prefix
        scratch = Scratch(folder=folder, top=top, root=root, spec=spec, work=model.work, disk=disk)
        _write(scratch, scenario, settings)
        evening = ""
        if model.repository is not None:
            yield from _commit(scratch, lane)
            evening = Git(top, lane.env).run("rev-parse", "HEAD").text
    except BaseException:
        if disk is not None:
            disk.close()
        raise
    return Scratch(folder=folder, top=top, root=root, spec=spec, work=model.work, evening=evening, disk=disk)


def _copy(model: Model, top: Path, scenario: Scenario, folder: Path, lane: Lane) -> Generator[None, None, None]:
    screen = folder / "copy.log"
    if model.repository is None:
        top.mkdir()
    else:
        way = "--shared" if scenario.stage is Stage.SMALL_DISK else "--local"
        settings = ("-c", NO_HOOKS, "-c", f"include.path={model.repository.with_name('config')}")
        clone = ("git", "clone", "-q", "--no-checkout", "--no-tags", "--template=", way, *settings)
        yield from lane.run((*clone, "--", str(model.repository), str(top)), folder, screen)
        git = Git(top, lane.env)
        git.run("remote", "remove", "origin", check=False)
        shutil.copytree(model.repository.with_name("info"), top / ".git/info", dirs_exist_ok=True)
    yield from lane.run(("cp", "-a", f"{model.tree}/.", str(top)), folder, screen)
    if model.repository is not None:
        # 128: before the first commit there is nothing to reset to
        yield from lane.run(("git", "reset", "-q"), top, screen, codes=(0, 1, 128))
        if scenario.stage is Stage.HOOKS:
            _hooks(model, top, Git(top, lane.env))


def _hooks(model: Model, top: Path, git: Git) -> None:
    """Put the person's hooks where they have them; without any, commits go without."""
    if model.hooks is None or model.repository is None:
        return
    target = top / (model.hooks or ".git/hooks")
    source = model.repository.with_name("hooks")
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    git.run("config", "--local", "core.hooksPath", str(target))


def _write(scratch: Scratch, scenario: Scenario, settings: Settings) -> None:
    """Write the plan, the settings and what the agent is to do."""
    plan, place = scratch.tasks_file, scratch.root / PROJECT_FILE
    shutil.rmtree(plan.parent, ignore_errors=True)
    for path in (plan, place):
        path.parent.mkdir(parents=True, exist_ok=True)
    plan.write_text(scenario.plan(), encoding="utf-8")
    start = (sys.executable, "-I", "-S", str(ACTOR), str(scratch.folder))
    place.unlink(missing_ok=True)  # not through a symbolic link
    place.write_text(json.dumps(scratch_settings(settings, scenario, start), indent=2) + "\n", encoding="utf-8")
    play = {
        "work": scratch.work,
        "disk": str(scratch.filler),
        "tasks": scenario.play,
        "default": WORK,
        "spare": SPARE,
    }
    (scratch.folder / "play.json").write_text(json.dumps(play), encoding="utf-8")


def _commit(scratch: Scratch, lane: Lane) -> Generator[None, None, None]:
    """Commit the drill's own files alone, so that they are no changes of the person's."""
    screen = scratch.folder / "copy.log"
    own = (str(scratch.tasks_file), str(scratch.root / PROJECT_FILE))
    yield from lane.run(("git", "add", "-f", "--", *own), scratch.top, screen)
    commit = ("git", "-c", NO_HOOKS, *IDENTITY, "commit", "-q", "--no-verify", "--no-gpg-sign", "-m", "A fire drill")
    yield from lane.run((*commit, "--", *own), scratch.top, screen)
