"""O23: `servers` of the settings, from plain values to what the runner starts, in order; and what cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ralph_wiggum.core import layers, server_rules
from ralph_wiggum.core.errors import Exit, RalphError
from ralph_wiggum.core.layers import Layer
from ralph_wiggum.core.settings import Ready, ServerSettings, Settings

WEB: Mapping[str, Any] = {"command": "npm run dev", "ready": "http://localhost:5173"}
API: Mapping[str, Any] = {"command": "uvicorn app:app", "ready": 8000}


def _merge(*data: Mapping[str, object]) -> Settings:
    return layers.merge([Layer(source=f"layer {number}", data=each) for number, each in enumerate(data, 1)])


def _servers(given: Mapping[str, object]) -> tuple[ServerSettings, ...]:
    return _merge({"servers": given}).servers


def _names(given: Mapping[str, object]) -> list[str]:
    return [server.name for server in _servers(given)]


def test_the_example_of_the_design() -> None:
    """Design, part 2."""
    given = {"web": {"command": "npm run dev", "cwd": "frontend", "ready": "http://localhost:5173", "attempts": 30}}
    ready = Ready(url="http://localhost:5173")
    assert _servers(given) == (ServerSettings(name="web", command="npm run dev", ready=ready, cwd="frontend"),)


def test_every_key_reaches_the_server() -> None:
    """O34: none is read and then ignored."""
    given = {
        "api": API,
        "web": {
            "command": "npm run dev -- --port {port}",
            "cwd": "./frontend",
            "env": {"API": "http://localhost:8000", "WORKERS": 2},
            "ready": {"url": "http://localhost:5173/health", "status": 204},
            "url": "http://localhost:5173/",
            "attempts": 5,
            "interval": 0.5,
            "request_timeout": 2,
            "setup": ["npm ci", "npm run migrate"],
            "setup_timeout": 60,
            "depends_on": "api",
            "reloads": False,
        },
    }
    assert _servers(given)[1] == ServerSettings(
        name="web",
        command="npm run dev -- --port {port}",
        ready=Ready(url="http://localhost:5173/health", statuses=((204, 204),)),
        cwd="frontend",
        env={"API": "http://localhost:8000", "WORKERS": "2"},
        url="http://localhost:5173/",
        attempts=5,
        interval=0.5,
        request_timeout=2.0,
        setup=("npm ci", "npm run migrate"),
        setup_timeout=60.0,
        depends_on=("api",),
        reloads=False,
    )


@pytest.mark.parametrize(("given", "expected"), [("auto", None), (True, True), (False, False)])
def test_whether_a_server_reloads(given: object, *, expected: bool | None) -> None:
    assert _servers({"web": {**WEB, "reloads": given}})[0].reloads is expected


def test_auto_of_a_nearer_layer_takes_back_what_another_one_says() -> None:
    merged = _merge({"servers": {"web": {"reloads": "auto"}}}, {"servers": {"web": {**WEB, "reloads": True}}})
    assert merged.servers[0].reloads is None


@pytest.mark.parametrize(
    ("given", "ready"),
    [
        pytest.param("http://localhost:5173", Ready(url="http://localhost:5173"), id="a URL"),
        pytest.param("HTTPS://x.test/a?b=c#d", Ready(url="HTTPS://x.test/a?b=c#d"), id="a URL without a port"),
        pytest.param("http://[::1]:80/", Ready(url="http://[::1]:80/"), id="a URL with an address of IPv6"),
        pytest.param(5173, Ready(port=5173), id="a port"),
        pytest.param({"port": 65535, "host": "::1"}, Ready(port=65535, host="::1"), id="a port of another address"),
        pytest.param({"log": "ready in \\d+ ms"}, Ready(log="ready in \\d+ ms"), id="a line of its output"),
        pytest.param({"url": "http://x.test"}, Ready(url="http://x.test"), id="a URL in a mapping"),
    ],
)
def test_when_a_server_is_ready(given: object, ready: Ready) -> None:
    assert _servers({"web": {"command": "x", "ready": given}})[0].ready == ready


@pytest.mark.parametrize(
    ("given", "statuses"),
    [
        pytest.param(200, ((200, 200),), id="a number"),
        pytest.param("404", ((404, 404),), id="a number in quotes"),
        pytest.param("2xx", ((200, 299),), id="a class"),
        pytest.param("4XX", ((400, 499),), id="a class in capitals"),
        pytest.param("200-399", ((200, 399),), id="a range"),
        pytest.param("200 - 200", ((200, 200),), id="a range of one"),
        pytest.param([200, "3xx", "401-403"], ((200, 200), (300, 399), (401, 403)), id="a list"),
        pytest.param("100-599", ((100, 599),), id="whatever answers"),
    ],
)
def test_which_answers_mean_ready(given: object, statuses: tuple[tuple[int, int], ...]) -> None:
    ready = {"url": "http://localhost:1/", "status": given}
    assert _servers({"web": {"command": "x", "ready": ready}})[0].ready.statuses == statuses


@pytest.mark.parametrize(
    ("given", "order"),
    [
        pytest.param({"c": [], "a": [], "b": []}, ["c", "a", "b"], id="as written"),
        pytest.param({"web": ["api"], "api": ["db"], "db": []}, ["db", "api", "web"], id="each after what it needs"),
        pytest.param({"web": ["db", "api"], "api": ["db"], "x": [], "db": []}, ["db", "api", "web", "x"], id="a diamond"),
    ],
)  # fmt: skip
def test_servers_come_after_those_that_they_need(given: Mapping[str, list[str]], order: list[str]) -> None:
    servers = {
        name: {"command": "x", "ready": number, "depends_on": needed}
        for number, (name, needed) in enumerate(given.items(), 1)
    }
    assert _names(servers) == order


def test_a_server_is_merged_key_by_key() -> None:
    """Design, part 2: as agents are; lists and `ready` as a whole."""
    merged = _merge(
        {"servers": {"web": {"ready": {"port": 3000}, "env": {"A": 1}}}},
        {"servers": {"api": API, "web": {**WEB, "env": {"B": 2}, "attempts": 3}}},
    )
    by_name = {server.name: server for server in merged.servers}
    web = ServerSettings(name="web", command="npm run dev", ready=Ready(port=3000), env={"A": "1"}, attempts=3)
    assert by_name == {"web": web, "api": ServerSettings(name="api", command="uvicorn app:app", ready=Ready(port=8000))}
    assert (merged.origin["servers.web.ready"], merged.origin["servers.web.command"]) == ("layer 1", "layer 2")


def test_a_server_without_a_value_is_absent() -> None:
    assert _merge({"servers": {"web": None}}, {"servers": None}).servers == ()


@pytest.mark.parametrize(
    "server",
    [
        pytest.param({"command": "x --port {port}", "ready": 80}, id="a port that is wanted"),
        pytest.param({"command": "x", "env": {"PORT": "{port}"}, "ready": "http://localhost:80"}, id="a port of a URL"),
        pytest.param({"command": "x {prot}", "ready": {"log": "up"}}, id="other braces are the shell's"),
    ],
)
def test_a_free_port_has_somewhere_to_go(server: Mapping[str, object]) -> None:
    assert _servers({"web": server})[0].command == server["command"]


@pytest.mark.parametrize(
    ("given", "front"),
    [
        pytest.param({"api": API, "web": WEB}, "web", id="a port alone has no pages"),
        pytest.param({"web": {**WEB, "depends_on": ["api"]}, "api": {**API, "ready": "http://localhost:1"}}, "web", id="what others need stands behind them"),
        pytest.param({"a": WEB, "b": {**WEB, "ready": "http://localhost:1"}}, "a", id="else the first"),
        pytest.param({"a": {**API, "url": "http://localhost:8000"}}, "a", id="a URL of its own"),
        pytest.param({"a": WEB, "w": {**API, "depends_on": ["a"]}}, "a", id="the only one with pages"),
    ],
)  # fmt: skip
def test_whose_pages_people_look_at(given: Mapping[str, object], front: str) -> None:
    found = server_rules.front(_servers(given))
    assert found is not None
    assert found.name == front


def _web(**changes: object) -> dict[str, object]:
    return {"web": {**WEB, **changes}}


@pytest.mark.parametrize(
    ("given", "said", "hint"),
    [
        pytest.param({"web": {"command": "x"}}, "servers.web: has no ready", "add ready: a URL such as http://localhost:5173", id="nothing to wait for"),
        pytest.param({"web": {"ready": 1}}, "servers.web: has no command", "add command", id="nothing to start"),
        pytest.param({"web": "npm run dev"}, "servers.web: expected a mapping (key: value), found the text 'npm run dev'", "", id="a command for a server"),
        pytest.param(["npm run dev"], "servers: expected a mapping (key: value), found a list", "", id="a list of servers"),
        pytest.param({"my web": WEB}, "servers.\"my web\": 'my web' cannot be the name of a server", "letters, digits", id="a name with a space"),
        pytest.param({"../web": WEB}, "'../web' cannot be the name of a server", "letters", id="a name that is a path"),
        pytest.param({".": WEB}, "'.' cannot be the name of a server", "letters", id="a name that is a folder"),
        pytest.param({"w" * 61: WEB}, "cannot be the name of a server", "60", id="a long name"),
        pytest.param(_web(comand="x"), "servers.web.comand: unknown key; did you mean command?", "depends_on", id="a near miss"),
        pytest.param(_web(command=["npm", "run"]), "servers.web.command: expected a text, found a list", "", id="a list for a command"),
        pytest.param(_web(command=" "), "servers.web.command: the text is empty", "", id="an empty command"),
        pytest.param(_web(cwd="../other"), "servers.web.cwd: '../other' leads out of the project", "relative", id="a folder outside"),
        pytest.param(_web(cwd="/srv"), "servers.web.cwd: '/srv' leads out of the project", "relative", id="an absolute folder"),
        pytest.param(_web(env={"A": True}), "servers.web.env.A: expected a text, found the truth value true", "quotes", id="true in the environment"),
        pytest.param(_web(env=["A=1"]), "servers.web.env: expected a mapping", "", id="a list for the environment"),
        pytest.param(_web(attempts=0), "servers.web.attempts: must be 1 or more", "", id="no attempts"),
        pytest.param(_web(interval="1s"), "servers.web.interval: expected seconds", "", id="an interval with a unit"),
        pytest.param(_web(request_timeout=0), "servers.web.request_timeout: must be more than 0 seconds", "", id="no time to answer"),
        pytest.param(_web(setup=[1]), "servers.web.setup.1: expected a text", "", id="a number to set up"),
        pytest.param(_web(setup_timeout=-1), "servers.web.setup_timeout: must be more than 0", "", id="less than no time"),
        pytest.param(_web(url="localhost:5173"), "servers.web.url: 'localhost:5173' is no URL: it does not begin with http:// or https://", "http://localhost:5173", id="a URL without a scheme"),
        pytest.param(_web(url=5173), "servers.web.url: expected a text, found the number 5173", "", id="a port for a URL"),
        pytest.param(_web(ready="ftp://x.test"), "servers.web.ready: 'ftp://x.test' is no URL: it does not begin with", "http://", id="ftp"),
        pytest.param(_web(ready="http://"), "'http://' is no URL: the host is missing or wrong", "", id="no host"),
        pytest.param(_web(ready="http://:5173"), "is no URL: the host is missing or wrong", "", id="a port without a host"),
        pytest.param(_web(ready="http://localhost:x"), "is no URL: the host is missing or wrong", "", id="a port of letters"),
        pytest.param(_web(ready="http://localhost:70000"), "servers.web.ready.port: 70000 is no port", "65535", id="a port out of range in a URL"),
        pytest.param(_web(ready="http://me:secret@x.test"), "a name or a password before the host cannot be sent", "", id="a password"),
        pytest.param(_web(ready="http://localhost:1/a b"), "is no URL: it holds a space", "", id="a space"),
        pytest.param(_web(ready="http://localhost:1/ü"), "holds letters outside of ASCII", "%C3%BC", id="letters that are not sent so"),
        pytest.param(_web(ready="http://localhost:{port}"), "{port} belongs in the command", "http://localhost:5173", id="a placeholder for the wanted port"),
        pytest.param(_web(ready="5173"), "'5173' is no URL", "", id="a port in quotes"),
        pytest.param(_web(ready=0), "servers.web.ready: 0 is no port", "65535", id="port 0"),
        pytest.param(_web(ready=True), "servers.web.ready: expected a URL, a port or a mapping, found the truth value true", "{log:", id="true"),
        pytest.param(_web(ready=["http://x.test"]), "servers.web.ready: expected a URL, a port or a mapping, found a list", "", id="a list"),
        pytest.param(_web(ready={}), "servers.web.ready: has neither url nor port nor log", "one of", id="an empty mapping"),
        pytest.param(_web(ready={"url": "http://x.test", "port": 1}), "servers.web.ready: has url and port", "one of", id="two ways to be ready"),
        pytest.param(_web(ready={"prot": 1}), "servers.web.ready.prot: unknown key; did you mean port?", "url, port, log", id="a near miss in ready"),
        pytest.param(_web(ready={"port": "1"}), "servers.web.ready.port: expected a port, found the text '1'", "without quotes", id="a port as a text"),
        pytest.param(_web(ready={"log": "a("}), "servers.web.ready.log: 'a(' is not a regular expression", "backslash", id="a bad pattern"),
        pytest.param(_web(ready={"port": 1, "status": 200}), "servers.web.ready.status: goes with url only, and here is port", "url", id="a status of a port"),
        pytest.param(_web(ready={"log": "x", "host": "a"}), "servers.web.ready.host: goes with port only, and here is log", "port", id="a host of a log"),
        pytest.param(_web(ready={"port": 1, "host": "a/b"}), "servers.web.ready.host: 'a/b' is no host", "localhost", id="a path for a host"),
        pytest.param(_web(ready={"url": "http://x.test", "status": 99}), "servers.web.ready.status: 99 is no status from 100 to 599", "2xx", id="a status too low"),
        pytest.param(_web(ready={"url": "http://x.test", "status": "500-600"}), "500-600 is no status from 100 to 599", "", id="a range too high"),
        pytest.param(_web(ready={"url": "http://x.test", "status": "399-200"}), "399-200 is no status", "", id="a range backwards"),
        pytest.param(_web(ready={"url": "http://x.test", "status": "ok"}), "ok is no status", "", id="a word for a status"),
        pytest.param(_web(ready={"url": "http://x.test", "status": [200, "9xx"]}), "servers.web.ready.status.2: 9xx is no status", "", id="a strange class"),
        pytest.param(_web(ready={"url": "http://x.test", "status": []}), "servers.web.ready.status: the list is empty", "", id="no status"),
        pytest.param(_web(ready={"url": "http://x.test", "status": True}), "servers.web.ready.status: expected a status", "", id="true for a status"),
        pytest.param(_web(reloads="yes"), "servers.web.reloads: expected auto, true or false, found the text 'yes'", "write true", id="a word for the truth"),
        pytest.param(_web(depends_on=["api"]), "servers.web.depends_on.1: there is no server api", "choose from web", id="an unknown server"),
        pytest.param(_web(depends_on=["web"]), "servers.web.depends_on: goes round in a circle: web -> web", "", id="a server that needs itself"),
        pytest.param({"a": {**API, "ready": 1, "depends_on": ["b"]}, "b": {**API, "ready": 2, "depends_on": ["c"]}, "c": {**API, "ready": 3, "depends_on": "a"}}, "servers.c.depends_on: goes round in a circle: a -> b -> c -> a", "", id="a circle"),
        pytest.param({"x": {**API, "ready": 9, "depends_on": ["a"]}, "a": {**API, "ready": 1, "depends_on": ["b"]}, "b": {**API, "ready": 2, "depends_on": ["a"]}}, "servers.b.depends_on: goes round in a circle: a -> b -> a", "", id="a circle with a way into it"),
        pytest.param(_web(command="x {port}", ready={"log": "up"}), "servers.web.command: holds {port}, but ready names no port", "web.ready", id="a free port that nobody finds"),
        pytest.param(_web(command="x {port}", ready="http://localhost/"), "servers.web.command: holds {port}, but ready names no port", "5173", id="a free port for port 80"),
        pytest.param(_web(env={"PORT": "{port}"}, ready={"log": "up"}), "servers.web.env.PORT: holds {port}, but ready names no port", "", id="a free port in the environment"),
        pytest.param({"web": WEB, "api": {**API, "ready": 5173}}, "servers.api.ready: wants port 5173, as web does", "of its own", id="one port for two"),
        pytest.param({"web": WEB, "api": {**API, "ready": "http://127.0.0.1:5173/x"}}, "servers.api.ready: wants port 5173, as web does", "", id="one port by two names"),
        pytest.param({"a": _web(ready="https://x.test")["web"], "b": _web(ready="https://x.test:443/b")["web"]}, "servers.b.ready: wants port 443", "", id="the port that a scheme implies"),
        pytest.param({"a": WEB, "b": {**API, "ready": {"log": "up"}, "url": "http://[::1]:5173"}}, "servers.b.ready: wants port 5173", "", id="the port of its own URL"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(given: object, said: str, hint: str) -> None:
    """O34, design part 2: exit 2 with file, key path and what would be right."""
    with pytest.raises(RalphError) as caught:
        _merge({"servers": given})
    assert str(caught.value).startswith("layer 1: servers")
    assert said in str(caught.value)
    assert caught.value.hint
    assert hint in caught.value.hint
    assert caught.value.code is Exit.BAD_INPUT


def test_one_port_on_two_machines_is_no_clash() -> None:
    assert _names({"a": _web(ready="http://a.test:1")["web"], "b": _web(ready="http://b.test:1")["web"]}) == ["a", "b"]


def test_the_layer_that_named_the_key_is_blamed() -> None:
    """Design, part 2: file and line of the key, not of a stronger or weaker file."""
    strong = Layer(source="strong", data={"servers": {"api": API}}, lines={("servers",): 1, ("servers", "api"): 2})
    weak = Layer(
        source="weak",
        data={"servers": {"web": {**WEB, "depends_on": ["db"]}}},
        lines={("servers",): 3, ("servers", "web"): 4, ("servers", "web", "depends_on"): 5},
    )
    with pytest.raises(RalphError, match=r"^weak:5: servers\.web\.depends_on\.1: "):
        layers.merge([strong, weak])


def test_what_is_missing_is_blamed_on_a_layer_that_names_the_server() -> None:
    layer = Layer(source="here", data={"servers": {"api": API, "web": {"cwd": "x"}}}, lines={("servers", "web"): 7})
    with pytest.raises(RalphError, match=r"^here:7: servers\.web: has no command"):
        layers.merge([layer, Layer(source="weak", data={"servers": {"api": API}})])
