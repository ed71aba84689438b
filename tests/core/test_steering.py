"""O9: which steering files hold for a task."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core.steering import SteeringFile, choose, front_matter, matches, references


def _file(front: str, body: str = "Rules.") -> SteeringFile:
    return SteeringFile(name=".kiro/steering/api.md", text=f"---\n{front}\n---\n{body}" if front else body)


@pytest.mark.parametrize(
    ("front", "touched", "task", "holds"),
    [
        pytest.param("", [], "", True, id="no front matter: always"),
        pytest.param("inclusion: always", [], "", True, id="always"),
        pytest.param('inclusion: "always"', [], "", True, id="quoted"),
        pytest.param("inclusion: allways", [], "", True, id="a word that Kiro does not know"),
        pytest.param("inclusion: never", ["a.ts"], "#api", False, id="never"),
        pytest.param("inclusion: fileMatch\nfileMatchPattern: '**/*.ts'", ["src/a.ts"], "", True, id="a changed file"),
        pytest.param(
            "inclusion: fileMatch\nfileMatchPattern: '**/*.ts'", [], "Edit `src/a.ts`", True, id="a named file"
        ),
        pytest.param(
            "inclusion: fileMatch\nfileMatchPattern: '**/*.ts'", ["a.py"], "Edit b.py", False, id="other files"
        ),
        pytest.param("inclusion: fileMatch\nfileMatchPattern: ['x', 'src/**']", ["src/a/b"], "", True, id="a list"),
        pytest.param(
            "inclusion: fileMatch\nfileMatchPattern:\n  - x\n  - src/**", ["src/b"], "", True, id="a list of lines"
        ),
        pytest.param("inclusion: fileMatch", ["a.ts"], "", False, id="no pattern"),
        pytest.param("inclusion: manual", [], "As in #api, please", True, id="manual, named"),
        pytest.param("inclusion: manual", [], "As in #api-client or api", False, id="manual, another name"),
        pytest.param(
            "inclusion: auto\ndescription: REST endpoints and routing",
            [],
            "Add routing of endpoints",
            True,
            id="auto, two words",
        ),
        pytest.param(
            "inclusion: auto\ndescription: REST endpoints and routing", [], "Add endpoints", False, id="auto, one word"
        ),
        pytest.param("inclusion: auto\ndescription: endpoints", [], "Add endpoints", True, id="auto, all there is"),
        pytest.param("inclusion: auto", [], "#api", True, id="auto, named"),
        pytest.param("inclusion: auto", [], "Add", False, id="auto without a description"),
        pytest.param("inclusion: manual # until June", [], "", False, id="a comment behind the value"),
    ],
)
def test_o9_inclusion(front: str, touched: list[str], task: str, holds: bool) -> None:  # noqa: FBT001 - a table's column
    assert bool(choose([_file(front)], touched, task)) is holds


def test_o9_the_front_matter_is_taken_off_and_references_are_listed_not_inlined() -> None:
    text = (
        "\ufeff---\r\ninclusion: always\r\n---\r\n# API\r\nSee #[[file:docs/api.yaml]] and #[[file:docs/api.yaml]].\r\n"
    )
    (chosen,) = choose([SteeringFile(name="api.md", text=text)], [])
    assert chosen.text == "# API\r\nSee `docs/api.yaml` and `docs/api.yaml`."
    assert chosen.references == ("docs/api.yaml",)


def test_front_matter_that_never_closes_is_text() -> None:
    assert front_matter("---\ninclusion: manual\n") == {}
    assert references("#[[file:]] #[[other:x]]") == ()


def test_o9_the_order_of_the_files_stays() -> None:
    files = [SteeringFile(name=f"{name}.md", text=name) for name in ("tech", "product", "structure")]
    assert [each.text for each in choose(files, [])] == ["tech", "product", "structure"]


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        pytest.param("**/*.ts", "a.ts", True, id="two stars match no folder too"),
        pytest.param("src/*.py", "src/a/b.py", False, id="one star does not cross folders"),
        pytest.param("src/**", "src/a/b", True, id="two stars at the end"),
        pytest.param("*.md", "docs/a.md", True, id="no slash: the name in any folder"),
        pytest.param("src/**/*.{ts,tsx}", "src/a/b.tsx", True, id="braces"),
        pytest.param("a{b,{c,d}}", "ad", True, id="braces in braces"),
        pytest.param("[!a]?.py", "bc.py", True, id="a set and a question mark"),
        pytest.param("[!a].py", "a.py", False, id="a set turned round"),
        pytest.param("./src/*", "src/x", True, id="a leading dot"),
        pytest.param("a.c", "abc", False, id="a dot is a dot"),
        pytest.param("[z-a]", "z", False, id="a set that makes no sense"),
    ],
)
def test_globs(pattern: str, path: str, expected: bool) -> None:  # noqa: FBT001 - a table's column
    assert matches(pattern, path) is expected


@given(st.text(alphabet="ab*?[]{},!/.\\^-", max_size=20), st.text(alphabet="ab/.", max_size=10))
def test_no_pattern_breaks_the_matching(pattern: str, path: str) -> None:
    assert matches(pattern, path) in {True, False}
    assert matches("**", path)
