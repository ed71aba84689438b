"""Which processes below an agent are commands, and how long each may run (O21)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core.commands import LONG_COMMANDS, Command, Rules, commands, is_machinery, printable
from ralph_wiggum.core.program import Process
from ralph_wiggum.core.settings import Limits

KEEPER, AGENT = 10, 100
NOW = 1000.0
PLAIN = Rules.of(Limits())

_EXES = {"python3": "/usr/bin/python3.11", "node": "/usr/bin/node", "sh": "/usr/bin/dash"}


def row(pid: int, ppid: int, *argv: str, age: float = 100.0, exe: str | None = None, cwd: str = "/work") -> Process:
    """Return a living process; the executable follows from the first argument."""
    path = exe if exe is not None else _EXES.get(argv[0], argv[0] if "/" in argv[0] else f"/usr/bin/{argv[0]}")
    return Process(pid=pid, ppid=ppid, started=NOW - age, exe=path, argv=argv, cwd=cwd)


def found(table: Sequence[Process], rules: Rules = PLAIN) -> list[tuple[str, int]]:
    """Return the commands, each with the number of processes that it stands for."""
    return [(one.line, len(one.members)) for one in commands(table, AGENT, NOW, rules)]


NATIVE = row(AGENT, KEEPER, "/opt/claude", "-p")
SCRIPT = row(AGENT, KEEPER, "node", "/opt/agent/cli.js", "chat")
SHELL = row(AGENT, KEEPER, "bash", "./agent.sh")


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param([NATIVE], [], id="the agent itself is none"),
        pytest.param([NATIVE, row(1, AGENT, "sleep", "9")], [("sleep 9", 1)], id="what it starts is one"),
        pytest.param(
            [NATIVE, row(1, AGENT, "bash", "-c", "a; b"), row(2, 1, "a"), row(3, 2, "c")],
            [("bash -c a; b", 3)],
            id="the topmost stands for all below it",
        ),
        pytest.param(
            [NATIVE, row(1, AGENT, "a"), row(2, AGENT, "b")], [("a", 1), ("b", 1)], id="two beside each other are two"
        ),
        pytest.param([NATIVE, row(1, KEEPER, "sleep", "9")], [("sleep 9", 1)], id="an orphan is one"),
        pytest.param(
            [NATIVE, row(1, AGENT, "/opt/claude", "--worker"), row(2, 1, "make")],
            [("make", 1)],
            id="the agent's own executable is none, but what it starts is",
        ),
        pytest.param(
            [NATIVE, row(1, KEEPER, "/opt/claude", "--daemon")], [], id="an orphan of the agent's own is none"
        ),
        pytest.param(
            [SCRIPT, row(1, AGENT, "node", "test.js")], [("node test.js", 1)], id="the same interpreter is not enough"
        ),
        pytest.param(
            [SCRIPT, row(1, AGENT, "node", "--max-old-space-size=8192", "/opt/agent/cli.js", "chat"), row(2, 1, "ls")],
            [("ls", 1)],
            id="a wrapper that executes its script again is the agent",
        ),
        pytest.param(
            [SCRIPT, row(1, AGENT, "node", "cli.js", cwd="/work")],
            [("node cli.js", 1)],
            id="a script of the same name elsewhere is one",
        ),
        pytest.param(
            [SCRIPT, row(1, AGENT, "node", "cli.js", cwd="/opt/agent")],
            [],
            id="the same script by a relative path is the agent",
        ),
        pytest.param(
            [SHELL, row(1, AGENT, "bash", "./agent.sh"), row(2, 1, "sleep", "9")],
            [("sleep 9", 1)],
            id="a subshell of the agent's script is none, but what it starts is",
        ),
        pytest.param(
            [SHELL, row(1, AGENT, "bash", "-c", "x")], [("bash -c x", 1)], id="bash -c below a shell agent is"
        ),
        pytest.param(
            [row(AGENT, KEEPER, "bash", "-c", "a"), row(1, AGENT, "bash", "-c", "a"), row(2, 1, "sleep", "9")],
            [("sleep 9", 1)],
            id="a subshell of bash -c is none and launches nothing",
        ),
        pytest.param(
            [
                row(AGENT, KEEPER, "node", "/lib/node_modules/@openai/codex/bin/codex.js", "exec", "-"),
                row(1, AGENT, "/lib/vendor/codex", "exec", "-"),
                row(2, 1, "bash", "-lc", "make"),
            ],
            [("bash -lc make", 1)],
            id="a native worker under the wrapper's name is the agent",
        ),
        pytest.param(
            [row(AGENT, KEEPER, "kiro-cli", "chat"), row(1, AGENT, "kiro-cli-chat", "x"), row(2, 1, "ls")],
            [("ls", 1)],
            id="a worker whose name continues the wrapper's is the agent",
        ),
        pytest.param(
            [
                row(AGENT, KEEPER, "node", "/x/npm-loader.js", "-p", "--allow-all"),
                row(1, AGENT, "/x/copilot-linux-x64", "-p", "--allow-all"),
                row(2, 1, "ls"),
            ],
            [("ls", 1)],
            id="a worker that gets the wrapper's options is the agent",
        ),
        pytest.param(
            [row(AGENT, KEEPER, "sh", "agent.sh", "file"), row(1, AGENT, "cat", "file")],
            [("cat file", 1)],
            id="a command that gets the agent's file is one all the same",
        ),
        pytest.param(
            [SHELL, row(1, AGENT, "/opt/claude", "-p"), row(2, 1, "sleep", "9")],
            [("sleep 9", 1)],
            id="an agent program below a person's wrapper script is the agent",
        ),
        pytest.param(
            [row(AGENT, KEEPER, "timeout", "3600", "my-agent"), row(1, AGENT, "my-agent"), row(2, 1, "ls")],
            [("ls", 1)],
            id="what a launcher starts is the agent",
        ),
        pytest.param(
            [
                row(AGENT, KEEPER, "node", "/usr/bin/npx", "my-agent"),
                row(1, AGENT, "sh", "-c", "my-agent"),
                row(2, 1, "node", "/x/.bin/my-agent"),
                row(3, 2, "sh", "-c", "make"),
            ],
            [("sh -c make", 1)],
            id="npx puts a shell between",
        ),
        pytest.param(
            [NATIVE, row(1, AGENT, "timeout", "60", "make"), row(2, 1, "make")],
            [("timeout 60 make", 2)],
            id="a launcher below the agent is a command",
        ),
        pytest.param(
            [NATIVE, row(1, AGENT, "git-mcp-server"), row(2, 1, "git", "gc")],
            [("git gc", 1)],
            id="machinery is none, but what it starts is",
        ),
        pytest.param(
            [NATIVE, row(1, AGENT, "sh", "-c", "x"), row(2, 1, "git-mcp-server")],
            [],
            id="a shell that only waits for machinery is machinery",
        ),
        pytest.param(
            [NATIVE, row(1, AGENT, "sh", "-c", "x"), row(2, 1, "git-mcp-server"), row(3, 1, "sleep", "9")],
            [("sh -c x", 3)],
            id="a shell that also does something else is a command with all below it",
        ),
        pytest.param([row(1, KEEPER, "sleep", "9")], [], id="without the agent nothing can be known"),
        pytest.param(
            [row(AGENT, KEEPER, "sh", "a.sh", exe="/bin/busybox"), row(1, AGENT, "sleep", "9", exe="/bin/busybox")],
            [("sleep 9", 1)],
            id="one executable under many names is told by the name",
        ),
        pytest.param(
            [row(AGENT, KEEPER, "secret", exe=""), row(1, AGENT, "other", exe="")],
            [("other", 1)],
            id="executables that cannot be read are not the same",
        ),
    ],
)
def test_what_is_a_command(table: list[Process], expected: list[tuple[str, int]]) -> None:
    assert found(table) == expected


def one(table: list[Process], rules: Rules, remembered: dict[tuple[int, float], float] | None = None) -> Command:
    (command,) = commands(table, AGENT, NOW, rules, remembered)
    return command


@pytest.mark.parametrize(
    ("age", "overdue"),
    [
        pytest.param(59.0, False, id="within the limit"),
        pytest.param(60.0, False, id="exactly the limit"),
        pytest.param(60.5, True, id="over it"),
    ],
)
def test_a_command_counts_from_its_own_start(age: float, overdue: bool) -> None:  # noqa: FBT001 - a table's column
    command = one([NATIVE, row(1, AGENT, "sleep", "9", age=age)], PLAIN)
    assert (command.seconds, command.limit, command.overdue) == (age, 60.0, overdue)


def test_starting_early_exempts_nothing() -> None:
    assert one([NATIVE, row(1, AGENT, "sleep", "9", age=100.0)], PLAIN).overdue


def test_a_young_child_does_not_make_its_parent_younger() -> None:
    assert one([NATIVE, row(1, AGENT, "bash", "-c", "a; b", age=61), row(2, 1, "b", age=1)], PLAIN).overdue


LONGER = Rules.of(Limits(command_patterns=((r"\bnpm (ci|install)\b", 300.0), ("npm", 120.0), ("^quick$", 5.0))))


@pytest.mark.parametrize(
    ("rows", "limit"),
    [
        pytest.param([("sleep", "9")], 60.0, id="none matches: the general limit"),
        pytest.param([("npm", "ci")], 300.0, id="the longest of those that match"),
        pytest.param([("npm", "run", "x")], 120.0, id="the only one that matches"),
        pytest.param([("quick",)], 5.0, id="it may be shorter"),
        pytest.param([("bash", "-c", "cd web && npm ci")], 300.0, id="anywhere in the command line"),
        pytest.param([("./build.sh",), ("npm", "ci")], 300.0, id="in the command line of anything below"),
        pytest.param([("node", "/usr/lib/node_modules/npm/bin/npm-cli.js", "ci")], 300.0, id="as it would be typed"),
    ],
)
def test_patterns_set_the_limit(rows: list[tuple[str, ...]], limit: float) -> None:
    table = [NATIVE, *(row(index, index - 1 or AGENT, *argv) for index, argv in enumerate(rows, start=1))]
    assert one(table, LONGER).limit == limit


def test_a_limit_that_matched_once_is_kept() -> None:
    """A script that ran `npm ci` for two minutes is not ended the moment that is over."""
    table = [NATIVE, row(1, AGENT, "./build.sh", age=120), row(2, 1, "npm", "ci")]
    before = one(table, LONGER)
    assert before.matched == 300.0
    after = one(table[:2], LONGER, {before.key: before.matched})
    assert (after.limit, after.overdue) == (300.0, False)
    assert one(table[:2], LONGER).overdue


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(("mcp-server-git",), id="by its name"),
        pytest.param(("python3", "-m", "mcp_server_git"), id="a module"),
        pytest.param(("python3", "/opt/tools/weather-mcp.py"), id="a script"),
        pytest.param(("npx", "-y", "@playwright/mcp@latest"), id="a package"),
        pytest.param(
            ("node", "/usr/bin/npx", "-y", "@modelcontextprotocol/server-filesystem", "/w"), id="its long name"
        ),
        pytest.param(("node", "/x/node_modules/@playwright/mcp/cli.js"), id="the package of a script"),
        pytest.param(("uvx", "mcp-server-fetch"), id="through uvx"),
        pytest.param(("uv", "run", "--with", "pkg", "mcp-server-fetch"), id="through uv run"),
        pytest.param(("typescript-language-server", "--stdio"), id="a language server"),
        pytest.param(("node", "/x/dist/server.js", "--stdio"), id="by its option"),
        pytest.param(("gemini", "--experimental-acp"), id="by another option"),
        pytest.param(("codex-acp",), id="an ACP bridge"),
        pytest.param(("deno", "lsp"), id="by its subcommand"),
        pytest.param(("claude", "mcp", "serve"), id="by the subcommand of a native program"),
        pytest.param(("node", "/w/node_modules/typescript/lib/tsserver.js"), id="a language server of a known name"),
    ],
)
def test_machinery(argv: tuple[str, ...]) -> None:
    assert is_machinery(row(1, AGENT, *argv))


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(("grep", "-r", "mcp", "src"), id="a word among the arguments"),
        pytest.param(("grep", "mcp", "src"), id="the first of the arguments"),
        pytest.param(("grep", "-rn", "--include=*.py", "lsp|mcp"), id="a pattern"),
        pytest.param(("bash", "-c", "run mcp --stdio"), id="words inside a shell's code"),
        pytest.param(("pytest", "tests/test_mcp.py"), id="tests of machinery"),
        pytest.param(("python3", "tests/test_mcp.py"), id="a test script of machinery"),
        pytest.param(("npx", "prettier", "/home/me/mcp/x.ts"), id="a folder"),
        pytest.param(("npm", "install", "@playwright/mcp"), id="its installation"),
        pytest.param(("npm", "test", "--", "mcp"), id="its tests through npm"),
        pytest.param(("claude", "-p", "--mcp-config", "x.json"), id="an agent that uses it"),
        pytest.param(("make", "lsp"), id="its build"),
        pytest.param(("mcpherson",), id="a longer word"),
    ],
)
def test_no_machinery(argv: tuple[str, ...]) -> None:
    assert not is_machinery(row(1, AGENT, *argv))


def test_a_persons_machinery_is_searched_in_the_whole_line() -> None:
    rules = Rules.of(Limits(machinery=(r"node .*/my-server\.js$",)))
    table = [NATIVE, row(1, AGENT, "node", "/x/my-server.js"), row(2, AGENT, "node", "/x/other.js")]
    assert found(table, rules) == [("node /x/other.js", 1)]


def matches(line: str) -> bool:
    return any(re.search(pattern, line) for pattern, _ in LONG_COMMANDS)


@pytest.mark.parametrize(
    "line",
    [
        "npm ci",
        "npm install --save-dev vitest",
        "npm i",
        "npm run build",
        "npm --prefix frontend ci",
        "npm test",
        "npm run test:unit",
        "pnpm install --frozen-lockfile",
        "yarn install",
        "/usr/bin/yarn",
        "bun install",
        "bun test",
        "pip install -r requirements.txt",
        "/srv/app/.venv/bin/python -m pip install x",
        "uv sync",
        "uv pip install x",
        "uv run pytest -q",
        "poetry install",
        "cargo build --release",
        "cargo test",
        "go build ./...",
        "go test ./...",
        "go mod download",
        "mvn -q verify",
        "./gradlew build",
        "make",
        "bash -c make -j4",
        "docker build -t x .",
        "docker compose build",
        "docker-compose pull",
        "git clone https://example.org/x",
        "git -C x fetch --all",
        "pytest tests/test_x.py",
        "/usr/bin/python3 /x/bin/pytest -q",
        "python -m unittest",
        "npx vitest run",
        "node /x/node_modules/.bin/jest",
        "npx playwright test",
        "npx playwright install chromium",
        "tox -e py311",
        "nox",
        "apt-get install -y jq",
        "bundle install",
        "composer install",
        "dotnet test",
        "npx vite build",
        "npx tsc --noEmit",
    ],
)
def test_a_long_command(line: str) -> None:
    assert matches(line)


@pytest.mark.parametrize(
    "line",
    [
        "sleep 1000",
        "npm run dev",
        "node server.js",
        "python3 app.py",
        "curl http://localhost:3000/make-it-so",
        "git status",
        "git commit -m wip",
        "cat Makefile",
        "npm run dev; echo test",
        "uv run app.py",
        "cargo run",
        "go run .",
        "vite",
        "psql -c select",
    ],
)
def test_no_long_command(line: str) -> None:
    assert not matches(line)


def test_long_commands_get_five_minutes() -> None:
    assert {seconds for _, seconds in LONG_COMMANDS} == {300.0}


@given(st.text(max_size=500))
def test_a_printed_command_line_is_one_clean_line(line: str) -> None:
    shown = printable(line)
    assert shown.isprintable()
    assert len(shown) <= 200


WORDS = st.sampled_from(["bash", "-c", "node", "x.js", "/opt/claude", "-p", "npx", "mcp", "sleep", "9", "sh", "make"])


@given(st.lists(st.tuples(st.integers(0, 12), st.lists(WORDS, min_size=1, max_size=4), st.floats(0, 200)), max_size=12))
def test_every_process_is_the_agents_or_machinery_or_in_exactly_one_command(
    shape: list[tuple[int, list[str], float]],
) -> None:
    """Whatever the tree looks like: no process is ended twice, and never the agent."""
    table = [NATIVE]
    for index, (above, argv, age) in enumerate(shape, start=1):
        ppid = AGENT if above == 0 else KEEPER if above >= index else above
        table.append(row(index, ppid, *argv, age=age))
    members = [pid for command in commands(table, AGENT, NOW, PLAIN) for pid in command.members]
    assert len(members) == len(set(members))
    assert AGENT not in members


def test_a_huge_command_line_costs_little() -> None:
    """Agents write whole files by `bash -c`."""
    text = "npm " * 40_000
    assert one([NATIVE, row(1, AGENT, "bash", "-c", text)], Rules.of(Limits(command_patterns=LONG_COMMANDS))).line
