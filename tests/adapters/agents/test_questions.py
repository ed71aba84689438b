"""The table of questions: nothing ever waits for a person (O12), and nothing is taken for a question that is none."""

from __future__ import annotations

import pytest

from ralph_wiggum.adapters.agents.questions import BUILT_IN, WINDOW, Question, find, table
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.settings import AgentSettings


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        pytest.param("Do you trust the files in this folder? [y/n] ", "y", id="trust this folder"),
        pytest.param("Do you trust the authors of this workspace?", "y", id="trust without a choice shown"),
        pytest.param(
            "Do you trust the files in this folder?\n\n ❯ 1. Yes, proceed\n   2. No, exit\n\n Enter to confirm · Esc to cancel",
            "",
            id="a menu on yes is confirmed",
        ),
        pytest.param(
            "Allow this action? Use 't' to trust this tool. [y/n/t]:\n\n> ", "y", id="kiro asks for permission"
        ),
        pytest.param("Permission needed to run `npm ci`. Allow? (y/n): ", "y", id="permission for a command"),
        pytest.param("Approve this edit? (Y/n)", "y", id="approval"),
        pytest.param("Do you want to continue? [Y/n] ", "y", id="continue"),
        pytest.param("Overwrite package.json? (y/N)", "y", id="overwrite with a choice"),
        pytest.param("overwrite 'a.txt'?", "y", id="overwrite without a choice"),
        pytest.param("Need to install the following packages: x@1. Ok to proceed? (y) ", "", id="an offered default"),
        pytest.param("Press Enter to continue", "", id="press enter"),
        pytest.param("Hit any key to go on...", "", id="any key"),
        pytest.param("[Press RETURN to continue]", "", id="press return in brackets"),
        pytest.param("Use colours? [Y/n]", "", id="an unknown question with a default gets the default"),
        pytest.param("Use colours? (yes/no)", "y", id="an unknown question without a default gets a yes"),
        pytest.param("Delete all 312 files? [y/N]", "n", id="deleting is not agreed to"),
        pytest.param("This will DROP the database.\nContinue? [y/n]", "n", id="what is destroyed stands a line above"),
        pytest.param("[sudo] password for ralph: ", "", id="sudo gets nothing"),
        pytest.param("Enter passphrase for key '/home/u/.ssh/id': ", "", id="ssh gets nothing"),
        pytest.param("Username for 'https://github.com': ", "", id="git gets nothing"),
        pytest.param(
            "Are you sure you want to continue connecting (yes/no/[fingerprint])? ", "no", id="an unknown host"
        ),
        pytest.param("You are not logged in. Log in now?", None, id="not logged in"),
        pytest.param("Login required. Press Enter to open the browser", None, id="a login in the browser"),
        pytest.param("? How would you like to log in? ›\n❯ Google\n  Builder ID", None, id="ways to log in"),
        pytest.param("Select login method:\n 1) SSO\n 2) Key\nYour choice: ", None, id="ways to log in, by number"),
        pytest.param("Paste code here if prompted > ", None, id="a code from the browser"),
        pytest.param("Enter your API key: ", None, id="an API key"),
    ],
)
def test_a_known_question_gets_its_answer(text: str, answer: str | None) -> None:
    question = find(text, BUILT_IN)
    assert question is not None
    assert question.answer == answer
    assert question.text in [line.strip() for line in text.split("\n") if any(map(str.isalnum, line))][-1]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("\n \n", id="blank lines"),
        pytest.param("Reading src/app.py", id="work"),
        pytest.param("> I will allow the user to log in.", id="prose about logging in"),
        pytest.param("Users can log in using OAuth.\nNow the sign in with Google button:", id="work on a login page"),
        pytest.param("The page says: you are not logged in.\nLet me fix the check:", id="a login page that is quoted"),
        pytest.param("I will add a form to enter the API key. It has two fields:", id="work on a form for a key"),
        pytest.param("The form asks: do you trust this folder? I answered it in code.", id="a question inside prose"),
        pytest.param("Do you want to continue? [y/n]\nyes, going on with the tests", id="a question already answered"),
        pytest.param(
            "def ask(): return input('Overwrite? [y/N] ')\n\nRunning the tests now", id="a question in code, then work"
        ),
        pytest.param("Shall I also write the docs?", id="an open question that the table does not know"),
        pytest.param("Files changed:", id="a heading"),
        pytest.param("TASK_COMPLETE", id="a signal"),
    ],
)
def test_other_text_is_no_question(text: str) -> None:
    assert find(text, BUILT_IN) is None


def test_a_persons_answers_come_first_and_may_look_at_several_lines() -> None:
    settings = AgentSettings(
        name="mine",
        command=("mine",),
        answers=((r"trust the files", "n"), (r"Which profile", "2"), (r"^licence$", None)),
    )
    rules = table(settings)
    assert find("Do you trust the files in this folder? [y/n]", rules) == Question(
        text="Do you trust the files in this folder? [y/n]", answer="n"
    )
    assert find("Which profile?\n 1) one\n 2) two\nchoice: ", rules) == Question(text="choice:", answer="2")
    assert find("LICENCE", rules) == Question(text="LICENCE", answer=None)
    assert find("Which profile?\n 1) one\n 2) two\nI take one", rules) is None, "the last line is no question"


def test_a_bad_pattern_of_a_person_is_an_error_with_its_key_path() -> None:
    with pytest.raises(RalphError, match=r"agents\.mine\.answers: '\(' is no regular expression"):
        table(AgentSettings(name="mine", command=("mine",), answers=(("(", "y"),)))


def test_only_the_end_of_the_terminal_is_looked_at() -> None:
    assert find("Press Enter to continue" + " " * WINDOW, BUILT_IN) is None


def test_a_record_says_what_was_typed() -> None:
    assert Question(text="Go on? [y/n]", answer="y").record == "Go on? [y/n] → y"
    assert Question(text="Press Enter", answer="").record == "Press Enter → Enter"
