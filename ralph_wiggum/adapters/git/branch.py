"""The branch of a run: one of its own, only when started on the default branch."""

from __future__ import annotations

from itertools import islice

from ralph_wiggum.adapters.git.commands import NoAnswerError
from ralph_wiggum.adapters.git.place import Place
from ralph_wiggum.adapters.git.refs import Head, read_refs
from ralph_wiggum.core.commits import branch_names
from ralph_wiggum.core.errors import RalphError

_MOST_BRANCHES = 1_000


def take_branch(place: Place, head: Head, pattern: str, spec: str) -> tuple[Head, tuple[str, ...]]:
    """Choose the branch, from HEAD as it is; return HEAD then, and words for the person. Nothing uncommitted moves.

    On the default branch, or a detached HEAD: the branch of the spec, used again only if it holds all of HEAD and can
    be had without touching what is not committed; else the next free name. On any other branch: stay.
    """
    if not head.commit:
        return head, (f"no commit yet: the first one will be made on {head.branch}",)
    if head.ref and not _is_default(head.branch, default_branch(place)):
        return head, ()
    notes = () if head.ref else (f"HEAD was detached at {head.commit[:10]}: a branch was made there",)
    try:
        return _pick(place, head, pattern, spec), notes
    except NoAnswerError:
        raise
    except RalphError:  # a branch "ralph" stands in the way of "ralph/…"
        return _pick(place, head, pattern.replace("/", "-"), spec), notes


def home_branch(place: Place, head: Head, pattern: str, spec: str) -> str:
    """Return the branch that a run's commits go to in the end: where HEAD was, or the default one after a first run."""
    own = next(branch_names(pattern, spec))
    if head.branch == own or head.branch.startswith(f"{own}-"):
        return default_branch(place) or head.branch
    return head.branch


def default_branch(place: Place) -> str:
    """Return origin/HEAD's branch, else init.defaultBranch where it exists, else main or master; "" if none is."""
    git = place.git
    remote = git.run("symbolic-ref", "-q", "refs/remotes/origin/HEAD", check=False).text
    if remote:
        return remote.removeprefix("refs/remotes/origin/")
    configured = git.run("config", "--get", "init.defaultBranch", check=False).text
    names = [configured] if configured else []
    there = read_refs(git, *(f"refs/heads/{name}" for name in (*names, "main", "master")))
    return next((name for name in (*names, "main", "master") if f"refs/heads/{name}" in there), "")


def _is_default(branch: str, default: str) -> bool:
    """Say whether a branch is the default one; where nothing is configured, main and master both are."""
    usual = ("main", "master")
    return branch == default or (default in usual and branch in usual)


def _pick(place: Place, head: Head, pattern: str, spec: str) -> Head:
    names = list(islice(branch_names(pattern, spec), _MOST_BRANCHES))
    there = read_refs(place.git, f"refs/heads/{names[0]}", f"refs/heads/{names[0]}-*")
    for name in names:
        ref = f"refs/heads/{name}"
        if ref not in there:
            place.git.run("update-ref", "-m", "branch: created for ralph", ref, head.commit, "0" * len(head.commit))
            return _point_at(place, head, ref)
        if there[ref].worktree:  # checked out somewhere else
            continue
        if there[ref].commit == head.commit:
            return _point_at(place, head, ref)
        if _ahead(place, head, there[ref].commit) and _checked_out(place, name):
            return Head(ref, there[ref].commit)
    raise RalphError(f"there are {_MOST_BRANCHES} branches like {names[0]}", hint="delete the ones you do not need")


def _point_at(place: Place, head: Head, ref: str) -> Head:
    """Make HEAD a name for another branch at the same commit: neither index nor work tree changes."""
    new = Head(ref, head.commit)
    words = f"checkout: moving from {head.branch or head.commit} to {new.branch}"
    place.git.run("symbolic-ref", "-m", words, "HEAD", ref)
    return new


def _ahead(place: Place, head: Head, commit: str) -> bool:
    return place.git.run("merge-base", "--is-ancestor", head.commit, commit, check=False).code == 0


def _checked_out(place: Place, name: str) -> bool:
    """Switch to a branch that is ahead; git refuses by itself where a file that is not committed would change."""
    options = ("checkout", "-q", "--no-overwrite-ignore", "--no-recurse-submodules", name, "--")
    return place.git.run(*options, check=False).code == 0
