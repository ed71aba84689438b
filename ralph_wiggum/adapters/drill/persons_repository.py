"""The person's repository, read for a drill: its history, its settings for commits, its hooks."""

from __future__ import annotations

import os
import shutil
from functools import cached_property
from pathlib import Path

from ralph_wiggum.adapters.git.commands import Git, git_error

MOST_OBJECT_BYTES = 500_000_000  # that are copied; more are linked or used where they are
HOOKS_KEPT = frozenset({"pre-commit", "commit-msg", "prepare-commit-msg"})
# Settings of the repository that change how commits are made; remotes, aliases and the like stay behind.
CONFIG_KEPT = ("user.", "author.", "committer.", "commit.", "gpg.", "filter.", "i18n.", "merge.", "diff.")
CORE_KEPT = frozenset(
    f"core.{name}"
    for name in ("autocrlf", "eol", "safecrlf", "filemode", "symlinks", "ignorecase", "precomposeunicode")
)
GIT_HOOKS = frozenset(
    {
        *("post-commit", "post-checkout", "post-merge", "post-rewrite", "post-applypatch", "post-receive"),
        *("post-update", "post-index-change", "pre-push", "pre-rebase", "pre-auto-gc", "pre-merge-commit"),
        *("pre-applypatch", "applypatch-msg", "pre-receive", "update", "push-to-checkout", "reference-transaction"),
        *("fsmonitor-watchman", "proc-receive", "sendemail-validate"),
    }
)


class PersonsRepository:
    """A repository that is copied and otherwise only read; `git` works in its top folder."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._top = git.cwd

    @cached_property
    def _objects(self) -> int:
        """Return the size of all objects, bytes."""
        lines = (line.partition(": ") for line in self._git.run("count-objects", "-v").text.splitlines())
        return 1024 * sum(int(value) for key, _, value in lines if key in {"size", "size-pack"})

    @property
    def copied_bytes(self) -> int:
        """Return how much room `clone` takes."""
        return self._objects if self._objects <= MOST_OBJECT_BYTES else 0

    def clone(self, folder: Path) -> Path:
        """Make a bare clone in a folder, with the file `config` and the folder `info` beside it; return the clone.

        Objects are copied, because git sets the time of one that it meets again ("freshens" it), through a link too;
        if they are many, they are linked, or used where they are. Links cannot lead to another file system, nor to
        what another user owns (fs.protected_hardlinks, proc_sys_fs(5)).
        """
        target = folder / "repository.git"
        for way in ("--no-hardlinks",) if self.copied_bytes == self._objects else ("--local", "--shared"):
            words = ("clone", "-q", "--bare", "--no-tags", "--template=", way, "--", str(self._top), str(target))
            done = self._git.run(*words, check=False)
            if done.code == 0:
                Git(target, self._git.env).run("remote", "remove", "origin", check=False)
                self._keep_settings(folder)
                return target
            shutil.rmtree(target, ignore_errors=True)
        raise git_error(words, done)

    def _keep_settings(self, folder: Path) -> None:
        """Keep what a clone does not take along: settings that change how commits are made, and what is ignored."""
        for item in self._git.run("config", "--local", "-z", "--list", check=False).items:
            key, _, value = item.partition("\n")
            if key.startswith(CONFIG_KEPT) or key in CORE_KEPT:
                self._git.run("config", "--file", str(folder / "config"), "--add", key, value, check=False)
        (folder / "config").touch()
        (folder / "info").mkdir()
        for name in ("exclude", "attributes"):
            source = self._path(f"info/{name}")
            if source.is_file():
                shutil.copyfile(source, folder / "info" / name)

    def keep_hooks(self, folder: Path) -> str | None:
        """Keep the hooks for commits in the folder `hooks`; return where they belong, see `Model.hooks`.

        Those in the work tree are kept only where git does not know them. Of hooks outside it those for other
        occasions (post-commit, pre-push) stay behind: they may reach out.
        """
        source = self._path("hooks", hooks=True)
        if not any(os.access(source / name, os.X_OK) for name in HOOKS_KEPT):
            return None
        own = (self._top / self._git.run("rev-parse", "--git-common-dir").text).resolve()
        if self._top in source.parents and own not in source.resolve().parents:
            place = source.relative_to(self._top).as_posix()
            if not (folder / "tree" / place).exists():
                shutil.copytree(source, folder / "hooks", symlinks=True)
            return place
        shutil.copytree(source, folder / "hooks", symlinks=True, ignore=lambda _, names: GIT_HOOKS.intersection(names))
        return ""

    def _path(self, name: str, *, hooks: bool = False) -> Path:
        """Return where git has a file of its own."""
        return self._top / self._git.run("rev-parse", "--git-path", name, hooks=hooks).text
