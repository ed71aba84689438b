"""tasks.md on disk: one character changes, whatever else happens to the file (O8, O17)."""

from __future__ import annotations

import os
import resource
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ralph_wiggum.adapters.plan_file import PLAN_BYTES, current_plan, load_plan, plan_during_attempt
from ralph_wiggum.adapters.project import Project, open_spec
from ralph_wiggum.adapters.spec_files import SpecFiles
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.parse import parse
from tests.adapters.plain_user import PLAIN_USER, needs_plain_user

ROOT = Path(__file__).resolve().parents[2]
TASKS = "# Plan\n\n- [ ] 1. First\n  - [ ] 1.1 Alpha\n  - [ ] 1.2 Beta\n- [ ] 2. Second\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / ".kiro/specs/demo"
    folder.mkdir(parents=True)
    (folder / "tasks.md").write_text(TASKS, encoding="utf-8")
    return open_spec(tmp_path, "demo")


@pytest.fixture
def spec(project: Project) -> SpecFiles:
    return SpecFiles(project)


def text(project: Project) -> str:
    return project.tasks_file.read_bytes().decode()


# --- reading


def test_the_plan_is_the_same_object_until_the_bytes_change(project: Project, spec: SpecFiles) -> None:
    plan = spec.plan()
    assert spec.plan() is plan
    os.utime(project.tasks_file)
    assert spec.plan() is plan


def test_a_change_that_keeps_size_and_time_is_seen(project: Project, spec: SpecFiles) -> None:
    """An agent's tick within one tick of the file system's clock: size, time and inode are as before."""
    spec.plan()
    was = project.tasks_file.stat()
    with project.tasks_file.open("r+b") as file:
        file.seek(TASKS.index("[ ] 1.1") + 1)
        file.write(b"x")
    os.utime(project.tasks_file, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert spec.plan().task("1.1").done


def test_what_is_not_utf_8_is_named_with_its_line(project: Project, spec: SpecFiles) -> None:
    project.tasks_file.write_bytes(b"# Plan\n- [ ] 1. a\n- [ ] 2. caf\xe9\n")
    with pytest.raises(RalphError, match=r"tasks\.md:3: not UTF-8") as caught:
        spec.plan()
    assert "UTF-8" in caught.value.hint


def test_a_missing_file_and_a_folder_in_its_place_are_clear_errors(project: Project, spec: SpecFiles) -> None:
    project.tasks_file.unlink()
    with pytest.raises(RalphError, match="no tasks file"):
        spec.plan()
    project.tasks_file.mkdir()
    with pytest.raises(RalphError, match="cannot read"):
        spec.plan()


def test_a_file_that_is_too_large_for_a_plan_is_a_clear_error(project: Project, spec: SpecFiles) -> None:
    os.truncate(project.tasks_file, 1 << 34)
    with pytest.raises(RalphError, match="too large") as caught:
        spec.plan()
    assert "4 MB" in caught.value.hint


def test_while_an_attempt_goes_on_the_agents_ticks_do_not_count(project: Project, spec: SpecFiles) -> None:
    """O17: ralph-status and ralph-skip see what stands when the attempt has ended; a person's new task is there."""
    spec.write("1.1", "-")
    spec.hold()
    project.tasks_file.write_text(text(project).replace("[ ] 2.", "[x] 2.") + "- [ ] 3. New\n", encoding="utf-8")
    plan = plan_during_attempt(project, "1.1")
    assert [(task.key, task.mark) for task in plan.tasks] == [
        ("1", " "),
        ("1.1", "-"),
        ("1.2", " "),
        ("2", " "),
        ("3", " "),
    ]
    assert current_plan(project).task("2").done


# --- writing


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("\ufeff- [ ] 1. a\n- [ ] 2. b\n", id="a byte order mark"),
        pytest.param("- [ ] 1. a\r\n- [ ] 2. b\r\n", id="CRLF"),
        pytest.param("- [ ] 1. a  \n\t- [ ] 2. b\t", id="tabs, trailing spaces, no last newline"),
        pytest.param("- [ ] 1. 修复登录\u2028x\n\n\n- [ ] 2. b\n\f\n", id="other languages and odd line separators"),
    ],
)
def test_one_byte_changes_and_no_other(project: Project, data: str) -> None:
    """O8."""
    before = data.encode()
    project.tasks_file.write_bytes(before)
    plan = SpecFiles(project).write("1", "-")
    after = project.tasks_file.read_bytes()
    assert len(after) == len(before)
    assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [(ord(" "), ord("-"))]
    assert plan.task("1").mark == "-"
    assert plan.tasks == parse(after.decode()).tasks


def test_a_change_by_somebody_else_is_kept_and_the_task_found_again(project: Project, spec: SpecFiles) -> None:
    """O8: re-read, re-locate, then write."""
    spec.plan()
    project.tasks_file.write_text(TASKS.replace("# Plan\n", "# Plan\n\n- [ ] 0. New first task\n"))
    plan = spec.write("1.2", "x")
    assert "- [x] 1.2 Beta" in text(project)
    assert "- [ ] 0. New first task" in text(project)
    assert plan.task("1.2").done
    assert spec.plan() is plan


def test_a_task_that_cannot_be_found_without_doubt_is_refused(project: Project, spec: SpecFiles) -> None:
    """O8: say so, and do not guess."""
    spec.plan()
    changed = TASKS.replace("  - [ ] 1.2 Beta\n", "")
    project.tasks_file.write_text(changed)
    with pytest.raises(RalphError, match="cannot be found again"):
        spec.write("1.2", "x")
    assert text(project) == changed


def test_a_link_stays_a_link_and_the_mode_stays(project: Project, tmp_path: Path) -> None:
    target = tmp_path / "shared.md"
    project.tasks_file.rename(target)
    target.chmod(0o640)
    project.tasks_file.symlink_to("../../../shared.md")
    SpecFiles(project).write("2", "x")
    assert project.tasks_file.is_symlink()
    assert "- [x] 2. Second" in target.read_text()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert sorted(path.name for path in target.parent.iterdir()) == [".kiro", ".ralph", "shared.md"]


def test_a_mark_that_stands_already_is_not_written_again(project: Project, spec: SpecFiles) -> None:
    spec.write("2", "x")
    was = project.tasks_file.stat()
    spec.write("2", "x")
    assert project.tasks_file.stat().st_ino == was.st_ino


def test_what_a_crash_left_beside_the_file_is_removed(project: Project) -> None:
    left = project.tasks_file.with_name(".tasks.md.ralph-new")
    left.write_text("half")
    SpecFiles(project)
    assert not left.exists()
    SpecFiles(project).write("2", "x")
    assert [path.name for path in project.spec_dir.iterdir()] == ["tasks.md"]


def test_a_file_that_cannot_be_written_is_a_clear_error(project: Project, spec: SpecFiles) -> None:
    spec.plan()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))  # permissions would not stop root
    try:
        with pytest.raises(RalphError, match=r"cannot write .*tasks\.md") as caught:
            spec.write("2", "x")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "writable" in caught.value.hint
    assert text(project) == TASKS


# --- holding and protecting


def test_marks_that_an_attempt_set_are_put_back(project: Project, spec: SpecFiles) -> None:
    """O17: only the runner writes states."""
    spec.write("1.1", "-")
    spec.hold()
    held = text(project)
    project.tasks_file.write_text(held.replace("[-] 1.1", "[x] 1.1").replace("[ ] 2.", "[S] 2."))
    notes = spec.protect("1.1")
    assert text(project) == held
    assert len(notes) == 2
    assert spec.foreign_diff == ""


def test_other_edits_stay_and_are_told_as_a_diff(project: Project, spec: SpecFiles) -> None:
    """O17: a person adds a task while an attempt runs."""
    spec.hold()
    project.tasks_file.write_text(TASKS + "- [ ] 3. Added by a person\n")
    assert spec.protect("1.1") == ()
    assert "+- [ ] 3. Added by a person" in spec.foreign_diff
    assert "3. Added" in text(project)
    assert spec.plan().task("3").name == "Added by a person"


def test_a_file_that_lost_a_task_is_put_back_and_the_other_version_kept(project: Project, spec: SpecFiles) -> None:
    spec.hold()
    spoiled = "# Plan\n\n- [x] 1. First\n"
    project.tasks_file.write_text(spoiled)
    notes = spec.protect("1.1")
    assert text(project) == TASKS
    assert (project.state / "tasks.1.md").read_text() == spoiled
    assert any("tasks.1.md" in note for note in notes)
    project.tasks_file.write_text("")
    spec.protect("1.1")
    assert text(project) == TASKS
    assert (project.state / "tasks.2.md").read_text() == ""


@pytest.mark.parametrize(
    "how", ["removed", "its folder removed", "a folder", "a pipe", "a link", "a link to a pipe", "no text any more"]
)
def test_a_file_that_is_no_file_any_more_is_put_back(
    project: Project, spec: SpecFiles, tmp_path: Path, how: str
) -> None:
    """O17, B10."""
    spec.hold()
    project.tasks_file.unlink()
    match how:
        case "removed":
            pass
        case "its folder removed":
            shutil.rmtree(project.spec_dir)
        case "a folder":
            project.tasks_file.mkdir()
            (project.tasks_file / "note.txt").write_text("kept")
        case "a pipe":
            os.mkfifo(project.tasks_file)
        case "a link to a pipe":
            os.mkfifo(tmp_path / "pipe")
            project.tasks_file.symlink_to(tmp_path / "pipe")
        case "a link":
            (tmp_path / "elsewhere.md").write_text("- [x] 9. other\n")
            project.tasks_file.symlink_to(tmp_path / "elsewhere.md")
        case _:
            project.tasks_file.write_bytes(b"\xff\x00\xff")
    assert spec.protect("1.1")
    assert text(project) == TASKS
    assert not project.tasks_file.is_symlink()
    if how == "a folder":
        assert (project.state / "tasks.1.md/note.txt").read_text() == "kept"
    if how == "a link":
        assert (tmp_path / "elsewhere.md").read_text() == "- [x] 9. other\n"


@pytest.mark.parametrize("size", [PLAN_BYTES + 1, 1 << 34], ids=["just too large", "16 GB of a hole"])
def test_a_file_that_grew_too_large_is_moved_away_not_copied(project: Project, spec: SpecFiles, size: int) -> None:
    spec.hold()
    os.truncate(project.tasks_file, size)
    began = time.monotonic()
    said = spec.protect("1.1")
    assert time.monotonic() - began < 5
    assert len(said) == 1
    assert (project.state / "tasks.1.md").stat().st_size == size
    assert text(project) == TASKS


@needs_plain_user
@pytest.mark.parametrize("modes", ["000", "u-w", "444"])
@pytest.mark.parametrize("path", [".kiro", ".kiro/specs/demo/tasks.md"])
def test_a_plan_that_was_closed_is_opened_and_its_marks_can_be_written(project: Project, path: str, modes: str) -> None:
    """B10: as another user than root."""
    child = f"""
import subprocess
from pathlib import Path
from ralph_wiggum.adapters.project import open_spec
from ralph_wiggum.adapters.spec_files import SpecFiles
root = Path({str(project.root)!r})
spec = SpecFiles(open_spec(root, "demo"))
spec.write("1.1", "-")
spec.hold()
subprocess.run(["chmod", "-R", {modes!r}, str(root / {path!r})])
spec.protect("1.1")
spec.write("1.1", "x")
spec.hold()
print(spec.protect("1.1"))
"""
    command = [*PLAIN_USER, sys.executable, "-c", child]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "()\n"), done.stderr
    assert text(project) == TASKS.replace("[ ] 1.1", "[x] 1.1")


def test_the_spec_around_the_plan_is_held_and_protected_with_it(project: Project, spec: SpecFiles) -> None:
    """B10; the details are in test_spec_guard."""
    (project.spec_dir / "design.md").write_text("# Design\n")
    spec.hold()
    project.spec_dir.rename(project.root / "gone")
    said = spec.protect("1.1")
    assert said == (".kiro/specs/demo had been moved to gone; moved back",)
    assert (text(project), spec.document("design.md")) == (TASKS, "# Design\n")


def test_the_plan_that_is_held_is_known_to_the_next_process(project: Project, spec: SpecFiles) -> None:
    assert SpecFiles(project).held_plan() is None
    spec.hold()
    project.tasks_file.write_text("- [ ] 9. Other\n")
    for each in (spec, SpecFiles(project)):
        held = each.held_plan()
        assert held is not None
        assert [task.key for task in held.tasks] == ["1", "1.1", "1.2", "2"]


def test_a_link_that_became_a_file_is_a_link_again(project: Project, tmp_path: Path) -> None:
    """`sed -i` and many editors replace a link by a file."""
    target = tmp_path / "shared.md"
    project.tasks_file.rename(target)
    project.tasks_file.symlink_to("../../../shared.md")
    spec = SpecFiles(project)
    spec.hold()
    project.tasks_file.unlink()
    project.tasks_file.write_text(TASKS + "- [ ] 3. Added\n")
    assert spec.protect("1.1")
    assert project.tasks_file.is_symlink()
    assert target.read_text() == TASKS + "- [ ] 3. Added\n"


def test_a_start_after_a_crash_protects_with_what_was_held_on_disk(project: Project, spec: SpecFiles) -> None:
    """B2: the runner was killed while an agent was ticking boxes."""
    spec.write("1.1", "-")
    spec.hold()
    held = text(project)
    project.tasks_file.write_text(held.replace("[ ]", "[x]"))
    again = SpecFiles(project)
    assert again.protect("1.1")
    assert text(project) == held


def test_a_mark_that_a_person_set_after_a_crash_is_not_undone(project: Project, spec: SpecFiles) -> None:
    """ralph-skip between a crash and the next start."""
    spec.hold()
    later = SpecFiles(project)
    later.mark_held("2", "S")
    later.write("2", "S")
    assert SpecFiles(project).protect("1.1") == ()
    assert "[S] 2. Second" in text(project)


def test_without_anything_held_there_is_nothing_to_protect(project: Project, spec: SpecFiles) -> None:
    assert not spec.held_from_disk()
    assert spec.protect("1.1") == ()
    spec.mark_held("1.1", "S")
    assert text(project) == TASKS


@pytest.mark.parametrize("left", [b"", b"\0\0\0"], ids=["nothing", "zeros"])
def test_what_a_power_cut_left_of_the_held_text_is_not_put_back(project: Project, spec: SpecFiles, left: bytes) -> None:
    """B2: held text is not brought to the disk at once, so it may be lost, but never stands for the file."""
    spec.hold()
    (project.state / "tasks.held.md").write_bytes(left)
    again = SpecFiles(project)
    assert not again.held_from_disk()
    assert again.protect("1.1") == ()
    assert text(project) == TASKS


def test_held_text_is_written_again_if_an_attempt_removed_it(project: Project, spec: SpecFiles) -> None:
    spec.hold()
    shutil.rmtree(project.state.parent)
    spec.hold()
    assert (project.state / "tasks.held.md").read_text() == TASKS


# --- documents, steering, the cache


def test_a_pipe_in_the_place_of_a_document_holds_nobody_up(project: Project, spec: SpecFiles) -> None:
    """O12: to open it as a file would wait for ever."""
    os.mkfifo(project.spec_dir / "design.md")
    assert spec.document("design.md") == ""
    project.tasks_file.unlink()
    os.mkfifo(project.tasks_file)
    with pytest.raises(RalphError, match="it is no file"):
        spec.plan()


def test_documents_and_steering(project: Project, spec: SpecFiles, tmp_path: Path) -> None:
    (project.spec_dir / "design.md").write_bytes(b"\xef\xbb\xbf# Design \xff\n")
    assert spec.document("design.md") == "# Design \ufffd\n"
    assert spec.document("requirements.md") == ""
    assert spec.steering() == ()
    folder = tmp_path / ".kiro/steering"
    folder.mkdir()
    (folder / "tech.md").write_text("use uv")
    (folder / "product.md").write_text("a product")
    (folder / "big.md").write_text("x" * 500_000)
    (folder / "notes.txt").write_text("no steering")
    (tmp_path / "AGENTS.md").write_text("rules")
    steering = spec.steering()
    assert [name for name, _ in steering] == ["big.md", "product.md", "tech.md", "AGENTS.md"]
    assert dict(steering)["tech.md"] == "use uv"
    assert len(dict(steering)["big.md"]) < 100_000


def test_the_plan_is_cached_for_status_and_only_for_these_bytes(project: Project, spec: SpecFiles) -> None:
    plan = spec.plan()
    cached = load_plan(project.plan_file, project.tasks_file.read_bytes())
    assert cached is not None
    assert [(task.key, task.mark) for task in cached.tasks] == [(task.key, task.mark) for task in plan.tasks]
    assert load_plan(project.plan_file, project.tasks_file.read_bytes() + b"\n") is None
    project.plan_file.write_bytes(project.plan_file.read_bytes()[:-20])
    assert load_plan(project.plan_file, project.tasks_file.read_bytes()) is None
    assert current_plan(project).task("2").name == "Second"
    assert load_plan(project.plan_file, project.tasks_file.read_bytes()) is not None


def test_a_place_for_the_cache_that_cannot_be_written_is_fine(project: Project) -> None:
    (project.root / ".ralph").write_text("a file in the way")
    assert current_plan(project).task("2").name == "Second"
