"""The `agent-browser …` commands in a task's own text, in their order (O25): read by a parser, never by a shell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ralph_wiggum.core.outside_text import inline
from ralph_wiggum.core.visual import policy, shell_words
from ralph_wiggum.core.visual.policy import CLOSES, KNOWN, NAVIGATES
from ralph_wiggum.core.visual.shell_words import Simple

PROGRAM = "agent-browser"

_MARKER = re.compile(r"^\s*(?:[-*+]\s+)?(?P<marks>`{3,}|~{3,})(?P<info>[^`]*)$")
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_PROMPT = re.compile(r"^\s*(?:[$%>❯]\s+)+")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_LAUNCHERS = (("npx",), ("bunx",), ("pnpx",), ("pnpm", "dlx"), ("pnpm", "exec"), ("yarn",), ("yarn", "dlx"))
_LAUNCHER_OPTIONS = frozenset({"-y", "--yes", "-q", "--quiet", "--no-install"})
_VERSIONED = re.compile(r"(?:\./)?(?:node_modules/\.bin/)?agent-browser(?:@[\w.-]+)?")
_PLACEHOLDER = re.compile(r"<[a-z][\w -]*>|\.\.\.|…|([\"'])(?:\.\.\.|…)\1")
_QUOTED = re.compile(r"\"(?!(?:\.\.\.|…)\")[^\"]*\"|'(?!(?:\.\.\.|…)')[^']*'")  # text, whatever it holds
_CALL = re.compile(r"(?<![\w/.-])agent-browser\s+(?P<command>[a-z0-9]+)")
# "returns false", "# should not be visible": what an `is` is to answer. Only set phrases: "the hidden menu" is none.
_TO_BE_FALSE = re.compile(
    r"\bfalse\b|\bnot (?:be )?(?:visible|shown|displayed|enabled|checked)\b"
    r"|\b(?:is|be|stays?|remains?) (?:hidden|invisible|disabled|unchecked)\b",
    re.IGNORECASE,
)
_TO_BE_TRUE = re.compile(r"\btrue\b", re.IGNORECASE)
_LONGEST = 100_000  # characters of a task's text that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One agent-browser command of a task.

    `argv` is what runs, without the program's name, its command first; `text` is what was written, `line` where it
    stands in the task's text (0-based). `expected` is what an `is` is to answer. `error` says why it cannot be run:
    a step that fails.
    """

    argv: tuple[str, ...]
    text: str
    line: int
    expected: bool = True
    error: str = ""

    @property
    def shown(self) -> str:
        """Return the command as it was written, without the program's name, on one line."""
        return inline(self.text.removeprefix(PROGRAM).strip() or self.text, 200)

    @property
    def navigates(self) -> bool:
        """Say whether the command opens a page of its own."""
        return self.argv[:1] != () and self.argv[0] in NAVIGATES and bool(policy.positional(self.argv[1:]))

    @property
    def closes(self) -> bool:
        """Say whether the command says that there is nothing more to look at."""
        return self.argv[:1] != () and self.argv[0] in CLOSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The commands of a task, in order, with words on what stood beside them and does not run."""

    commands: tuple[Command, ...] = ()
    notes: tuple[str, ...] = ()


def read(text: str) -> Script:
    """Return the agent-browser commands in a task's text: lines of its code blocks, and inline code."""
    found: list[Command] = []
    notes: list[str] = []
    for piece in _pieces(text[:_LONGEST]):
        if isinstance(piece, _Block):
            script = _of_block(piece)
            found.extend(script.commands)
            notes.extend(script.notes)
        else:
            found.extend(_of_prose(piece))
    return Script(commands=tuple(found), notes=tuple(dict.fromkeys(notes)))


def of_lines(lines: tuple[str, ...]) -> Script:
    """Return the commands of lines that are commands and nothing else (visual_validation.before)."""
    return _of_block(_Block(lines=tuple(enumerate(lines))))


def blocks_and_details(text: str) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """Return what stands under a task's name: its code blocks, as lines that are complete, and the other lines."""
    pieces = list(_pieces(text[:_LONGEST]))
    blocks = tuple(tuple(line for _, line in _whole_lines(piece)) for piece in pieces if isinstance(piece, _Block))
    return blocks, tuple(piece.line for piece in pieces if isinstance(piece, _Prose) and piece.number > 0)


def is_ours(words: tuple[str, ...]) -> bool:
    """Say whether the words of a command call agent-browser."""
    return _arguments(words) is not None


@dataclass(frozen=True, slots=True)
class _Block:
    lines: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class _Prose:
    number: int
    line: str


def _pieces(text: str) -> Iterator[_Block | _Prose]:
    """Yield the code blocks and the other lines; a fence that never closes goes on to the end of the task."""
    marks = ""
    block: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n")):
        marker = _MARKER.match(line)
        if not marks:
            if marker:
                marks = marker["marks"]
            else:
                yield _Prose(number, line)
        elif marker and marker["marks"].startswith(marks) and not marker["info"].strip():
            yield _Block(tuple(block))
            marks, block = "", []
        else:
            block.append((number, line))
    if block:
        yield _Block(tuple(block))


def _of_prose(prose: _Prose) -> Iterator[Command]:
    """Yield the commands in the inline code of a line; the words behind one may say what it is to answer."""
    spans = [match for match in _SPAN.finditer(prose.line) if _names_command(match[2])]
    for index, span in enumerate(spans):
        after = prose.line[span.end() : spans[index + 1].start() if index + 1 < len(spans) else None]
        for simple in shell_words.split(span[2].strip()):
            yield from _commands(simple, prose.number, after).commands


def _names_command(span: str) -> bool:
    """Say whether inline code is a command: of the program, with a command that there is, and no placeholders."""
    words = _arguments(tuple(_PROMPT.sub("", span).split()))
    command = next((word for word in words or () if not word.startswith("-")), "")
    return command.strip("\"'") in KNOWN and not _PLACEHOLDER.search(_QUOTED.sub("", span))


def _of_block(block: _Block) -> Script:
    commands: list[Command] = []
    notes: list[str] = []
    for number, line in _whole_lines(block):
        for simple in shell_words.split(line):
            script = _commands(simple, number, simple.comment)
            commands.extend(script.commands)
            notes.extend(script.notes)
    # what stands in a block without any of our commands is none of our business
    return Script(commands=tuple(commands), notes=tuple(notes) if commands else ())


def _whole_lines(block: _Block) -> Iterator[tuple[int, str]]:
    """Yield lines without prompts, continued ones joined: by a backslash, or by a quote that closes further down."""
    lines = list(block.lines)
    while lines:
        number, line = lines.pop(0)
        line = _PROMPT.sub("", line).strip()
        while line.endswith("\\") and not line.endswith("\\\\") and lines:
            line = f"{line[:-1].rstrip()} {lines.pop(0)[1].strip()}"
        if PROGRAM in line and shell_words.unclosed(line):
            line, taken = _closed(line, [text for _, text in lines])
            del lines[:taken]
        if line:
            yield number, line


def _closed(line: str, following: list[str]) -> tuple[str, int]:
    """Return the line with as many of the following ones as close its quote, and how many those are."""
    whole = line
    for taken, text in enumerate(following, 1):
        if _CALL.match(_PROMPT.sub("", text).strip()):
            break
        whole = f"{whole}\n{text}"
        if not shell_words.unclosed(whole):
            return whole, taken
    return line, 0


def _commands(simple: Simple, line: int, expectation: str) -> Script:
    """Return what one simple command comes to: usually one command, none if it is not the program's."""
    arguments = _arguments(simple.words)
    if arguments is None:
        call = _CALL.search(simple.text)
        if call and call["command"] in KNOWN and simple.words[:1] != ("echo",):
            return _failing(simple, line, "only agent-browser itself runs, without a shell around it")
        return Script(notes=(f"not run, for it is no agent-browser command: {inline(simple.text, 100)}",))
    if simple.needs == shell_words.UNCLOSED:
        return _failing(simple, line, simple.needs)
    if simple.needs:
        return _failing(simple, line, f"`{simple.needs}` needs a shell; only agent-browser runs")
    if arguments[:1] == ("batch",):
        return _batch(simple, arguments, line)
    ruled = policy.rule(arguments)
    notes = tuple(f"{inline(simple.text, 100)}: run {note}" for note in ruled.notes)
    expected = not _to_be_false(ruled.argv, expectation)
    command = Command(argv=ruled.argv, text=simple.text, line=line, expected=expected, error=ruled.error)
    return Script(commands=(command,), notes=notes)


def _batch(simple: Simple, arguments: tuple[str, ...], line: int) -> Script:
    """Return the commands of a batch one by one, so that each has its verdict."""
    inner = [shell_words.split(f"{PROGRAM} {word}") for word in arguments[1:] if not word.startswith("-")]
    if not inner:
        return _failing(simple, line, "`batch` without commands would read them from a terminal")
    scripts = [_commands(each, line, "") for batched in inner for each in batched]
    return Script(
        commands=tuple(command for script in scripts for command in script.commands),
        notes=tuple(note for script in scripts for note in script.notes),
    )


def _failing(simple: Simple, line: int, error: str) -> Script:
    return Script(commands=(Command(argv=(), text=simple.text, line=line, error=error),))


def _arguments(words: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the arguments of the program where a command is one of its, else None."""
    while words and _ASSIGNMENT.fullmatch(words[0]):
        words = words[1:]
    for launcher in sorted(_LAUNCHERS, key=len, reverse=True):
        if words[: len(launcher)] == launcher:
            words = words[len(launcher) :]
            while words and words[0] in _LAUNCHER_OPTIONS:
                words = words[1:]
            break
    return words[1:] if words and _VERSIONED.fullmatch(words[0]) else None


def _to_be_false(arguments: tuple[str, ...], expectation: str) -> bool:
    """Say whether the words beside an `is` want it to answer false."""
    wanted = _TO_BE_FALSE.search(expectation) and not _TO_BE_TRUE.search(expectation)
    return arguments[:1] == ("is",) and bool(wanted)
