"""What git's small files may hold, and whether objects hold what they are named after: looks at bytes alone."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.adapters.git.intact import intact
from ralph_wiggum.adapters.git.sound import packed_refs, ref_id, reflog_ids, sound
from tests.adapters.git_sandbox import make

A, B = "a" * 40, "b" * 40
LONG = "c" * 64

CASES = [
    pytest.param("HEAD", "ref: refs/heads/main\n", True, id="a branch"),
    pytest.param("HEAD", "ref: refs/heads/main", True, id="without a line end"),
    pytest.param("HEAD", "ref:refs/heads/a/b-c.d\n", True, id="without a space"),
    pytest.param("HEAD", "ref: refs/heads/.invalid\n", True, id="as with reftable"),
    pytest.param("HEAD", f"{A}\n", True, id="detached"),
    pytest.param("HEAD", f"{LONG}\n", True, id="detached, SHA-256"),
    pytest.param("HEAD", "", False, id="empty HEAD"),
    pytest.param("HEAD", "\0" * 41, False, id="HEAD of zeros, as after a power cut"),
    pytest.param("HEAD", "ref: heads/main\n", False, id="not below refs"),
    pytest.param("HEAD", "ref: refs/heads/a b\n", False, id="a space in the name"),
    pytest.param("HEAD", "garbage\n", False, id="garbage HEAD"),
    pytest.param("refs/heads/x", f"{A}\n", True, id="an id"),
    pytest.param("refs/heads/x", f"{A}\nmore\n", True, id="git reads the first line alone"),
    pytest.param("refs/remotes/origin/HEAD", "ref: refs/remotes/origin/main\n", True, id="a symbolic ref"),
    pytest.param("refs/heads/x", "", False, id="an empty ref"),
    pytest.param("refs/heads/x", A[:39], False, id="a torn id"),
    pytest.param("refs/heads/x", "0" * 40 + "\n", False, id="an id of zeros"),
    pytest.param("refs/heads/x", "\0" * 41, False, id="a ref of NULs"),
    pytest.param("packed-refs", "", True, id="nothing packed"),
    pytest.param(
        "packed-refs", f"# pack-refs with: peeled\n{A} refs/heads/x\n{B} refs/tags/v\n^{A}\n", True, id="packed"
    ),
    pytest.param("packed-refs", f"{A} refs/heads/x\n{B} refs/ta", False, id="a torn line"),
    pytest.param("packed-refs", f"{A} refs/heads/x\n{B[:20]}", False, id="a torn id in a line"),
    pytest.param("packed-refs", "noise", False, id="noise"),
    pytest.param("index", "DIRC\0\0\0\2\0\0\0\0", True, id="an index"),
    pytest.param("index", "DIRC\0\0\0\7\0\0\0\0", False, id="an index of a version that is none"),
    pytest.param("index", "", False, id="an empty index"),
    pytest.param("description", "", True, id="nothing is asked of other files"),
]


@pytest.mark.parametrize(("name", "content", "wanted"), CASES)
def test_what_git_can_read(name: str, content: str, wanted: bool) -> None:  # noqa: FBT001 - a table
    assert sound(name, content.encode("latin-1")) is wanted


@given(st.binary(max_size=200))
def test_no_bytes_are_too_strange_to_look_at(content: bytes) -> None:
    for name in ("HEAD", "refs/heads/x", "packed-refs", "index"):
        assert sound(name, content) in (True, False)
    assert all(len(found) in (40, 64) for found in (*packed_refs(content).values(), *reflog_ids(content)))
    assert len(ref_id(content)) in (0, 40, 64)


@given(st.dictionaries(st.from_regex(r"refs/heads/[a-zé0-9/_-]{1,20}", fullmatch=True), st.sampled_from([A, B, LONG])))
def test_packed_refs_are_read_back(refs: dict[str, str]) -> None:
    content = "".join(f"{at} {name}\n" for name, at in refs.items()).encode()
    assert sound("packed-refs", content)
    assert packed_refs(content) == refs


def test_a_reflog_is_read_from_its_end_and_torn_lines_are_left_out() -> None:
    who = "Per Son <person@example.org> 1700000000 +0000"
    content = f"{'0' * 40} {A} {who}\tcommit: one\n{A} {B} {who}\tcommit: two\n{B} {LONG[:20]}"
    assert reflog_ids(content.encode()) == [B, A]


def loose(folder: Path, content: bytes, name: bytes = b"") -> Path:
    whole = b"blob %d\0" % len(content) + content
    digest = hashlib.sha1(name or whole, usedforsecurity=False).hexdigest()
    path = folder / digest[:2] / digest[2:]
    path.parent.mkdir(parents=True)
    path.write_bytes(zlib.compress(whole))
    return path


def test_a_loose_object_is_known_by_its_name(tmp_path: Path) -> None:
    path = loose(tmp_path, b"hello\n" * 500_000)
    assert intact(path)
    content = path.read_bytes()
    for broken in (b"", content[:-1], content[:20], b"?" + content[1:], zlib.compress(b"blob 0\0")):
        path.write_bytes(broken)
        assert not intact(path)
    path.unlink()
    assert not intact(path)
    assert not intact(loose(tmp_path, b"one", b"two"))


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_packs_are_known_by_their_checksum(tmp_path: Path, kind: str) -> None:
    box = make(tmp_path / "work", tmp_path)
    if kind == "sha256":
        box.git("init", "-q", f"--object-format={kind}", "../other")
        box.top = tmp_path / "other"
        box.write("a", "1\n")
        box.git("add", "-A")
        box.git("commit", "-qm", "x")
        (first, *_) = (path for path in (box.top / ".git/objects").glob("??/*"))
        assert intact(first)
    box.git("gc", "-q")
    packs = sorted((box.top / ".git/objects/pack").glob("pack-*.*"))
    assert {path.suffix for path in packs} >= {".pack", ".idx"}
    for path in packs:
        assert intact(path)
        path.chmod(0o644)
        content = path.read_bytes()
        for broken in (b"", content[:-5], content[:-30] + b"x" + content[-29:]):
            path.write_bytes(broken)
            assert not intact(path)
