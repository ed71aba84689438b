"""A checkout whose Python is a script: real for `-c`, a recorder for everything that would install or test."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
TOOLS = "bash cat chmod cksum cp dirname env mkdir mktemp readlink rm sed sleep tail".split()  # noqa: SIM905 - one line

# Plays `python3 -m venv`, `-m pip` and the test tools. BROKEN names a module that fails.
PYTHON = """\
#!/bin/bash
last=${{@: -1}}
if [[ $1 != -m ]]; then exec {real} "$@"; fi
if [[ $2 == pip && $3 == --version ]]; then exit 0; fi
echo "${{@:2}}" >>{record}
if [[ $2 == "$BROKEN" ]]; then echo "$2 is broken" >&2; exit 1; fi
case $2 in
  venv) mkdir -p "$last/bin"; cp {self} "$last/bin/python" ;;
  pip) sleep 0.2; printf '#!/bin/bash\\nprintf "%%s\\\\n" "$PWD" "$@"\\nexit 3\\n' >.venv/bin/ralph-overnight
    chmod +x .venv/bin/ralph-overnight ;;
esac
"""
OLD_PYTHON = """\
#!/bin/bash
if [[ $1 == --version ]]; then echo "Python 3.9.18"; exit; fi
exit 1
"""
NO_ENSUREPIP = """\
#!/bin/bash
if [[ $2 == *ensurepip* ]]; then exit 1; fi
exec {real} "$@"
"""


@dataclass(frozen=True)
class Checkout:
    """The scripts in a folder of their own, and a PATH that holds only `bin`.

    `agents` is where agent CLIs are kept; its stamps say that all of them are there.
    """

    folder: Path
    bin: Path
    record: Path
    elsewhere: Path
    agents: Path

    def python(self, text: str) -> None:
        """Put a Python in place that behaves like this script."""
        program = self.bin / "python3"
        program.write_text(text.format(real=sys.executable, record=self.record, self=program))
        program.chmod(0o755)

    def start(self, *arguments: str | Path, cwd: Path | None = None, **env: str) -> subprocess.Popen[str]:
        """Start a program of the checkout (or any path) without stdin."""
        program, *rest = arguments
        return subprocess.Popen(
            [self.folder / program, *rest],
            cwd=cwd or self.folder,
            env={
                "PATH": str(self.bin),
                "HOME": str(self.elsewhere),
                "TMPDIR": str(self.elsewhere),
                "RALPH_AGENTS_CACHE": str(self.agents),
                **env,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str | Path, cwd: Path | None = None, **env: str) -> tuple[int, list[str], str]:
        """Return the exit code, the lines of stdout and the text of stderr."""
        process = self.start(*arguments, cwd=cwd, **env)
        out, err = process.communicate(timeout=60)
        return process.returncode, out.splitlines(), err

    def calls(self) -> list[str]:
        """Return what the recording Python was asked for, in order."""
        return self.record.read_text().splitlines() if self.record.exists() else []


def agent_packages() -> dict[str, str]:
    """Return what scripts/agents.sh installs, by the names of its stamps."""
    text = (PROJECT / "scripts/agents.sh").read_text()
    names = {"npm": "AGENT_NPM_PACKAGES", "mini": "MINI_PACKAGES"}
    found = {stamp: re.search(rf'^{name}="([^"]+)"', text, re.MULTILINE) for stamp, name in names.items()}
    return {stamp: match[1] for stamp, match in found.items() if match}


def make_checkout(base: Path) -> Checkout:
    """Lay a checkout (its path has a space), with the recording Python, into an empty folder."""
    folder, tools, elsewhere = base / "check out", base / "bin", base / "elsewhere"
    for path in (folder, tools, elsewhere):
        path.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool, path=os.defpath)
        assert found, f"{tool} is missing on this machine"
        (tools / tool).symlink_to(found)
    shutil.copytree(PROJECT / "scripts", folder / "scripts")
    shutil.copytree(PROJECT / ".ci", folder / ".ci")
    (folder / ".kiro/specs/guestbook").mkdir(parents=True)
    (folder / "pyproject.toml").write_text("[project]\n")
    checkout = Checkout(folder, tools, base / "record", elsewhere, base / "agents")
    checkout.agents.mkdir()
    for name, packages in agent_packages().items():
        (checkout.agents / f"{name}.stamp").write_text(f"{packages}\n")
    checkout.python(PYTHON)
    return checkout
