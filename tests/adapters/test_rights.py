"""Rights that an agent took away are given back (B10); real files, and a process that has to obey their modes."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ralph_wiggum.adapters.rights import give_back, give_back_all, give_back_way
from tests.adapters.plain_user import PLAIN_USER, needs_plain_user

ROOT = Path(__file__).resolve().parents[2]


def as_plain_user(code: str, *arguments: object) -> str:
    """Run a piece of Python that the modes of files hold for, also where the tests are run by root."""
    command = [*PLAIN_USER, sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_plain_user
@pytest.mark.parametrize(
    ("mode", "is_folder", "write", "given", "after"),
    [
        pytest.param(0o755, True, False, False, 0o755, id="a folder as it should be"),
        pytest.param(0o000, True, False, True, 0o700, id="a closed folder"),
        pytest.param(0o555, True, False, True, 0o755, id="a folder that may not be changed"),
        pytest.param(0o644, True, False, True, 0o744, id="a folder that may not be entered"),
        pytest.param(0o644, False, False, False, 0o644, id="a file as it should be"),
        pytest.param(0o000, False, False, True, 0o600, id="a closed file"),
        pytest.param(0o444, False, False, False, 0o444, id="a file that the person wants to keep as it is"),
        pytest.param(0o444, False, True, True, 0o644, id="a file of ours that may not be written"),
    ],
)
def test_what_is_given_back(
    tmp_path: Path, mode: int, after: int, *, is_folder: bool, write: bool, given: bool
) -> None:
    path = tmp_path / "it"
    if is_folder:
        path.mkdir()
    else:
        path.write_text("x")
    path.chmod(mode)
    code = "import sys; from pathlib import Path; from ralph_wiggum.adapters.rights import give_back\n"
    said = as_plain_user(f"{code}print(give_back(Path(sys.argv[1]), write={write}))", path)
    assert (said.strip(), stat.S_IMODE(path.stat().st_mode)) == (str(given), after)


@needs_plain_user
def test_the_way_to_a_file_is_opened_from_the_top_down(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (below / "f").write_text("x")
    for path in (below / "f", below, below.parent):
        path.chmod(0)
    code = "import sys; from pathlib import Path; from ralph_wiggum.adapters.rights import give_back_way\n"
    code += "top = Path(sys.argv[1]); print([each.name for each in give_back_way(top, top / 'a/b/f')])"
    assert as_plain_user(code, tmp_path).strip() == "['a', 'b', 'f']"
    assert give_back_way(tmp_path, below / "f") == ()


@needs_plain_user
def test_all_below_a_folder_of_ours_is_opened(tmp_path: Path) -> None:
    for name in ("one/two/three", "four"):
        (tmp_path / "s" / name).mkdir(parents=True)
        (tmp_path / "s" / name / "f").write_text("x")
    subprocess.run(["chmod", "-R", "000", str(tmp_path / "s")], check=True)
    code = "import sys; from pathlib import Path; from ralph_wiggum.adapters.rights import give_back_all\n"
    code += "s = Path(sys.argv[1]); print(give_back_all(s), sorted(f.read_text() for f in s.rglob('f')))"
    assert as_plain_user(code, tmp_path / "s").strip() == "True ['x', 'x']"
    assert not give_back_all(tmp_path / "s")


@pytest.mark.parametrize("flag", ["+i", "+a"])
@pytest.mark.parametrize("is_folder", [False, True], ids=["a file", "a folder"])
def test_an_immutable_file_can_be_replaced_again(tmp_path: Path, flag: str, *, is_folder: bool) -> None:
    """chattr(1), as root without a container may."""
    path = tmp_path / "it"
    if is_folder:
        path.mkdir()
    else:
        path.write_text("x")
    chattr = shutil.which("chattr")
    if chattr is None or subprocess.run([chattr, flag, str(path)], capture_output=True, check=False).returncode:
        pytest.skip("chattr does not work here")
    try:
        assert give_back(path)
        path.rename(tmp_path / "other")
        assert not give_back(tmp_path / "other")
    finally:
        subprocess.run([chattr, "-i", "-a", *map(str, tmp_path.iterdir())], check=False)


def test_what_is_not_there_or_no_file_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0)
    (tmp_path / "link").symlink_to("/nowhere/at/all")
    for name in ("pipe", "link", "nothing", "nothing/below"):
        assert not give_back(tmp_path / name)
        assert give_back_way(tmp_path, tmp_path / name) == ()
    assert not give_back_all(tmp_path / "nothing")
