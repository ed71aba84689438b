"""scripts/test.sh and .ci/run: install, lint, test, and say what failed. Python is a recorder."""

from pathlib import Path

import pytest

from tests.scripts.checkout import Checkout, make_checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return make_checkout(tmp_path)


def test_it_installs_the_tools_then_lints_and_tests(checkout: Checkout) -> None:
    code, out, _ = checkout.run("scripts/test.sh")
    assert (code, out) == (0, ["== ruff check", "== ruff format", "== mypy", "== pytest"])
    assert [call.split()[0] for call in checkout.calls()] == ["venv", "pip", "ruff", "ruff", "mypy", "pytest"]
    assert checkout.calls()[1].endswith("--editable .[dev]")
    assert checkout.calls()[-1] == "pytest -n 2 --dist worksteal -m not browser and not realcli and not long"


def test_arguments_go_to_pytest(checkout: Checkout) -> None:
    checkout.run("scripts/test.sh", "tests/core", "-x", WORKERS="0")
    assert (
        checkout.calls()[-1] == "pytest -n 0 --dist worksteal -m not browser and not realcli and not long tests/core -x"
    )


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        pytest.param(("scripts/test.sh", "--all"), {}, id="asked for"),
        pytest.param(("scripts/test.sh",), {"CI": "true"}, id="in CI"),
        pytest.param((".ci/run",), {}, id="by the entry of CI"),
    ],
)
def test_every_test_runs_where_that_is_wanted(
    checkout: Checkout, arguments: tuple[str, ...], env: dict[str, str]
) -> None:
    assert checkout.run(*arguments, cwd=checkout.elsewhere, **env)[0] == 0
    assert checkout.calls()[-1].rstrip() == "pytest -n 2 --dist worksteal -m"


@pytest.mark.parametrize("broken", ["mypy", "pytest"])
def test_a_failure_is_named_at_the_end_and_stops_nothing(checkout: Checkout, broken: str) -> None:
    code, out, err = checkout.run("scripts/test.sh", BROKEN=broken)
    assert code == 1
    assert out[-1] == "== pytest"
    assert err.endswith(f"scripts/test.sh: failed: {broken}\n")


def test_a_failed_install_tests_nothing(checkout: Checkout) -> None:
    assert checkout.run("scripts/test.sh", BROKEN="pip")[:2] == (2, [])


def test_the_runner_needs_no_install_after_the_tests(checkout: Checkout) -> None:
    checkout.run("scripts/test.sh")
    calls = checkout.calls()
    assert checkout.run("scripts/ralph-overnight.sh", "-h")[0] == 3
    assert checkout.calls() == calls
    checkout.run("scripts/test.sh")
    assert checkout.calls() == calls + calls[2:]
