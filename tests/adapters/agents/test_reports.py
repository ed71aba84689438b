"""Agents that take their prompt in a file of their own kind and leave a report: the driver under real programs."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from ralph_wiggum.adapters.agents.catalogue import build
from ralph_wiggum.adapters.agents.launch import prepare
from ralph_wiggum.adapters.agents.report import REPORT_BYTES, read_report
from ralph_wiggum.adapters.log_tail import LogTail
from ralph_wiggum.adapters.process import Family
from ralph_wiggum.core.agents import BUILT_IN
from ralph_wiggum.core.evidence import Ending, Usage
from ralph_wiggum.core.settings import AgentSettings, Limits
from ralph_wiggum.ports import AgentRequest
from tests.adapters.agents.conftest import Ask, Program, Watching

PROMPT = 'Do {{ this }}: "it"\n- [ ] 1. One\n'
# What mini does with its arguments (2.4.6): `-c` takes KEY=VALUE or a file, in whose name it puts .yaml at the end.
MINI = """
    import json, pathlib, sys
    given = sys.argv[1:]
    told = {}
    for word, value in zip(given, given[1:]):
        if word == "-c" and "=" not in value and value != "mini.yaml":
            told |= json.loads(pathlib.Path(value).with_suffix(".yaml").read_text())
    print("\\nmini-swe-agent (step 1, $0.01):\\nI do it.\\n", flush=True)
    usage = {"prompt_tokens": 1000, "completion_tokens": 50}
    said = told["run"]["task"] + "\\nTASK_COMPLETE"
    messages = [{"role": "assistant", "content": None, "extra": {"response": {"usage": usage}}}]
    info = {"model_stats": {"instance_cost": 0.5, "api_calls": 1}, "exit_status": "Submitted", "submission": said}
    report = pathlib.Path(given[given.index("-o") + 1])
    report.write_text(json.dumps({"info": info, "messages": messages}))
    print("\\nExit:\\nsomething else\\nSaved trajectory to x", flush=True)
"""


def installed(tmp_path: Path, name: str, program: str) -> dict[str, str]:
    """Return an environment in which a program is installed under a name."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / name).symlink_to(program)
    return {"PATH": str(tmp_path / "bin")}


def test_mini_gets_its_prompt_below_a_key_and_is_heard_by_its_trajectory(
    family: Family, program: Program, ask: Ask, tmp_path: Path
) -> None:
    request = ask(PROMPT, env=installed(tmp_path, "mini", program(MINI)))
    watching = Watching()
    outcome = build(BUILT_IN["mini"], family).run(request, watching)
    assert outcome.ending is Ending.EXITED, outcome.excerpt
    assert outcome.message == f"{PROMPT}\nTASK_COMPLETE"
    assert (outcome.completed, outcome.flagged) == (True, False)
    assert outcome.usage == Usage(input_tokens=1000, output_tokens=50, cost=0.5)
    assert "I do it." in "".join(watching.shown)
    assert request.prompt_file.with_suffix(".yaml").exists()


def test_the_report_of_an_attempt_before_is_not_taken_for_this_one(
    family: Family, program: Program, ask: Ask, tmp_path: Path
) -> None:
    """An attempt that was cut off is run again under the same number."""
    request = ask(PROMPT, env=installed(tmp_path, "mini", program('print("\\nExit:\\nlitellm.X: no")')))
    request.log.parent.mkdir(parents=True)
    info = {"model_stats": {}, "exit_status": "Submitted", "submission": "TASK_COMPLETE"}
    request.log.with_suffix(".report").write_text(json.dumps({"info": info}))
    outcome = build(BUILT_IN["mini"], family).run(request, Watching())
    assert "TASK_COMPLETE" not in outcome.message


def test_aider_gets_its_prompt_in_a_file_and_its_figures_bound_it(
    family: Family, program: Program, ask: Ask, tmp_path: Path
) -> None:
    code = """
        import pathlib, sys, time
        prompt = pathlib.Path(sys.argv[sys.argv.index("--message-file") + 1]).read_text()
        for number in range(1, 100):
            print(f"Aider v0.86.2\\n{prompt}")
            print(f"Tokens: 4.5k sent, 123 received. Cost: $1.00 message, ${number}.00 session.", flush=True)
            time.sleep(0.1)
    """
    request = ask("Do it.", env=installed(tmp_path, "aider", program(code)), limits=Limits(task_seconds=30, cost=3.0))
    outcome = build(BUILT_IN["aider"], family).run(request, Watching())
    assert outcome.ending is Ending.TOO_EXPENSIVE
    assert outcome.message.strip() == "Do it."
    assert outcome.usage is not None
    assert outcome.usage.cost is not None
    assert outcome.usage.cost > 3


@pytest.mark.parametrize("dialect", ["mini", "aider"])
def test_a_log_of_text_is_followed_as_it_was_seen(tmp_path: Path, dialect: str) -> None:
    log = tmp_path / "1-1.log"
    log.write_bytes(b"agent: x\n\n\x1b[32mApplied edit to a.py\x1b[0m\nnot ended")
    tail = LogTail(log, dialect)
    assert tail.poll() == "Applied edit to a.py\n"
    tail.close()


@pytest.mark.parametrize("name", ["absent", "folder", "fifo", "link", "closed"])
def test_what_is_no_report_is_read_as_none(tmp_path: Path, name: str) -> None:
    """None of them may hold the runner up, and a link may lead anywhere."""
    path = tmp_path / name
    match name:
        case "folder":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "link":
            (tmp_path / "there").write_text("there")
            path.symlink_to(tmp_path / "there")
        case "closed":
            path.mkdir()
            path = path / "x" / "y"
    assert read_report(path) == b""


def test_of_a_long_report_only_the_beginning_is_read(tmp_path: Path) -> None:
    path = tmp_path / "1-1.report"
    with path.open("wb") as file:
        file.write(b'{"info":')
        file.truncate(REPORT_BYTES + 1000)
    assert len(read_report(path)) == REPORT_BYTES


def test_an_agent_of_a_persons_own_may_take_its_prompt_below_a_key(family: Family, program: Program, ask: Ask) -> None:
    code = """
        import pathlib, sys
        print(sys.argv[1].rpartition(".")[2], pathlib.Path(sys.argv[1]).read_text())
    """
    mine = replace(
        BUILT_IN["aider"], name="mine", dialect="text", prompt_key="a.b", command=(program(code), "{prompt_file}")
    )
    outcome = build(mine, family).run(ask("é"), Watching())
    assert outcome.message == 'yaml {"a": {"b": "é"}}\n'


@pytest.mark.parametrize("folder", ["a=b", "x y'z"])
def test_the_path_of_a_prompt_below_a_key_holds_nothing_of_the_projects_own(
    folder: str, family: Family, program: Program, ask: Ask, tmp_path: Path
) -> None:
    """mini-swe-agent 2.4 takes an argument with "=" in it for a key with its value, and so finds no prompt."""
    code = """
        import pathlib, sys
        print(sys.argv[1], pathlib.Path(sys.argv[1]).read_text())
    """
    project = tmp_path / folder
    project.mkdir()
    request = replace(ask("text"), cwd=project, prompt_file=project / ".ralph" / "1-1.md")
    mine = AgentSettings(name="mine", command=(program(code), "{prompt_file}"), prompt="file", prompt_key="a")
    assert build(mine, family).run(request, Watching()).message == '.ralph/1-1.yaml {"a": "text"}\n'
    plain = replace(mine, prompt_key="")
    assert build(plain, family).run(request, Watching()).message == f"{request.prompt_file} text\n"


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("- [ ] 1. a: {b}\t# c\x7f\x9b\x85\u2028\ufeff\uffff\U0001f600\x1b[0m\n---\n...")
def test_a_prompt_below_a_key_is_the_same_text_once_it_is_read_as_yaml(prompt: str) -> None:
    mine = AgentSettings(name="mine", command=("true",), prompt="file", prompt_key="run.task")
    with TemporaryDirectory() as folder:
        here = Path(folder)
        request = AgentRequest(
            prompt=prompt, cwd=here, env={}, limits=Limits(), log=here / "1.log", prompt_file=here / "1.md"
        )
        prepare(mine, request, os.environ)
        assert yaml.safe_load((here / "1.yaml").read_text("utf-8")) == {"run": {"task": prompt}}
