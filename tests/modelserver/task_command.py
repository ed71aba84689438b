"""What the model does for a task: the shell command that the task's details name, or the same as written files."""

from __future__ import annotations

import re
import shlex

# A person's task says what the model shall do: a line "model: echo hello > hello.txt" among its details.
_LINE = re.compile(r"^[ \t]*(?:[-*+][ \t]+)?`?model:[ \t]*(.+?)[ \t]*$", re.MULTILINE)
# The runner puts the task between <task …> and </task>, or <task-2 …> where the text holds that itself.
_TASK = re.compile(r"<(task(?:-\d+)?)(?:\s[^>]*)?>\n(.*?)\n</\1>", re.DOTALL)

DEFAULT = "printf '%s\\n' 'hello from the model' >> MOCK_OUT.txt"


def command(prompt: str) -> str:
    r"""Return the command for a prompt: its task's `model:` lines, one after the other, or one that writes a file.

    >>> command("<task id=1>\n- [ ] 1. Greet\n  - model: echo hello > hello.txt\n</task>")
    'echo hello > hello.txt'
    """
    blocks = [match[2] for match in _TASK.finditer(prompt)] or [prompt]
    found = [_bare(match[1]) for match in _LINE.finditer(blocks[0])]
    return " && ".join(found) or DEFAULT


def files(text: str) -> dict[str, str]:
    r"""Return what a command would write, by file, for clients that take files instead of commands.

    It knows `echo` and `printf` with `>` or `>>`, and `mkdir`, `cd .` and `true` beside them. Any other command gives
    nothing at all: half of the work would look like all of it.

    >>> files("mkdir -p a && echo hello > a/b.txt")
    {'a/b.txt': 'hello\n'}
    """
    written: dict[str, str] = {}
    for words in _commands(text):
        if words[0] in {"mkdir", "true"} or words == ["cd", "."]:
            continue
        at = next((index for index, word in enumerate(words) if word in {">", ">>"}), 0)
        if words[0] not in {"echo", "printf"} or not at or at + 2 != len(words):
            return {}
        name = words[-1]
        said = _printed(words[0], words[1:at])
        written[name] = (written.get(name, "") if words[at] == ">>" else "") + said
    return written


def _bare(text: str) -> str:
    """Return a command without the backticks of markdown around it."""
    return text.rstrip("`") if text.count("`") % 2 else text.strip("`") if text[:1] == text[-1:] == "`" else text


def _commands(text: str) -> list[list[str]]:
    """Return the simple commands of a line, or one that nobody knows where the line is no plain list of them."""
    reader = shlex.shlex(text, posix=True, punctuation_chars=True)
    reader.whitespace_split = True
    commands: list[list[str]] = [[]]
    try:
        for word in reader:
            if word in {"&&", ";"}:
                commands.append([])
            else:
                commands[-1].append(word)
    except ValueError:  # an open quote
        return [["?"]]
    return [each for each in commands if each]


def _printed(program: str, words: list[str]) -> str:
    if program == "echo":
        newline = words[:1] != ["-n"]
        return " ".join(words if newline else words[1:]) + ("\n" if newline else "")
    pattern, *values = words or [""]
    pattern = pattern.replace("\\n", "\n").replace("\\t", "\t")
    places = pattern.count("%s")
    if not places:
        return pattern
    # As printf does: the pattern once more for values that are left over, and "" for those that are missing.
    rounds = [values[at : at + places] for at in range(0, len(values), places)] or [[]]
    return "".join(_filled(pattern, each) for each in rounds)


def _filled(pattern: str, values: list[str]) -> str:
    first, *others = pattern.split("%s")
    padded = [*values, *[""] * (len(others) - len(values))]
    return first + "".join(value + other for value, other in zip(padded, others, strict=True))
