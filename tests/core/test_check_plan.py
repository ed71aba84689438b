"""O18: which checks there are, by settings or manifests, and which a change calls for."""

from __future__ import annotations

import json

import pytest

from ralph_wiggum.core import check_plan
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.settings import CheckPlan, CheckSettings, Settings

RUFF = "[tool.ruff]\nline-length = 100\n"
ALL = "[tool.ruff.lint]\n[tool.mypy]\nfiles = ['src']\n[tool.pyright]\n[tool.pytest.ini_options]\n"
DEV = '[dependency-groups]\ndev = ["pytest>=8", "ruff", {include-group = "x"}]\n'


def _package(**scripts: str) -> str:
    return json.dumps({"name": "x", "scripts": scripts})


@pytest.mark.parametrize(
    ("files", "commands"),
    [
        pytest.param({}, [], id="nothing configured"),
        pytest.param({"pyproject.toml": RUFF}, ["ruff check"], id="a section of pyproject.toml"),
        pytest.param({"pyproject.toml": ALL}, ["ruff check", "mypy", "pyright", "pytest -q"], id="linters, types, tests"),
        pytest.param({"pyproject.toml": ALL, "uv.lock": ""}, ["uv run ruff check", "uv run mypy", "uv run pyright", "uv run pytest -q"], id="through uv"),
        pytest.param({"pyproject.toml": RUFF, "poetry.lock": ""}, ["poetry run ruff check"], id="through poetry"),
        pytest.param({"pyproject.toml": RUFF, ".venv/bin/ruff": ""}, [".venv/bin/ruff check"], id="from the virtual environment"),
        pytest.param({"pyproject.toml": DEV}, ["ruff check", "pytest -q"], id="development dependencies"),
        pytest.param({"pyproject.toml": '[project.optional-dependencies]\ndev = ["mypy"]'}, ["mypy ."], id="an extra; mypy needs a target"),
        pytest.param({"pyproject.toml": '[tool.poetry.group.dev.dependencies]\npytest = "^8"'}, ["pytest -q"], id="a group of poetry"),
        pytest.param({"pyproject.toml": '[project]\ndependencies = ["pytest-mock"]'}, [], id="a plug-in is not the tool"),
        pytest.param({"pyproject.toml": "[tool.ruff-x]\n[tool.mypy_x]"}, [], id="a section of another tool"),
        pytest.param({"pyproject.toml": "[tool.ruff\n[tool.mypy]\n = broken"}, ["mypy ."], id="broken TOML keeps its sections"),
        pytest.param({"requirements-dev.txt": "-r x.txt\npytest==8.0  # tests\n"}, ["pytest -q"], id="requirements"),
        pytest.param({"ruff.toml": "", "mypy.ini": "[mypy]\nfiles = a\n", "pytest.ini": ""}, ["ruff check", "mypy", "pytest -q"], id="files of the tools"),
        pytest.param({"setup.cfg": "[tool:pytest]\n[mypy]\n"}, ["mypy .", "pytest -q"], id="setup.cfg"),
        pytest.param({"tox.ini": "[pytest]\n"}, ["pytest -q"], id="tox.ini"),
        pytest.param({"tests/test_a.py": ""}, ["pytest -q"], id="tests without a manifest"),
        pytest.param({"backend/tests/test_a.py": "", "pyproject.toml": "[tool.pytest]"}, ["pytest -q"], id="tests of a folder that is no project"),
        pytest.param({"backend/tests/test_a.py": "", "backend/setup.cfg": ""}, ["pytest -q"], id="tests of a folder that is one"),
        pytest.param({"package.json": _package(lint="eslint .", typecheck="tsc --noEmit", test="node --test")}, ["npm run lint", "npm run typecheck", "npm run test"], id="scripts of package.json"),
        pytest.param({"package.json": _package(test='echo "Error: no test specified" && exit 1')}, [], id="the placeholder of npm init"),
        pytest.param({"package.json": _package(**{"type-check": "vue-tsc"}), "pnpm-lock.yaml": ""}, ["pnpm run type-check"], id="pnpm"),
        pytest.param({"package.json": _package(lint="x"), "yarn.lock": ""}, ["yarn run lint"], id="yarn"),
        pytest.param({"package.json": _package(lint="x"), "bun.lockb": ""}, ["bun run lint"], id="bun"),
        pytest.param({"package.json": '{"packageManager": "pnpm@9", "scripts": {"lint": "x"}}'}, ["pnpm run lint"], id="packageManager"),
        pytest.param({"package.json": _package(test="vitest")}, ["npm run test -- --run"], id="vitest runs once"),
        pytest.param({"package.json": _package(test="vitest"), "pnpm-lock.yaml": ""}, ["pnpm run test --run"], id="pnpm passes arguments on"),
        pytest.param({"package.json": _package(test="vitest run")}, ["npm run test"], id="vitest that runs once anyway"),
        pytest.param({"package.json": _package(test="jest --watchAll")}, ["npm run test -- --watchAll=false"], id="jest does not watch"),
        pytest.param({"package.json": _package(test="react-scripts test")}, ["npm run test -- --watchAll=false"], id="react-scripts do not watch"),
        pytest.param({"package.json": _package(test="ng test")}, ["npm run test -- --watch=false"], id="Angular does not watch"),
        pytest.param({"package.json": _package(test="nodemon --exec mocha", **{"test:ci": "mocha"})}, ["npm run test:ci"], id="what never ends is left out"),
        pytest.param({"package.json": '{"scripts": []}'}, [], id="scripts of another shape"),
        pytest.param({"package.json": "[]"}, [], id="a package.json of another shape"),
        pytest.param({"frontend/package.json": _package(lint="x", test="y"), "pyproject.toml": RUFF + "[tool.pytest]\n"}, ["ruff check", "npm run lint", "pytest -q", "npm run test"], id="both halves, the cheap ones first"),
        pytest.param({"backend/pyproject.toml": RUFF, "uv.lock": ""}, ["uv run ruff check"], id="a lock at the root serves the folders"),
    ],
)  # fmt: skip
def test_manifests(files: dict[str, str], commands: list[str]) -> None:
    """O18: what the project's manifests configure, through uv where it is used, frontend/ too."""
    assert [plan.command for plan in check_plan.from_manifests(files)] == commands


def test_checks_of_a_folder_run_there() -> None:
    files = {"frontend/package.json": _package(lint="x"), "pyproject.toml": RUFF}
    ruff, lint = check_plan.from_manifests(files)
    assert (ruff.kind, ruff.cwd, ruff.origin, ruff.name) == ("backend", "", "pyproject.toml", "ruff")
    assert (lint.kind, lint.cwd, lint.origin, lint.name) == (
        "frontend",
        "frontend",
        "frontend/package.json",
        "frontend: lint",
    )


def test_a_package_json_that_is_none_is_said() -> None:
    with pytest.raises(RalphError, match=r"frontend/package\.json:2: is no JSON") as caught:
        check_plan.from_manifests({"frontend/package.json": '{\n"scripts": }'})
    assert "quality_checks" in caught.value.hint


BACK = CheckPlan(name="back", kind="backend", command="b", paths=("*.py",))
FRONT = CheckPlan(name="front", kind="frontend", command="f", paths=("frontend/**/*.ts",))
DOCS = CheckPlan(name="docs", kind="docs", command="d", paths=("docs/**",))
ANY = CheckPlan(name="any", kind="any", command="a")


@pytest.mark.parametrize(
    ("plans", "changed", "names"),
    [
        pytest.param([BACK, FRONT], ["src/a.py"], ["back"], id="one kind"),
        pytest.param([BACK, FRONT, DOCS], ["a.py", "frontend/src/x.ts"], ["back", "front"], id="two kinds"),
        pytest.param([BACK, FRONT], ["Makefile"], ["back", "front"], id="no kind fits, so all"),
        pytest.param([BACK, FRONT], [], ["back", "front"], id="no change, so all"),
        pytest.param([BACK, FRONT], None, ["back", "front"], id="a checkpoint runs all"),
        pytest.param([BACK, ANY], ["a.py"], ["back", "any"], id="without paths for any change"),
        pytest.param([BACK, ANY], ["Makefile"], ["back", "any"], id="nothing claims the path, so all"),
        pytest.param([BACK, DOCS], ["docs/a/b.md"], ["docs"], id="everything below a folder"),
        pytest.param([BACK], ["docs/a.md", "b.py"], ["back"], id="one fitting path is enough"),
        pytest.param([], ["a.py"], [], id="no checks"),
    ],
)
def test_kinds_follow_the_changed_paths(plans: list[CheckPlan], changed: list[str] | None, names: list[str]) -> None:
    """O18: where none matches, and at checkpoints, all run."""
    assert [plan.name for plan in check_plan.choose(plans, changed)] == names


@pytest.mark.parametrize(
    ("glob", "fits", "fits_not"),
    [
        pytest.param("*.py", "a.py src/x/a.py .a.py", "a.pyc a.py.txt", id="a name in any folder"),
        pytest.param("src/*.py", "src/a.py", "src/x/a.py a.py lib/src/a.py", id="names of one folder"),
        pytest.param("src/**/*.py", "src/a.py src/x/y/a.py", "a.py srcs/a.py", id="names below a folder"),
        pytest.param("docs/", "docs/a docs/a/b web/docs/c", "docs.md adocs/x", id="a folder with a slash"),
        pytest.param("docs", "docs/a web/docs/b docs", "docs2/a", id="a folder without a slash"),
        pytest.param("/setup.py", "setup.py", "x/setup.py", id="only at the root"),
        pytest.param("./a/b?.[ch]", "a/b1.c a/b2.h", "a/b.c a/b1.o x/a/b1.c", id="single characters"),
        pytest.param("**/x/**", "x/a b/x/a/c", "x xy/a", id="stars on both sides"),
        pytest.param("a+b(c).py", "a+b(c).py", "aab(c).py", id="signs that mean nothing"),
    ],
)
def test_globs(glob: str, fits: str, fits_not: str) -> None:
    pattern = check_plan.glob_pattern(glob)
    assert [path for path in fits.split() if not pattern.fullmatch(path)] == []
    assert [path for path in fits_not.split() if pattern.fullmatch(path)] == []


def test_settings_absent_leave_it_to_the_manifests() -> None:
    assert check_plan.from_settings(Settings()) is None


def test_settings_that_are_empty_mean_no_checks() -> None:
    assert check_plan.from_settings(Settings(quality_checks=())) == ()


def test_settings_name_commands_in_their_order() -> None:
    """O18: what the settings say comes first."""
    kinds = (
        CheckSettings(kind="backend", commands=("pytest -q", "ruff check src/")),
        CheckSettings(kind="docs", commands=("mkdocs build",), paths=("docs/**",), timeout=60.0, cwd="site"),
    )
    plans = check_plan.from_settings(Settings(quality_checks=kinds))
    assert plans is not None
    assert [(plan.command, plan.kind) for plan in plans] == [
        ("pytest -q", "backend"),
        ("ruff check src/", "backend"),
        ("mkdocs build", "docs"),
    ]
    assert (plans[2].timeout, plans[2].cwd, plans[2].paths, plans[2].origin) == (60.0, "site", ("docs/**",), "settings")
    assert [plan.kind for plan in check_plan.choose(plans, ["src/a.py"])] == ["backend", "backend"]
