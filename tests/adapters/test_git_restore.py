"""Restores: only what changed, only where nobody wrote since, and everything of it (O33; design: snapshots)."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ralph_wiggum.adapters.git.repo import GitRepo
from tests.adapters.git_sandbox import Sandbox, make


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return make(tmp_path / "work", tmp_path)


def picture(top: Path) -> dict[str, str]:
    """Return everything below the top but git's and our own folders: kind, content, executable bit."""
    found: dict[str, str] = {}
    for folder, names, files in os.walk(top):
        names[:] = [name for name in names if name not in (".git", ".ralph")]
        for name in [*files, *(name for name in names if (Path(folder) / name).is_symlink())]:
            path = Path(folder) / name
            key = str(path.relative_to(top))
            if not path.is_symlink() and not path.is_file():
                found[key] = "special"
            elif path.is_symlink():
                found[key] = f"link {path.readlink()}"
            else:
                found[key] = f"{bool(path.stat().st_mode & 0o100)} {path.read_bytes()!r}"
        if not names and not files:
            found[str(Path(folder).relative_to(top)) + "/"] = "empty"
    return found


ACTS = [
    pytest.param("echo 2 > a.py", id="an edit"),
    pytest.param("rm a.py src/b.py src/run.sh", id="deletions, and a folder gone with them"),
    pytest.param("mkdir -p x/y/z; echo > x/y/z/f; echo > x/g", id="new folders"),
    pytest.param("chmod -x src/run.sh; chmod +x a.py", id="executable bits"),
    pytest.param("rm a.py; ln -s src/b.py a.py", id="a file becomes a link"),
    pytest.param("mv src lib; ln -s lib src", id="a folder becomes a link to where it went"),
    pytest.param("rm a.py; mkdir -p a.py/deep; echo > a.py/deep/x", id="a file becomes a folder"),
    pytest.param("rm a.py; mkdir -p a.py/deep/er a.py/other", id="a file becomes empty folders"),
    pytest.param("rm -r src; echo > src", id="a folder becomes a file"),
    pytest.param("rm -r src; mkfifo src", id="a folder becomes a pipe"),
    pytest.param("rm link; mkdir link; echo > link/x", id="a link becomes a folder"),
    pytest.param("ln -sfn elsewhere link", id="a link points elsewhere"),
    pytest.param("rm mine.txt; echo 2 > dirty.py; git checkout -q a.py", id="the person's uncommitted changes"),
    pytest.param("printf 'a\\r\\nb' > crlf.txt; printf '\\000\\377' > bin", id="bytes"),
    pytest.param("echo > hollow/x", id="a file in a folder that was empty"),
    pytest.param("echo '* -text' > .gitattributes; echo 2 > a.py", id="attributes"),
]


@pytest.mark.parametrize("act", ACTS)
def test_a_restore_brings_back_exactly_what_was(box: Sandbox, act: str) -> None:
    """Changes of the person's that were not committed come back too, byte for byte."""
    box.write("dirty.py", "committed\n")
    (box.top / "link").symlink_to("src")
    box.git("add", "-A")
    box.git("commit", "-qm", "more")
    box.write("dirty.py", "the person's\n")
    box.write("mine.txt", b"untracked\r\nbytes \xff")
    box.write("a.py", "a = 'uncommitted'\n")
    (box.top / "hollow").mkdir()
    repo = box.repo()
    repo.begin("r1")
    before, was = repo.snapshot(), picture(box.top)
    index = (box.top / ".git/index").read_bytes()
    shell(box, act)
    after = repo.snapshot()
    done = repo.restore(before, after)
    assert picture(box.top) == was
    assert done.left == ()
    assert set(done.restored) == {change.path for change in repo.changes(before, after)}
    assert repo.snapshot() == before
    if "git checkout" not in act:
        assert (box.top / ".git/index").read_bytes() == index


def shell(box: Sandbox, act: str) -> None:
    subprocess.run(["sh", "-ec", act], cwd=box.top, env=box.env, check=True)


def test_a_file_that_somebody_changed_since_is_left_and_named(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    box.write("a.py", "the attempt\n")
    box.write("new.py", "the attempt\n")
    box.write("src/b.py", "the attempt\n")
    after = repo.snapshot()
    box.write("a.py", "the person, since\n")
    box.write("new.py", "the person, since\n")
    box.write("unrelated.py", "the person, since\n")
    done = repo.restore(before, after)
    assert done.left == ("a.py", "new.py")
    assert done.restored == ("src/b.py",)
    assert box.read("a.py") == box.read("new.py") == box.read("unrelated.py") == "the person, since\n"
    assert box.read("src/b.py") == "b = 1\n"


def test_what_changed_before_the_task_began_is_not_touched(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    box.write("earlier.py", "an earlier task\n")
    before = repo.snapshot()
    box.write("a.py", "2\n")
    repo.restore(before, repo.snapshot())
    assert box.read("earlier.py") == "an earlier task\n"


def test_a_folder_with_a_file_of_somebodys_is_not_removed(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    (box.top / "a.py").unlink()
    box.write("a.py/attempt", "1\n")
    after = repo.snapshot()
    box.write("a.py/person", "since\n")
    box.write("a.py/noise.log", "ignored\n")
    done = repo.restore(before, after)
    assert done.left == ("a.py",)
    assert box.read("a.py/person") == "since\n"
    assert not (box.top / "a.py/attempt").exists()


def test_ignored_files_in_the_way_are_not_destroyed(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    (box.top / "a.py").unlink()
    box.write("a.py/noise.log", "ignored\n")
    done = repo.restore(before, repo.snapshot())
    assert done.left == ("a.py",)
    assert box.read("a.py/noise.log") == "ignored\n"


def test_nothing_is_written_through_a_link(box: Sandbox, tmp_path: Path) -> None:
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    (box.top / "src/b.py").unlink()
    after = repo.snapshot()
    outside = tmp_path / "outside"
    shutil.move(box.top / "src", outside)
    (box.top / "src").symlink_to(outside)
    done = repo.restore(before, after)
    assert done.left == ("src/b.py",)
    assert not (outside / "b.py").exists()


def test_taking_a_rule_out_of_gitignore_does_not_cost_the_ignored_file(box: Sandbox) -> None:
    """The file was there before, ignored; to git it looks like the attempt's own."""
    box.write("notes.log", "years of notes\n")
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    box.write(".gitignore", "")
    after = repo.snapshot()
    assert "notes.log" in {change.path for change in repo.changes(before, after)}
    repo.restore(before, after)
    assert box.read("notes.log") == "years of notes\n"
    assert box.read(".gitignore") == ".ralph/\n*.log\n.env\n"


def test_a_large_file_of_the_attempts_is_moved_out_and_not_lost(box: Sandbox) -> None:
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    box.write("out/huge.bin", b"x" * 10_000_001)
    after = repo.snapshot()
    assert repo.restore(before, after).restored == ("out/huge.bin",)
    assert not (box.top / "out").exists()
    assert (box.top / ".ralph/demo/aside/out/huge.bin").stat().st_size == 10_000_001


def test_a_large_file_that_was_there_before_cannot_come_back_and_is_named(box: Sandbox) -> None:
    box.write("huge.bin", b"x" * 10_000_001)
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    box.write("huge.bin", b"x" * 5)
    after = repo.snapshot()
    assert repo.restore(before, after).left == ("huge.bin",)
    assert box.read("huge.bin") == "xxxxx"


def test_a_small_file_that_grew_large_comes_back(box: Sandbox) -> None:
    box.write("data.bin", b"small")
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    box.write("data.bin", b"x" * 10_000_001)
    assert repo.restore(before, repo.snapshot()).restored == ("data.bin",)
    assert box.read("data.bin") == "small"


def test_ignored_files_that_went_missing_are_put_back(box: Sandbox) -> None:
    """Design: small ignored files are kept once at the start."""
    box.write(".env", "TOKEN=1\n", mode=0o600)
    box.write("local.log", "ignored\n")
    box.write("logs/deep/x.log", "ignored too\n")
    box.write("node_modules/m/.env", "a dependency's\n")
    box.write("big.log", b"x" * 1_000_001)
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    for path in (".env", "local.log", "big.log"):
        (box.top / path).unlink()
    shutil.rmtree(box.top / "logs")
    shutil.rmtree(box.top / "node_modules")
    done = repo.restore(before, repo.snapshot())
    assert done.restored == (".env", "local.log", "logs/deep/x.log")
    assert (box.read(".env"), box.read("logs/deep/x.log")) == ("TOKEN=1\n", "ignored too\n")
    assert (box.top / ".env").stat().st_mode & 0o777 == 0o600
    assert not (box.top / "big.log").exists()
    assert not (box.top / "node_modules").exists()


def test_a_secret_that_was_changed_is_put_back_and_the_other_version_kept(box: Sandbox) -> None:
    box.write(".env", "TOKEN=1\n")
    box.write("local.log", "1\n")
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    box.write(".env", "TOKEN=changed\n")
    box.write("local.log", "a program goes on writing\n")
    done = repo.restore(before, repo.snapshot())
    assert done.restored == (".env",)
    assert box.read(".env") == "TOKEN=1\n"
    assert box.read(".ralph/demo/aside/.env") == "TOKEN=changed\n"
    assert box.read("local.log") == "a program goes on writing\n"


def test_an_untracked_secret_comes_back_as_an_ignored_one_does(box: Sandbox) -> None:
    box.write(".gitignore", ".ralph/\n")
    box.write("conf/.env", "TOKEN=1\n")
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    box.write("conf/.env", "TOKEN=2\n")
    done = repo.restore(before, repo.snapshot())
    assert done.left == ()
    assert done.restored == ("conf/.env",)
    assert box.read("conf/.env") == "TOKEN=1\n"


def test_what_a_completed_task_left_is_what_later_ones_return_to(box: Sandbox) -> None:
    box.write(".env", "TOKEN=1\n")
    repo = box.repo()
    repo.begin("r1")
    before = repo.snapshot()
    box.write(".env", "TOKEN=1\nNEW=2\n")
    box.write("a.py", "2\n")
    repo.commit(before, repo.snapshot(), subject="x", trailers={})
    before = repo.snapshot()
    (box.top / ".env").unlink()
    repo.restore(before, repo.snapshot())
    assert box.read(".env") == "TOKEN=1\nNEW=2\n"


def test_a_resumed_run_still_has_what_the_broken_one_kept(box: Sandbox) -> None:
    box.write(".env", "TOKEN=1\n")
    first = box.repo()
    first.begin("r1")
    before = first.snapshot()
    (box.top / ".env").unlink()  # and here the runner dies
    repo = box.repo()
    repo.begin("r2", since=before)
    assert repo.restore(before, repo.snapshot()).restored == (".env",)


def test_a_fresh_run_does_not_bring_back_what_the_person_removed(box: Sandbox) -> None:
    box.write(".env", "TOKEN=1\n")
    box.repo().begin("r1")
    (box.top / ".env").unlink()
    repo = box.repo()
    repo.begin("r2")
    before = repo.snapshot()
    box.write("a.py", "2\n")
    repo.restore(before, repo.snapshot())
    assert not (box.top / ".env").exists()


NAMES = ("a.py", "src/b.py", "src/run.sh", "n/x", "n/y/z", "q", "src/n/w", "n")


def scramble(top: Path, rng: random.Random, acts: int) -> None:
    """Do random things to files, folders and links, as a careless agent would."""
    for _ in range(acts):
        path = top / rng.choice(NAMES)
        act = rng.randrange(5)
        if act == 0 and os.path.lexists(path):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            continue
        blocked = next((p for p in path.parents if p != top and p.is_relative_to(top) and _no_folder(p)), None)
        if blocked is not None:
            blocked.unlink()
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        if act == 1:
            path.unlink(missing_ok=True)
            path.symlink_to(rng.choice(("a.py", "src", "nowhere")))
        elif path.is_symlink():
            path.unlink()
        elif act == 2 and path.exists():
            path.chmod(path.stat().st_mode ^ 0o111)
        else:
            path.write_bytes(rng.randbytes(rng.randrange(4)))


def _no_folder(path: Path) -> bool:
    return os.path.lexists(path) and (path.is_symlink() or not path.is_dir())


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, GitRepo]:
    """Return one work tree for all examples, each of which goes on from what the last one left."""
    home = tmp_path_factory.mktemp("playground")
    box = make(home / "work", home)
    repo = box.repo()
    repo.begin("r1")
    return box.top, repo


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), before_acts=st.integers(0, 4), acts=st.integers(1, 8))
def test_any_edits_between_two_snapshots_are_undone(
    playground: tuple[Path, GitRepo], seed: int, before_acts: int, acts: int
) -> None:
    """Round trip: restore brings back exactly the tree of before, empty folders aside, which git does not know."""
    work, repo = playground
    rng = random.Random(seed)
    scramble(work, rng, before_acts)
    before, was = repo.snapshot(), picture(work)
    scramble(work, rng, acts)
    after = repo.snapshot()
    done = repo.restore(before, after)
    assert done.left == ()
    assert files_of(picture(work)) == files_of(was)
    assert repo.snapshot() == before


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_what_somebody_does_between_snapshot_and_restore_survives(playground: tuple[Path, GitRepo], seed: int) -> None:
    """Whatever was edited after `after` is still there, byte for byte."""
    work, repo = playground
    rng = random.Random(seed)
    before = repo.snapshot()
    scramble(work, rng, 5)
    after, then = repo.snapshot(), picture(work)
    scramble(work, rng, 3)
    since = {path: what for path, what in files_of(picture(work)).items() if then.get(path) != what}
    done = repo.restore(before, after)
    now = picture(work)
    assert {path: now.get(path) for path in since} == since
    assert set(done.left) <= {change.path for change in repo.changes(before, after)}


def files_of(found: dict[str, str]) -> dict[str, str]:
    return {path: what for path, what in found.items() if what != "empty"}
