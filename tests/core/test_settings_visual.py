"""O25: `visual_validation` of the settings, and what cannot be."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ralph_wiggum.core import layers
from ralph_wiggum.core.errors import Exit, RalphError
from ralph_wiggum.core.layers import Layer
from ralph_wiggum.core.settings import Settings, VisualSettings

WEB = {"command": "npm run dev", "ready": "http://localhost:5173/health"}


def _merge(visual: object, **more: object) -> Settings:
    return layers.merge([Layer(source="here", data={"visual_validation": visual, **more})])


@pytest.mark.parametrize(
    "tool",
    [
        "agent-browser",
        "node_modules/.bin/agent-browser",
        "/opt/agent-browser/bin/agent-browser-linux-x64",
        "../agent-browser.js",
    ],
)
def test_the_tool_may_lie_anywhere(tool: str) -> None:
    assert _merge({"tool": tool}).visual.tool == tool


@pytest.mark.parametrize(
    ("given", "sizes"),
    [
        pytest.param(["375x812", "1280 X 800"], ((375, 812), (1280, 800)), id="texts"),
        pytest.param([[375, 812]], ((375, 812),), id="pairs"),
        pytest.param("375×812", ((375, 812),), id="a single one"),
        pytest.param([], (), id="none"),
    ],
)
def test_sizes_of_the_page(given: object, sizes: tuple[tuple[int, int], ...]) -> None:
    assert _merge({"viewports": given}).visual.viewports == sizes


@pytest.mark.parametrize(
    ("server", "given", "pages"),
    [
        pytest.param(WEB, ["/", "/a?b=c"], ("http://localhost:5173/", "http://localhost:5173/a?b=c"), id="paths lie on the server"),
        pytest.param({**WEB, "url": "http://[::1]:80/app/"}, ["/login"], ("http://[::1]:80/login",), id="on its own URL first"),
        pytest.param({**WEB, "url": "http://x.test?a"}, ["/b"], ("http://x.test/b",), id="on a URL without a path"),
        pytest.param(WEB, ["https://x.test/ü"], ("https://x.test/ü",), id="a whole URL"),
        pytest.param(WEB, None, ("http://localhost:5173/health",), id="none named: where the server is"),
        pytest.param({"command": "x", "ready": 5432}, None, (), id="a server without pages"),
    ],
)  # fmt: skip
def test_pages_come_out_whole(server: Mapping[str, object], given: object, pages: tuple[str, ...]) -> None:
    assert _merge({"pages": given}, servers={"web": server}).visual.pages == pages


def test_pages_lie_on_the_server_that_no_other_one_needs() -> None:
    """The one that people open stands in front of those it depends on, whatever starts first."""
    servers = {"web": {**WEB, "depends_on": ["api"]}, "api": {"command": "x", "ready": "http://localhost:8000"}}
    assert _merge({"pages": ["/login"]}, servers=servers).visual.pages == ("http://localhost:5173/login",)


def test_layers_are_merged_key_by_key() -> None:
    strong = Layer(source="strong", data={"visual_validation": {"timeout": 5, "ignore_console": ["a"]}})
    weak = Layer(source="weak", data={"visual_validation": {"ignore_console": ["b"], "compare": True}})
    found = layers.merge([strong, weak]).visual
    assert found == VisualSettings(timeout=5.0, ignore_console=("a",), compare=True)


@pytest.mark.parametrize(
    ("given", "said", "hint"),
    [
        pytest.param({"tool": "playwright"}, "visual_validation.tool: 'playwright' is another tool: only agent-browser is known", "a path to it", id="another tool"),
        pytest.param({"tool": "/opt/agent-browser/bin/run"}, "is another tool", "a path to it", id="a folder of that name is not the tool"),
        pytest.param({"enabled": "no"}, "visual_validation.enabled: expected true or false, found the text 'no'", "", id="no in quotes"),
        pytest.param({"browser": True}, "visual_validation.browser: expected a text", "", id="true for a browser"),
        pytest.param({"browser_args": [1]}, "visual_validation.browser_args.1: expected a text", "", id="a number for an argument"),
        pytest.param({"screenshot_dir": "shots"}, "visual_validation.screenshot_dir: holds {feature} 0 times", "{feature}", id="one folder for all specs"),
        pytest.param({"screenshot_dir": "../{feature}"}, "leads out of the project", "relative", id="a folder outside"),
        pytest.param({"screenshot_dir": "x/{spec}"}, "{spec} is unknown here", "{feature}", id="another placeholder"),
        pytest.param({"screenshot_dir": ".kiro/specs/{feature}"}, ".kiro/specs/{feature} holds the file of state_storage.task_status too", ".kiro/specs/{feature}/screenshots/", id="the folder of the plan"),
        pytest.param({"pages": ["login"]}, "visual_validation.pages.1: 'login' is no URL", "http://localhost:5173", id="a page that is neither URL nor path"),
        pytest.param({"pages": ["//x.test/"]}, "visual_validation.pages.1: '//x.test/' is no path of a page", "/login", id="a URL without a scheme"),
        pytest.param({"pages": ["/", "/a b"]}, "visual_validation.pages.2: '/a b' is no path", "%20", id="a space"),
        pytest.param({"pages": ["file:///etc/passwd"]}, "is no URL: it does not begin with http://", "", id="a file"),
        pytest.param({"pages": ["https://x.test", "/login"]}, "visual_validation.pages.2: /login lies below a server's URL, and no server has one", "a url", id="a path without a server"),
        pytest.param({"viewports": [375, 812]}, "visual_validation.viewports.1: expected a size such as 375x812, found the number 375", "[375, 812]", id="one size as two numbers"),
        pytest.param({"viewports": ["375"]}, "visual_validation.viewports.1: expected a size", "375x812", id="a width alone"),
        pytest.param({"viewports": ["0x800"]}, "visual_validation.viewports.1: must be 1 or more", "", id="no width"),
        pytest.param({"viewports": ["10001x1"]}, "10001 pixels are more than 10000", "", id="a page as wide as a house"),
        pytest.param({"viewports": [[1, "2"]]}, "visual_validation.viewports.1: expected a whole number", "", id="a height in quotes"),
        pytest.param({"viewports": 375}, "visual_validation.viewports: expected a list of sizes", "375x812", id="a number"),
        pytest.param({"before": ["npm run login"]}, "visual_validation.before.1: 'npm run login' is no agent-browser command", "agent-browser open", id="another program"),
        pytest.param({"before": ["agent-browser"]}, "visual_validation.before.1: 'agent-browser' is no agent-browser command", "", id="the tool without a command"),
        pytest.param({"before": ["agent-browser fill '#a"]}, "visual_validation.before.1: cannot be split into arguments", "quote", id="a quote that does not end"),
        pytest.param({"timeout": 0}, "visual_validation.timeout: must be more than 0 seconds", "", id="no time"),
        pytest.param({"ignore_console": ["a("]}, "visual_validation.ignore_console.1: 'a(' is not a regular expression", "", id="a bad pattern of errors"),
        pytest.param({"ignore_requests": ["["]}, "visual_validation.ignore_requests.1: '[' is not a regular expression", "", id="a bad pattern of URLs"),
        pytest.param({"compare": 1}, "visual_validation.compare: expected true or false", "", id="a number for true"),
        pytest.param({"viewport": ["1x1"]}, "visual_validation.viewport: unknown key; did you mean viewports?", "screenshot_dir", id="a near miss"),
        pytest.param(True, "visual_validation: expected a mapping", "", id="true for all of it"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(given: object, said: str, hint: str) -> None:
    """O34, design part 2: exit 2 with file, key path and what would be right."""
    with pytest.raises(RalphError) as caught:
        _merge(given)
    assert str(caught.value).startswith("here: visual_validation")
    assert said in str(caught.value)
    assert caught.value.hint
    assert hint in caught.value.hint
    assert caught.value.code is Exit.BAD_INPUT


def test_a_plan_that_is_kept_among_the_screenshots_is_refused() -> None:
    """What the runner owns as screenshots is not watched; the plan must be."""
    storage = {"task_status": "screenshots/{feature}/tasks.md"}
    with pytest.raises(RalphError, match=r"holds the file of state_storage\.task_status too"):
        _merge({"compare": True}, state_storage=storage)
