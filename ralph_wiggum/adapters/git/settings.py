"""The repository's own settings: what an agent must not leave behind in `.git/config` and `.git/info/exclude`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from ralph_wiggum.adapters.git.late import LEFT, Late
from ralph_wiggum.adapters.git.place import Place
from ralph_wiggum.adapters.project import make_state

# Whose commits these are and how they are signed, what counts as the work tree, what is ignored, and what would make
# git run a program or read another file each time. Anything else (remotes, hook managers,
# LFS) may belong to a task and is only named.
_PUT_BACK = ("user.", "author.", "committer.", "gpg.", "include.", "includeif.")
_PUT_BACK_KEYS = frozenset(
    {
        *("core.bare", "core.worktree", "core.excludesfile", "core.autocrlf", "core.eol", "core.filemode"),
        *("core.symlinks", "core.ignorecase", "core.sparsecheckout", "core.sparsecheckoutcone", "core.fsmonitor"),
        *("core.attributesfile", "core.sharedrepository", "core.splitindex", "commit.gpgsign", "tag.gpgsign"),
    }
)
_ABOUT_BRANCHES = "branch."  # comes and goes with branches, which are put back as such


class GitSettings:
    """Remembers the two files as they were when the run began, on disk: before `record`, what an earlier run found."""

    def __init__(self, place: Place) -> None:
        self._git = place.git
        self._config = place.common_dir / "config"
        self._exclude = place.common_dir / "info" / "exclude"
        self._saved = place.state / "persons.config"
        self._saved_exclude = place.state / "persons.exclude"
        self._recorded: tuple[bytes, bytes] | None = None

    @property
    def files(self) -> tuple[Path, Path]:
        """Return the files to watch."""
        return self._config, self._exclude

    def record(self) -> None:
        """Take the files as they are for right."""
        self._recorded = (_content(self._config), _content(self._exclude))
        self._save()

    def _save(self) -> None:
        if self._recorded is not None:
            make_state(self._saved.parent)
            for file, content in zip((self._saved, self._saved_exclude), self._recorded, strict=True):
                file.write_bytes(content)

    def mend(self, late: Late) -> list[str]:
        """Put back what matters and return words for all that was changed."""
        if not self._saved.exists() or not self._saved_exclude.exists():  # an agent removed the runner's folder
            self._save()
        return [*self._mend_exclude(late), *self._mend_config(late)]

    def _mend_exclude(self, late: Late) -> list[str]:
        was = _content(self._saved_exclude)
        if not self._saved_exclude.exists() or _content(self._exclude) == was:
            return []
        if late.file(self._exclude):
            return [f".git/info/exclude {LEFT}"]
        self._exclude.parent.mkdir(exist_ok=True)
        self._exclude.write_bytes(was)
        return ["the agent changed .git/info/exclude: put back"]

    def _mend_config(self, late: Late) -> list[str]:
        words: list[str] = []
        if not self._saved.exists():
            return words
        was, now = self._entries(self._saved), self._entries(self._config)
        changed = sorted(key for key in was.keys() | now.keys() if was.get(key) != now.get(key))
        back = [key for key in changed if key.startswith(_PUT_BACK) or key in _PUT_BACK_KEYS]
        left = [key for key in changed if key not in back and not key.startswith(_ABOUT_BRANCHES)]
        if changed and late.file(self._config):
            return [f".git/config ({', '.join(changed)}) {LEFT}"]
        for key in back:
            self._put_back(key, was.get(key, []))
        words += [f"the agent changed git's settings {', '.join(back)}: put back"] if back else []
        words += [f"the agent changed git's settings {', '.join(left)}: left"] if left else []
        if changed:
            self.record()
        return words

    def _put_back(self, key: str, values: list[str]) -> None:
        self._git.run("config", "--file", str(self._config), "--unset-all", key, check=False)
        for value in values:
            self._git.run("config", "--file", str(self._config), "--add", key, value)

    def _entries(self, file: Path) -> dict[str, list[str]]:
        """Return every key with its values, in order (`git config -z --list` prints "key", a new line, "value")."""
        found: dict[str, list[str]] = {}
        for item in self._git.run("config", "--file", str(file), "-z", "--list", check=False).items:
            key, _, value = item.partition("\n")
            found.setdefault(key, []).append(value)
        return found


def _content(file: Path) -> bytes:
    """Return what a file holds; one that is not there is as good as empty."""
    with suppress(OSError):
        return file.read_bytes()
    return b""
