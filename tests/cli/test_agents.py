"""`ralph agents` as a person calls it, with agents that are scripts on a PATH of the test."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from ralph_wiggum.adapters.process_table import system_table
from tests.adapters.servers.lab import wait_until
from tests.cli.consoles import call, environment

AGENTS = ["kiro", "claude", "codex", "opencode", "gemini", "qwen", "copilot", "mini", "aider", "shell"]
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Return a function that puts a Python program on the PATH of the test."""
    (tmp_path / "bin").mkdir()

    def write(name: str, code: str) -> None:
        path = tmp_path / "bin" / name
        path.write_text(f"#!{sys.executable} -IS\n{dedent(code)}", encoding="utf-8")
        path.chmod(0o755)

    return write


CLAUDE = """
    import sys
    if sys.argv[1:] == ["--version"]: print("2.1.197 (Claude Code)")
    elif sys.argv[1:] == ["auth", "status", "--json"]: print('{"loggedIn": true}')
    else: sys.exit("it was asked to work: " + " ".join(sys.argv))
"""
CODEX = """
    import sys
    print("WARNING: proceeding, even though", file=sys.stderr)
    if sys.argv[1:] == ["--version"]: print("codex-cli 0.45.0")
    else: sys.exit(9)
"""
KIRO = """
    import sys
    if sys.argv[1:] == ["--version"]: print("kiro-cli 1.20.0")
    elif sys.argv[1:] == ["whoami"]: print("Not logged in"); sys.exit(1)
    else: sys.exit(9)
"""


def ralph(root: Path, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    folder = root / "work"
    folder.mkdir(exist_ok=True)
    return call("ralph", folder, "agents", *words, env={"PATH": str(root / "bin"), "HOME": str(root), **(env or {})})


def rows(root: Path, *words: str, env: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    done = ralph(root, "--json", *words, env=env)
    return {row["name"]: row for row in json.loads(done.stdout)}


def settings(root: Path, text: str) -> None:
    path = root / "work/.kiro/settings/ralph.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(dedent(text), encoding="utf-8")


def test_what_is_installed_is_shown_and_what_is_not_with_how_to_install_it(tmp_path: Path, install: Install) -> None:
    install("claude", CLAUDE)
    install("codex", CODEX)
    done = ralph(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["agent", "version", "login", "driver", "dialect", "resumes", "tells", "program"]
    assert lines[1].split() == [
        "1",
        "claude",
        "2.1.197",
        "logged",
        "in",
        "pipe",
        "claude",
        "yes",
        "cost",
        str(tmp_path / "bin/claude"),
    ]
    assert lines[2].split()[:4] == ["codex", "0.45.0", "nobody", "can"]
    assert "  kiro      install it with: curl" in done.stdout
    assert "whether codex is logged in: no key found: CODEX_API_KEY, ~/.codex/auth.json" in done.stdout
    assert "codex 0.45.0 is too old: 0.46 or newer is needed, update it" in done.stdout
    assert lines[-1].startswith("Default: claude (the first that is installed")
    assert "\x1b" not in done.stdout


def test_a_key_makes_up_for_a_login_and_is_not_printed(tmp_path: Path, install: Install) -> None:
    install("codex", CODEX)
    for words in ([], ["codex"], ["--json"], ["codex", "--yaml"]):
        done = ralph(tmp_path, *words, env={"CODEX_API_KEY": "sk-very-secret"})
        assert (done.returncode, done.stderr) == (0, "")
        assert "sk-very-secret" not in done.stdout
        assert "CODEX_API_KEY" in done.stdout
    row = rows(tmp_path, env={"CODEX_API_KEY": "x"})["codex"]
    assert (row["login"], row["login_by"], row["usable"]) == ("yes", "CODEX_API_KEY", True)


def test_json_lists_every_agent(tmp_path: Path, install: Install) -> None:
    install("claude", CLAUDE)
    install("gemini", "print('0.61.0')")
    found = rows(tmp_path)
    assert list(found) == AGENTS
    assert (found["claude"]["default"], found["claude"]["login"], found["claude"]["version_ok"]) == (1, "yes", True)
    assert (found["gemini"]["login"], found["gemini"]["usable"]) == ("unknown", True)
    assert found["kiro"]["installed"] is False
    assert found["shell"]["installed"] is True


def test_no_agent_is_exit_2_with_what_to_do(tmp_path: Path, install: Install) -> None:
    done = ralph(tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("ralph: no agent can be used\n  hint: install one of the above")
    assert "npm install -g @anthropic-ai/claude-code" in done.stdout
    install("codex", CODEX)
    assert ralph(tmp_path).returncode == 0, "whether somebody is logged in, nobody can tell"
    (tmp_path / "bin/codex").unlink()
    install("kiro-cli", KIRO)
    done = ralph(tmp_path)
    assert (done.returncode, "kiro is not logged in; kiro 1.20.0 is too old" in done.stdout) == (2, True)
    assert ralph(tmp_path, "--no-login").returncode == 0, "nobody was asked"


def test_the_settings_add_agents_and_choose_them(tmp_path: Path, install: Install) -> None:
    install("mine", "print('mine v7.1')")
    install("claude", CLAUDE)
    settings(
        tmp_path,
        """
        agent: [mine, claude]
        agents:
          mine: {command: [mine, -x], version: [mine, --version], minimum_version: "7.0", dialect: text}
        """,
    )
    found = rows(tmp_path)
    assert list(found)[:2] == ["mine", "claude"]
    assert [found[name]["default"] for name in ("mine", "claude", "kiro")] == [1, 2, None]
    assert found["mine"]["version"] == "7.1"
    assert "Default: mine, then claude (agent: in .kiro/settings/ralph.yaml)" in ralph(tmp_path).stdout
    below = tmp_path / "work/src"
    below.mkdir()
    assert "mine" in call("ralph", below, "agents", env={"PATH": str(tmp_path / "bin")}).stdout


def test_outside_of_a_project_a_persons_own_settings_count(tmp_path: Path, install: Install) -> None:
    install("mine", "")
    path = tmp_path / ".config/ralph/ralph.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("agents: {mine: {command: [mine]}}\n")
    assert rows(tmp_path)["mine"]["installed"] is True


def test_programs_that_misbehave_take_nobody_along(tmp_path: Path, install: Install) -> None:
    install("claude", CLAUDE)
    install("codex", "import sys\nfor _ in range(9): print('x' * 1_000_000)\nsys.exit(4)")
    install("opencode", "import sys; sys.stdout.buffer.write(b'\\xff\\xfe\\x1b[2J\\x07 9.9.9')")
    install("gemini", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    (tmp_path / "bin/qwen").write_text("#!/no/such/interpreter\n")
    (tmp_path / "bin/qwen").chmod(0o755)
    done = ralph(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    found = rows(tmp_path)
    assert found["claude"]["version"] == "2.1.197"
    assert (found["codex"]["login"], found["codex"]["version"]) == ("unknown", None)
    assert "codex --version: it ended with exit code 4" in found["codex"]["words"]
    assert found["opencode"]["version"] == "9.9.9"
    assert "it was ended by SIGSEGV" in found["gemini"]["words"]
    assert "nobody can tell the version of qwen" in found["qwen"]["words"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it_with_all_that_hangs(tmp_path: Path, install: Install, number: signal.Signals) -> None:
    hangs = """
        import os, signal, subprocess, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)
        with open("pids", "w") as file: file.write(f"{os.getpid()} {child.pid}\\n")
        time.sleep(600)
    """
    install("claude", hangs)
    running = subprocess.Popen(
        [sys.executable, "-m", "ralph_wiggum.cli.ralph", "agents", "--no-login"],
        cwd=tmp_path,
        env=environment(tmp_path, {"PATH": str(tmp_path / "bin")}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    pids = tmp_path / "pids"
    wait_until(lambda: pids.exists() and pids.read_text().endswith("\n"), 30.0)
    running.send_signal(number)
    assert running.wait(30.0) == {signal.SIGINT: 130}.get(number, -number)
    table = system_table()
    for pid in map(int, pids.read_text().split()):
        wait_until(lambda pid=pid: (seen := table.look(pid)) is None or seen.zombie, 30.0)  # type: ignore[misc]


def test_all_about_one(tmp_path: Path, install: Install) -> None:
    install("claude", CLAUDE)
    done = ralph(tmp_path, "claude")
    assert (done.returncode, done.stderr) == (0, "")
    for wanted in (
        f"Program        {tmp_path}/bin/claude",
        "Version        2.1.197 (2.0 or newer is needed)",
        f"Called as      {tmp_path}/bin/claude -p --output-format stream-json",
        "--resume '{session}'",
        "Docs           https://code.claude.com",
    ):
        assert wanted in done.stdout
    assert len(rows(tmp_path, "claude")) == 1

    done = ralph(tmp_path, "kiro")
    assert done.returncode == 2
    assert "not installed; install it with: curl" in done.stdout
    assert done.stderr.startswith("ralph: kiro-cli is not installed: it was not found in PATH\n  hint: install it")


def test_the_entry_of_one_can_be_pasted_into_the_settings(tmp_path: Path, install: Install) -> None:
    entry = ralph(tmp_path, "kiro", "--yaml")
    assert (entry.returncode, entry.stderr) == (0, ""), "it need not be installed for that"
    settings(tmp_path, entry.stdout)
    assert ralph(tmp_path, "kiro", "--yaml").stdout == entry.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["claud"], "ralph: no agent 'claud'\n  hint: did you mean claude?"),
        (["zzz"], "ralph: no agent 'zzz'\n  hint: there are: kiro, claude,"),
        (["--yaml"], "ralph: --yaml prints one agent's entry\n  hint: name it"),
        (["-C", "nowhere"], "ralph: no folder"),
        (["--json", "--yaml", "kiro"], "usage: ralph agents"),
    ],
)
def test_wrong_calls_say_what_is_right(tmp_path: Path, words: list[str], said: str) -> None:
    done = ralph(tmp_path, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(said)


def test_settings_that_cannot_be_are_an_error_with_their_line(tmp_path: Path) -> None:
    settings(tmp_path, "agents:\n  mine: {dialect: text}\n")
    done = ralph(tmp_path)
    assert done.returncode == 2
    assert "ralph.yaml:2: agents.mine: has no command" in done.stderr


@pytest.mark.parametrize(("env", "coloured"), [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)])
def test_a_terminal_gets_colours_unless_it_wants_none(
    tmp_path: Path, install: Install, env: dict[str, str], *, coloured: bool
) -> None:
    install("claude", CLAUDE)
    near, far = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ralph_wiggum.cli.ralph", "agents"],
            cwd=tmp_path,
            env=environment(tmp_path, {"PATH": str(tmp_path / "bin"), **env}),
            stdin=subprocess.DEVNULL,
            stdout=far,
            stderr=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
        shown = os.read(near, 65536).decode()
    finally:
        os.close(near)
        os.close(far)
    assert done.returncode == 0
    assert "claude" in shown
    assert ("\x1b[" in shown) is coloured


def test_the_status_does_not_load_any_of_it(tmp_path: Path) -> None:
    (tmp_path / ".kiro").mkdir()
    code = (
        "import sys; from ralph_wiggum.cli import status; status.main([]);"
        "print([name for name in sys.modules if name.startswith('ralph_wiggum') and 'agent' in name])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
