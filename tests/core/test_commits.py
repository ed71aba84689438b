"""What a commit is called and what never enters one (O33)."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ralph_wiggum.core.commits import (
    branch_names,
    commit_message,
    commit_type,
    describe_for_morning,
    divide,
    is_secret,
    ref_part,
    subject_line,
)


@pytest.mark.parametrize(
    ("path", "secret"),
    [
        pytest.param(".env", True, id="the environment file"),
        pytest.param("app/.env.local", True, id="a local variant, deep"),
        pytest.param(".env.production", True, id="production values"),
        pytest.param(".ENV", True, id="any case"),
        pytest.param(".envrc", True, id="direnv"),
        pytest.param(".env.example", False, id="an example is committed"),
        pytest.param(".env.local.sample", False, id="a sample of a variant is committed"),
        pytest.param(".env.template", False, id="a template is committed"),
        pytest.param(".env.dist", False, id="a dist file is committed"),
        pytest.param(".environment.yml", False, id="another word that begins alike"),
        pytest.param("env.py", False, id="code about the environment"),
        pytest.param("certs/server.pem", True, id="a pem"),
        pytest.param("server.key", True, id="a key"),
        pytest.param("keys.py", False, id="code about keys"),
        pytest.param("id_rsa", True, id="an ssh key"),
        pytest.param("id_ed25519.pub", False, id="a public key is public"),
        pytest.param("x.p12", True, id="a p12"),
        pytest.param("x.pfx", True, id="a pfx"),
        pytest.param(".netrc", True, id="netrc"),
        pytest.param("gcp/credentials.json", True, id="cloud credentials"),
        pytest.param(".ssh/config", True, id="anything below .ssh"),
        pytest.param("src/monkey.py", False, id="code"),
    ],
)
def test_secrets_are_told_by_their_names(path: str, secret: bool) -> None:  # noqa: FBT001 - a column of the table
    """O33: never `.env*` or keys."""
    assert is_secret(path) is secret


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param("Create the login page", "feat", id="new work is a feature"),
        pytest.param("Fix the login", "fix", id="fix"),
        pytest.param("Write property tests for the parser", "test", id="writing tests"),
        pytest.param("Testing infrastructure", "test", id="testing"),
        pytest.param("Checkpoint - all tests pass", "test", id="checkpoint"),
        pytest.param("Document the API", "docs", id="documentation"),
        pytest.param("Refactor the store", "refactor", id="refactor"),
        pytest.param("Set up the project", "chore", id="set-up"),
        pytest.param("Fixture loading", "feat", id="a word that begins like fix"),
    ],
)
def test_the_type_follows_the_first_words(name: str, kind: str) -> None:
    assert commit_type(name) == kind


def test_the_subject_is_one_line_whatever_the_name_holds() -> None:
    assert subject_line("user auth", "Add\n  a\tform\x07 now") == "feat(user auth): Add a form now"


def test_a_name_as_long_as_a_paragraph_is_cut() -> None:
    line = subject_line("demo", "word " * 100)
    assert len(line) <= 200
    assert line.endswith("…")


def test_the_message_holds_the_trailers_as_git_reads_them() -> None:
    message = commit_message("feat(demo): x", {"Ralph-Spec": "demo", "Ralph-Task": "2.1\nEvil: yes"})
    assert message == "feat(demo): x\n\nRalph-Spec: demo\nRalph-Task: 2.1 Evil: yes\n"


def test_a_message_without_trailers_is_the_subject() -> None:
    assert commit_message("x", {}) == "x\n"


def test_the_persons_paths_and_secrets_are_left_out() -> None:
    """O33: exactly the paths that changed, but the person's own and secrets."""
    assert divide(["a.py", ".env", "mine.py"], {"mine.py"}) == (("a.py",), (".env", "mine.py"))


def test_branch_names_count_up() -> None:
    assert list(islice(branch_names("ralph/{spec}", "demo"), 3)) == ["ralph/demo", "ralph/demo-2", "ralph/demo-3"]


@example(" /0")
@example(" .0")
@example("a.lock.")
@given(st.text(max_size=40))
def test_any_text_makes_a_part_of_a_ref_that_git_accepts(text: str) -> None:
    """The rules of git-check-ref-format(1)."""
    ref = ref_part(text)
    assert ref
    assert ref != "@"
    assert not ref.startswith("-")
    assert not any(char in ref for char in " ~^:?*[\\\x7f")
    assert not any(ord(char) < 32 for char in ref)
    assert ".." not in ref
    assert "@{" not in ref
    for part in ref.split("/"):
        assert part
        assert not part.startswith(".")
        assert not part.endswith((".lock", "."))


@pytest.mark.parametrize(
    ("branch", "started_on", "evening", "has", "has_not"),
    [
        pytest.param(
            "ralph/demo", "main", "a" * 40, "git switch main && git merge ralph/demo", "reset", id="own branch"
        ),
        pytest.param("work", "work", "a" * 40, "git reset --keep aaaaaaaaaa", "git merge", id="the person's branch"),
        pytest.param("", "", "a" * 40, "a detached HEAD at bbbbbbbbbb", "git merge", id="detached"),
        pytest.param("main", "main", "", "git log --stat main", "reset", id="no commit in the evening"),
    ],
)
def test_the_morning_names_the_commands(branch: str, started_on: str, evening: str, has: str, has_not: str) -> None:
    """O33: every change can be undone with git."""
    text = "\n".join(describe_for_morning(branch=branch, started_on=started_on, evening=evening, head="b" * 40))
    assert has in text
    assert has_not not in text
    assert "git revert <commit>" in text
    assert "--hard" not in text


def test_a_night_without_commits_says_so() -> None:
    assert describe_for_morning(branch="main", started_on="main", evening="a", head="a") == ("No task was committed.",)
