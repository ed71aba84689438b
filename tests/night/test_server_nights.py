"""Whole nights over servers that misbehave, are killed, held, adopted (O23, O24, O35, O37): the night always ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.servers.lab import dummy, somebody
from tests.night.conftest import Make
from tests.night.project import Project
from tests.night.visual import (
    ADDS,
    TOOL,
    answers,
    keepers,
    looks,
    new_port,
    page_server,
    prompt,
    running,
    visual_project,
    wait_for,
    web,
)

pytestmark = pytest.mark.night

ONCE = {"stagnation_threshold": 1}  # a failure skips the task at once
SOON: dict[str, Any] = {"attempts": 8, "interval": 0.1, "request_timeout": 0.3}  # for what never becomes ready
AT_ONCE: dict[str, Any] = {"attempts": 1, "interval": 0.1, "request_timeout": 0.2}  # for what is held all the time


def skipped_for(project: Project, reason: str) -> None:
    """Check what the morning shows of a night whose visual task failed over a server, and whose other one is done."""
    assert project.states() == "Sx"
    assert project.task_commits() == ["2"]
    assert reason in project.activity
    assert looks(project) == [], "pages were looked at without the server"
    project.sound()


# --- servers that are never up


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        pytest.param(("silent",), "was not ready within 0.8 s: does not answer within 0.3 s", id="never answers"),
        pytest.param(("status=500",), "was not ready within 0.8 s: answers 500, expected 200-399", id="answers 500"),
        pytest.param(("late=60",), "was not ready within 0.8 s: connection refused", id="never listens"),
    ],
)
def test_a_server_that_never_gets_ready_fails_its_visual_task_and_no_other(
    make: Make, words: tuple[str, ...], reason: str
) -> None:
    """O23: it fails the task, the reason is said in the evening and to the agent, and the loop goes on."""
    port = new_port()
    project = visual_project(
        make, port=port, servers={"web": web(port, dummy(port, *words), **SOON)}, overnight_mode=ONCE
    )
    result = project.night()
    assert result.code == 3, result.out + result.err
    assert f"server web: {reason}" in result.out
    assert "it is tried again before each visual task" in result.out
    assert f"The server web is not up: {reason}" in prompt(project, "1", 1)
    skipped_for(project, reason)


def test_a_server_that_ends_as_soon_as_it_listens_is_a_crash_loop_with_its_last_words(make: Make) -> None:
    port = new_port()
    command = f"echo no database here; sleep 0.05; {page_server(port, 'die=0')}"
    project = visual_project(make, port=port, servers={"web": web(port, command)}, overnight_mode=ONCE)
    result = project.night()
    assert result.code == 3, result.out + result.err
    assert "its process ended with exit code 7" in result.out
    assert "no database here" in prompt(project, "1", 1)
    assert "no database here" in project.read(".ralph/demo/logs/web.log")
    notes = [entry["text"] for entry in project.journal("noted") if entry["text"].startswith("server web")]
    assert len(notes) == 1, "its gates tell of it, and only the evening's has no entry to be in"
    assert notes[0].endswith("it is tried again before each visual task")
    skipped_for(project, "server web: ")


def test_a_command_that_is_not_there_is_said_at_once(make: Make) -> None:
    port = new_port()
    project = visual_project(make, port=port, servers={"web": web(port, "no-such-server")}, overnight_mode=ONCE)
    result = project.night(timeout=20)
    assert result.code == 3, result.out + result.err
    assert "server web: its command was not found (exit code 127" in result.out
    skipped_for(project, "its command was not found")


def test_a_server_that_an_agent_mends_is_tried_again(make: Make) -> None:
    """O23, O26: the server's own fault is in the prompt, and the next look starts it anew."""
    port = new_port()
    command = f"test -e config || {{ echo config is missing; exit 3; }}; {page_server(port)}"
    project = visual_project(make, port=port, servers={"web": web(port, command)})
    project.plays({"1": [[["write", "config", "x"], *ADDS]]})
    result = project.night()
    assert result.code == 0, result.out + result.err
    assert "its process ended with exit code 3" in prompt(project, "1", 1)
    assert "config is missing" in prompt(project, "1", 1)
    assert (project.states(), project.runs("1")) == ("xx", 1)
    project.sound()


def test_a_page_that_takes_its_server_down_fails_the_task_and_the_server_comes_back(make: Make) -> None:
    """Ready, and gone as soon as the page is asked for: each attempt meets a server that is up again."""
    port = new_port()
    tasks = (
        "- [ ] 1. Add one to the page\n  - `agent-browser open http://localhost:{port}/boom`\n- [ ] 2. Write a note\n"
    )
    project = visual_project(
        make, tasks, port=port, servers={"web": web(port, page_server(port, "crash=/boom", "note=../starts"))},
        overnight_mode={"stagnation_threshold": 2},
    )  # fmt: skip
    project.plays({"1": [[*ADDS[:-1], ["append", "page.html", "{n}"], ADDS[-1]]]})
    result = project.night()
    assert result.code == 3, result.out + result.err
    assert (project.states(), project.runs("1")) == ("Sx", 2)
    assert "net::ERR_EMPTY_RESPONSE" in prompt(project, "1", 2)
    assert len((project.base / "starts").read_text().splitlines()) >= 2
    project.sound()


def test_a_server_that_does_not_reload_is_started_anew_with_what_the_agent_wrote(make: Make) -> None:
    port = new_port()
    frozen = web(port, page_server(port, "frozen", "note=../starts"), reloads=False)
    project = visual_project(make, port=port, servers={"web": frozen})
    result = project.night()
    assert (result.code, project.states(), project.runs("1")) == (0, "xx", 1), result.out + result.err
    assert len((project.base / "starts").read_text().splitlines()) >= 2
    project.sound()


def test_a_server_that_takes_a_second_to_notice_changes_costs_no_attempt(make: Make) -> None:
    """The reloaders of Django and Flask look once a second: the page is not to be judged as it was before."""
    port = new_port()
    project = visual_project(make, port=port, servers={"web": web(port, page_server(port, "stale=1.2"))})
    result = project.night()
    assert (result.code, project.states(), project.runs("1")) == (0, "xx", 1), result.out + result.err
    project.sound()


def test_a_server_that_dies_again_and_again_holds_nobody_up(make: Make) -> None:
    port = new_port()
    project = visual_project(
        make, port=port, servers={"web": web(port, page_server(port, "die=0.7"))}, overnight_mode=ONCE
    )
    project.plays(
        {"1": [[["sleep", 2], *ADDS]], "2": [[["sleep", 1], ["write", "note", "x"], ["say", "TASK_COMPLETE"]]]}
    )
    result = project.night(timeout=40)
    assert result.code in (0, 3), result.out + result.err
    assert project.states() in ("xx", "Sx")
    assert "server web: its process ended with exit code 7" in result.out
    assert "server web: its process ended with exit code 7" in project.activity
    project.sound()


def test_a_server_that_is_down_for_two_tasks_makes_the_run_wait_and_a_person_can_end_it(make: Make) -> None:
    """O37: no third task is burnt; both are open again, and the status says why."""
    port = new_port()
    tasks = "".join(f"- [ ] {n}. Add {n}\n  - `agent-browser open http://localhost:{{port}}/`\n" for n in (1, 2, 3))
    project = visual_project(
        make, tasks, port=port, servers={"web": web(port, "no-such-server")}, overnight_mode={"stagnation_threshold": 1}
    )
    process = project.command("overnight", "demo")
    wait_for(lambda: project.exists(".ralph/demo/journal.jsonl") and project.journal("waiting"))
    assert "its command was not found" in project.journal("waiting")[0]["reason"]
    assert project.runs("3") == 0
    process.send_signal(signal.SIGTERM)
    assert project.finish(process, timeout=20).code == 143
    assert project.states() == "   "
    project.sound()


# --- ports and servers of others


def test_a_port_that_is_held_by_another_program_is_named_with_its_holder(make: Make) -> None:
    port = new_port()
    with somebody(dummy(port, "silent"), port) as pid:
        project = visual_project(make, port=port, servers={"web": web(port, **AT_ONCE)}, overnight_mode=ONCE)
        result = project.night()
        assert result.code == 3, result.out + result.err
        assert f"port {port} is held by pid {pid}" in result.out
        assert "put {port} into servers.web.command" in result.out
        skipped_for(project, f"port {port} is held by pid {pid}")
        assert answers(port), "what holds the port is not ours to end"


def test_with_port_in_its_command_a_server_moves_and_pages_and_prompts_move_along(make: Make) -> None:
    port = new_port()
    with somebody(dummy(port, "status=500"), port):
        project = visual_project(
            make, port=port, servers={"web": web(port, page_server("{port}", "note=../starts"), request_timeout=0.5)}
        )
        result = project.night()
    assert result.code == 0, result.out + result.err
    moved = (project.base / "starts").read_text().split()[0]
    assert moved != str(port)
    assert ["open", f"http://localhost:{moved}/"] in looks(project)
    assert f"http://localhost:{moved}/ (web)" in prompt(project, "1", 1)
    assert (project.states(), project.task_commits()) == ("xx", ["1", "2"])
    project.sound()


def test_what_was_up_before_is_adopted_and_left_running(make: Make) -> None:
    """O24."""
    port = new_port()
    project = visual_project(make, port=port)
    with somebody(page_server(port), port, cwd=project.root) as pid:
        result = project.night()
        assert result.code == 0, result.out + result.err
        assert f"up at http://localhost:{port}/ (adopted)" in result.out
        assert answers(port)
        assert running(project) == []
        os.kill(pid, 0)
    project.sound()


@pytest.mark.parametrize("trusted", [False, True])
def test_a_server_that_speaks_https(make: Make, tmp_path: Path, *, trusted: bool) -> None:
    """The runner asks without a look at the certificate; whether the browser does is the person's affair."""
    port = new_port()
    server = web(port, dummy(port, f"tls={certificate(tmp_path)}"), ready=f"https://localhost:{port}/")
    tasks = "- [ ] 1. Add one to the page\n  - `agent-browser open https://localhost:{port}/`\n- [ ] 2. Write a note\n"
    project = visual_project(make, tasks, port=port, servers={"web": server}, overnight_mode=ONCE)
    env: dict[str, Any] = {"AGENT_BROWSER_IGNORE_HTTPS_ERRORS": "true"} if trusted else {}
    result = project.run("overnight", "demo", **env)
    assert "server web: passed" in result.out
    assert (result.code, project.states()) == ((0, "xx") if trusted else (3, "Sx")), result.out + result.err
    assert trusted or "ERR_CERT_AUTHORITY_INVALID" in project.activity
    project.sound()


def certificate(folder: Path) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not there")
    path = folder / "both.pem"
    made = subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", path],
        capture_output=True,
        check=True,
    )
    path.write_bytes(path.read_bytes() + made.stdout)
    return path


# --- set-up commands, dependencies


def test_a_migration_that_fails_at_first_is_told_to_the_agent_and_runs_again_once_it_is_mended(make: Make) -> None:
    """O35."""
    port = new_port()
    setup = ["echo migrating; test -e schema.sql", "echo done >> ../migrated"]
    project = visual_project(make, port=port, servers={"web": web(port, setup=setup)})
    project.plays({"1": [[["prompt"], ["write", "schema.sql", "x"], *ADDS[1:]]]})
    result = project.night()
    assert result.code == 0, result.out + result.err
    assert "server web: set-up failed: echo migrating; test -e schema.sql: exit 1" in result.out
    assert "The server web is not up: set-up failed" in prompt(project, "1", 1)
    assert (project.states(), project.runs("1")) == ("xx", 1)
    assert (project.base / "migrated").read_text() == "done\n", "set-up runs once"
    project.sound()


def test_servers_come_up_one_after_the_other_as_they_depend_on_each_other(make: Make) -> None:
    ports = [new_port() for _ in range(3)]
    web_port, api, database = ports
    servers = {
        "web": web(web_port, page_server(web_port, "note=../starts"), depends_on=["api"]),
        "api": {
            "command": page_server(api, "note=../starts"),
            "ready": {"log": "listening on"},
            "depends_on": ["database"],
            "attempts": 100,
            "interval": 0.1,
            "reloads": True,
        },
        "database": {"command": page_server(database, "note=../starts"), "ready": database, "reloads": True},
    }
    project = visual_project(make, port=web_port, servers=servers)
    result = project.night()
    assert result.code == 0, result.out + result.err
    started = [int(line.split()[0]) for line in (project.base / "starts").read_text().splitlines()]
    assert started == [database, api, web_port]
    project.sound()


def test_without_its_database_a_server_is_not_started_and_the_chain_is_named(make: Make) -> None:
    port = new_port()
    servers = {
        "web": web(port, page_server(port, "note=../starts"), depends_on=["database"]),
        "database": {"command": "no-such-database", "ready": new_port()},
    }
    project = visual_project(make, port=port, servers=servers, overnight_mode=ONCE)
    result = project.night()
    assert result.code == 3, result.out + result.err
    assert "server web: database, which it depends on, is not up: its command was not found" in result.out
    assert not (project.base / "starts").exists()
    skipped_for(project, "server database: its command was not found")


# --- what agents do to servers


def test_an_agent_that_kills_the_server_costs_nothing_but_its_restart(make: Make) -> None:
    port = new_port()
    project = visual_project(make, port=port, servers={"web": web(port, page_server(port, "note=../starts"))})
    kills = ["sh", "kill -9 $(tail -n1 ../starts | cut -d' ' -f2)"]
    project.plays({"1": [[kills, ["sleep", 0.5], *ADDS]]})
    result = project.night()
    assert result.code == 0, result.out + result.err
    assert "server web: its process was killed by signal 9" in result.out
    assert "server web: its process was killed by signal 9" in project.activity
    assert (project.states(), project.runs("1")) == ("xx", 1)
    project.sound()


def test_an_agent_that_kills_the_keepers_ends_neither_the_night_nor_leaves_anything(make: Make) -> None:
    """The keepers of servers, and its own: what they kept is found by its mark."""
    project = visual_project(make)
    project.plays({"1": [[["append", "page.html", '<p id="one">One</p>\n'], ["kill_keepers"], ["sleep", 1]], ADDS]})
    result = project.night()
    assert result.code == 0, result.out + result.err
    assert "its keeper was killed" in project.activity
    assert project.states() == "xx"
    project.sound()


@pytest.mark.parametrize(
    "words", [pytest.param("", id="that answers well"), pytest.param(" status=418", id="that answers badly")]
)
def test_an_agents_own_server_in_the_place_of_ours_ends_with_its_attempt_and_ours_comes_back(
    make: Make, words: str
) -> None:
    """Contract "Commands of an agent": ours is killed, its own takes the port, and is left behind."""
    port = new_port()
    project = visual_project(make, port=port, servers={"web": web(port, page_server(port, "note=../starts"))})
    kills = ["sh", "kill -9 $(tail -n1 ../starts | cut -d' ' -f2)"]
    theirs = ["background", f"setsid {page_server(port).removeprefix('exec ')}{words}"]
    project.plays({"1": [[kills, theirs, ["sleep", 3], *ADDS]]})
    result = project.night()
    assert result.code == 0, result.out + result.err
    assert (project.states(), project.runs("1")) == ("xx", 1)
    assert len((project.base / "starts").read_text().splitlines()) >= 2
    assert "server web is up again" in project.activity
    project.sound()


def test_an_agents_git_clean_takes_the_logs_and_not_the_servers(make: Make) -> None:
    """`.ralph` goes away under the run, with logs, lock and records."""
    port = new_port()
    project = visual_project(
        make,
        port=port,
        servers={"web": web(port, page_server(port, "note=../starts"))},
        visual_validation={"tool": "../agent-browser", "browser": "../agent-browser"},
    )
    shutil.copy2(project.root / TOOL, project.base / "agent-browser")
    project.plays({"1": [[["sh", "git clean -qfdx"], *ADDS]]})
    result = project.night()
    assert result.code == 0, result.out + result.err
    assert project.states() == "xx"
    assert len((project.base / "starts").read_text().splitlines()) == 1, "the server was started anew"
    project.sound()


# --- the end of the runner


def test_after_a_kill_of_the_runner_its_servers_are_gone_within_seconds(make: Make) -> None:
    port = new_port()
    project = visual_project(make, port=port, servers={"web": web(port, page_server(port, "reload"))})
    project.plays({"1": [[["log", "here"], ["sleep", 60]]]})
    process = project.command("overnight", "demo")
    project.wait("here", "1")
    process.kill()
    process.communicate(timeout=10)
    project.nothing_left(5.0)
    assert not answers(port)


@pytest.mark.parametrize("by", ["the next start", "ralph servers down"])
def test_what_outlives_runner_and_keepers_is_swept(make: Make, by: str) -> None:
    """O24: nobody is left to end it."""
    port = new_port()
    project = visual_project(make, port=port, servers={"web": web(port, page_server(port, "note=../starts"))})
    project.plays({"1": [[["log", "here"], ["sleep", 60]], ADDS]})
    process = project.command("overnight", "demo")
    project.wait("here", "1")
    kept = keepers(project)
    assert len(kept) >= 2, "a keeper for the agent, one for the server"
    for pid in kept:
        os.kill(pid, signal.SIGSTOP)
    process.kill()
    process.communicate(timeout=10)
    for pid in kept:
        os.kill(pid, signal.SIGKILL)
    assert answers(port), "the server was to outlive them"
    if by == "the next start":
        result = project.night()
        assert result.code == 0, result.out + result.err
        assert len((project.base / "starts").read_text().splitlines()) == 2, "what a dead run left was adopted"
    else:
        down = project.run("servers", "down")
        assert down.code == 0, down.err
        assert "that nobody kept any more" in down.out
    project.nothing_left(0.5)
    assert not answers(port)


def test_two_runs_at_once_do_not_share_or_end_each_others_servers(make: Make) -> None:
    port = new_port()
    project = visual_project(make, port=port)
    project.plays({"1": [[["log", "here"], ["until", "{folder}/go"], *ADDS]]})
    process = project.command("overnight", "demo")
    project.wait("here", "1")
    for command in (("overnight", "demo"), ("next", "demo"), ("servers", "down")):
        second = project.run(*command)
        assert second.code == 5, second.out + second.err
        assert f"pid {process.pid}" in second.err
    status = project.run("servers", "status")
    assert "by the run" in status.out
    assert answers(port)
    (project.play / "go").touch()
    assert project.finish(process).code == 0
    project.sound()


def test_servers_that_a_person_brought_up_are_used_by_the_run_and_end_with_down(make: Make) -> None:
    port = new_port()
    project = visual_project(make, port=port, servers={"web": web(port, page_server(port, "note=../starts"))})
    up = project.run("servers", "up")
    assert up.code == 0, up.out + up.err
    result = project.night()
    assert result.code == 0, result.out + result.err
    assert "(adopted)" in result.out
    assert answers(port)
    assert "by `ralph servers up`" in project.run("servers", "status").out
    assert project.run("servers", "down").code == 0
    assert len((project.base / "starts").read_text().splitlines()) == 1
    assert not answers(port)
    project.sound()


@pytest.mark.parametrize("way", ["down", "kill -9"])
def test_servers_of_a_person_that_go_away_in_the_night_are_replaced_by_the_runs_own(make: Make, way: str) -> None:
    port = new_port()
    project = visual_project(make, port=port, servers={"web": web(port, page_server(port, "note=../starts"))})
    assert project.run("servers", "up").code == 0
    project.plays({"1": [[["log", "here"], ["until", "{folder}/go"], *ADDS]]})
    process = project.command("overnight", "demo")
    project.wait("here", "1")
    if way == "down":
        assert project.run("servers", "down").code == 0
    else:
        owner = json.loads(project.read(".ralph/servers.json"))["owner"]
        os.kill(int(owner.partition("@")[0]), signal.SIGKILL)
    wait_for(lambda: not answers(port))
    (project.play / "go").touch()
    result = project.finish(process)
    assert (result.code, project.states()) == (0, "xx"), result.out + result.err
    assert len((project.base / "starts").read_text().splitlines()) == 2
    project.sound()
