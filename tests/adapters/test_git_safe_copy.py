"""The safety copy itself: what it costs, where it cannot be made, and that a torn one is never used (B10)."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from ralph_wiggum.adapters.git.repo import GitRepo
from tests.adapters.git_sandbox import Sandbox, commit_all, make

COPY = ".ralph/git-copy/current"
OTHER = Path("/dev/shm")  # another file system, where there is one


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return make(tmp_path / "work", tmp_path)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """Return a folder in another file system: links cannot lead there."""
    if not OTHER.is_dir() or OTHER.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system to write to")
    folder = Path(mkdtemp(dir=OTHER))
    yield folder
    shutil.rmtree(folder)


def begin(box: Sandbox, run: str = "r1") -> GitRepo:
    repo = box.repo()
    repo.begin(run)
    return repo


def objects(folder: Path) -> dict[str, int]:
    """Return the objects below a folder: name -> inode."""
    found = (path for path in folder.glob("objects/*/*") if path.parent.name != "info")
    return {path.relative_to(folder).as_posix(): path.stat().st_ino for path in found}


def test_objects_are_links_and_all_else_are_copies(box: Sandbox) -> None:
    """B10: no space, and nothing that is written into the repository's files reaches the copy."""
    repo = begin(box)
    git, copy = box.top / ".git", box.top / COPY / "common"
    assert objects(copy) == objects(git)
    for name in ("HEAD", "config", "index", "refs/heads/main", "logs/HEAD"):
        assert (copy / name).read_bytes() == (git / name).read_bytes()
        assert (copy / name).stat().st_ino != (git / name).stat().st_ino
    commit_all(repo, box, {"one.py": "1\n"})
    assert objects(copy).items() >= objects(git).items()
    for name in ("HEAD", "refs/heads/ralph/demo", "logs/HEAD", "logs/refs/heads/ralph/demo"):
        assert (copy / name).read_bytes() == (git / name).read_bytes()


def test_the_next_run_brings_it_up_to_date(box: Sandbox) -> None:
    begin(box)
    kept = (box.top / COPY).stat().st_ino
    box.git("checkout", "-q", "main")
    box.git("branch", "-D", "-q", "ralph/demo")
    box.git("tag", "v9")
    box.write("a.py", "2\n")
    box.git("commit", "-qam", "mine")
    begin(box, "r2")
    copy = box.top / COPY / "common"
    assert (box.top / COPY).stat().st_ino == kept, "not made anew"
    assert (copy / "refs/tags/v9").exists()
    assert objects(copy) == objects(box.top / ".git")


def test_a_copy_of_another_repository_is_replaced(box: Sandbox) -> None:
    begin(box)
    shutil.rmtree(box.top / ".git")
    box.git("init", "-q", "-b", "fresh")
    begin(box, "r2")
    assert objects(box.top / COPY / "common") == objects(box.top / ".git")
    assert "fresh" in (box.top / COPY / "common/HEAD").read_text()


def test_a_project_that_was_copied_with_its_copy_shares_objects_again(box: Sandbox, tmp_path: Path) -> None:
    """`cp -r` makes files of links: they would hold the space twice."""
    begin(box)
    shutil.copytree(box.top, tmp_path / "second")
    second = Sandbox(tmp_path / "second", box.env)
    begin(second, "r2")
    assert objects(second.top / COPY / "common") == objects(second.top / ".git")
    assert objects(second.top / ".git").items().isdisjoint(objects(box.top / ".git").items())


@pytest.mark.parametrize("torn", ["no about", "torn about", "half made", "between the renames", "only the old one"])
def test_a_torn_copy_is_made_anew_or_finished(box: Sandbox, torn: str) -> None:
    """B2: kill -9 while it is made."""
    begin(box)
    home = box.top / ".ralph/git-copy"
    if torn == "no about":
        (home / "current/about.json").unlink()
    elif torn == "torn about":
        (home / "current/about.json").write_text('{"v": 1, "top"')
    elif torn == "half made":
        (home / "new/common/refs").mkdir(parents=True)
    elif torn == "between the renames":
        (home / "current").rename(home / "new")
    else:
        (home / "current").rename(home / "old")
    repo = begin(box, "r2")
    assert {path.name for path in home.iterdir()} == {"current"}
    shutil.rmtree(box.top / ".git")
    assert any("put back" in word for word in repo.mend())
    box.git("fsck", "--strict")


def test_a_broken_repository_is_not_copied_over_a_good_copy(box: Sandbox) -> None:
    """The person broke it, or a crash: the good copy stays until the repository is in order."""
    repo = begin(box)
    good = (box.top / COPY / "common/refs/heads/ralph/demo").read_bytes()
    box.write(".git/refs/heads/ralph/demo", "garbage\n")
    repo.keep("x", repo.snapshot())
    assert (box.top / COPY / "common/refs/heads/ralph/demo").read_bytes() == good
    box.write(".git/HEAD", "")
    repo.keep("y", repo.snapshot())
    assert (box.top / COPY / "common/HEAD").read_bytes() != b""


def test_in_another_file_system_objects_are_copied(box: Sandbox, elsewhere: Path) -> None:
    (box.top / ".git").rename(box.top / "store")
    shutil.move(box.top / "store", elsewhere / "store")
    box.write(".git", f"gitdir: {elsewhere}/store\n")
    repo = begin(box)
    assert objects(box.top / COPY / "common").keys() == objects(elsewhere / "store").keys()
    commit_all(repo, box, {"one.py": "1\n"})
    head = box.head()
    shutil.rmtree(elsewhere / "store")
    (box.top / ".git").unlink()
    assert any("put back" in word for word in repo.mend())
    assert box.head() == head
    box.git("fsck", "--strict")


def test_where_there_is_too_much_to_copy_it_is_said_that_there_is_none(box: Sandbox, elsewhere: Path) -> None:
    (box.top / ".git").rename(box.top / "store")
    shutil.move(box.top / "store", elsewhere / "store")
    box.write(".git", f"gitdir: {elsewhere}/store\n")
    pack = elsewhere / f"store/objects/pack/pack-{'a' * 40}.pack"
    pack.parent.mkdir(exist_ok=True)
    pack.touch()
    os.truncate(pack, 300_000_000)  # takes no space
    repo = box.repo()
    notes = " ".join(repo.begin("r1").notes)
    assert "no safety copy" in notes
    assert not (box.top / COPY).exists()
    assert commit_all(repo, box, {"one.py": "1\n"}).sha, "the night goes on all the same"


def test_what_the_repository_gave_up_is_let_go_when_it_is_much(box: Sandbox) -> None:
    """A copy by links holds space once git removes the original."""
    begin(box)
    for number in range(5_100):
        box.write(f"many/{number}", f"{number}\n")
    box.git("add", "-A")
    box.git("commit", "-qm", "many")
    begin(box, "r2")
    held = len(objects(box.top / COPY / "common"))
    assert held > 5_100
    box.git("gc", "-q", "--prune=now")
    begin(box, "r3")
    assert len(objects(box.top / COPY / "common")) < 100
    box.git("fsck", "--strict")


def test_what_is_gone_is_held_where_the_repository_cannot_do_without_it(box: Sandbox) -> None:
    begin(box)
    for number in range(5_100):
        box.write(f"many/{number}", f"{number}\n")
    box.git("add", "-A")
    box.git("commit", "-qm", "many")
    begin(box, "r2")
    listed = box.git("ls-tree", "-r", "HEAD", "many/")
    box.git("rm", "-rq", "many")
    box.git("commit", "-qm", "none")
    for line in listed.split("\n"):
        at = line.split()[2]
        (box.top / ".git/objects" / at[:2] / at[2:]).unlink()
    begin(box, "r3")
    assert len(objects(box.top / COPY / "common")) > 5_100


def test_large_stores_of_others_are_linked_and_locks_left_out(box: Sandbox) -> None:
    box.write(".git/lfs/objects/aa/bb/large", "x" * 1000)
    box.write(".git/index.lock", "")
    os.utime(box.top / ".git/index.lock", (1, 1))
    os.mkfifo(box.top / ".git/pipe")
    repo = begin(box)
    copy = box.top / COPY / "common"
    assert (copy / "lfs/objects/aa/bb/large").stat().st_nlink == 2
    assert not (copy / "pipe").exists()
    assert not (copy / "index.lock").exists()
    shutil.rmtree(box.top / ".git")
    repo.mend()
    assert box.read(".git/lfs/objects/aa/bb/large") == "x" * 1000


def test_the_copy_is_no_part_of_any_snapshot(box: Sandbox) -> None:
    repo = begin(box)
    before = repo.snapshot()
    (box.top / ".ralph/.gitignore").unlink()
    commit_all(repo, box, {"one.py": "1\n"})
    changed = {change.path for change in repo.changes(before, repo.snapshot())}
    assert not [path for path in changed if "git-copy" in path]


def test_keeping_it_current_costs_next_to_nothing(box: Sandbox) -> None:
    """Design, part 3: generous here, for a machine at work; the time of this process alone is counted."""
    for number in range(300):
        box.write(f"d{number % 20}/{number}.txt", f"{number}\n")
    box.git("add", "-A")
    box.git("commit", "-qm", "many")
    repo = begin(box)
    times = []
    for number in range(20):
        box.write("x.py", f"{number}\n")
        snapshot = repo.snapshot()
        started = time.process_time()
        repo.keep("task", snapshot)
        times.append(time.process_time() - started)
    assert sorted(times)[10] < 0.01
