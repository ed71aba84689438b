"""Commits through the person's own hooks (pre-commit, commit-msg), bounded, and without them where they fail."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from ralph_wiggum.adapters.git.index import CommitIndex, Content, new_side
from ralph_wiggum.adapters.git.place import Place
from ralph_wiggum.adapters.git.restore import Restorer
from ralph_wiggum.adapters.git.snapshot import Snapshots
from ralph_wiggum.core.commits import WITHOUT_HOOKS, is_secret, one_line
from ralph_wiggum.ports import Snapshot

_HOOKS = ("pre-commit", "commit-msg", "prepare-commit-msg")
_ROUNDS = 2  # a hook that formats files fails the first time
_SAID_LINES = 5
_COMMIT = ("commit", "-q", "--no-gpg-sign", "--no-status", "--cleanup=whitespace", "-F", "-")


@dataclass(frozen=True, slots=True)
class Hooked:
    """The commit that went through ("" if none did), and its content, or what is left to commit without hooks."""

    sha: str
    content: Content


class HookedCommit:
    """Runs `git commit` on an index of our own, so that hooks see exactly the paths of this commit as staged."""

    def __init__(
        self, place: Place, snapshots: Snapshots, restorer: Restorer, index: CommitIndex, identity: Mapping[str, str]
    ) -> None:
        self._place = place
        self._git = place.git
        self._snapshots = snapshots
        self._restorer = restorer
        self._index = index
        self._identity = identity
        # the folder as it is when the run begins: an agent does not choose the hooks
        self._folder = place.top / self._git.run("rev-parse", "--git-path", "hooks", hooks=True).text

    def wanted(self) -> bool:
        """Say whether the person has a hook that a commit would run."""
        return any(os.access(self._folder / name, os.X_OK) for name in _HOOKS)

    def commit(self, head: str, base: str, content: Content, message: str, persons: frozenset[str]) -> Hooked:
        """Commit `content` on `head` with hooks: twice if a hook changed files of ours, else not at all.

        A hook that hides the person's changes while it runs, and is ended by the limit, does not lose them.
        """
        content, sha, said = dict(content), "", ""
        start = self._snapshots.take()
        for _ in range(_ROUNDS):
            self._index.tree(base, content)
            self._index.forget()
            code, said = self._run(message, amend=bool(sha))
            sha = self._head_beside(head)
            taken = self._taken(base, sha)
            back = self._restorer.unrevert(persons, [head or self._empty_tree()], start)
            self._git.notes += [f"put back after a hook: {', '.join(map(self._place.shown, back))}"] if back else []
            if any(path not in content and (path in persons or is_secret(path)) for path in taken):
                return self._rejected(head, sha, "took in files that are not this task's", content)
            newer = self._newer(start, content)
            content |= newer
            if not newer or (code == 0 and sha and all(taken.get(path) == what for path, what in newer.items())):
                break
        return Hooked(sha, taken) if sha else self._rejected(head, sha, f"failed: {said}", content)

    def _head_beside(self, head: str) -> str:
        """Return HEAD if it is no longer `head`, else ""."""
        now = self._git.run("rev-parse", "-q", "--verify", "HEAD", check=False).text
        return now if now != head else ""

    def _newer(self, start: Snapshot, content: Content) -> dict[str, str]:
        """Return what a hook made of our files, where that is not what was committed."""
        moved = self._snapshots.entries(start.tree, self._snapshots.take().tree)
        newer = {entry.path: new_side(entry) for entry in moved if entry.path in content}
        return {path: what for path, what in newer.items() if content[path] != what}

    def _taken(self, base: str, sha: str) -> dict[str, str]:
        """Return what the commit holds beside its parent."""
        entries = self._snapshots.all_entries(base or self._empty_tree(), sha) if sha else ()
        return {entry.path: new_side(entry) for entry in entries}

    def _empty_tree(self) -> str:
        return self._git.run("hash-object", "-t", "tree", "-w", "--stdin").text

    def _run(self, message: str, *, amend: bool) -> tuple[int, str]:
        """Run `git commit` as a person would; return its code and the first lines of what was said."""
        self._git.run("update-index", "-q", "--refresh", index=self._index.path, check=False)
        result = self._git.run_with_hooks(
            *_COMMIT,
            *(("--amend",) if amend else ()),
            stdin=message.encode(),
            index=self._index.path,
            env=self._identity,
            output=self._place.state / "hooks.log",
        )
        lines = [one_line(line) for line in result.err.strip().splitlines() if line.strip()]
        return result.code, " | ".join(lines[:_SAID_LINES])

    def _rejected(self, head: str, sha: str, why: str, content: Content) -> Hooked:
        """Note why the hooks were left out, and take back a commit they made."""
        if sha and head:
            self._git.run("update-ref", "-m", "commit: taken back", "HEAD", head, sha, env=self._identity)
        elif sha:
            self._git.run("update-ref", "-d", "HEAD", sha)
        self._git.notes.append(f"{WITHOUT_HOOKS}: a hook {why}")
        return Hooked("", content)
