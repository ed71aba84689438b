"""The battery, out of files as Linux has them (Documentation/ABI/testing/sysfs-class-power)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ralph_wiggum.adapters.machine.battery import Battery, read_battery

MAINS_OFF = {"type": "Mains", "online": "0"}
MAINS_ON = {"type": "Mains", "online": "1"}


def battery(percent: int, status: str, **more: str) -> dict[str, str]:
    return {"type": "Battery", "capacity": str(percent), "status": status, **more}


def supplies(folder: Path, given: dict[str, dict[str, str]]) -> Path:
    for name, files in given.items():
        (folder / name).mkdir()
        for file, text in files.items():
            (folder / name / file).write_text(f"{text}\n")
    return folder


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, None, id="a machine without any"),
        pytest.param({"AC": MAINS_ON}, None, id="mains alone"),
        pytest.param({"AC": MAINS_OFF, "BAT0": battery(12, "Discharging")}, Battery(12.0, discharging=True), id="on battery"),
        pytest.param({"AC": MAINS_ON, "BAT0": battery(12, "Charging")}, Battery(12.0, discharging=False), id="charging"),
        pytest.param({"AC": MAINS_ON, "BAT0": battery(12, "Discharging")}, Battery(12.0, discharging=False), id="a weak charger still feeds it"),
        pytest.param({"BAT0": battery(99, "Full")}, Battery(99.0, discharging=False), id="full"),
        pytest.param({"BAT0": battery(50, "Unknown")}, Battery(50.0, discharging=False), id="nobody knows"),
        pytest.param({"USBC": {"type": "USB", "online": "1"}, "BAT0": battery(7, "Discharging")}, Battery(7.0, discharging=False), id="fed by USB"),
        pytest.param({"mouse": battery(3, "Discharging", scope="Device")}, None, id="a mouse has a battery too"),
        pytest.param(
            {"BAT0": battery(0, "Discharging", energy_full="20000000"), "BAT1": battery(90, "Unknown", energy_full="60000000")},
            Battery(67.5, discharging=True),
            id="two batteries of different size",
        ),
        pytest.param({"BAT0": battery(10, "Discharging"), "BAT1": battery(30, "Full")}, Battery(20.0, discharging=True), id="two of unknown size"),
        pytest.param({"BAT0": {"type": "Battery", "capacity": "lots", "status": "Discharging"}}, None, id="no figure"),
        pytest.param({"BAT0": {"type": "Battery"}}, None, id="no files"),
    ],
)  # fmt: skip
def test_all_batteries_of_the_machine_count(
    tmp_path: Path, given: dict[str, dict[str, str]], expected: Battery | None
) -> None:
    assert read_battery(supplies(tmp_path, given), linux=True) == expected


def test_a_folder_that_is_not_there_is_no_battery(tmp_path: Path) -> None:
    assert read_battery(tmp_path / "absent", linux=True) is None


def test_psutil_is_asked_elsewhere() -> None:
    found = read_battery(linux=False)
    assert found is None or 0 <= found.percent <= 100
