"""agent-browser commands in a task's own text: code blocks, inline code, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core import parse
from ralph_wiggum.core.visual.commands import Command, Script, of_lines, read
from ralph_wiggum.core.visual.wanted import names_commands
from tests.test_corpus import CORPUS


def block(*lines: str, info: str = "bash") -> str:
    return "\n".join(["1. Look", f"```{info}", *lines, "```"])


def argvs(text: str) -> list[str]:
    return [" ".join(command.argv) for command in read(text).commands]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        pytest.param(
            ["agent-browser open http://a/", "agent-browser snapshot -i"], ["open http://a/", "snapshot -i"], id="lines"
        ),
        pytest.param(["$ agent-browser open http://a/"], ["open http://a/"], id="a prompt"),
        pytest.param(["# agent-browser open http://a/"], [], id="a comment is no command"),
        pytest.param(["agent-browser open http://a/ && agent-browser back"], ["open http://a/", "back"], id="a chain"),
        pytest.param(["cd frontend && agent-browser back; echo ok"], ["back"], id="others in a chain do not run"),
        pytest.param(
            ["agent-browser wait \\", "  --load networkidle"], ["wait --load networkidle"], id="a continued line"
        ),
        pytest.param(["npx agent-browser back"], ["back"], id="npx"),
        pytest.param(["npx -y agent-browser@latest back"], ["back"], id="npx with a version"),
        pytest.param(["pnpm dlx agent-browser back"], ["back"], id="pnpm dlx"),
        pytest.param(["pnpm agent-browser back", "yarn agent-browser forward"], ["back", "forward"], id="pnpm, yarn"),
        pytest.param(["npm exec agent-browser -- back"], ["back"], id="npm exec"),
        pytest.param(["npm exec -- agent-browser back"], ["back"], id="npm exec, dashes first"),
        pytest.param(["bun x agent-browser back", "yarn exec agent-browser back"], ["back", "back"], id="bun x"),
        pytest.param(["timeout 30 agent-browser back"], ["back"], id="timeout"),
        pytest.param(["timeout -k 5s 1.5m npx agent-browser back"], ["back"], id="timeout with options"),
        pytest.param(["time agent-browser back"], ["back"], id="time"),
        pytest.param(
            ["agent-browser back", "sleep 2", "agent-browser forward"], ["back", "wait 2000", "forward"], id="a pause"
        ),
        pytest.param(
            ["agent-browser back && sleep 0.5s && agent-browser forward"],
            ["back", "wait 500", "forward"],
            id="a pause in a chain",
        ),
        pytest.param(["sleep 5", "agent-browser back", "sleep 5"], ["back"], id="pauses at the ends"),
        pytest.param(
            ["agent-browser back", "sleep 600", "agent-browser forward"], ["back", "forward"], id="a pause too long"
        ),
        pytest.param(["./node_modules/.bin/agent-browser back"], ["back"], id="by its path"),
        pytest.param(["AGENT_BROWSER_SESSION=a agent-browser back"], ["back"], id="with a variable before it"),
        pytest.param(
            ['agent-browser eval "', "1 +", '1"', "agent-browser back"],
            ["eval \n1 +\n1", "back"],
            id="quotes over lines",
        ),
        pytest.param(
            ['agent-browser batch "open http://a/" "snapshot -i"'],
            ["open http://a/", "snapshot -i"],
            id="a batch, one by one",
        ),
        pytest.param(["npm run dev", "curl localhost"], [], id="a block of something else"),
        pytest.param(["agent-browser close"], ["close"], id="close"),
    ],
)
def test_commands_of_a_block(lines: list[str], found: list[str]) -> None:
    script = read(block(*lines))
    assert [" ".join(command.argv) for command in script.commands] == found
    assert not any(command.error for command in script.commands)


@pytest.mark.parametrize("info", ["", "sh", "bash", "text", "console {.numbered}", 'sh title="a.js"', "shell-session"])
def test_any_block_will_do(info: str) -> None:
    assert argvs(block("agent-browser back", info=info)) == ["back"]


@pytest.mark.parametrize("info", ["js", "ts {1,3}", "TSX", "python", "yaml", 'json title="a"', "{.html}", "diff"])
def test_a_block_of_another_language_holds_no_commands(info: str) -> None:
    script = read(block("agent-browser back", "run: agent-browser open http://a/", info=info))
    assert script == Script()


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["<!-- `agent-browser back` -->"], []),
        (["<!--", "```", "agent-browser back", "```", "-->", "- `agent-browser forward`"], ["forward"]),
        (["- `agent-browser back` <!-- `agent-browser forward`", "x --> `agent-browser reload`"], ["back", "reload"]),
        (["<!-- that never ends", "- `agent-browser back`"], ["back"]),
        (["- `agent-browser eval '<!-- a'`", "- `agent-browser back` -->"], ["eval <!-- a", "back"]),
        (["```", "agent-browser eval '<!--'", "```", "-->"], ["eval <!--"]),
        (["> `agent-browser back`", "> ```", "> agent-browser open /y", "> ```"], []),
        (["  > - agent-browser back"], []),
    ],
)
def test_comments_and_quotes_are_not_read(lines: list[str], found: list[str]) -> None:
    assert argvs("\n".join(["1. Look", *lines])) == found


def test_a_fence_that_never_closes_goes_on_to_the_end() -> None:
    assert argvs("1. Look\n~~~\nagent-browser back\n```\nagent-browser forward") == ["back", "forward"]


def test_a_block_inside_of_a_list_item() -> None:
    assert argvs("1. Look\n  - Steps:\n    ```bash\n    agent-browser back\n    ```\n  - `agent-browser forward`") == [
        "back",
        "forward",
    ]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Run `agent-browser console` and `agent-browser errors` at the end", ["console", "errors"]),
        ("- ✅ `agent-browser open http://a/` - loads", ["open http://a/"]),
        ("- ``agent-browser eval '`a`'``", ["eval `a`"]),
        ("validate it with `agent-browser`", []),
        ("run the agent-browser validation", []),
        ("agent-browser open http://a/", []),
        ("- `agent-browser --session s open http://a/`", ["open http://a/"]),
        ("- `agent-browser --session=s --json back`", ["back"]),
        ("- `agent-browser\n    open http://a/`", ["open http://a/"]),
        ("- see `agent-browser is visible\n  '#a'`, then `agent-browser back`", ["is visible #a", "back"]),
        ("- an odd ` mark\n- `agent-browser back`", ["back"]),
        ("`agent-browser validation` of the page", []),
        ("`agent-browser open <url>` opens a page", []),
        ("write `scripts/agent-browser open`", []),
        ("`my-agent-browser open http://a/`", []),
    ],
)
def test_inline_code(line: str, found: list[str]) -> None:
    assert argvs(f"1. Look\n{line}") == found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("- agent-browser open http://localhost:3000/x", ["open http://localhost:3000/x"]),
        ('  - agent-browser is visible "#a"', ["is visible #a"]),
        ("  * [ ] agent-browser snapshot -i", ["snapshot -i"]),
        ("  2. agent-browser wait --load networkidle", ["wait --load networkidle"]),
        ("- $ agent-browser back", ["back"]),
        ("- ✅ agent-browser back", ["back"]),
        ("- npx agent-browser back", ["back"]),
        ("      agent-browser open /x", ["open /x"]),
        ("\tagent-browser open /x && agent-browser back", ["open /x", "back"]),
        ("- agent-browser open /x - the page loads", ["open /x"]),
        ("- agent-browser open /a-b → loads", ["open /a-b"]),
        ('- agent-browser fill "#a" "to the - end"', ["fill #a to the - end"]),
        ("- agent-browser --session s open /x", ["open /x"]),
        ("- agent-browser is visible '#a' returns true", ["is visible #a"]),
        ("- agent-browser get text 'h1 returns' should be Home", ["get text h1 returns"]),
        ("- agent-browser snapshot should show three cards", []),
        ("- agent-browser open the page and look", []),
        ("- agent-browser open issues are fixed", []),
        ("- agent-browser snapshot shows three cards", []),
        ("- agent-browser console errors are none", []),
        ("- agent-browser click on the button works", []),
        ("- agent-browser validation passes", []),
        ("- agent-browser open <url>", []),
        ("- run agent-browser open /x", []),
        ("    see agent-browser open /x", []),
    ],
)
def test_a_bullet_or_an_indented_line_that_is_a_command(line: str, found: list[str]) -> None:
    script = read(f"1. Look\n{line}")
    assert [" ".join(command.argv) for command in script.commands] == found
    assert not any(command.error for command in script.commands)


def test_the_name_of_a_task_is_no_command() -> None:
    assert read("- agent-browser open /x").commands == ()


@pytest.mark.parametrize(
    ("line", "notes"),
    [
        (
            "- Validate: agent-browser is visible '#a'",
            ("not run: - Validate: agent-browser is visible '#a'",),
        ),
        ("`agent-browser open <url>` opens a page", ("not run: `agent-browser open <url>` opens a page",)),
        ("- agent-browser open the page", ("not run: - agent-browser open the page",)),
        ("- agent-browser validation", ()),
        ("- `agent-browser back`", ()),
        ("> agent-browser open /x", ()),
    ],
)
def test_a_line_that_calls_the_program_and_is_not_read_is_named(line: str, notes: tuple[str, ...]) -> None:
    assert read(f"1. Look\n{line}").notes == notes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (block('agent-browser is visible "#a"'), True),
        (block('agent-browser is visible "#a" # should be false'), False),
        (block('agent-browser is visible "#a" # not visible any more'), False),
        (block('agent-browser is visible "#a" # true, not false'), True),
        (block('agent-browser is enabled "#a" # is disabled'), False),
        (block('agent-browser is visible "#a" # the hidden menu'), True),
        ("1. Look\n- `agent-browser is visible '#a'` - returns true", True),
        ("1. Look\n- `agent-browser is visible '#a'` - returns false", False),
        ("1. Look\n- `agent-browser is visible '#a'`, then `agent-browser is visible '#b'` returns false", True),
    ],
)
def test_what_an_is_is_to_answer(text: str, *, expected: bool) -> None:
    assert read(text).commands[0].expected is expected


def test_an_answer_that_is_to_be_false_is_said() -> None:
    script = read(
        "1. Look\n- `agent-browser is visible '#a'` - returns false\n- agent-browser is visible '#b' → gone"
        "\n- agent-browser is visible '#c' returns false"
    )
    assert [command.expected for command in script.commands] == [False, False, False]
    assert script.notes == (
        "`is visible '#a'`: expected false, as the task says",
        "`is visible '#b'`: expected false, as the task says",
        "`is visible '#c'`: expected false, as the task says",
    )


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("agent-browser snapshot | head", "`|` needs a shell; only agent-browser runs"),
        ("agent-browser snapshot > out.txt", "`>` needs a shell; only agent-browser runs"),
        ('agent-browser open "$URL"', "`$NAME` needs a shell; only agent-browser runs"),
        ("agent-browser open `cat url`", "``` needs a shell; only agent-browser runs"),
        ("agent-browser back || true", "`||` needs a shell; only agent-browser runs"),
        ('agent-browser is visible "#a', "a quote is not closed"),
        ("agent-browser install", "`install` may not run: it changes what is installed"),
        ("test $(agent-browser get count li) = 3", "only agent-browser itself runs, without a shell around it"),
        ("agent-browser batch < commands.json", "`<` needs a shell; only agent-browser runs"),
        ("agent-browser batch --bail", "`batch` without commands would read them from a terminal"),
    ],
)
def test_what_cannot_run_is_a_step_that_fails(line: str, error: str) -> None:
    """A step that is not run may not pass for one that was."""
    commands = read(block("agent-browser back", line, "agent-browser forward")).commands
    assert [command.error for command in commands if command.error] == [error]
    assert commands[0].argv == ("back",)
    assert commands[-1].argv == ("forward",)
    assert next(command for command in commands if command.error).line == 3


def test_what_stands_beside_commands_is_named() -> None:
    script = read(block("npm run dev", "agent-browser --session mine back"))
    assert script.notes == (
        "not run, for it is no agent-browser command: npm run dev",
        "agent-browser --session mine back: run without --session",
    )


def test_a_command_knows_where_it_stands_and_how_it_was_written() -> None:
    (command,) = read(block("", "agent-browser  is visible '#a'")).commands
    assert command == Command(argv=("is", "visible", "#a"), text="agent-browser  is visible '#a'", line=3)
    assert command.shown == "is visible '#a'"


def test_commands_of_the_settings() -> None:
    commands = of_lines(("agent-browser open /login", 'agent-browser fill "#u" "me"')).commands
    assert [command.argv for command in commands] == [("open", "/login"), ("fill", "#u", "me")]


@given(
    st.lists(
        st.sampled_from(["```", "~~~", "`", "agent-browser", " open ", "'", '"', "\\", "\n", "|", "#", "é"]),
        max_size=40,
    )
)
def test_no_text_is_too_odd(pieces: list[str]) -> None:
    for command in read("".join(pieces)).commands:
        assert bool(command.argv) is not bool(command.error)


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
def test_real_specs_hold_no_command_that_is_not_understood() -> None:
    """1,288 commands in 4 specs, of 1,303 places that name the program; the others are prose."""
    tasks = [task for path in CORPUS.glob("*.md") for task in parse.parse(path.read_text(encoding="utf-8")).tasks]
    scripts = [read(task.text) for task in tasks if "agent-browser" in task.text]
    commands = [command for script in scripts for command in script.commands]
    assert len(commands) > 1200
    assert not [command for command in commands if command.error]
    assert sum(names_commands(task) for task in tasks) == sum(bool(script.commands) for script in scripts)


@pytest.mark.parametrize(
    ("span", "runs"),
    [
        ('agent-browser fill "#message" "<b>Hello</b> from a browser"', True),
        ('agent-browser wait --text "Loading..."', True),
        ("agent-browser wait --text 'and so on …'", True),
        ("agent-browser open <url>", False),
        ("agent-browser open http://localhost:<port>/", False),
        ('agent-browser is visible "…"', False),
        ("agent-browser is visible '...'", False),
        ("agent-browser fill <selector> <text>", False),
    ],
)
def test_inline_code_with_something_left_out_is_prose_and_quoted_text_is_not(span: str, *, runs: bool) -> None:
    assert bool(read(f"- see `{span}`").commands) is runs
