"""The project of a night that is to be disturbed, and all that must be the same in the morning."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ralph_wiggum.adapters.journal_file import JournalFile, read_journal
from ralph_wiggum.core.journal import Ended, SkipAsked, Skipped, Ticked
from tests.night import project as projects
from tests.night.kills import ENTRY, MARKER, OTHERWISE, SETTLED
from tests.night.project import ACTIVITY, SPEC, Project

PLAN = """\
# Plan

- [ ] 1. Begin
  - [ ] 1.1 Lay the ground
  - [ ] 1.2 Build on it
- [ ] 2. Hopeless
- [ ] 3. Second thoughts
- [ ] 4. Checkpoint
- [ ]* 5. Optional
- [ ] 6. Not wanted any more
- [ ] 7. Finish
"""
# Notes its runs, and where another agent, or anything that one left behind, is still alive beside it.
AGENT = """\
exec 9>>"$1/lock"
flock -n 9 || echo "$RALPH_TASK_ID" >>"$1/overlaps"
echo "$RALPH_TASK_ID $RALPH_ATTEMPT" >>"$1/runs"
cat >/dev/null
case "$RALPH_TASK_ID $RALPH_ATTEMPT" in
"1.1 "*) setsid sleep 300 >/dev/null 2>&1 & echo one >shared.txt ;;
"1.2 "*) mkdir -p sub && echo two >sub/two.txt && echo "one, two" >shared.txt && rm -f a.py ;;
"2 "*) echo half >hopeless.txt; echo spoilt >shared.txt; : >broken ;;
"3 1") echo first >three.txt; echo "I lost it."; exit 0 ;;
"3 "*) echo second >three.txt; echo 3 >four.txt ;;
*) echo "$RALPH_TASK_ID" >"done-$RALPH_TASK_ID.txt" ;;
esac
echo "Did it."
echo TASK_COMPLETE
"""
LOG = "# Log\n\nA line of the person's.\n"
CODE = 3  # tasks are skipped
CHORE = "chore(demo): log of the run"
LEFT = ("*.lock", "*.ralph-new", "*.new", "bug-*.txt")  # names that no file may have in the morning
KEPT = ("run.lock",)
TRAILERS = re.compile(r"^(Ralph-\S+): (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Scene:
    """A project that can be set back to its evening. All nights take place in the same folder."""

    project: Project
    evening: Path

    def set_back(self) -> None:
        """Make everything as it was in the evening."""
        shutil.rmtree(self.project.base, ignore_errors=True)
        shutil.copytree(self.evening, self.project.base, symlinks=True)


def make(folder: Path) -> Scene:
    """Make the project: a task for each way to end, a log, and changes of the person's that are not committed."""
    project = projects.make(folder / "night", PLAN, {"shared.txt": "start\n", "mine.txt": "1\n", "staged.txt": "1\n"})
    agent = project.play / "agent.sh"
    agent.write_text(AGENT)
    project.settings(
        agents={"player": {"command": ["sh", str(agent), str(project.play)]}},
        quality_checks={"all": ["test ! -e broken"]},
        overnight_mode={"stagnation_threshold": 2},
    )
    project.write(ACTIVITY, LOG)
    projects.commit_all(project)
    project.git("tag", "-f", "evening")
    project.write("mine.txt", "2\n")
    project.write("new of mine.txt", "new\n")
    project.write("staged.txt", "2\n")
    project.git("add", "staged.txt")
    journal = JournalFile(project.root / ".ralph/demo/journal.jsonl")
    journal.append(SkipAsked(key="6", reason="no need", at="2026-01-01T00:00:00+00:00"))
    journal.close()
    shutil.copytree(project.base, folder / "evening", symlinks=True)
    return Scene(project, folder / "evening")


def look(project: Project) -> dict[str, object]:
    """Return all that must be the same in the morning, however the night went."""
    entries = read_journal(project.root / ".ralph/demo/journal.jsonl")[0]
    settled = [f"{type(e).__name__} {e.key}" for e in entries if isinstance(e, (Ticked, Skipped))]
    return {
        "tasks.md": project.tasks,
        "files": dict(files(project)),
        "tree of HEAD": {path: blob for path, blob in project.tree().items() if path not in OTHERWISE},
        "branch": project.git("symbolic-ref", "HEAD"),
        "staged": project.git("diff", "--cached"),
        "uncommitted": [line for line in project.dirty() if not line.endswith(ACTIVITY)],
        "commits": commits(project),
        "attempts": attempts(project),
        "settled in the journal": settled,
        "settled in the log": log_entries(project),
        "patches": {p.name: p.read_bytes() for p in sorted((project.root / ".ralph/demo/skipped").glob("*"))},
    }


def attempts(project: Project) -> list[str]:
    """Return the attempts that count, as the journal has them."""
    ended = (e for e in read_journal(project.root / ".ralph/demo/journal.jsonl")[0] if isinstance(e, Ended))
    return [f"{e.key} {e.attempt} {e.result} {e.reason}" for e in ended if e.result != "interrupted"]


def files(project: Project) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the work tree, but for the log, which names times."""
    for path in sorted(project.root.rglob("*")):
        name = path.relative_to(project.root).as_posix()
        if path.is_file() and not name.startswith((".git/", ".ralph/")) and name != ACTIVITY:
            yield name, path.read_bytes()


def commits(project: Project) -> list[tuple[str, ...]]:
    """Return subject and trailers of the commits of tasks, oldest first."""
    said = project.git("log", "--reverse", "--first-parent", "--format=%B%x00", "evening..HEAD").split("\0")
    found = [(text.strip().split("\n")[0], *(f"{k}: {v}" for k, v in TRAILERS.findall(text))) for text in said]
    return [commit for commit in found if commit[0] not in {"", CHORE}]


def log_entries(project: Project) -> list[str]:
    """Return the entries of activity.md that settle a task."""
    return [found["title"] for found in ENTRY.finditer(project.activity) if found["status"] in SETTLED]


def wrong(project: Project, *, torn: int = 0) -> Iterator[str]:
    """Yield what is wrong in the morning, whatever the night was; so many lines of the journal may be torn."""
    bad = read_journal(project.root / ".ralph/demo/journal.jsonl")[1]
    if bad > torn:
        yield f"{bad} lines of the journal cannot be read"
    marks = Counter(MARKER.findall(project.activity))
    yield from (f"the entry {mark} stands {count} times in the log" for mark, count in marks.items() if count > 1)
    if LOG.strip() not in project.activity:
        yield "the person's own lines are gone from the log"
    if (project.play / "overlaps").exists():
        yield f"two agents at once: {(project.play / 'overlaps').read_text()}of {(project.play / 'runs').read_text()}"
    for pattern in LEFT:
        for path in project.root.rglob(pattern):
            if path.name not in KEPT:
                yield f"left behind: {path.relative_to(project.root)}" + _text(path)
    yield from (f"left behind: {path}" for path in project.root.glob(f"{SPEC}/.*"))
    said = project.git("fsck", "--no-dangling", check=False)
    if re.search("^(error|missing|broken)", said, re.MULTILINE):
        yield f"git fsck: {said}"


def _text(path: Path) -> str:
    return f": {path.read_text(errors='replace')[-1500:]}" if path.suffix == ".txt" else ""


def differences(found: Mapping[str, object], wanted: Mapping[str, object]) -> Iterator[str]:
    """Yield what differs, in words."""
    for name, value in wanted.items():
        if found[name] != value:
            yield f"{name}: {_unlike(found[name], value)}"


def _unlike(found: object, wanted: object) -> str:
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = sorted(found.keys() | wanted.keys())
        return "; ".join(f"{k}: {found.get(k)!r} for {wanted.get(k)!r}" for k in keys if found.get(k) != wanted.get(k))
    return f"{found!r} for {wanted!r}"
