"""A page of another project proves nothing: who answers on the wanted port is looked at before he is adopted."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ralph_wiggum.adapters.keeper import identity
from ralph_wiggum.adapters.servers import record as records
from ralph_wiggum.core.evidence import GateStatus
from ralph_wiggum.core.servers.standing import Health, Standing
from tests.adapters.servers.lab import Lab, answers, dummy, new_port, only, page, somebody

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere other processes may not be looked into")


@pytest.fixture
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("other")


def code(lab: Lab, text: str) -> str:
    path = lab.root / f"code-{text}"
    path.write_text(text)
    return f"code={path}"


def test_a_server_that_can_go_to_another_port_leaves_his_to_a_stranger(lab: Lab, other: Path) -> None:
    port = new_port()
    with somebody(dummy(port, code(lab, "theirs")), port, cwd=other) as pid:
        servers = lab.set(lab.server(dummy("{port}", code(lab, "ours")), port))
        gate = lab.ensure(servers)
        assert gate.status is GateStatus.PASSED
        assert " (started, " in gate.reason
        assert only(servers).url != only(servers).wanted
        assert page(int(only(servers).url.split(":")[2].rstrip("/"))) == "ours"
        (told,) = servers.tend()
        assert told.startswith(f"server web: port {port} is left to somebody else: pid {pid} (python")
        assert told.endswith(f"runs in {other}, outside of this project")
        assert lab.ensure(servers).reason == f"up at {only(servers).url}"
        assert servers.tend() == ()
        servers.stop()
        assert answers(port)


def test_one_that_cannot_adopts_a_stranger_with_a_warning_that_reaches_the_log(lab: Lab, other: Path) -> None:
    port = new_port()
    with somebody(dummy(port), port, cwd=other) as pid:
        servers = lab.set(lab.server("true", port))
        gate = lab.ensure(servers)
        assert gate.status is GateStatus.PASSED
        assert f" (adopted; pid {pid} (python" in gate.reason
        assert f"runs in {other}, outside of this project: is it the right one?" in gate.reason
        (told,) = servers.tend()
        assert told.startswith(f"server web was there before, at http://localhost:{port}/, but pid {pid} (python")
        lab.ensure(servers)
        assert servers.tend() == ()  # once


@pytest.mark.parametrize(
    ("mark", "adopted"),
    [
        pytest.param("another-run", False, id="of another run"),
        pytest.param("another-run/server-web", False, id="a server of another run"),
        pytest.param("{run}", True, id="an agent of this run has started it"),
        pytest.param("{run}/server-api", True, id="another server of this run has started it"),
        pytest.param("{up}/server-web", True, id="`ralph servers up` of this project has started it"),
        pytest.param("", True, id="a person has"),
    ],
)
def test_whose_run_it_belongs_to_counts_too(lab: Lab, mark: str, *, adopted: bool) -> None:
    port = new_port()
    mark = mark.format(run=f"{lab.run_id}", up=records.mark(lab.root))
    with somebody(dummy(port), port, cwd=lab.root, mark=mark):
        servers = lab.set(lab.server(dummy("{port}"), port))
        lab.ensure(servers)
        assert only(servers).ours is not adopted
        assert (only(servers).url == only(servers).wanted) is adopted
        servers.stop()


def test_what_another_command_of_this_project_has_brought_up_is_no_stranger_wherever_it_runs(
    lab: Lab, other: Path
) -> None:
    port = new_port()
    with somebody(dummy(port), port, cwd=other) as pid:
        there = Standing(name="web", health=Health.UP, url=f"http://localhost:{port}/", ours=True)
        records.write(records.path_of(lab.root, records.UP), records.Record(owner=identity(pid), standings=(there,)))
        servers = lab.set(lab.server(dummy("{port}"), port))
        assert lab.ensure(servers).reason == f"up at http://localhost:{port}/ (adopted)"
        assert servers.tend() == ()


def test_a_project_that_is_reached_by_a_link_is_the_same_project(lab: Lab, other: Path) -> None:
    port = new_port()
    real, lab.root = lab.root, other / "link"
    lab.root.symlink_to(real)
    with somebody(dummy(port), port, cwd=real):
        assert lab.ensure(lab.set(lab.server(dummy("{port}"), port))).reason.endswith(" (adopted)")
