"""How much memory there is, with files of cgroups as cgroups(7) lays them out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ralph_wiggum.adapters.machine.memory import available_memory, memory_limit
from ralph_wiggum.core.settings import MachineSettings

MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
LIMIT = 200_000_000


def system(folder: Path, cgroup: str, files: dict[str, str]) -> Path:
    for name, text in {"proc/self/cgroup": cgroup, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{text}\n")
    return folder


@pytest.mark.parametrize(
    ("cgroup", "files", "expected"),
    [
        pytest.param("0::/", {}, MACHINE, id="no cgroup at all"),
        pytest.param("", {}, MACHINE, id="not a word"),
        pytest.param("0::/user.slice/x.scope", {"sys/fs/cgroup/user.slice/x.scope/memory.max": f"{LIMIT}"}, LIMIT, id="version 2"),
        pytest.param("0::/a/b", {"sys/fs/cgroup/a/b/memory.max": "max", "sys/fs/cgroup/a/memory.max": f"{LIMIT}"}, LIMIT, id="of a group above"),
        pytest.param("0::/a", {"sys/fs/cgroup/a/memory.max": "max"}, MACHINE, id="version 2 without a limit"),
        pytest.param("0::/", {"sys/fs/cgroup/memory.max": f"{LIMIT}"}, LIMIT, id="inside of a container"),
        pytest.param("0::/docker/of-the-host", {"sys/fs/cgroup/memory.max": f"{LIMIT}"}, LIMIT, id="a container that sees the host's path"),
        pytest.param("5:cpu:/\n4:memory:/docker/x", {"sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes": f"{LIMIT}"}, LIMIT, id="version 1"),
        pytest.param("4:memory:/docker/x", {"sys/fs/cgroup/memory/memory.limit_in_bytes": f"{LIMIT}"}, LIMIT, id="version 1 inside of a container"),
        pytest.param("4:memory:/", {"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712"}, MACHINE, id="version 1 without a limit"),
        pytest.param("4:memory:/\n0::/", {"sys/fs/cgroup/unified/memory.max": f"{LIMIT}"}, LIMIT, id="both versions"),
        pytest.param("4:cpu:/x", {"sys/fs/cgroup/memory/x/memory.limit_in_bytes": f"{LIMIT}"}, MACHINE, id="another controller"),
        pytest.param("0::/a", {"sys/fs/cgroup/a/memory.max": "lots"}, MACHINE, id="garbage"),
    ],
)  # fmt: skip
def test_the_smallest_limit_holds(tmp_path: Path, cgroup: str, files: dict[str, str], expected: int) -> None:
    assert available_memory(system(tmp_path, cgroup, files)) == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param(MachineSettings(), LIMIT * 4 // 5, id="four fifths of what there is"),
        pytest.param(MachineSettings(memory_share=0.5), LIMIT // 2, id="another share"),
        pytest.param(MachineSettings(max_memory=3), 3, id="so many bytes"),
        pytest.param(MachineSettings(max_memory=0), 0, id="no limit"),
    ],
)
def test_the_settings_say_how_much_of_it(tmp_path: Path, settings: MachineSettings, expected: int) -> None:
    found = system(tmp_path, "0::/", {"sys/fs/cgroup/memory.max": f"{LIMIT}"})
    assert memory_limit(settings, found) == expected


def test_this_machine_has_some() -> None:
    assert 0 < memory_limit(MachineSettings()) < MACHINE
