"""What an agent did with git before its runner was killed is put back at the next start (O38, B2)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ralph_wiggum.adapters.git.late import Late
from ralph_wiggum.adapters.git.place import locate
from ralph_wiggum.adapters.git.record import RECORD, Record, RecordFile
from ralph_wiggum.adapters.git.recover import recover
from ralph_wiggum.adapters.git.refs import Head, Ref
from ralph_wiggum.adapters.git.repo import GitRepo
from ralph_wiggum.ports import RepoState, Snapshot
from tests.adapters.git_sandbox import Sandbox, commit_all
from tests.adapters.test_git_guard import ACTS, agent, box, refs

__all__ = ["box"]  # the fixture: a repository with the person's changes of every kind

MOMENT = 0.03  # seconds; file systems stamp their files every 4 ms or so


def moment() -> datetime:
    """Return a time that lies between what was done before and what is done after."""
    time.sleep(MOMENT)
    now = datetime.now(UTC)
    time.sleep(MOMENT)
    return now


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=60)


def evening(box: Sandbox, *, commit: bool = True) -> Snapshot:
    """Begin a run whose runner is killed later, on a branch `night`; return how its first task found the tree."""
    box.git("checkout", "-q", "-b", "night")
    repo = box.repo(commit=commit)
    assert repo.begin("r1").branch == "night"
    return repo.snapshot()


def restart(box: Sandbox, since: Snapshot, until: datetime | None, *, commit: bool = True) -> RepoState:
    return box.repo(commit=commit).begin("r2", since=since, agent_until=until)


def picture(box: Sandbox) -> tuple[object, ...]:
    return refs(box), box.head(), box.branch(), box.git("ls-files", "-s")


def words(state: RepoState) -> str:
    return "\n".join(note for note in state.notes if note.startswith("from the attempt that was cut off"))


@pytest.mark.parametrize(("act", "word"), ACTS)
def test_the_next_start_puts_back_what_the_runner_could_not(box: Sandbox, act: str, word: str) -> None:
    """O38, B2: the same acts, with the same outcome, as for a runner that lives to see them."""
    before = evening(box)
    then, stashes = picture(box), box.git("stash", "list").count("\n")
    box.write("one.py", "the agent\n")
    agent(box, act)
    state = restart(box, before, soon())
    assert word in words(state)
    assert picture(box) == then
    assert box.git("stash", "list").count("\n") == stashes
    assert box.read("a.py") == "staged by the person\n"
    assert box.read("src/b.py") == "changed by the person\n"
    assert box.read("mine.txt") == "untracked, the person's\n"
    assert set(state.dirty) == {"a.py", "mine.txt", "src/b.py"}
    assert box.repos[-1].mend() == ()
    box.git("fsck", "--strict")


@pytest.mark.parametrize(
    ("act", "kept"),
    [
        pytest.param("git add .; git commit -qm x", "heads/night", id="a commit"),
        pytest.param("git checkout -q -b f; git add one.py; git commit -qm x", "heads/f", id="a branch"),
        pytest.param("git add one.py; git stash -q -- one.py", "stash-0", id="a stash"),
    ],
)
def test_what_the_agent_made_is_kept_and_named(box: Sandbox, act: str, kept: str) -> None:
    before = evening(box)
    box.write("one.py", "the agent\n")
    agent(box, act)
    ref = f"refs/ralph/agent/1/{kept}"
    assert ref in words(restart(box, before, soon()))
    assert box.git("show", f"{ref}:one.py") == "the agent"


def test_the_runners_own_commits_stay(box: Sandbox) -> None:
    """The record is written after each of the runner's own acts."""
    evening(box)
    repo = box.repos[-1]
    made = commit_all(repo, box, {"one.py": "1\n"})
    second = repo.snapshot()
    box.write("two.py", "2\n")
    agent(box, "git add two.py; git commit -qm theirs")
    state = restart(box, second, soon())
    assert (state.head, box.head(), box.branch()) == (made.sha, made.sha, "night")
    assert "folded" in words(state)
    assert "theirs" in words(state)
    assert box.read("two.py") == "2\n"


def test_what_an_earlier_attempt_left_in_the_persons_file_comes_back(box: Sandbox) -> None:
    """The last look at the tree counts, not the one that the task began with."""
    before = evening(box)
    box.write("a.py", "changed by the person, and by the first attempt\n")
    box.repos[-1].mend()
    box.repos[-1].snapshot()
    agent(box, "git stash -q")
    assert "put back a.py" in words(restart(box, before, soon()))
    assert box.read("a.py") == "changed by the person, and by the first attempt\n"


def test_a_start_that_is_killed_as_well_does_it_again(box: Sandbox) -> None:
    """B2: nothing is recorded before all is put back."""
    before = evening(box)
    then = picture(box)
    agent(box, "git stash -q -u; git checkout -q -b f; git branch -D other; git add -A")
    state = box.root / ".ralph/demo"
    guard = (state / RECORD).read_bytes(), (state / "persons.index").read_bytes()
    box.git("symbolic-ref", "HEAD", "refs/heads/night")  # as far as the one start came
    assert "stashed" in words(restart(box, before, soon()))
    assert picture(box) == then
    (state / RECORD).write_bytes(guard[0])  # the other was killed when all was done but the record
    (state / "persons.index").write_bytes(guard[1])
    assert words(restart(box, before, soon())) == ""
    assert picture(box) == then


def test_after_a_run_that_ended_what_a_person_did_with_git_is_theirs(box: Sandbox) -> None:
    """`since` is given after Ctrl-C as well; only `agent_until` says that an attempt was cut off."""
    before = evening(box, commit=False)
    agent(box, "git add -A; git commit -qm mine; git checkout -q -b elsewhere; git stash list")
    then = picture(box)
    assert words(restart(box, before, None, commit=False)) == ""
    assert picture(box) == then


def late_stash(box: Sandbox) -> None:
    box.write("b.py", "later\n")
    later = {**box.env, "GIT_COMMITTER_DATE": f"{int(time.time()) + 5} +0000"}
    Sandbox(box.top, later).git("stash", "push", "-q", "-u", "--", "b.py")


def late(box: Sandbox, act: str) -> None:
    if act == "stash":
        late_stash(box)
    else:
        agent(box, act)


@pytest.mark.parametrize(
    ("act", "look", "word"),
    [
        pytest.param("git checkout -q other2", ["symbolic-ref", "HEAD"], "HEAD, now at other2", id="switched"),
        pytest.param("git checkout -q --detach", ["rev-parse", "HEAD"], "HEAD, now at", id="detached HEAD"),
        pytest.param("git commit -qm mine", ["rev-parse", "night"], "night", id="committed"),
        pytest.param("git reset -q --soft HEAD~1", ["rev-parse", "night"], "night", id="took a commit back"),
        pytest.param("git branch later", ["rev-parse", "later"], "later", id="made a branch"),
        pytest.param("git tag -f v1", ["rev-parse", "v1"], "v1", id="moved a tag"),
        pytest.param("git add mine.txt", ["ls-files", "-s"], "what is staged", id="staged"),
        pytest.param("stash", ["stash", "list"], "", id="stashed"),
        pytest.param("git config user.email me@example.org", ["config", "user.email"], "user.email", id="settings"),
        pytest.param(
            "mkdir -p .git/info; echo x >> .git/info/exclude", ["status"], "info/exclude", id="what is ignored"
        ),
        pytest.param(
            "git checkout -q -f main; git merge -q --no-ff --no-commit -s ours other2",
            ["rev-parse", "MERGE_HEAD"],
            "the merge",
            id="began a merge",
        ),
    ],
)
def test_what_a_person_did_after_the_crash_is_left_and_said(box: Sandbox, act: str, look: list[str], word: str) -> None:
    """Later than the attempt can have lasted: not the agent's."""
    box.git("branch", "other2", box.git("commit-tree", "HEAD^{tree}", "-p", "main~1", "-m", "side"))
    before = evening(box, commit=False)
    until = moment()
    late(box, act)
    then, staged = box.git(*look), box.git("diff", "--cached", "--raw")
    state = restart(box, before, until, commit=False)
    assert word in words(state)
    assert (box.git(*look), box.git("diff", "--cached", "--raw")) == (then, staged)
    assert "refs/ralph/agent" not in box.git("for-each-ref")


def test_a_person_who_only_looked_around_does_not_keep_the_agents_acts_from_being_put_back(box: Sandbox) -> None:
    before = evening(box)
    then = picture(box)
    box.write("one.py", "the agent\n")
    agent(box, "git checkout -q -b f; git add -A; git commit -qm x; git branch -D night")
    until = moment()
    agent(box, "touch src/run.sh; git status; git log; git diff HEAD~1; git show")
    state = restart(box, before, until)
    assert "left as it is" not in words(state)
    assert picture(box) == then


def test_the_agents_commit_is_taken_back_where_the_person_has_switched_away(box: Sandbox) -> None:
    """Each by its own time: HEAD stays with the person, the run's branch goes back, the person's file is there."""
    before = evening(box, commit=False)
    was = box.head()
    box.write("one.py", "the agent\n")
    agent(box, "git add mine.txt one.py; git commit -qm theirs mine.txt one.py")
    until = moment()
    agent(box, "git checkout -q main")
    state = restart(box, before, until, commit=False)
    assert state.branch == box.branch() == "main"
    assert box.git("rev-parse", "night") == was
    assert box.git("show", "refs/ralph/agent/1/heads/night:one.py") == "the agent"
    assert box.read("mine.txt") == "untracked, the person's\n"


def test_the_branch_that_a_person_stands_on_is_not_taken_away(box: Sandbox) -> None:
    before = evening(box, commit=False)
    agent(box, "git checkout -q -b f; git add -A; git commit -qm x")
    tip, until = box.head(), moment()
    agent(box, "git checkout -q main; git checkout -q f")
    assert "HEAD, now at f" in words(restart(box, before, until, commit=False))
    assert (box.branch(), box.head()) == ("f", tip)


def test_a_branch_that_was_there_and_that_the_person_committed_on_stays_as_well(box: Sandbox) -> None:
    box.git("branch", "-f", "other", "main")
    before = evening(box, commit=False)
    until = moment()
    agent(box, "git checkout -q other; git commit -q --allow-empty -m mine")
    tip = box.head()
    said = words(restart(box, before, until, commit=False))
    assert (box.branch(), box.head()) == ("other", tip)
    assert said.count("\n") == 0
    assert "HEAD, now at other" in said


def test_the_agents_stash_goes_and_the_persons_later_one_stays(box: Sandbox) -> None:
    before = evening(box)
    agent(box, "git stash -q")
    until = moment()
    late_stash(box)
    listed = box.git("stash", "list").split("\n")
    state = restart(box, before, until)
    assert len(listed) == 3
    assert [line.split(": ", 1)[1] for line in box.git("stash", "list").split("\n")] == [
        line.split(": ", 1)[1] for line in (listed[0], listed[2])
    ]
    assert "kept as refs/ralph/agent/1/stash-1" in words(state)
    assert box.read("a.py") == "staged by the person\n"


@pytest.mark.parametrize("removed", [pytest.param(True, id="removed"), pytest.param(False, id="changed")])
def test_a_secret_that_the_agent_spoilt_is_put_back(box: Sandbox, *, removed: bool) -> None:
    """As at the end of an attempt; but one that the person mended since stays."""
    box.write(".env", "TOKEN=1\n")
    before = evening(box)
    agent(box, "rm .env" if removed else "echo TOKEN=x > .env")
    until = moment()
    assert ".env was removed or changed: put back" in words(restart(box, before, until))
    assert box.read(".env") == "TOKEN=1\n"
    until = moment()
    box.write(".env", "TOKEN=2\n")
    assert words(restart(box, before, until)) == ""
    assert box.read(".env") == "TOKEN=2\n"


def test_a_secret_that_a_task_removed_does_not_come_back(box: Sandbox) -> None:
    box.write(".env", "TOKEN=1\n")
    evening(box)
    repo = box.repos[-1]
    before = repo.snapshot()
    agent(box, "rm .env; echo 1 > one.py")
    repo.commit(before, repo.snapshot(), subject="x", trailers={})
    restart(box, repo.snapshot(), soon())
    assert not (box.top / ".env").exists()


@pytest.mark.parametrize(
    "left",
    [
        pytest.param(None, id="none"),
        pytest.param(b"", id="an empty one"),
        pytest.param(b"\0" * 400, id="zeros"),
        pytest.param(b'{"v": 1, "head": ["refs/heads/night", "', id="a torn one"),
        pytest.param(b'{"v": 99}', id="one of another version"),
        pytest.param(b"[1, 2]", id="something else"),
    ],
)
def test_without_a_record_the_repository_is_taken_as_it_is(box: Sandbox, left: bytes | None) -> None:
    """A power cut may leave anything: the start then does as it did before there was a record."""
    before = evening(box)
    agent(box, "git add -A; git commit -qm theirs")
    record = box.root / ".ralph/demo" / RECORD
    record.unlink() if left is None else record.write_bytes(left)
    tip = box.head()
    state = restart(box, before, soon())
    assert (words(state), state.head, box.head()) == ("", tip, tip)


def test_a_record_holds_until_another_run_begins_in_the_work_tree(box: Sandbox) -> None:
    """Its branches would be taken away, and its commits folded, by what the other spec's record says."""
    before = evening(box)
    other = box.repo(spec="other")
    other.begin("r2")
    made = commit_all(other, box, {"one.py": "1\n"})
    state = restart(box, before, soon())
    assert (words(state), box.head()) == ("", made.sha)


def test_a_record_that_an_agent_removed_is_there_again_after_the_attempt(box: Sandbox) -> None:
    evening(box)
    repo = box.repos[-1]
    agent(box, "rm -r .ralph")
    repo.mend()
    before = repo.snapshot()
    agent(box, "git add -A; git commit -qm theirs")
    assert "theirs" in words(restart(box, before, soon()))


def test_a_removed_folder_of_the_runners_costs_neither_index_nor_settings(box: Sandbox) -> None:
    """`git clean -fdx` takes .ralph with it: what is missing there was not the person's wish."""
    box.git("config", "user.name", "Per Son")
    evening(box)
    agent(box, "git clean -fdxq; git add -A; git config user.name Bot")
    assert "the copy of it is gone" in " ".join(box.repos[-1].mend())
    assert (box.top / ".git/index").exists()
    assert box.git("config", "user.name") == "Per Son"


def test_a_repository_that_cannot_be_mended_is_said(box: Sandbox) -> None:
    """O12: the notes say so, whatever becomes of the start itself."""
    before = evening(box)
    box.git("commit", "-q", "--allow-empty", "-m", "theirs")
    record = RecordFile(box.root / ".ralph/demo")
    wrong = record.load()
    assert wrong is not None
    record.save(Record(Head("refs/heads/night", "0" * 39 + "1"), {}, {}, frozenset(), wrong.seen))
    assert "could not be put back" in words(restart(box, before, soon()))


def test_in_no_repository_nothing_is_recovered(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    root.mkdir()
    repo = GitRepo(root, state=root / ".ralph/demo", spec="demo", env={"PATH": "/usr/bin:/bin"})
    repo.begin("r1")
    again = GitRepo(root, state=root / ".ralph/demo", spec="demo", env={"PATH": "/usr/bin:/bin"})
    assert words(again.begin("r2", since=repo.snapshot(), agent_until=soon())) == ""


TEXT = st.text(max_size=12)
SNAPSHOTS = st.builds(Snapshot, tree=TEXT, large=st.dictionaries(TEXT, TEXT, max_size=3))
RECORDS = st.builds(
    Record,
    head=st.builds(Head, TEXT, TEXT),
    refs=st.dictionaries(TEXT, st.builds(Ref, TEXT, TEXT), max_size=4),
    stashes=st.dictionaries(TEXT, TEXT, max_size=3),
    operations=st.frozensets(TEXT, max_size=2),
    seen=SNAPSHOTS,
)


@settings(max_examples=60, deadline=None)
@given(first=RECORDS, second=RECORDS)
def test_a_record_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, first: Record, second: Record
) -> None:
    folder = tmp_path_factory.mktemp("state")
    file = RecordFile(folder)
    for record in (first, second, first):
        file.save(record)
        assert RecordFile(folder).load() == record


def test_a_record_that_cannot_be_written_leaves_no_old_one(tmp_path: Path) -> None:
    """An old one would take the runner's own commits back."""
    file = RecordFile(tmp_path)
    record = Record(Head("refs/heads/x", "1"), {}, {}, frozenset(), Snapshot(tree="t"))
    file.save(record)
    (tmp_path / f"{RECORD}.new").mkdir()
    file.save(Record(Head("refs/heads/another", "1"), {}, {}, frozenset(), Snapshot(tree="t")))
    assert not file.there


def test_writing_the_record_takes_less_than_half_a_millisecond(tmp_path: Path) -> None:
    """It is written twice an attempt (design, part 3)."""
    file = RecordFile(tmp_path)
    many = {f"refs/tags/v{number}": Ref("1" * 40, "") for number in range(1_000)}
    record = Record(Head("refs/heads/x", "1" * 40), many, {}, frozenset(), Snapshot(tree="2" * 40))
    took = []
    for _ in range(50):
        began = time.perf_counter()
        file.save(record)
        took.append(time.perf_counter() - began)
    assert sorted(took)[10] < 0.0005


def test_recovering_where_nothing_happened_changes_nothing(box: Sandbox) -> None:
    before = evening(box)
    then = picture(box)
    place = locate(box.root, box.root / ".ralph/demo", (), box.env, 10.0)
    parts = box.repos[-1]._parts()
    assert recover(place, parts.snapshots, parts.restorer, parts.persons, parts.kept, Late(place, soon())) == []
    assert words(restart(box, before, soon())) == ""
    assert picture(box) == then
