"""Commits of exactly the paths that changed, made beside the person's index and brought into it afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ralph_wiggum.adapters.git.hooks import Hooked, HookedCommit
from ralph_wiggum.adapters.git.index import CommitIndex, Content, index_lines, new_side
from ralph_wiggum.adapters.git.owned import Owned
from ralph_wiggum.adapters.git.place import Place
from ralph_wiggum.adapters.git.restore import Restorer
from ralph_wiggum.adapters.git.snapshot import GITLINK, Entry, Snapshots
from ralph_wiggum.core.commits import commit_message, divide, is_commit_of, one_line
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.ports import Committed, Snapshot

FALLBACK_NAME = "ralph-wiggum"
FALLBACK_EMAIL = "ralph-wiggum@localhost"


class Identity:
    """Who commits, fixed when the run begins: an agent's `git config user.email` changes nothing for us."""

    def __init__(self, place: Place) -> None:
        self.env: dict[str, str] = {}
        self.missing = False
        for role in ("AUTHOR", "COMMITTER"):
            # without useConfigOnly git makes up an address from the host's name
            said = place.git.run("-c", "user.useConfigOnly=true", "var", f"GIT_{role}_IDENT", check=False)
            name, _, rest = said.text.partition(" <")
            if said.code != 0:
                name, rest, self.missing = FALLBACK_NAME, FALLBACK_EMAIL, True
            self.env |= {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": rest.partition(">")[0]}


class Committer:
    """Makes the commits of one run. `persons`: the paths, from the top, that the person had changed before it."""

    def __init__(
        self, place: Place, snapshots: Snapshots, restorer: Restorer, owned: Owned, identity: Identity
    ) -> None:
        self._place = place
        self._git = place.git
        self._snapshots = snapshots
        self._owned = owned
        self._identity = identity
        self.persons: frozenset[str] = frozenset()
        self._unsure = True  # whether HEAD is the commit that is asked for: an earlier run, or a try, broke off
        self._behind: dict[str, str] = {}  # what was committed and is not in the person's index yet
        self._index = CommitIndex(place)
        self._hooked = HookedCommit(place, snapshots, restorer, self._index, identity.env)

    @property
    def hooked(self) -> bool:
        """Say whether a commit runs hooks of the person's, which may change files."""
        return self._hooked.wanted()

    def commit(
        self, before: Snapshot, after: Snapshot, subject: str, trailers: Mapping[str, str], extra: Sequence[Path]
    ) -> Committed:
        """Commit what changed between the two and what is due of `extra`; sha "" when that is nothing.

        Where HEAD is this very commit, because the runner was killed right after it or git failed when it was made, it
        is not made again (B2). RalphError if it cannot be made; it may be tried again.
        """
        unsure, self._unsure = self._unsure, True
        content, left = self._content(before, after)
        left_out = tuple(self._place.shown(path) for path in left)
        head, base, said = self._head()
        if unsure and is_commit_of(said, subject, trailers) and self._holds(base, content):
            self._into_persons_index({})
            self._unsure = False
            return Committed(sha=head, left_out=left_out)
        content |= self._owned.content(self._owned.due(extra, self.persons))
        tree = self._index.tree(base, content) if content else base
        if tree == base:
            self._into_persons_index({})
            self._unsure = False
            return Committed(left_out=left_out)
        message = commit_message(subject, trailers)
        hooked = Hooked("", content)
        if self.hooked:
            hooked = self._hooked.commit(head, base, content, message, self.persons)
            tree = self._index.tree(base, hooked.content)
            if tree == base:  # a hook undid it all
                self._unsure = False
                return Committed(left_out=left_out, notes=self._git.taken_notes())
        sha = hooked.sha or self._commit_tree(tree, head, message)
        # The index first: if the runner is killed between the two, the commit is made again and all agrees.
        self._into_persons_index(hooked.content)
        if not hooked.sha:
            self._move_head(sha, head, subject)
        self._unsure = False
        return Committed(sha=sha, left_out=left_out, notes=self._git.taken_notes())

    def forget(self) -> None:
        """Take nothing for known of what the repository holds."""
        self._index.forget()

    def _holds(self, tree: str, content: Mapping[str, str]) -> bool:
        return not content or self._index.tree(tree, content) == tree

    def _content(self, before: Snapshot, after: Snapshot) -> tuple[dict[str, str], list[str]]:
        """Return what to commit, and the changed paths to leave out: the person's, secrets, unstored, submodules."""
        entries = {entry.path: entry for entry in self._snapshots.entries(before.tree, after.tree)}
        chosen, left = divide((change.path for change in self._snapshots.changes(before, after)), self.persons)
        stored = {path: entries[path] for path in chosen if path in entries and path not in after.large}
        content = {path: new_side(entry) for path, entry in stored.items() if not _submodule(entry)}
        return content, sorted({*left, *chosen} - content.keys())

    def _head(self) -> tuple[str, str, str]:
        """Return HEAD's commit, its tree and its message, all "" before the first commit."""
        options = ("-1", "--no-show-signature", "--encoding=UTF-8", "--format=%H%n%T%n%B")
        found = self._git.run("log", *options, "HEAD", "--", check=False)
        commit, tree, message = (*found.text.split("\n", 2), "")[:3] if found.code == 0 else ("", "", "")
        return commit, tree, message

    def _commit_tree(self, tree: str, parent: str, message: str) -> str:
        parents = ("-p", parent) if parent else ()
        run = self._git.run("commit-tree", tree, *parents, "-F", "-", stdin=message.encode(), env=self._identity.env)
        return run.text

    def _move_head(self, sha: str, head: str, subject: str) -> None:
        """Move the branch (or a detached HEAD) from `head`, and only from there, to the commit."""
        words = f"commit: {one_line(subject)}"
        self._git.run("update-ref", "-m", words, "HEAD", sha, head or "0" * len(sha), env=self._identity.env)

    def _into_persons_index(self, content: Content) -> None:
        """Bring the committed paths, and no others, up to date in the person's index.

        What cannot be brought there, in a second try either, is with the next commit: until then the index, and
        `git status`, are behind HEAD.
        """
        self._behind |= content
        for last in (False, True):
            try:
                if self._behind:
                    self._git.run("update-index", "-z", "--index-info", stdin=index_lines(self._behind))
                    self._behind = {}
                    self._git.run("update-index", "-q", "--refresh", check=False)
            except RalphError as problem:  # the commit stands all the same
                if last:
                    self._git.notes.append(f"your index could not be brought up to date: {problem}")
            else:
                return


def _submodule(entry: Entry) -> bool:
    return GITLINK in (entry.old_mode, entry.new_mode)
