"""A server is looked at with the code of now: what was started with another work tree is started anew (O23, O26)."""

from __future__ import annotations

import os
import signal

import pytest

from ralph_wiggum.core.evidence import GateStatus
from ralph_wiggum.core.servers.standing import Health
from tests.adapters.servers.lab import (
    Lab,
    Waiting,
    dummy,
    health,
    is_alive,
    new_port,
    only,
    page,
    somebody,
    tend_until,
    wait_until,
)


def test_a_server_without_a_reloader_shows_changed_code(lab: Lab) -> None:
    port, code = new_port(), lab.root / "code"
    code.write_text("old")
    servers = lab.set(lab.server(dummy(port, f"code={code}"), port))
    assert lab.ensure(servers, "tree 1").status is GateStatus.PASSED
    first = only(servers).pid
    code.write_text("new")
    gate = lab.ensure(servers, "tree 2")
    assert gate.status is GateStatus.PASSED
    assert gate.reason.startswith(f"up at http://localhost:{port}/ (started anew, ")
    assert page(port) == "new"
    assert not is_alive(first)
    assert (health(servers), only(servers).restarts) == (Health.UP, 0)
    assert servers.tend() == ()


@pytest.mark.parametrize(
    ("first", "second", "reloads"),
    [
        pytest.param("tree 1", "tree 1", None, id="the same tree"),
        pytest.param("tree 1", "", None, id="nobody says which tree it is"),
        pytest.param("", "", None, id="nobody ever said"),
        pytest.param("tree 1", "tree 2", True, id="it reloads by itself"),
    ],
)
def test_what_need_not_be_started_anew_is_not(lab: Lab, first: str, second: str, *, reloads: bool | None) -> None:
    port = new_port()
    servers = lab.set(lab.server(dummy(port), port, reloads=reloads))
    lab.ensure(servers, first)
    pid = only(servers).pid
    assert lab.ensure(servers, second).reason == f"up at http://localhost:{port}/"
    assert only(servers).pid == pid


def test_a_start_with_a_tree_that_nobody_named_counts_as_old(lab: Lab) -> None:
    port = new_port()
    servers = lab.set(lab.server(dummy(port), port))
    lab.ensure(servers)
    first = only(servers).pid
    lab.ensure(servers, "tree 1")
    second = only(servers).pid
    os.kill(second, signal.SIGKILL)
    tend_until(servers, lambda: only(servers).pid not in {0, second} and health(servers) is Health.UP)
    third = only(servers).pid
    lab.ensure(servers, "tree 1")
    fourth = only(servers).pid
    assert len({first, second, third, fourth}) == 4
    lab.ensure(servers, "tree 1")
    assert only(servers).pid == fourth


def test_what_was_adopted_is_left_alone_whatever_the_tree(lab: Lab) -> None:
    port = new_port()
    with somebody(dummy(port), port, cwd=lab.root) as pid:
        servers = lab.set(lab.server("true", port))
        for tree in ("tree 1", "tree 2"):
            assert lab.ensure(servers, tree).reason == f"up at http://localhost:{port}/ (adopted)"
        assert (only(servers).pid, is_alive(pid)) == (pid, True)


def test_one_on_another_port_stays_there(lab: Lab) -> None:
    port = new_port()
    with somebody(dummy(port, "status=500"), port):
        servers = lab.set(lab.server(dummy("{port}"), port))
        lab.ensure(servers, "tree 1")
        before = only(servers)
        lab.ensure(servers, "tree 2")
        assert (only(servers).url, only(servers).pid != before.pid) == (before.url, True)


def test_changed_code_that_does_not_start_fails_with_its_log_and_the_next_code_starts(lab: Lab) -> None:
    port, code = new_port(), lab.root / "code"
    code.write_text("fine")
    servers = lab.set(lab.server(dummy(port, f"code={code}"), port))
    lab.ensure(servers, "tree 1")
    code.unlink()
    gate = lab.ensure(servers, "tree 2")
    assert gate.failed
    assert "FileNotFoundError" in gate.excerpt
    assert not lab.alive()
    code.write_text("mended")
    assert lab.ensure(servers, "tree 3").status is GateStatus.PASSED
    assert page(port) == "mended"


def test_changed_code_whose_page_is_broken_stays_up_to_be_looked_into(lab: Lab) -> None:
    port, status = new_port(), lab.root / "status"
    status.write_text("200")
    servers = lab.set(lab.server(dummy(port, f"status=@{status}"), port, attempts=5))
    lab.ensure(servers, "tree 1")
    first = only(servers).pid
    status.write_text("500")
    gate = lab.ensure(servers, "tree 2")
    assert (gate.failed, gate.reason) == (True, "answers 500, expected 200-399")
    assert health(servers) is Health.UP
    assert only(servers).pid != first


def test_each_is_started_anew_after_what_it_depends_on(lab: Lab) -> None:
    database, web, order = new_port(), new_port(), lab.root / "order"
    servers = lab.set(
        lab.server(f"(sleep 0.5; echo database >> {order}) && {dummy(database)}", database, name="database"),
        lab.server(f"echo web >> {order}; {dummy(web)}", web, depends_on=("database",)),
    )
    for tree in ("tree 1", "tree 2"):
        assert [gate.status for gate in servers.ensure(Waiting(), tree=tree)] == [GateStatus.PASSED] * 2
    assert order.read_text().split() == ["database", "web"] * 2


def test_one_whose_dependency_does_not_come_up_again_does_not_run_on_with_old_code(lab: Lab) -> None:
    database, web, broken = new_port(), new_port(), lab.root / "broken"
    servers = lab.set(
        lab.server(f"[ ! -e {broken} ] || exit 1; {dummy(database)}", database, name="database"),
        lab.server(dummy(web), web, depends_on=("database",)),
    )
    servers.ensure(Waiting(), tree="tree 1")
    broken.touch()
    gates = servers.ensure(Waiting(), tree="tree 2")
    assert gates[1].reason.startswith("database, which it depends on, is not up: its process ended with exit code 1")
    servers.tend()
    wait_until(lambda: not lab.alive())
    broken.unlink()
    assert [gate.status for gate in servers.ensure(Waiting(), tree="tree 3")] == [GateStatus.PASSED] * 2
