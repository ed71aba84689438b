"""What goes into a commit and how it is named: subject, trailers, secrets, branch names, the words for the morning."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

SUBJECT_LIMIT = 200  # characters; a name as long as a paragraph is cut
WITHOUT_HOOKS = "committed without the repository's hooks"  # the beginning of the note of such a commit

_TYPES = (
    ("docs", r"document(ation)?|docs?|readme|changelog|write up"),
    ("test", r"tests?|testing|property tests?|checkpoint|validate|verify"),
    ("fix", r"fix|repair|correct|resolve|bug ?fix"),
    ("refactor", r"refactor|rename|restructure|clean ?up|simplify|extract|move"),
    ("perf", r"optimi[sz]e|speed up"),
    ("chore", r"set ?up|configure|install|bump|upgrade|initiali[sz]e|scaffold"),
)
_TEST_WORK = re.compile(r"(write|add|create|implement)\b.{0,40}\btests?\b", re.IGNORECASE)

_SECRET_NAMES = (
    *(".env", ".env.*", ".env-*", ".env_*", ".envrc", ".netrc", "_netrc", ".pgpass", ".pypirc", ".htpasswd"),
    *("*.pem", "*.key", "*.p12", "*.pfx", "*.ppk", "*.jks", "*.keystore", "*.kdbx"),
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*"),
    *("credentials.json", "client_secret*.json", "service-account*.json", "service_account*.json", ".git-credentials"),
)
_SECRET_FOLDERS = frozenset({".env", ".ssh", ".gnupg", ".aws"})
_SAMPLES = (".example", ".sample", ".template", ".dist", ".pub")


def is_secret(path: str) -> bool:
    """Say whether a path (slashes) is an `.env` or a key that must never be committed (O33); samples are none."""
    *folders, name = path.rstrip("/").lower().split("/")
    if name.endswith(_SAMPLES):
        return False
    return not _SECRET_FOLDERS.isdisjoint(folders) or any(fnmatchcase(name, pattern) for pattern in _SECRET_NAMES)


def one_line(text: str) -> str:
    """Return the text with every run of white space and control characters as one blank."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", text).strip()


def commit_type(name: str) -> str:
    """Return the type of a conventional commit that a task's name suggests; `feat` where nothing does."""
    if _TEST_WORK.match(name.strip()):
        return "test"
    return next((kind for kind, words in _TYPES if re.match(rf"\W*({words})\b", name, re.IGNORECASE)), "feat")


def subject_line(spec: str, name: str, *, kind: str = "") -> str:
    """Return `<type>(<spec>): <task name>` on one line of at most 200 characters (design, part 2).

    >>> subject_line("demo", "Fix the login")
    'fix(demo): Fix the login'
    """
    line = f"{kind or commit_type(name)}({one_line(spec)}): {one_line(name)}"
    return line if len(line) <= SUBJECT_LIMIT else line[: SUBJECT_LIMIT - 1].rstrip() + "…"


def commit_message(subject: str, trailers: Mapping[str, str]) -> str:
    """Return subject and trailers as git reads them: a blank line between, one `Key: value` a line."""
    lines = [f"{key}: {one_line(value)}" for key, value in trailers.items()]
    return "\n".join([one_line(subject), *([""] if lines else []), *lines, ""])


def is_commit_of(message: str, subject: str, trailers: Mapping[str, str]) -> bool:
    r"""Say whether a commit's message is that of this task; a hook may have added lines. False where none is named.

    >>> is_commit_of("feat(demo): A\n\nRalph-Task: 1\nSigned-off-by: A", "feat(demo): A", {"Ralph-Task": "1"})
    True
    """
    first, *lines = message.split("\n")
    wanted = {f"{key}: {one_line(value)}" for key, value in trailers.items()}
    return "Ralph-Task" in trailers and first == one_line(subject) and wanted <= set(lines)


def divide(paths: Iterable[str], persons: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split changed paths into those to commit and those left out: the person's own, and secrets."""
    kept: list[str] = []
    left: list[str] = []
    for path in paths:
        (left if path in persons or is_secret(path) else kept).append(path)
    return tuple(kept), tuple(left)


def ref_part(text: str) -> str:
    """Return text as it may stand within a ref (git-check-ref-format(1)); slashes are kept.

    >>> ref_part("user auth..v2/a.lock")
    'user-auth-v2/a-lock'
    """
    text = re.sub(r"[\x00-\x20\x7f~^:?*\[\\]+|\.\.+|@\{", "-", text)
    parts = (re.sub(r"\.lock$", "-lock", part.lstrip("-.").rstrip(".")) for part in text.split("/"))
    name = "/".join(part for part in parts if part)
    return name if name not in ("", "@") else "spec"


def branch_names(pattern: str, spec: str) -> Iterator[str]:
    """Yield the branch for a spec, then the same with -2, -3 … without end."""
    base = ref_part(pattern.replace("{spec}", spec))
    yield base
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1


def describe_for_morning(*, branch: str, started_on: str, evening: str, head: str, top: str = "") -> tuple[str, ...]:
    """Return the lines that tell a person what to do with the night's commits.

    `branch` is "" on a detached HEAD, `evening` the commit where the run began ("" if there was none), `started_on`
    the branch the person was on. Nothing suggested here throws away work that is not committed.
    """
    if not head or head == evening:
        return ("No task was committed.",)
    git = f"git -C {top}" if top else "git"
    span = f"{evening[:10]}..{branch or head[:10]}" if evening else branch or head[:10]
    lines = [
        f"Commits are on {'branch ' + branch if branch else 'a detached HEAD at ' + head[:10]}.",
        f"  see them:       {git} log --stat {span}",
    ]
    if branch and started_on and started_on != branch:
        lines.append(f"  take them over: {git} switch {started_on} && {git} merge {branch}")
    lines.append(f"  drop one task:  {git} revert <commit>")
    if branch and started_on and started_on != branch:
        lines.append(f"  as it was:      {git} switch {started_on}")
    elif evening:
        lines.append(f"  as it was:      {git} reset --keep {evening[:10]}")
    return tuple(lines)
