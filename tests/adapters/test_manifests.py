"""O18: manifests on disk, as the plan of the checks wants them."""

from __future__ import annotations

from pathlib import Path

from ralph_wiggum.adapters.manifests import read_manifests
from ralph_wiggum.core import check_plan


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_manifests_of_the_root_and_its_parts(tmp_path: Path) -> None:
    """O18: in frontend/ too, and pytest where there are tests."""
    files = {
        "pyproject.toml": "[tool.ruff]\n",
        "uv.lock": "version = 1\n",
        "tests/test_a.py": "",
        "tests/test_b.py": "",
        "frontend/package.json": '{"scripts": {"lint": "eslint ."}}',
        "frontend/pnpm-lock.yaml": "",
        "node_modules/x/package.json": '{"scripts": {"lint": "x"}}',
        "src/pyproject.toml": "[tool.mypy]\n",
    }
    _write(tmp_path, files)
    found = read_manifests(tmp_path)
    assert set(found) == {
        "pyproject.toml",
        "uv.lock",
        "frontend/package.json",
        "frontend/pnpm-lock.yaml",
        next(name for name in found if name.startswith("tests/test_")),
    }
    assert found["pyproject.toml"] == "[tool.ruff]\n"
    commands = [plan.command for plan in check_plan.from_manifests(found)]
    assert commands == ["uv run ruff check", "pnpm run lint", "uv run pytest -q"]


def test_nothing_there(tmp_path: Path) -> None:
    assert read_manifests(tmp_path) == {}


def test_a_folder_with_the_name_of_a_manifest_is_none(tmp_path: Path) -> None:
    (tmp_path / "package.json").mkdir()
    assert read_manifests(tmp_path) == {}


def test_bytes_that_are_no_text_stop_nothing(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_bytes(b"[mypy]\n\xff\n")
    assert [plan.command for plan in check_plan.from_manifests(read_manifests(tmp_path))] == ["mypy ."]
