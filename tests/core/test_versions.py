"""The version of a program in what it prints (B1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core.versions import older, version_in


@pytest.mark.parametrize(
    ("text", "version"),
    [
        pytest.param("2.1.197 (Claude Code)\n", "2.1.197", id="the number first"),
        pytest.param('WARNING: proceeding, even though we could not create aliases (in: "/opt/1.2/x")\ncodex-cli 0.169.0\n', "0.169.0", id="a warning before it"),
        pytest.param("GitHub Copilot CLI 1.0.102.\nRun 'copilot update' to check for updates.\n", "1.0.102", id="a full stop"),
        pytest.param("1.18.33\n", "1.18.33", id="the number alone"),
        pytest.param("aider 0.86.2\n", "0.86.2", id="name and number"),
        pytest.param("\n  This is mini-swe-agent version 2.4.6.\n\n Usage: mini [OPTIONS]\n  -l <float>  Limit [default: 3.0]\n", "2.4.6", id="in the help of the program"),
        pytest.param("built with 3.9.1\nTool version: v2.0.1\n", "2.0.1", id="the word version counts most"),
        pytest.param("tool/1.2.3 linux-x64 node-v22.1.0\n", "1.2.3", id="with a slash"),
        pytest.param("kiro-cli 2.0.0 (update available: 2.1.0)\n", "2.0.0", id="an update behind it"),
        pytest.param("A new version 2.5.0 is available\n1.9.1\n", "1.9.1", id="an update before it"),
        pytest.param("Node.js 20.1 is required\nv3.4\n", "3.4", id="what it needs"),
        pytest.param("(node:123) Warning: 5.1 is old\n0.1.7-nightly.20260101.abc\n", "0.1.7-nightly.20260101.abc", id="a nightly"),
        pytest.param("tool 2.0.0-beta.1, (c) 2026\n", "2.0.0-beta.1", id="a pre-release"),
        pytest.param("tool 1.2.3+build.5\n", "1.2.3+build.5", id="a build"),
        pytest.param("listening on 127.0.0.1:80, see https://example.com/1.2/\n", "", id="no version: an address, a path"),
        pytest.param("error 42\n", "", id="no dots"),
        pytest.param("usage: tool [-h]\n", "", id="none"),
        pytest.param("", "", id="nothing"),
        pytest.param("1." * 5000, "", id="a row of dots"),
        pytest.param("12345678901.2 tool\n", "", id="no number of a version"),
    ],
)  # fmt: skip
def test_the_version_is_found_beside_what_else_is_printed(text: str, version: str) -> None:
    assert version_in(text) == version


@given(st.text(max_size=300))
def test_no_text_fails_and_what_is_found_stands_in_it(text: str) -> None:
    found = version_in(text)
    assert found in text
    assert not older(found, "0.0")


@given(st.lists(st.integers(0, 999), min_size=2, max_size=4), st.sampled_from(["", "tool ", "tool version v"]))
def test_what_a_program_says_is_found(numbers: list[int], before: str) -> None:
    version = ".".join(map(str, numbers))
    assert version_in(f"{before}{version}\n") == version
    assert not older(version, version)
    assert older(version, ".".join(map(str, [numbers[0] + 1, *numbers[1:]])))


@pytest.mark.parametrize(
    ("version", "minimum", "expected"),
    [
        ("2.0", "2.0", False),
        ("2", "2.0.0", False),
        ("1.99.99", "2.0", True),
        ("0.9", "0.11", True),
        ("0.11", "0.9", False),
        ("0.46.0-alpha.3", "0.46", False),
        ("10.0", "9.9", False),
        ("", "1.0", False),
        ("1.0", "", False),
    ],
)
def test_versions_are_compared_number_by_number(version: str, minimum: str, *, expected: bool) -> None:
    assert older(version, minimum) is expected
