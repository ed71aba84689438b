"""What the commands before every look are called, and what they type, which nobody gets to read."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.visual.commands import of_lines
from ralph_wiggum.core.visual.masking import Mask, named, typed
from ralph_wiggum.core.visual.page import Request, Seen
from ralph_wiggum.core.visual.verdict import Failure


@pytest.mark.parametrize(
    ("line", "name", "texts"),
    [
        ('fill "#password" "hunter2"', 'before #2: fill "#password" …', ("hunter2",)),
        ("type #user ann", 'before #2: type "#user" …', ("ann",)),
        ("keyboard type hunter2", "before #2: keyboard type …", ("hunter2",)),
        ("keyboard inserttext hunter2", "before #2: keyboard inserttext …", ("hunter2",)),
        ("find label Password fill hunter2", "before #2: find label Password fill …", ("hunter2",)),
        ("find role button click --name Go", "before #2: find role button click …", ()),
        ("open http://localhost:5173/login?token=abc", "before #2: open http://localhost:5173/login", ()),
        ("open http://ann:hunter2@localhost/", "before #2: open localhost/", ()),
        ("click '#go'", 'before #2: click "#go"', ()),
        ("press Enter", "before #2: press Enter", ()),
        ("cookies set session abc", "before #2: cookies set …", ()),
        ("storage local set token abc", "before #2: storage local …", ()),
        ("eval \"login('hunter2')\"", "before #2: eval …", ()),
        ("snapshot | head", "before #2", ()),
    ],
)
def test_a_command_tells_no_secret_by_its_name(line: str, name: str, texts: tuple[str, ...]) -> None:
    (command,) = of_lines((f"agent-browser {line}",)).commands
    assert named(command, 2).text == name
    assert typed(command) == texts


def test_what_was_typed_is_masked_wherever_it_stands() -> None:
    mask = Mask.of(of_lines(("agent-browser fill #a hunter2", "agent-browser fill #b 'hunter2 \"long\"'")).commands)
    assert mask.text('x hunter2 "long" y hunter2') == "x ••• y •••"
    assert mask.text('- textbox "hunter2 \\"long\\""') == '- textbox "•••"'
    failure = mask.failure(Failure(words="no hunter2", key="hunter2", may_pass=True))
    assert failure == Failure(words="no •••", key="•••", may_pass=True)
    seen = mask.seen(
        Seen(
            address="http://a/",
            url="http://a/?p=hunter2",
            title="hunter2",
            console=("hunter2",),
            uncaught=("hunter2",),
            snapshot="hunter2",
            requests=(Request(url="http://a/hunter2", error="hunter2"),),
        )
    )
    assert "hunter2" not in str(seen)


def test_short_texts_are_left_alone() -> None:
    assert Mask.of(of_lines(("agent-browser fill #a 1",)).commands).text("1 of 10") == "1 of 10"
