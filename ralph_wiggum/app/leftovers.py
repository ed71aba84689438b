"""What a task that is given up leaves in the tree: kept as a patch, then taken out (design, part 1: a green tree)."""

from __future__ import annotations

from itertools import chain, count
from pathlib import Path

from ralph_wiggum.core.keys import file_name
from ralph_wiggum.ports import Repo, Restored, Snapshot


def take_out(repo: Repo, key: str, base: Snapshot, after: Snapshot, folder: Path, root: Path) -> tuple[str, Restored]:
    """Put the tree back from `after` to `base`, keeping the difference as a patch in `folder`.

    Returns the patch's path relative to `root` ("" where there was nothing to keep) and what was put back. Doing it
    twice gives the same patch and changes nothing more.
    """
    if not base.tree or base == after:
        return "", Restored()
    patch = _keep(repo.patch(base, after), key, folder)
    shown = "" if patch is None else str(patch.relative_to(root) if patch.is_relative_to(root) else patch)
    return shown, repo.restore(base, after)


def _keep(patch: bytes, key: str, folder: Path) -> Path | None:
    if not patch:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    path = _unused(folder, file_name(key), patch)
    if not path.exists():
        half = path.with_suffix(".new")
        half.write_bytes(patch)
        half.replace(path)  # whole, or not at all
    return path


def _unused(folder: Path, name: str, content: bytes) -> Path:
    """Return a path for the patch that holds this content already or does not exist: no earlier patch is lost."""
    names = chain([f"{name}.patch"], (f"{name}-{number}.patch" for number in count(2)))
    paths = (folder / each for each in names)
    return next(path for path in paths if not path.exists() or path.read_bytes() == content)
