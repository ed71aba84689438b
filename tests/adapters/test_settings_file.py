"""O34: settings files: where they lie, what YAML makes of them, and errors with file and line."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.adapters import settings_file, settings_yaml
from ralph_wiggum.core import layers
from ralph_wiggum.core.errors import Exit, RalphError
from ralph_wiggum.core.settings import Ready, ServerSettings, Settings
from ralph_wiggum.core.settings_schema import KEYS


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "project/.kiro/settings").mkdir(parents=True)
    (tmp_path / "home/.config/ralph").mkdir(parents=True)
    return tmp_path / "project"


def _load(root: Path, flags: dict[str, object] | None = None, **environ: str) -> Settings:
    return settings_file.load(root, flags, environ={"HOME": str(root.parent / "home"), **environ})


def _project_file(root: Path) -> Path:
    return root / ".kiro/settings/ralph.yaml"


def test_flags_over_project_over_person_over_defaults(root: Path) -> None:
    """Design, part 2: precedence, with the origin of each value."""
    _project_file(root).write_text("max_iterations: 20\nretry_limit: 20\ngit: {commit: none}\n")
    person = root.parent / "home/.config/ralph/ralph.yaml"
    person.write_text("max_iterations: 30\nretry_limit: 30\nmax_attempts: 7\n")
    found = _load(root, {"max_iterations": 10, "git.commit": "per_task", "agent": None})
    assert (found.max_iterations, found.retry_limit, found.max_attempts, found.commit) == (10, 20, 7, "per_task")
    assert found.origin["max_iterations"] == "flag"
    assert found.origin["retry_limit"] == ".kiro/settings/ralph.yaml"
    assert found.origin["max_attempts"] == str(person)
    assert found.origin["max_task_time"] == "default"


def test_a_bad_flag_is_named_as_one(root: Path) -> None:
    with pytest.raises(RalphError, match=r"^flag: max_iterations: must be 1 or more"):
        _load(root, {"max_iterations": 0})


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        pytest.param({"HOME": "/h"}, "/h/.config/ralph/ralph.yaml", id="below the home folder"),
        pytest.param({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}, "/x/ralph/ralph.yaml", id="where XDG says"),
        pytest.param({"HOME": "/h", "XDG_CONFIG_HOME": "x"}, "/h/.config/ralph/ralph.yaml", id="a relative XDG path is none"),
        pytest.param({"HOME": "/h", "XDG_CONFIG_HOME": ""}, "/h/.config/ralph/ralph.yaml", id="an empty one neither"),
    ],
)  # fmt: skip
def test_where_the_personal_file_lies(environ: dict[str, str], place: str) -> None:
    assert settings_file.user_file(environ) == Path(place)


def test_what_servers_need_is_loaded_with_them_only(root: Path) -> None:
    """Design, part 3: start-up, for the many projects that have settings and no servers."""
    _project_file(root).write_text("max_iterations: 3\ncommand_timeouts: {x: 3}\n")
    loads = (
        "[name for name in sys.modules if name.startswith(('ralph_wiggum.core.server', 'ralph_wiggum.core.visual'))]"
    )
    program = (
        "import sys; from pathlib import Path; from ralph_wiggum.adapters import settings_file;"
        f"print(settings_file.load(Path(sys.argv[1]), environ={{'HOME': sys.argv[1]}}).max_iterations, {loads})"
    )
    checkout = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(root)], cwd=checkout, capture_output=True, text=True, check=True
    )
    assert done.stdout == "3 []\n"


def test_without_a_file_all_is_default_and_yaml_stays_out(root: Path) -> None:
    """Design, part 3: start-up. In a process of its own, for this one has imported yaml."""
    program = (
        "import sys; from pathlib import Path; from ralph_wiggum.adapters import settings_file;"
        "found = settings_file.load(Path(sys.argv[1]), environ={'HOME': sys.argv[1]});"
        "print(found.max_iterations, 'yaml' in sys.modules, 'difflib' in sys.modules)"
    )
    checkout = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(root)], cwd=checkout, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["100", "False", "False"]


@pytest.mark.parametrize("content", [b"", b"# nothing yet\n", b"\xef\xbb\xbf", b"---\n", b"null\n", b"{}\n"])
def test_an_empty_file_is_fine(root: Path, content: bytes) -> None:
    _project_file(root).write_bytes(content)
    assert _load(root).max_iterations == 100


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"agent: [a\nb: c\n", ":2:2: ", id="a list that does not end"),
        pytest.param(b"agent: 'x\n", ":2:1: ", id="a quote that does not end"),
        pytest.param(b"git:\n\tcommit: none\n", ":2:1: ", id="a tab"),
        pytest.param(b"agent: *x\n", ":1:8: found undefined alias", id="an unknown alias"),
        pytest.param(b"agent: !!python/object/apply:os.system [id]\n", ":1:8: could not determine a constructor", id="a tag that would run code"),
        pytest.param(b"a: 1\n---\nb: 2\n", ":2:1: ", id="two documents"),
        pytest.param(b"agent: \x01\n", ":1:8: ", id="a control character"),
        pytest.param(b"retry_limit: 3\nretry_limit: 4\n", ":2: retry_limit: stands here twice, first in line 1", id="a key twice"),
        pytest.param(b"git:\n  commit: none\n  commit: per_task\n", ":3: git.commit: stands here twice", id="a key twice in a group"),
        pytest.param(b"- agent\n", ":1: expected keys with values", id="a list"),
        pytest.param(b"claude\n", ":1: expected keys with values", id="a word"),
        pytest.param(b"agent: \xff\n", ": is not UTF-8 (byte 7)", id="another encoding"),
        pytest.param(b"agent: 2024-13-01\n", ": cannot be read as YAML", id="a date that is none"),
        pytest.param(b"on: 1\n", ":1: on: YAML does not read this key as a text", id="a key of YAML's"),
        pytest.param(b"quality_checks:\n  7: [x]\n", ":2: quality_checks.7: YAML does not read this key", id="a number as key"),
        pytest.param(b"? [a, b]\n: 1\n", ":1: a list or mapping: YAML does not read this key", id="a list as key"),
        pytest.param(b"max_task_time: 7:00\n", ":1: max_task_time: YAML reads 7:00 as a number", id="a time that YAML counts by sixty"),
        pytest.param(b"setup:\n  - ok\n  - off\n", ":3: setup.2: expected a text, found the truth value false", id="a word that YAML takes for false"),
        pytest.param(b"\n\novernight_mode:\n  max_task_timeout: fast\n", ":4: overnight_mode.max_task_timeout: expected seconds", id="a wrong type"),
        pytest.param(b"servers:\n  web:\n    command: x\n    ready: {log: up, port: 80}\n", ":4: servers.web.ready: has port and log", id="two ways to be ready"),
        pytest.param(b"servers:\n  web: {command: x, ready: 80}\n  api:\n    command: y\n    ready: 80\n", ":5: servers.api.ready: wants port 80", id="one port for two"),
        pytest.param(b"servers: {web: {command: x {port}, ready: 80}}\n", ":1:", id="a brace that YAML takes for its own"),
        pytest.param(b"visual_validation:\n  pages:\n    - http://x.test\n    - /a\n", ":4: visual_validation.pages.2: /a lies below", id="a page without a server"),
        pytest.param(b"a: &a [*a]\n", ":1: a: unknown key", id="an alias that holds itself"),
        pytest.param(b"agent: " + b"[" * 3000, "", id="brackets without end"),
        pytest.param(b"agent: " + b"[" * 3000 + b"]" * 3000, "", id="brackets within brackets"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(root: Path, content: bytes, said: str) -> None:
    """O34: file and line, what would be right, exit 2, never a traceback."""
    _project_file(root).write_bytes(content)
    with pytest.raises(RalphError) as caught:
        _load(root)
    assert str(caught.value).startswith(".kiro/settings/ralph.yaml" + said)
    assert "\n" not in str(caught.value)
    assert caught.value.hint
    assert caught.value.code is Exit.BAD_INPUT


def test_a_folder_in_place_of_the_file_is_said(root: Path) -> None:
    _project_file(root).mkdir()
    with pytest.raises(RalphError, match="cannot be read"):
        _load(root)


def test_another_ending_is_not_passed_over(root: Path) -> None:
    """O34: settings that are there and not read would be worse than none."""
    _project_file(root).with_suffix(".yml").write_text("max_iterations: 3\n")
    with pytest.raises(RalphError, match=r"ralph\.yml: settings are read from ralph\.yaml only"):
        _load(root)


def test_anchors_and_merge_keys_work(root: Path) -> None:
    _project_file(root).write_text(
        "agents:\n  a: &a {command: x, env: {K: v}}\n  b:\n    <<: *a\n    command: y\nagent: b\n"
    )
    found = _load(root)
    assert found.agents["b"].command == ("y",)
    assert found.agents["b"].env == {"K": "v"}


def test_the_example_of_the_reference_is_read(root: Path) -> None:
    """Design, part 2: the keys of the example that are built."""
    _project_file(root).write_text(
        """\
agent: claude                 # or a list
agents:
  mine: {command: [my-agent, --json], driver: pipe, prompt: stdin, dialect: text}
servers:
  web: {command: npm run dev, cwd: frontend, ready: "http://localhost:5173", attempts: 30}
setup: [uv run alembic upgrade head]
quality_checks:
  backend: [uv run ruff check src/, uv run pytest -q]
  docs: {paths: ["docs/**"], commands: [mkdocs build --strict], timeout: 600}
command_timeouts: {"npm (ci|install)": 300}
machinery: ["my-mcp-server"]
visual_tasks: ["28.*"]
git: {commit: per_task, branch: "ralph/{spec}"}
"""
    )
    found = _load(root)
    assert found.agent == ("claude",)
    ready = Ready(url="http://localhost:5173")
    assert found.servers == (ServerSettings(name="web", command="npm run dev", cwd="frontend", ready=ready),)
    assert found.quality_checks is not None
    assert [kind.kind for kind in found.quality_checks] == ["backend", "docs"]
    assert found.quality_checks[1].paths == ("docs/**",)
    assert found.command_timeouts == (("npm (ci|install)", 300.0),)


def test_the_examples_of_the_readme_are_read(root: Path) -> None:
    """What people copy works."""
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    for example in readme.split("```yaml\n")[1:]:
        _project_file(root).write_text(example.split("```")[0])
        assert _load(root).agents
    _project_file(root).write_text(readme.split("\n## Settings\n")[1].split("```yaml\n")[1].split("```")[0])
    found = _load(root)
    assert [server.name for server in found.servers] == ["api", "web"]
    assert found.visual.pages == ("http://localhost:5173/", "http://localhost:5173/login")


def test_keys_of_the_readme_are_those_of_the_schema() -> None:
    """Each key of a server and of visual_validation is explained, and no other is."""
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    for heading, group in (("a server", ("servers", "*")), ("`visual_validation`", ("visual_validation",))):
        rows = readme.split(f"| key of {heading} |")[1].split("\n\n")[0].splitlines()[2:]
        named = {key for row in rows for key in re.findall(r"`(\w+)`", row.split("|")[1])}
        assert named == {path[-1] for path in KEYS if path[:-1] == group}


@given(text=st.text(alphabet=st.sampled_from("abg:{}[],'\"!&*#|>-? \n\t0x\x00é"), max_size=60))
def test_no_text_ends_in_a_traceback(text: str) -> None:
    """O34."""
    try:
        layers.merge([settings_yaml.parse(text, "ralph.yaml")])
    except RalphError as error:
        assert str(error).startswith("ralph.yaml")  # noqa: PT017 - both ends are right, but only these two
