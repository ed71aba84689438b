"""The `agent-browser …` commands in a task's own text, in their order (O25): read by a parser, never by a shell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ralph_wiggum.core.outside_text import inline
from ralph_wiggum.core.visual import markdown, policy, shell_words
from ralph_wiggum.core.visual.expectation import is_to_be_false
from ralph_wiggum.core.visual.markdown import SPAN, Block, Line
from ralph_wiggum.core.visual.policy import CLOSES, KNOWN, NAVIGATES
from ralph_wiggum.core.visual.shell_words import Simple

PROGRAM = "agent-browser"

_PROMPT = re.compile(r"^\s*(?:[$%>❯]\s+)+")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_LAUNCHERS = (
    *(("npx",), ("bunx",), ("pnpx",), ("pnpm",), ("pnpm", "dlx"), ("pnpm", "exec"), ("npm", "exec"), ("yarn",)),
    *(("yarn", "dlx"), ("yarn", "exec"), ("bun", "x")),
)
_LAUNCHER_OPTIONS = frozenset({"-y", "--yes", "-q", "--quiet", "--no-install", "--"})
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s?")
_VERSIONED = re.compile(r"(?:\./)?(?:node_modules/\.bin/)?agent-browser(?:@[\w.-]+)?")
_PLACEHOLDER = re.compile(r"<[a-z][\w -]*>|\.\.\.|…|([\"'])(?:\.\.\.|…)\1")
_QUOTED = re.compile(r"\"(?!(?:\.\.\.|…)\")[^\"]*\"|'(?!(?:\.\.\.|…)')[^']*'")  # text, whatever it holds
_CALL = re.compile(r"(?<![\w/.-])agent-browser\s+(?P<command>[a-z0-9]+)")
# What may stand before a command that is the whole line: a bullet, a box, signs, a label (`Validate:`).
_BULLET = r"\s*(?:[-*+]|\d+[.)])\s+(?:\[.\]\s+)?"
_INDENT = r"(?: {4,}| {0,3}\t\s*)"
_BARE = re.compile(rf"(?:{_BULLET}|{_INDENT})(?:[✅❌☑✔✓]\s*)?(?:[$%>❯]\s+)?(?=(?:npx\s+)?agent-browser\s)")
# Where words about such a command begin; "returns false" needs no dash before it where the command asks something.
_BARE_END = re.compile(r"\s(?:(?:--?|–|—|->|=>|#)(?=\s)|[→⇒✅(])")
_BARE_ANSWER = re.compile(r"(?<=\s)(?:is|get)\s.*?(?P<end>\s(?=(?:returns?|should|must|expect(?:ed|s)?)\s))")
_WORDS_OF_PROSE = frozenset(
    {
        *("a", "about", "after", "all", "an", "and", "are", "as", "at", "before", "by", "each", "every", "for", "from"),
        *("if", "in", "is", "it", "of", "on", "or", "page", "pages", "should", "shows", "so", "that", "the", "then"),
        *("this", "to", "we", "when", "which", "will", "with", "you"),
    }
)
_ALONE = frozenset({"back", "forward", "reload", "close", "quit", "exit", "console", "errors", "snapshot"})
_LONGEST_SLEEP = 60.0  # seconds
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
    """Return the agent-browser commands in a task's text: in code blocks, inline code, and lines that are commands."""
    found: list[Command] = []
    notes: list[str] = []
    for piece in markdown.with_whole_spans(list(markdown.pieces(text[:_LONGEST]))):
        if isinstance(piece, Block):
            script = _of_block(piece) if piece.is_shell else Script()
        else:
            script = Script() if piece.quoted else _of_line(piece)
        found.extend(script.commands)
        notes.extend(script.notes)
    return Script(commands=tuple(found), notes=tuple(dict.fromkeys(notes)))


def of_lines(lines: tuple[str, ...]) -> Script:
    """Return the commands of lines that are commands and nothing else (visual_validation.before)."""
    return _of_block(Block(lines=tuple(enumerate(lines))))


def blocks_and_details(text: str) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """Return what stands under a task's name: its code blocks, as lines that are complete, and the other lines."""
    pieces = list(markdown.pieces(text[:_LONGEST]))
    blocks = tuple(tuple(line for _, line in _whole_lines(piece)) for piece in pieces if isinstance(piece, Block))
    return blocks, tuple(piece.text for piece in pieces if isinstance(piece, Line) and piece.number > 0)


def is_ours(words: tuple[str, ...]) -> bool:
    """Say whether the words of a command call agent-browser."""
    return _arguments(words) is not None


def _of_line(line: Line) -> Script:
    """Return the commands of a line of text: its inline code, or, below the task's name, the line itself."""
    spans = [match for match in SPAN.finditer(line.text) if _names_command(match[2])]
    scripts = []
    for index, span in enumerate(spans):
        after = line.text[span.end() : spans[index + 1].start() if index + 1 < len(spans) else None]
        scripts += [_commands(simple, line.number, after) for simple in shell_words.split(span[2].strip())]
    if not spans and line.number > 0:
        scripts += _of_bare(line)
    script = Script(
        commands=tuple(command for each in scripts for command in each.commands),
        notes=tuple(note for each in scripts for note in each.notes if each.commands),
    )
    call = None if script.commands else _CALL.search(line.text)
    if call and call["command"] in KNOWN:
        return Script(notes=(f"not run: {inline(line.text.strip(), 100)}",))
    return script


def _of_bare(line: Line) -> list[Script]:
    """Return what comes of a bullet or an indented line that is a command, and perhaps words about it behind."""
    begin = _BARE.match(line.text)
    if begin is None:
        return []
    text = line.text[begin.end() :]
    unquoted = _QUOTED.sub(lambda quoted: "x" * len(quoted[0]), text)
    sign, answer = _BARE_END.search(unquoted), _BARE_ANSWER.search(unquoted)
    end = min(sign.start() if sign else len(text), answer.start("end") if answer else len(text))
    command, behind = text[:end], text[end:]
    simples = shell_words.split(command.strip())
    if not _names_command(command) or any(_is_prose(simple.text) for simple in simples):
        return []
    return [_commands(simple, line.number, behind) for simple in simples]


def _is_prose(text: str) -> bool:
    """Say whether words that begin like a command go on like a sentence: "agent-browser open the page and look"."""
    words = _QUOTED.sub("'x'", text).split()
    command = next((index for index, word in enumerate(words) if word in KNOWN), None)
    if command is None:
        return False
    arguments = policy.positional(words[command + 1 :])
    if words[command] in NAVIGATES:
        return len(arguments) != 1 or not re.search(r"[/.:]", arguments[0])
    return (words[command] in _ALONE and bool(arguments)) or any(word.lower() in _WORDS_OF_PROSE for word in arguments)


def _names_command(span: str) -> bool:
    """Say whether inline code is a command: of the program, with a command that there is, and no placeholders."""
    words = _arguments(tuple(_PROMPT.sub("", span).split()))
    before = ""
    for word in words or ():
        if word.strip("\"'") in KNOWN:
            return not _PLACEHOLDER.search(_QUOTED.sub("", span))
        if not word.startswith("-") and not before.startswith("-"):  # neither an option nor the value of one
            return False
        before = word
    return False


def _of_block(block: Block) -> Script:
    commands: list[Command] = []
    notes: list[str] = []
    pauses: list[Command] = []
    for number, line in _whole_lines(block):
        for simple in shell_words.split(line):
            pause = _pause(simple, number) if commands else None
            if pause:
                pauses.append(pause)
                continue
            script = _commands(simple, number, simple.comment)
            if script.commands:  # a pause stands between two of our commands
                commands.extend(pauses)
                pauses.clear()
            commands.extend(script.commands)
            notes.extend(script.notes)
    # what stands in a block without any of our commands is none of our business
    return Script(commands=tuple(commands), notes=tuple(notes) if commands else ())


def _pause(simple: Simple, line: int) -> Command | None:
    """Return the `wait` that a `sleep` of up to a minute is for the browser."""
    seconds = _SECONDS.fullmatch(simple.words[1]) if len(simple.words) == 2 and simple.words[0] == "sleep" else None  # noqa: PLR2004 - `sleep` and how long
    if seconds is None or simple.needs or float(seconds[1]) > _LONGEST_SLEEP:
        return None
    return Command(argv=("wait", str(round(float(seconds[1]) * 1000))), text=simple.text, line=line)


def _whole_lines(block: Block) -> Iterator[tuple[int, str]]:
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
    expected = not is_to_be_false(ruled.argv, expectation)
    if not expected:
        notes = (
            *notes,
            f"`{inline(simple.text.removeprefix(PROGRAM).strip(), 100)}`: expected false, as the task says",
        )
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
    words = _without_timer(words)
    for launcher in sorted(_LAUNCHERS, key=len, reverse=True):
        if words[: len(launcher)] == launcher:
            words = words[len(launcher) :]
            while words and words[0] in _LAUNCHER_OPTIONS:
                words = words[1:]
            break
    if not words or not _VERSIONED.fullmatch(words[0]):
        return None
    return words[2:] if words[1:2] == ("--",) else words[1:]


def _without_timer(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of a command without `time` or `timeout 30` before it: the runner limits each one itself."""
    if words[:1] == ("time",):
        return words[1:]
    if words[:1] == ("timeout",):
        rest = words[1:]
        while rest and (rest[0].startswith("-") or re.fullmatch(r"\d+(?:\.\d+)?[smh]?", rest[0])):
            rest = rest[1:]
        return rest
    return words
