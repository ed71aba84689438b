"""Which lines of a journal are believed: ralph's own, and wishes of persons (B2, O17)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.adapters.append_only import LONGEST
from ralph_wiggum.adapters.journal_seal import JournalReader, is_welcome, seal
from ralph_wiggum.core.journal import Entry, Noted, SkipAsked, StopAsked, Ticked
from ralph_wiggum.core.journal_lines import from_line, to_line

ONE, TWO, THREE = (Noted(text=text) for text in ("one", "two", "three"))
FORGED = Ticked(key="3")


def sealed(*entries: Entry, after: bytes = b"") -> bytes:
    """Return lines as ralph writes them, below what stood in the file before."""
    data = after
    for entry in entries:
        data += seal(to_line(entry).encode(), data)
    return data[len(after) :]


def plain(*entries: Entry) -> bytes:
    return "".join(map(to_line, entries)).encode()


def lines(data: bytes) -> list[bytes]:
    return [line + b"\n" for line in data.split(b"\n") if line]


OWN = sealed(ONE, TWO, THREE)
FIRST, SECOND, THIRD = lines(OWN)


@pytest.mark.parametrize(
    ("data", "believed"),
    [
        pytest.param(OWN, (ONE, TWO, THREE), id="its own"),
        pytest.param(plain(ONE, TWO), (ONE, TWO), id="a journal of an earlier version"),
        pytest.param(plain(ONE) + sealed(TWO, after=plain(ONE)), (ONE, TWO), id="an earlier one that went on"),
        pytest.param(OWN + plain(FORGED), (ONE, TWO, THREE), id="a line that an agent appended"),
        pytest.param(FIRST + plain(FORGED) + SECOND, (ONE, TWO), id="a line that an agent put in between"),
        pytest.param(
            plain(FORGED) + OWN, (FORGED, ONE, TWO, THREE), id="above all: nobody can tell it from an old one"
        ),
        pytest.param(OWN + SECOND, (ONE, TWO, THREE), id="a line that is there twice"),
        pytest.param(OWN + OWN, (ONE, TWO, THREE), id="all lines twice"),
        pytest.param(FIRST + SECOND.replace(b"two", b"2nd") + THIRD, (ONE, THREE), id="a line that was changed"),
        pytest.param(FIRST + THIRD, (ONE, THREE), id="a line that was taken out: those below it hold"),
        pytest.param(FIRST + SECOND[:20] + b"\n" + THIRD, (ONE, THREE), id="a torn line"),
        pytest.param(FIRST + b"\0" * 4096 + b"\n" + THIRD, (ONE, THREE), id="zeros after a power cut"),
        pytest.param(OWN + plain(SkipAsked(key="2")), (ONE, TWO, THREE, SkipAsked(key="2")), id="a wish to skip"),
        pytest.param(OWN + plain(StopAsked(target="r")), (ONE, TWO, THREE, StopAsked(target="r")), id="a wish to stop"),
        pytest.param(OWN + plain(ONE)[:-2] + b',"c":"0000000000000000"}\n', (ONE, TWO, THREE), id="a seal made up"),
        pytest.param(OWN + b'{"v":2,"event":"noted"}\n', (ONE, TWO, THREE), id="a line of a later version"),
        pytest.param(OWN.replace(b"\n", b"\n\n"), (ONE, TWO, THREE), id="empty lines"),
        pytest.param(OWN.replace(b"\n", b"\r\n"), (ONE, TWO, THREE), id="line endings that an editor changed"),
        pytest.param(b"", (), id="nothing"),
    ],
)
def test_which_lines_are_believed(data: bytes, believed: tuple[Entry, ...]) -> None:
    assert JournalReader().read(data) == believed


def test_it_makes_no_difference_in_how_many_pieces_a_journal_is_read() -> None:
    reader = JournalReader()
    for line in lines(OWN + plain(FORGED) + SECOND + b"garbage\n"):
        reader.read(line)
    assert (reader.foreign, reader.bad) == (2, 1)


def test_a_line_that_is_longer_than_any_of_ours_is_not_read() -> None:
    reader = JournalReader()
    assert reader.read(plain(Noted(text="x" * LONGEST))) == ()
    assert reader.bad == 1


def test_a_sealed_line_is_one_that_earlier_versions_read() -> None:
    assert [from_line(line.decode()) for line in lines(OWN)] == [ONE, TWO, THREE]
    assert {json.loads(line)["v"] for line in lines(OWN)} == {1}


@pytest.mark.parametrize(
    ("line", "welcome"),
    [(THIRD, True), (plain(SkipAsked(key="1")), True), (plain(FORGED), False), (b"garbage\n", False)],
    ids=["ours", "a wish", "forged", "garbage"],
)
def test_what_may_stand_in_a_journal_while_a_run_goes_on(line: bytes, *, welcome: bool) -> None:
    assert is_welcome(line.rstrip(b"\n")) is welcome


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_any_text_is_believed_once_it_was_sealed(texts: list[str]) -> None:
    entries = tuple(Noted(text=text) for text in texts)
    assert JournalReader().read(sealed(*entries)) == tuple(from_line(to_line(entry)) for entry in entries)


@given(st.binary(max_size=200), st.integers(min_value=0, max_value=len(SECOND) - 2), st.integers(1, 255))
def test_no_byte_can_change_and_no_bytes_can_join_unnoticed(junk: bytes, place: int, change: int) -> None:
    spoilt = bytearray(SECOND)
    spoilt[place] ^= change
    assert JournalReader().read(FIRST + bytes(spoilt) + junk + b"\n" + THIRD) == (ONE, THREE)
