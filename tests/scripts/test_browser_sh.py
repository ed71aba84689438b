"""scripts/browser.sh: what the tests of pages need is installed where that can be, else said. Installers are stand-ins."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.scripts.checkout import Checkout, make_checkout

NODE = "#!/bin/bash\nif [[ $1 == --version ]]; then echo v22.1.0; fi\n"
OLD_NODE = "#!/bin/bash\nif [[ $1 == --version ]]; then echo v18.20.4; exit; fi\nexit 1\n"
NOTHING = "#!/bin/bash\n"
ROOT = "#!/bin/bash\necho 0\n"
PERSON = "#!/bin/bash\necho 1000\n"

# Each writes down what it was asked for. BROKEN names what fails; "npm once" fails the first time only.
NPM = """\
#!/bin/bash
echo "npm $*" >>{record}
if [[ $BROKEN == npm || ( $BROKEN == "npm once" && ! -e {record}.failed ) ]]; then
  touch {record}.failed
  echo "ENOTFOUND registry" >&2
  exit 1
fi
while [[ $1 != --prefix ]]; do shift; done
mkdir -p "$2/node_modules/.bin" "$2/node_modules/agent-browser/bin"
for name in .bin/agent-browser .bin/vite agent-browser/bin/agent-browser-linux-x64; do
  printf '#!/bin/bash\\n' >"$2/node_modules/$name"
done
chmod +x "$2/node_modules/.bin/"*
"""
APT = """\
#!/bin/bash
echo "apt-get $*" >>{record}
if [[ $BROKEN == apt-get ]]; then echo "E: no candidate" >&2; exit 100; fi
for word in "$@"; do
  case $word in
    chromium | npm | nodejs) cp {bin}/stand-in-"$word" {bin}/"${{word/nodejs/node}}" ;;
  esac
done
"""
SUDO = """\
#!/bin/bash
echo "sudo $*" >>{record}
if [[ $BROKEN == sudo || $1 != -n ]]; then exit 1; fi
shift
exec "$@"
"""
UPDATE = "apt-get -qq update"
INSTALL = "apt-get -qq -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends"
PACKAGES = "agent-browser@0.41.2 vite@7.3.8"


class Machine:
    """A checkout whose .venv is ready, on a machine that has what `put` put there."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        for tool in ("touch", "true"):
            found = shutil.which(tool, path=os.defpath)
            assert found, f"{tool} is missing on this machine"
            (checkout.bin / tool).symlink_to(found)
        for name, text in (("chromium", NOTHING), ("nodejs", NODE), ("npm", NPM)):
            self.put(f"stand-in-{name}", text)
        assert checkout.run("scripts/test.sh")[0] == 0
        checkout.record.unlink()

    def put(self, *programs: str) -> None:
        """Put programs in place; names and texts take turns."""
        for name, text in zip(programs[::2], programs[1::2], strict=True):
            program = self.checkout.bin / name
            braces = text.format(record=self.checkout.record, bin=self.checkout.bin) if "{record}" in text else text
            program.write_text(braces)
            program.chmod(0o755)

    def run(self, *arguments: str, **env: str) -> tuple[int, list[str], str]:
        """Run scripts/test.sh; return its exit code, what the stand-ins were asked for, and its stderr."""
        self.checkout.record.unlink(missing_ok=True)
        code, _, err = self.checkout.run("scripts/test.sh", *arguments, cwd=self.checkout.folder, **env)
        asked = [call for call in self.checkout.calls() if call.split()[0] in {"apt-get", "npm", "sudo"}]
        return code, asked, err


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(make_checkout(tmp_path))


def npm_install(machine: Machine) -> str:
    folder = machine.checkout.folder / ".venv/browser"
    flags = "--ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error"
    return f"npm install --prefix {folder} {flags} {PACKAGES}"


@pytest.mark.parametrize(
    ("arguments", "env"),
    [pytest.param(("--all",), {}, id="asked for"), pytest.param((), {"CI": "true"}, id="in CI")],
)
def test_packages_are_installed_once(machine: Machine, arguments: tuple[str, ...], env: dict[str, str]) -> None:
    machine.put("chromium", NOTHING, "node", NODE, "npm", NPM)
    code, asked, err = machine.run(*arguments, **env)
    assert (code, asked) == (0, [npm_install(machine)])
    assert err == f"ralph: installing {PACKAGES} into .venv/browser (npm)\n"
    native = machine.checkout.folder / ".venv/browser/node_modules/agent-browser/bin/agent-browser-linux-x64"
    assert native.stat().st_mode & 0o111
    assert machine.run(*arguments, **env) == (0, [], "")


def test_a_run_without_pages_installs_nothing(machine: Machine) -> None:
    machine.put("node", NODE, "npm", NPM, "apt-get", APT, "id", ROOT)
    assert machine.run() == (0, [], "")


def test_other_versions_are_installed_anew(machine: Machine) -> None:
    machine.put("chromium", NOTHING, "node", NODE, "npm", NPM)
    machine.run("--all")
    (machine.checkout.folder / ".venv/browser/ralph-packages").write_text("agent-browser@0.1.0\n")
    assert machine.run("--all")[1] == [npm_install(machine)]


def test_npm_is_asked_a_second_time(machine: Machine) -> None:
    """A network that stumbles once."""
    machine.put("chromium", NOTHING, "node", NODE, "npm", NPM)
    code, asked, err = machine.run("--all", BROKEN="npm once")
    assert (code, asked) == (0, [npm_install(machine)] * 2)
    assert "| ENOTFOUND registry" in err
    assert machine.run("--all") == (0, [], "")


def test_tests_run_without_packages_that_cannot_be_had(machine: Machine) -> None:
    machine.put("chromium", NOTHING, "node", NODE, "npm", NPM)
    code, asked, err = machine.run("--all", BROKEN="npm")
    assert (code, asked) == (0, [npm_install(machine)] * 2)
    assert err.count("could not install agent-browser") == 2
    assert "have to do without agent-browser and vite" in err
    assert "pytest" in machine.checkout.calls()[-1]
    assert machine.run("--all")[1] == [npm_install(machine)], "the next start tries again"


def test_chromium_comes_from_the_distribution(machine: Machine) -> None:
    machine.put("node", NODE, "npm", NPM, "apt-get", APT, "id", ROOT)
    code, asked, err = machine.run("--all")
    assert (code, asked) == (0, [UPDATE, f"{INSTALL} chromium fonts-liberation", npm_install(machine)])
    assert "installing chromium fonts-liberation (apt)" in err
    assert machine.run("--all") == (0, [], "")


def test_in_ci_node_comes_from_the_distribution_too(machine: Machine) -> None:
    machine.put("apt-get", APT, "id", ROOT)
    code, asked, _ = machine.run(CI="true")
    assert (code, asked[1]) == (0, f"{INSTALL} chromium fonts-liberation nodejs npm")
    assert asked[2:] == [npm_install(machine)]


def test_a_persons_node_is_left_to_the_person(machine: Machine) -> None:
    machine.put("chromium", NOTHING, "apt-get", APT, "id", ROOT)
    code, asked, err = machine.run("--all")
    assert (code, asked) == (0, [])
    assert "install Node.js 20.19 or newer" in err


def test_without_rights_sudo_is_asked_and_never_for_a_password(machine: Machine) -> None:
    machine.put("node", NODE, "npm", NPM, "apt-get", APT, "id", PERSON, "sudo", SUDO)
    code, asked, _ = machine.run("--all")
    assert code == 0
    assert [call.split()[:2] for call in asked if call.startswith("sudo")] == [["sudo", "-n"]] * 3
    assert f"{INSTALL} chromium fonts-liberation" in asked


@pytest.mark.parametrize(
    "programs",
    [
        pytest.param((), id="no apt"),
        pytest.param(("apt-get", APT, "id", PERSON), id="no sudo"),
        pytest.param(("apt-get", APT, "id", PERSON, "sudo", SUDO), id="a sudo that wants a password"),
    ],
)
def test_without_a_way_to_install_it_is_said_what_to_do(machine: Machine, programs: tuple[str, ...]) -> None:
    machine.put("node", NODE, "npm", NPM, *programs)
    code, asked, err = machine.run("--all", BROKEN="sudo")
    assert (code, [call for call in asked if call.startswith("apt-get")]) == (0, [])
    assert "Debian: apt install chromium; macOS: brew install --cask chromium" in err


def test_a_distribution_without_chromium_is_no_end(machine: Machine) -> None:
    machine.put("node", NODE, "npm", NPM, "apt-get", APT, "id", ROOT)
    code, asked, err = machine.run("--all", BROKEN="apt-get")
    assert (code, asked[-1]) == (0, npm_install(machine))
    assert "| E: no candidate" in err
    assert "no Chromium for the tests of pages" in err


def test_an_old_node_is_named(machine: Machine) -> None:
    machine.put("chromium", NOTHING, "node", OLD_NODE, "npm", NPM)
    assert "Node.js here is v18.20.4; vite needs 20.19 or newer" in machine.run("--all")[2]


def test_a_browser_that_is_named_is_enough(machine: Machine) -> None:
    machine.put("my-chrome", NOTHING, "node", NODE, "npm", NPM, "apt-get", APT, "id", ROOT)
    chrome = str(machine.checkout.bin / "my-chrome")
    assert machine.run("--all", AGENT_BROWSER_EXECUTABLE_PATH=chrome)[1] == [npm_install(machine)]


@pytest.mark.parametrize(
    ("arguments", "env", "required"),
    [
        pytest.param((), {"CI": "true"}, "1", id="in CI they fail"),
        pytest.param(("--all",), {}, "", id="elsewhere they skip"),
        pytest.param(("--all",), {"RALPH_REQUIRE_BROWSER": "1"}, "1", id="or as the person says"),
    ],
)
def test_whether_tests_of_pages_may_skip(
    machine: Machine, arguments: tuple[str, ...], env: dict[str, str], required: str
) -> None:
    machine.put("chromium", NOTHING, "node", NODE, "npm", NPM)
    python = machine.checkout.folder / ".venv/bin/python"
    python.write_text(
        python.read_text().replace("case $2 in", 'echo "required=$RALPH_REQUIRE_BROWSER" >&2\ncase $2 in')
    )
    assert f"required={required}\n" in machine.run(*arguments, **env)[2]


def test_an_installer_that_hangs_is_ended(machine: Machine) -> None:
    """Nothing blocks without a limit; macOS has no timeout(1)."""
    script = machine.checkout.folder / "hang.sh"
    lines = ("project=$PWD", "source scripts/venv.sh", "source scripts/browser.sh", "bounded 1 sleep 60", "echo $?")
    script.write_text("\n".join(("#!/usr/bin/env bash", *lines, "")))
    script.chmod(0o755)
    assert machine.checkout.run("hang.sh")[1] == [str(128 + signal.SIGALRM)]
