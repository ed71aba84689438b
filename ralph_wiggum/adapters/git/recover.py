"""The start after a kill -9: what the agent of the attempt that was cut off did with git is put back, by the record."""

from __future__ import annotations

from ralph_wiggum.adapters.git.guard import Guard
from ralph_wiggum.adapters.git.kept import Kept
from ralph_wiggum.adapters.git.late import Late
from ralph_wiggum.adapters.git.persons import Persons, empty_tree
from ralph_wiggum.adapters.git.place import Place
from ralph_wiggum.adapters.git.restore import Restorer
from ralph_wiggum.adapters.git.snapshot import Snapshots
from ralph_wiggum.core.errors import RalphError


def recover(
    place: Place, snapshots: Snapshots, restorer: Restorer, persons: Persons, kept: Kept, late: Late
) -> list[str]:
    """Put the repository back to how the killed runner left it; return words, one a thing, none without a record.

    Has to come before anything of the new run is recorded. What was written later than the attempt can have lasted
    stays (`git_guard`, `Late`). A repository that cannot be mended does not keep a run from beginning.
    """
    guard = None if place.why_private else Guard.resume(place)
    words: list[str] = []
    try:
        if guard is not None:
            words += guard.recover(late)
            words += _unrevert(guard, place, snapshots, restorer, persons, late)
    except RalphError as problem:
        words.append(f"what the agent did with git could not be put back: {problem}")
    words += [f"{place.shown(path)} was removed or changed: put back" for path in kept.recover(late)]
    return [f"from the attempt that was cut off: {word}" for word in words]


def _unrevert(
    guard: Guard, place: Place, snapshots: Snapshots, restorer: Restorer, persons: Persons, late: Late
) -> list[str]:
    """Put back what the agent took of the person's uncommitted changes (a stash, a reset, a clean)."""
    snapshots.begin()
    paths = [path for path in persons.recorded() if not late.file(place.top / path)]
    heads = [guard.head.commit or empty_tree(place.git), *guard.visited]
    back = ", ".join(map(place.shown, restorer.unrevert(paths, heads, guard.last_seen)))
    return [f"your uncommitted changes were taken out of the work tree: put back {back}"] if back else []
