"""What `ralph servers` prints."""

from __future__ import annotations

from ralph_wiggum.core.servers import report
from ralph_wiggum.core.servers.report import Row
from ralph_wiggum.core.servers.standing import Health, Standing

UP = Row(
    name="web",
    state="up",
    url="http://localhost:5173",
    by=report.COMMAND,
    pid=42,
    since="2026-11-20T22:00:05+01:00",
    log=".ralph/logs/web.log",
)


def test_a_line_for_each_server() -> None:
    rows = [UP, Row(name="database", state="down"), Row(name="api", state="bad", by=report.OTHER, reason="a\x1b[31mb")]
    assert report.lines(rows) == [
        "up        web       http://localhost:5173  by `ralph servers up`, pid 42, since 2026-11-20 22:00, log .ralph/logs/web.log",
        "down      database",
        "bad       api                              by somebody else, ab",
    ]


def test_rows_as_json() -> None:
    assert report.as_json([UP]) == [
        {
            "name": "web",
            "state": "up",
            "url": "http://localhost:5173",
            "by": "up",
            "pid": 42,
            "since": "2026-11-20T22:00:05+01:00",
            "log": ".ralph/logs/web.log",
            "reason": "",
        }
    ]


def test_what_came_up_and_what_did_not() -> None:
    standings = [
        Standing(name="web", health=Health.UP, url="http://localhost:1", ours=True, log="web.log"),
        Standing(name="api", health=Health.UP, url="http://localhost:2"),
        Standing(
            name="db",
            health=Health.FAILED,
            reason="it ended",
            log="db.log",
            tail="\n".join("abcdefghijklmnopqrstuvwxyz"),
        ),
        Standing(name="bad", health=Health.UP, reason="answers 500"),
    ]
    lines = report.brought_up(standings)
    assert lines[0] == "up  web  http://localhost:1  log web.log"
    assert lines[1] == "up  api  http://localhost:2  it was up already, and is left alone"
    assert lines[2] == "not up  db  it ended"
    assert lines[3:23] == [f"    {letter}" for letter in "ghijklmnopqrstuvwxyz"]
    assert lines[23:] == ["  log db.log", "not up  bad  answers 500"]
    assert not report.all_up(standings)
    assert report.all_up(standings[:2])
