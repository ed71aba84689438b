"""`ralph servers up|down|status` as a person calls it: real processes in a real project."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from ralph_wiggum.adapters.process_table import MARK, system_table
from ralph_wiggum.adapters.run_lock import RunLock
from ralph_wiggum.adapters.servers import record as records
from tests.adapters.servers.lab import answers, dummy, is_alive, new_port, somebody, wait_until
from tests.cli.consoles import CHECKOUT, call, environment


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """Make a project; whatever happens, nothing of its servers is left afterwards."""
    (tmp_path / ".kiro/settings").mkdir(parents=True)
    yield tmp_path
    record = records.read(records.path_of(tmp_path, records.UP))
    left = set(system_table().marked({records.mark(tmp_path)}, below=True))
    if record is not None and record.alive:
        left.add(record.pid)
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert not left, "something was left alive"


def settings(project: Path, **servers: Mapping[str, object]) -> None:
    (project / ".kiro/settings/ralph.yaml").write_text(json.dumps({"servers": servers}))


def web(port: int, *words: str, **more: object) -> dict[str, object]:
    return {"command": dummy(port, *words), "ready": f"http://localhost:{port}", **more}


def ralph(project: Path, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return call("ralph", project, "servers", *words, env=env)


def rows(project: Path) -> list[dict[str, object]]:
    done = ralph(project, "status", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def test_up_status_down(project: Path) -> None:
    port = new_port()
    settings(project, web=web(port))
    assert ralph(project, "status").stdout == f"down      web  http://localhost:{port}\n"

    done = ralph(project, "up")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (f"starting web …\nup  web  http://localhost:{port}  log .ralph/logs/web.log\n")
    assert answers(port)

    (row,) = rows(project)
    pid = row["pid"]
    assert isinstance(pid, int)
    assert is_alive(pid)
    assert row["since"]
    expected = {"name": "web", "state": "up", "url": f"http://localhost:{port}", "by": "up", "reason": ""}
    assert {name: row[name] for name in expected} == expected
    assert "by `ralph servers up`, pid" in ralph(project, "status").stdout

    done = ralph(project, "down")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"ended web (pid {pid}, http://localhost:{port})\n"
    wait_until(lambda: not answers(port))
    assert not is_alive(pid)
    assert rows(project)[0]["state"] == "down"

    done = ralph(project, "down")
    assert (done.returncode, done.stdout) == (
        0,
        "nothing to end: no server of `ralph servers up`, none of a dead run\n",
    )


def test_up_twice_says_that_they_are_up(project: Path) -> None:
    port = new_port()
    settings(project, web=web(port))
    assert ralph(project, "up").returncode == 0
    pid = rows(project)[0]["pid"]
    done = ralph(project, "up")
    assert (done.returncode, done.stdout) == (0, f"up  web  http://localhost:{port}  log .ralph/logs/web.log\n")
    assert rows(project)[0]["pid"] == pid
    settings(project, web=web(port, attempts=7))
    assert "the settings have changed since" in ralph(project, "up").stdout
    ralph(project, "down")


def test_what_comes_up_stays_up_beside_what_does_not(project: Path) -> None:
    port, other = new_port(), new_port()
    settings(project, bad={"command": "echo no table; exit 3", "ready": other}, web=web(port))
    done = ralph(project, "up")
    assert done.returncode == 4
    lines = done.stdout.splitlines()
    assert lines[1].startswith("not up  bad  its process ended with exit code 3")
    assert lines[2:] == [
        "    no table",
        "  log .ralph/logs/bad.log",
        f"up  web  http://localhost:{port}  log .ralph/logs/web.log",
    ]
    bad, good = rows(project)
    assert (bad["state"], good["state"]) == ("down", "up")
    assert str(bad["reason"]).startswith("its process ended with exit code 3")
    settings(project, bad={"command": "echo no table; exit 3", "ready": other}, web=web(port))
    assert ralph(project, "up").returncode == 4  # tried once more
    ralph(project, "down")


def test_where_nothing_comes_up_nothing_is_left_running(project: Path) -> None:
    settings(project, web={"command": "exit 1", "ready": new_port()})
    done = ralph(project, "up")
    assert done.returncode == 4
    assert "nothing came up, and nothing was left running" in done.stdout
    record = records.read(records.path_of(project, records.UP))
    assert record is not None
    wait_until(lambda: not record.alive)
    assert ralph(project, "down").stdout.startswith("nothing to end")


def test_a_set_up_that_fails_is_told_with_its_output(project: Path) -> None:
    port = new_port()
    settings(project, web=web(port, setup=["echo creating; exit 2"]))
    done = ralph(project, "up")
    assert done.returncode == 4
    assert "not up  web  set-up failed: echo creating; exit 2: exit 2" in done.stdout
    wait_until(lambda: not answers(port))


def test_the_servers_are_looked_after_once_the_command_has_ended(project: Path) -> None:
    port = new_port()
    settings(project, web=web(port))
    ralph(project, "up")
    pid = rows(project)[0]["pid"]
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)
    log = project / ".ralph/logs/.host.log"
    wait_until(lambda: "server web is up again" in log.read_text(), 30)
    assert "server web: its process was killed by signal 9" in log.read_text()
    wait_until(lambda: rows(project)[0]["pid"] not in {0, pid}, 30)
    ralph(project, "down")


def test_what_was_up_before_is_left_alone(project: Path) -> None:
    port, other = new_port(), new_port()
    settings(project, theirs=web(port), ours=web(other))
    with somebody(dummy(port), port, cwd=project) as pid:
        done = ralph(project, "up")
        assert done.returncode == 0
        assert f"up  theirs  http://localhost:{port}  it was up already, and is left alone" in done.stdout
        theirs, ours = rows(project)
        assert (theirs["by"], theirs["pid"], ours["by"]) == ("other", pid, "up")
        done = ralph(project, "down")
        assert "left theirs alone: it was there before" in done.stdout
        assert answers(port)
    wait_until(lambda: not answers(other))


def test_a_status_of_servers_that_nobody_started_here(project: Path) -> None:
    good, bad, silent = new_port(), new_port(), new_port()
    settings(
        project,
        good=web(good),
        bad=web(bad),
        silent=web(silent, request_timeout=0.3),
        log={"command": "x", "ready": {"log": "Ready"}},
    )
    with (
        somebody(dummy(good), good),
        somebody(dummy(bad, "status=500"), bad),
        somebody(dummy(silent, "silent"), silent),
    ):
        found = {str(row["name"]): row for row in rows(project)}
    assert {name: row["state"] for name, row in found.items()} == {
        "good": "up",
        "bad": "bad",
        "silent": "bad",
        "log": "down",
    }
    assert found["bad"]["reason"] == "answers 500, expected 200-399"
    assert found["silent"]["reason"] == "does not answer within 0.3 s"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")
def test_kill_9_of_the_one_who_holds_them_ends_them(project: Path) -> None:
    port = new_port()
    settings(project, web=web(port, "stubborn"))
    ralph(project, "up")
    record = records.read(records.path_of(project, records.UP))
    assert record is not None
    os.kill(record.pid, signal.SIGKILL)
    assert wait_until(lambda: not answers(port), 15) < 5
    assert rows(project)[0]["state"] == "down"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")
def test_up_at_once_after_kill_9_does_not_adopt_what_is_being_ended(project: Path) -> None:
    port = new_port()
    settings(project, web=web(port, "stubborn"))
    ralph(project, "up")
    path = records.path_of(project, records.UP)
    record = records.read(path)
    assert record is not None
    first = record.standings[0].pid
    os.kill(record.pid, signal.SIGKILL)
    assert is_alive(first)
    wait_until(lambda: not record.alive)
    done = ralph(project, "up")
    assert (done.returncode, "it was up already" in done.stdout) == (0, False)
    again = records.read(path)
    assert again is not None
    (standing,) = again.standings
    assert (standing.ours, is_alive(first), is_alive(standing.pid)) == (True, False, True)
    ralph(project, "down")


def test_the_status_of_one_that_its_log_tells_of_is_that_of_its_page(project: Path) -> None:
    port = new_port()
    url = f"http://localhost:{port}/"
    by_log = {"command": dummy(port, "status=404"), "ready": {"log": "^listening"}, "url": url, "request_timeout": 0.5}
    settings(project, web=by_log)
    ralph(project, "up")
    (row,) = rows(project)
    assert (row["state"], row["by"], row["reason"]) == ("up", "up", "")
    pid = row["pid"]
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGSTOP)
    (row,) = rows(project)
    assert (row["state"], row["reason"]) == ("bad", "does not answer within 0.5 s")
    os.kill(pid, signal.SIGCONT)
    ralph(project, "down")


def test_a_server_may_be_named_as_the_file_of_all_of_them_was(project: Path) -> None:
    port = new_port()
    settings(project, servers=web(port), host=web(new_port()))
    ralph(project, "up")
    assert "server servers: up" in (project / ".ralph/logs/.host.log").read_text()
    logs = {each.name: each.read_text() for each in (project / ".ralph/logs").glob("*.log")}
    assert logs.keys() >= {"servers.log", "host.log"}
    assert f"listening on {port}" in logs["servers.log"]
    assert "server servers: up" not in logs["servers.log"]
    ralph(project, "down")


@pytest.mark.skipif(sys.platform != "linux", reason="finds the keeper by /proc")
def test_down_ends_what_nobody_keeps_any_more(project: Path) -> None:
    """The process that held the servers was killed, and the keepers too."""
    port = new_port()
    settings(project, web=web(port))
    ralph(project, "up")
    record = records.read(records.path_of(project, records.UP))
    assert record is not None
    server = system_table().look(record.standings[0].pid)
    assert server is not None
    os.kill(server.ppid, signal.SIGSTOP)
    os.kill(record.pid, signal.SIGKILL)
    wait_until(lambda: not record.alive)
    os.kill(server.ppid, signal.SIGKILL)
    assert answers(port)
    assert ralph(project, "down").stdout == "ended 1 process that nobody kept any more\n"
    wait_until(lambda: not answers(port))


def dead_run(project: Path, run: str) -> None:
    """Leave a lock file as a run leaves it that was killed."""
    code = (
        "import os, sys; from pathlib import Path; from ralph_wiggum.adapters.run_lock import RunLock\n"
        "lock = RunLock(Path(sys.argv[1])); lock.acquire(spec='demo', run=sys.argv[2], started='x'); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, project, run], env=environment(project), check=False)


def test_down_ends_what_a_dead_run_left(project: Path) -> None:
    run = f"run-{os.getpid()}-{project.name}"
    settings(project, web=web(new_port()))
    left = subprocess.Popen(["sleep", "1000"], env={**os.environ, MARK: f"{run}/server-web"})
    dead_run(project, run)
    done = ralph(project, "down")
    assert done.stdout == "ended 1 process that nobody kept any more\n"
    assert left.wait(5) == -signal.SIGTERM


def test_down_ends_what_an_earlier_dead_run_left(project: Path) -> None:
    """Its lock was taken by others since; its folder is still there."""
    run = f"run-{os.getpid()}-{project.name}"
    (project / ".ralph/demo/runs" / run).mkdir(parents=True)
    left = subprocess.Popen(["sleep", "1000"], env={**os.environ, MARK: f"{run}/server-web"})
    assert ralph(project, "down").returncode == 0
    assert left.wait(5) == -signal.SIGTERM


def test_down_leaves_the_servers_of_a_run_that_goes_on(project: Path) -> None:
    run = f"run-{os.getpid()}-{project.name}"
    server = subprocess.Popen(["sleep", "1000"], env={**os.environ, MARK: f"{run}/server-web"})
    wait_until(lambda: server.pid in system_table().marked({run}, below=True))
    with RunLock(project) as lock:
        lock.acquire(spec="demo", run=run, started="2026-11-20T22:00:00")
        done = ralph(project, "down")
        assert (done.returncode, done.stdout) == (5, "")
        assert done.stderr == (
            f"ralph: the servers belong to a run that goes on (pid {os.getpid()}, spec demo)\n"
            f"  hint: it ends them when it ends; `ralph stop` ends it in good order\n"
        )
        assert server.poll() is None
        server.kill()
        server.wait()
        assert ralph(project, "down").stdout.startswith("nothing to end")  # a run without servers is in nobody's way


def test_without_servers(project: Path) -> None:
    done = ralph(project, "up")
    assert done.returncode == 2
    assert done.stderr.startswith("ralph: no servers are set\n  hint: name some in .kiro/settings/ralph.yaml")
    assert ralph(project, "status").stdout == "no servers are set\n"
    assert json.loads(ralph(project, "status", "--json").stdout) == []
    assert ralph(project, "down").returncode == 0


@pytest.mark.parametrize("way", ["up", "down"])
def test_an_agent_may_look_and_not_touch(project: Path, way: str) -> None:
    settings(project, web=web(new_port()))
    done = ralph(project, way, env={MARK: "run-1"})
    assert done.returncode == 2
    assert f"ralph servers {way} changes state, and this is an agent of run run-1" in done.stderr
    assert ralph(project, "status", env={MARK: "run-1"}).returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param((), "usage: ralph servers", id="nothing"),
        pytest.param(("sideways",), "invalid choice: 'sideways'", id="an unknown way"),
        pytest.param(("up", "--json"), "unrecognized arguments: --json", id="a flag of another way"),
    ],
)
def test_wrong_calls(project: Path, words: tuple[str, ...], said: str) -> None:
    done = ralph(project, *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_another_folder_can_be_named_before_or_after_the_way(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    settings(project, web=web(new_port()))
    for words in (("-C", str(project), "status"), ("status", "-C", str(project))):
        assert call("ralph", other, "servers", *words).stdout.startswith("down      web")


def test_ctrl_c_while_they_come_up_ends_them(project: Path) -> None:
    settings(project, web={"command": "sleep 1000", "ready": new_port(), "attempts": 1000})
    process = subprocess.Popen(
        [sys.executable, "-m", "ralph_wiggum.cli.ralph", "servers", "up"],
        cwd=project,
        env=environment(project),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        wait_until(lambda: system_table().marked({records.mark(project)}, below=True), 30)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert not system_table().marked({records.mark(project)}, below=True)
    assert not records.path_of(project, records.UP).exists()


def test_the_record_is_written_again_where_somebody_removed_it(project: Path) -> None:
    """An agent's `git clean -fdx` takes .ralph/ with it; `down` still finds what to end."""
    port = new_port()
    settings(project, web=web(port))
    ralph(project, "up")
    path = records.path_of(project, records.UP)
    path.unlink()
    wait_until(path.exists)
    assert ralph(project, "down").stdout.startswith("ended web (pid ")
    wait_until(lambda: not answers(port))


def test_the_help_names_the_ways_and_the_exit_codes(project: Path) -> None:
    done = ralph(project, "--help")
    assert done.returncode == 0
    for wanted in ("up|down|status", "examples:", "exit codes:", ".ralph/logs/"):
        assert wanted in done.stdout
    assert str(CHECKOUT) not in done.stdout


def test_a_host_holds_on_to_nothing_of_the_command_that_started_it(project: Path) -> None:
    """Neither its output, or a pipe behind it would never end, nor its folder."""
    port = new_port()
    settings(project, web=web(port))
    began = time.monotonic()
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m ralph_wiggum.cli.ralph servers up | cat"],
        cwd=project,
        env=environment(project),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "up  web" in done.stdout
    assert time.monotonic() - began < 50
    record = records.read(records.path_of(project, records.UP))
    assert record is not None
    if sys.platform == "linux":
        assert str(Path(f"/proc/{record.pid}/cwd").readlink()) == "/"
        assert os.getsid(record.pid) == record.pid
    ralph(project, "down")
