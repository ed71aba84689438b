"""Real git repositories in a temporary folder, with nobody's settings but our own."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from ralph_wiggum.adapters.git.repo import GitRepo
from ralph_wiggum.ports import Committed

IDENTITY = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")


def clean_env(home: Path, *, identity: bool = True) -> dict[str, str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_") and key != "EMAIL"}
    env |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(home)}
    if identity:
        env |= dict(zip(IDENTITY, ("Per Son", "person@example.org") * 2, strict=True))
    return env


@dataclass
class Sandbox:
    """A repository with one commit, the runner's view of it, and short words for what a person or an agent does."""

    top: Path
    env: Mapping[str, str]
    prefix: str = ""
    repos: list[GitRepo] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.top / self.prefix

    def git(self, *args: str, check: bool = True) -> str:
        run = subprocess.run(["git", *args], cwd=self.top, env=self.env, capture_output=True, text=True, check=False)
        assert not check or run.returncode == 0, f"git {args}: {run.stderr}"
        return run.stdout.rstrip("\n")

    def write(self, path: str, text: str | bytes = "x\n", *, mode: int | None = None) -> Path:
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        if mode is not None:
            file.chmod(mode)
        return file

    def read(self, path: str) -> str:
        return (self.top / path).read_text()

    def hook(self, name: str, script: str) -> None:
        self.write(f".git/hooks/{name}", f"#!/bin/sh\n{script}\n", mode=0o755)

    def repo(
        self,
        *,
        commit: bool = True,
        spec: str = "demo",
        owned: Sequence[str] | None = None,
        hook_seconds: float = 120.0,
    ) -> GitRepo:
        named = owned if owned is not None else (f".kiro/specs/{spec}/tasks.md", f".kiro/specs/{spec}/activity.md")
        paths = [self.root / path for path in (*named, ".ralph")]
        (self.root / ".ralph").mkdir(exist_ok=True)
        (self.root / ".ralph/.gitignore").write_text("*\n")  # the runner's folder ignores itself
        repo = GitRepo(
            self.root,
            state=self.root / ".ralph" / spec,
            spec=spec,
            owned=paths,
            commit=commit,
            env=self.env,
            hook_seconds=hook_seconds,
        )
        self.repos.append(repo)
        return repo

    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def branch(self) -> str:
        return self.git("symbolic-ref", "--short", "-q", "HEAD", check=False)

    def status(self) -> str:
        return self.git("status", "--porcelain", "-uall")

    def committed(self, sha: str = "HEAD") -> set[str]:
        return set(self.git("diff-tree", "--root", "-r", "--name-only", "--no-commit-id", "-z", sha).split("\0")) - {""}


def commit_all(repo: GitRepo, box: Sandbox, edits: Mapping[str, str], extra: Sequence[str] = ()) -> Committed:
    """Play one task: snapshot, the agent's edits, mend, snapshot, commit."""
    before = repo.snapshot()
    for path, text in edits.items():
        box.write(path, text)
    repo.mend()
    after = repo.snapshot()
    files = [box.root / path for path in extra]
    return repo.commit(before, after, subject="feat(demo): task", trailers={"Ralph-Task": "1"}, extra=files)


@cache
def _template(branch: str) -> Path:
    """Return a repository that was made once, to be copied."""
    folder = Path(mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    box = Sandbox(folder / "work", clean_env(folder))
    box.write(".gitignore", ".ralph/\n*.log\n.env\n")
    box.write("a.py", "a = 1\n")
    box.write("src/b.py", "b = 1\n")
    box.write("src/run.sh", "#!/bin/sh\n", mode=0o755)
    box.write(".kiro/specs/demo/tasks.md", "- [ ] 1. One\n")
    box.git("init", "-q", "-b", branch, "--template=")
    box.git("add", "-A")
    box.git("commit", "-q", "-m", "start")
    return box.top


def make(top: Path, home: Path, *, identity: bool = True, branch: str = "main") -> Sandbox:
    """Return a new repository with one commit at `top`."""
    shutil.copytree(_template(branch), top)
    box = Sandbox(top, clean_env(home, identity=identity))
    box.git("update-index", "-q", "--refresh")
    return box
