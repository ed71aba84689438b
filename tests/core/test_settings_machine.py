"""machine.* and logs.*: sizes with units, shares, and bounds that fit together (B7, O34)."""

from __future__ import annotations

import pytest

from ralph_wiggum.core import layers
from ralph_wiggum.core.errors import RalphError
from ralph_wiggum.core.layers import Layer
from ralph_wiggum.core.settings import LogSettings, MachineSettings, Settings, limits


def merged(*data: dict[str, object]) -> Settings:
    return layers.merge([Layer(source=f"layer {number}", data=each) for number, each in enumerate(data, 1)])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"keep_awake": False}, MachineSettings(keep_awake=False)),
        ({"min_disk": "2 GB"}, MachineSettings(min_disk=2_000_000_000)),
        ({"min_disk": 0}, MachineSettings(min_disk=0)),
        ({"min_battery": 25}, MachineSettings(min_battery=25.0)),
        ({"min_battery": 0}, MachineSettings(min_battery=0.0)),
        ({"max_memory": "4 GiB"}, MachineSettings(max_memory=4 << 30)),
        ({"max_memory": 0}, MachineSettings(max_memory=0)),
        ({"max_memory": "50%"}, MachineSettings(max_memory=None, memory_share=0.5)),
    ],
)
def test_keys_of_the_machine(given: dict[str, object], expected: MachineSettings) -> None:
    assert merged({"machine": given}).machine == expected


def test_a_share_of_a_strong_layer_replaces_a_size_of_a_weak_one() -> None:
    settings = merged({"machine": {"max_memory": "50%"}}, {"machine": {"max_memory": "1 GB", "min_battery": 5}})
    assert settings.machine == MachineSettings(max_memory=None, memory_share=0.5, min_battery=5.0)


def test_keys_of_the_logs() -> None:
    settings = merged({"logs": {"attempt": "100 kB", "runs": 3}}, {"logs": {"total": "50 MB", "runs": 5}})
    assert settings.logs == LogSettings(attempt=100_000, runs=3, total=50_000_000)
    assert settings.origin["logs.total"] == "layer 2"


def test_limits_of_an_attempt_hold_them() -> None:
    found = limits(merged({"machine": {"min_disk": "1 GB"}, "logs": {"attempt": "100 kB"}}))
    assert (found.disk_bytes, found.log_bytes, found.memory_bytes, found.end_at) == (1_000_000_000, 100_000, 0, 0.0)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"machine": {"min_disk": 500}}, "machine.min_disk: expected a size, found the number 500"),
        ({"machine": {"min_disk": False}}, "machine.min_disk: expected a size, found the truth value false"),
        ({"machine": {"min_disk": "lots"}}, "machine.min_disk: 'lots' is no size"),
        ({"machine": {"min_battery": "10%"}}, "machine.min_battery: expected per cent, found the text '10%'"),
        ({"machine": {"min_battery": 101}}, "machine.min_battery: must be from 0 to 100, found 101"),
        ({"machine": {"max_memory": "120%"}}, "machine.max_memory: must be more than 0% and 100% at most"),
        ({"machine": {"max_memory": "0%"}}, "machine.max_memory: must be more than 0% and 100% at most"),
        ({"machine": {"max_memory": "1 MB"}}, "machine.max_memory: must be 50 MB or more, found 1 MB"),
        ({"machine": {"max_memory": True}}, "machine.max_memory: expected a size, found the truth value true"),
        ({"machine": {"min_dsik": "1 GB"}}, "machine.min_dsik: unknown key; did you mean min_disk?"),
        ({"machine": {"keep_awake": "yes"}}, "machine.keep_awake: expected true or false"),
        ({"logs": {"attempt": "1 kB"}}, "logs.attempt: must be 10 kB or more"),
        ({"logs": {"attempt": 0}}, "logs.attempt: expected a size, found the number 0"),
        ({"logs": {"runs": 0}}, "logs.runs: must be 1 or more"),
        ({"logs": {"total": "10 MB"}}, "logs.total: 10,000,000 bytes for all logs, 2,000,000 for that of one attempt"),
        ({"logs": {"attempt": "100 MB"}}, "logs.attempt: 500,000,000 bytes for all logs, 100,000,000"),
    ],
)
def test_what_cannot_be_is_said(data: dict[str, object], said: str) -> None:
    with pytest.raises(RalphError) as caught:
        merged(data)
    assert said in str(caught.value)
    assert caught.value.hint
