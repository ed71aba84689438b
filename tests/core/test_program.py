"""What a process runs, told from its arguments."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.program import Process, arguments, same_program


def process(*argv: str, exe: str, cwd: str = "/work") -> Process:
    return Process(pid=1, ppid=0, started=0.0, exe=exe, argv=argv, cwd=cwd)


@pytest.mark.parametrize(
    ("exe", "argv", "name"),
    [
        pytest.param("/usr/bin/python3.11", ("python3", "x.py"), "python", id="an interpreter without its version"),
        pytest.param("/opt/node-v20/bin/node", ("node",), "node", id="a folder's version is none of its name"),
        pytest.param("/opt/claude", ("claude",), "claude", id="a program"),
        pytest.param("/opt/tool2", ("tool2",), "tool2", id="a program keeps its number"),
        pytest.param("/bin/busybox", ("sh", "-c", "x"), "sh", id="busybox is what it was called"),
        pytest.param("/bin/busybox", (), "busybox", id="busybox without arguments"),
        pytest.param("", ("/usr/bin/tool", "x"), "tool", id="an executable that cannot be read"),
        pytest.param("/usr/bin/bash", ("-bash",), "bash", id="a login shell"),
    ],
)
def test_the_name_of_a_program(exe: str, argv: tuple[str, ...], name: str) -> None:
    assert process(*argv, exe=exe).name == name


@pytest.mark.parametrize(
    ("argv", "script", "rest"),
    [
        pytest.param(("python3", "x.py", "-v"), "/work/x.py", ("-v",), id="python with a script"),
        pytest.param(("python3", "-X", "dev", "-u", "x.py"), "/work/x.py", (), id="python with options"),
        pytest.param(("python3", "-m", "pytest", "-q"), "-m pytest", ("-q",), id="python with a module"),
        pytest.param(("python3", "-c", "pass", "a"), "-c pass", ("-c", "pass", "a"), id="python with code"),
        pytest.param(("python3",), "", (), id="python alone"),
        pytest.param(("node", "--require", "ts-node", "a.js", "b"), "/work/a.js", ("b",), id="node with options"),
        pytest.param(("node", "-e", "1"), "-c 1", ("-e", "1"), id="node with code"),
        pytest.param(("bash", "-lc", "npm ci"), "-c npm ci", ("-lc", "npm ci"), id="bash with code"),
        pytest.param(("bash", "-o", "pipefail", "-ec", "x"), "-c x", ("-o", "pipefail", "-ec", "x"), id="bash -o"),
        pytest.param(("bash", "/a/../b/run.sh", "c"), "/b/run.sh", ("c",), id="bash with a script"),
        pytest.param(("bash", "-s"), "", ("-s",), id="bash from its standard input"),
        pytest.param(("ruby", "-I", "lib", "x.rb"), "/work/x.rb", (), id="ruby with a folder"),
        pytest.param(("perl", "-e", "1"), "-c 1", ("-e", "1"), id="perl with code"),
        pytest.param(("deno", "run", "-A", "x.ts"), "/work/x.ts", (), id="deno run"),
        pytest.param(("java", "-cp", "a.jar", "-Xmx1g", "org.Main", "z"), "org.Main", ("z",), id="java with a class"),
    ],
)
def test_what_an_interpreter_runs(argv: tuple[str, ...], script: str, rest: tuple[str, ...]) -> None:
    one = process(*argv, exe=f"/usr/bin/{argv[0]}")
    assert one.script == script
    assert arguments(one) == rest


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(
            process("claude", "-p", exe="/opt/claude"), process("rg", "x", exe="/opt/claude"), True, id="one executable"
        ),
        pytest.param(
            process("a", exe="/opt/x/tool"), process("a", exe="/opt/y/tool"), False, id="two executables of one name"
        ),
        pytest.param(
            process("python3", "a.py", exe="/usr/bin/python3.11"),
            process("python3", "-u", "a.py", "more", exe="/usr/bin/python3.12"),
            True,
            id="one script with other options",
        ),
        pytest.param(
            process("bash", "a.sh", exe="/bin/bash"), process("bash", "b.sh", exe="/bin/bash"), False, id="two scripts"
        ),
        pytest.param(process("bash", exe="/bin/bash"), process("bash", exe="/bin/bash"), True, id="a plain fork"),
        pytest.param(
            process("bash", exe="/bin/bash"), process("bash", "-i", exe="/bin/bash"), False, id="a shell without script"
        ),
        pytest.param(
            process("sh", "a", exe="/bin/dash"), process("a", exe="/work/a"), False, id="a script and a program"
        ),
    ],
)
def test_the_same_program(one: Process, other: Process, same: bool) -> None:  # noqa: FBT001 - a table's column
    assert same_program(one, other) is same
    assert same_program(other, one) is same
