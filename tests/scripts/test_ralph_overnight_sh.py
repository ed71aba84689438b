"""scripts/ralph-overnight.sh: from a fresh clone to the command (O31). Real shells; Python is a recorder."""

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from tests.scripts.checkout import NO_ENSUREPIP, OLD_PYTHON, Checkout, make_checkout

SCRIPT = "scripts/ralph-overnight.sh"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return make_checkout(tmp_path)


def installs(checkout: Checkout) -> list[str]:
    return [call.split()[0] for call in checkout.calls()]


def test_a_fresh_clone_installs_and_becomes_the_command(checkout: Checkout) -> None:
    """O31: arguments, folder and exit code are those of the command; nothing else goes to stdout."""
    code, out, err = checkout.run(SCRIPT, "guestbook", "100", "--agent", "a b")
    assert (code, out) == (3, [str(checkout.folder), "guestbook", "100", "--agent", "a b"])
    assert "making .venv with Python 3" in err
    assert "installing ralph-wiggum" in err
    assert installs(checkout) == ["venv", "pip"]


def test_a_second_start_installs_nothing_and_says_nothing(checkout: Checkout) -> None:
    """O31: installing what it needs, and only then."""
    checkout.run(SCRIPT, "guestbook")
    assert checkout.run(SCRIPT, "guestbook") == (3, [str(checkout.folder), "guestbook"], "")
    assert installs(checkout) == ["venv", "pip"]


def test_a_changed_pyproject_is_installed_into_the_same_environment(checkout: Checkout) -> None:
    checkout.run(SCRIPT)
    (checkout.folder / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert checkout.run(SCRIPT)[0] == 3
    assert installs(checkout) == ["venv", "pip", "pip"]


def test_a_checkout_that_moved_is_installed_again(checkout: Checkout) -> None:
    """Console scripts hold the path of their interpreter."""
    checkout.run(SCRIPT)
    moved = Checkout(
        checkout.folder.with_name("moved"), checkout.bin, checkout.record, checkout.elsewhere, checkout.agents
    )
    shutil.move(checkout.folder, moved.folder)
    assert moved.run(SCRIPT)[:2] == (3, [str(moved.folder)])
    assert installs(checkout) == ["venv", "pip", "pip"]


def test_an_interpreter_that_is_gone_is_replaced(checkout: Checkout) -> None:
    checkout.run(SCRIPT)
    (checkout.folder / ".venv/bin/python").unlink()
    code, _, err = checkout.run(SCRIPT)
    assert code == 3
    assert "making .venv anew" in err
    assert installs(checkout) == ["venv", "pip", "venv", "pip"]


def test_starts_at_the_same_time_install_once(checkout: Checkout) -> None:
    """O31: two at once leave one whole environment."""
    started = [checkout.start(SCRIPT, str(number)) for number in range(3)]
    ended = [process.communicate(timeout=60) for process in started]
    assert [out.splitlines()[1:] for out, _ in ended] == [["0"], ["1"], ["2"]]
    assert installs(checkout) == ["venv", "pip"]


def test_a_start_waits_for_another_one_that_installs(checkout: Checkout) -> None:
    held = os.open(checkout.folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    waiting = checkout.start(SCRIPT)
    assert waiting.stderr is not None
    assert waiting.stderr.readline() == "ralph: another start is installing into .venv; waiting for it\n"
    assert installs(checkout) == []
    os.close(held)  # as at the end of the process that holds it
    waiting.communicate(timeout=60)
    assert (waiting.returncode, installs(checkout)) == (3, ["venv", "pip"])


def test_a_failed_install_says_why_and_the_next_start_mends_it(checkout: Checkout) -> None:
    code, out, err = checkout.run(SCRIPT, BROKEN="pip")
    assert (code, out) == (2, [])
    assert "| pip is broken" in err
    assert "could not install ralph-wiggum" in err
    assert "hint: the package index must be reachable" in err
    assert checkout.run(SCRIPT)[0] == 3
    assert installs(checkout) == ["venv", "pip", "pip"]


@pytest.mark.parametrize(
    ("python", "words"),
    [
        pytest.param("", ("3.11 or newer is needed", "here: none", "apt install python3"), id="no Python at all"),
        pytest.param(OLD_PYTHON, ("3.11 or newer is needed", "here: Python 3.9.18"), id="Python is too old"),
        pytest.param(
            NO_ENSUREPIP, ("venv module is not complete", "apt install python3-venv"), id="Debian without venv"
        ),
    ],
)
def test_what_is_missing_is_said_with_what_to_install(checkout: Checkout, python: str, words: tuple[str, ...]) -> None:
    """O31: exit code 2 and a hint, as the commands do."""
    (checkout.bin / "python3").unlink()
    if python:
        checkout.python(python)
    code, out, err = checkout.run(SCRIPT, "guestbook")
    assert (code, out) == (2, [])
    assert "hint: " in err
    for word in words:
        assert word in err


def test_help_of_a_fresh_clone_installs_nothing(checkout: Checkout) -> None:
    code, out, err = checkout.run(SCRIPT, "-h")
    assert (code, err) == (0, "")
    assert out[0].startswith("usage: scripts/ralph-overnight.sh SPEC [MAX]")
    assert installs(checkout) == []


def test_help_of_an_installed_clone_is_the_commands_own(checkout: Checkout) -> None:
    checkout.run(SCRIPT)
    assert checkout.run(SCRIPT, "-h")[:2] == (3, [str(checkout.folder), "-h"])


def test_a_link_in_a_bin_folder_finds_its_checkout(checkout: Checkout) -> None:
    link = checkout.elsewhere / "overnight"
    link.symlink_to(Path("../check out") / SCRIPT)
    assert checkout.run(link, "x", cwd=checkout.folder)[:2] == (3, [str(checkout.folder), "x"])


@pytest.mark.parametrize(
    ("arguments", "sent_home"),
    [
        pytest.param(("guestbook", "100"), True, id="a spec of this checkout runs in this checkout"),
        pytest.param(("--optional", "guestbook"), True, id="flags may stand before the spec"),
        pytest.param(("other",), False, id="an unknown spec is the command's to refuse"),
        pytest.param(("-C", "/somewhere", "guestbook"), False, id="a project that was named stays"),
        pytest.param(("-C/somewhere", "guestbook"), False, id="a project that was named in one word stays"),
        pytest.param(("specs/guestbook",), False, id="a path is a path"),
        pytest.param((), False, id="no arguments"),
    ],
)
def test_outside_of_any_project(checkout: Checkout, arguments: tuple[str, ...], sent_home: bool) -> None:  # noqa: FBT001 - a column of the table
    """O31: from any folder; the current folder decides, this checkout only stands in for none."""
    code, out, _ = checkout.run(SCRIPT, *arguments, cwd=checkout.elsewhere)
    home = ["-C", str(checkout.folder)] if sent_home else []
    assert (code, out) == (3, [str(checkout.elsewhere), *home, *arguments])


def test_inside_another_project_that_project_is_meant(checkout: Checkout) -> None:
    below = checkout.elsewhere / "src/deep"
    below.mkdir(parents=True)
    (checkout.elsewhere / ".kiro").mkdir()
    assert checkout.run(SCRIPT, "guestbook", cwd=below)[:2] == (3, [str(below), "guestbook"])
