"""What a task's commands may do, and with which options."""

from __future__ import annotations

import pytest

from ralph_wiggum.core.visual.policy import Ruled, outside, positional, read_paths, rule, written_path, wrong_ending


@pytest.mark.parametrize(
    ("words", "argv"),
    [
        ("open http://localhost:5173/", "open http://localhost:5173/"),
        ("open localhost:5173/a", "open localhost:5173/a"),
        ("open /login", "open /login"),
        ("open", "open"),
        ("open about:blank", "open about:blank"),
        ("wait --load networkidle", "wait --load networkidle"),
        ("wait #menu --state hidden", "wait #menu --state hidden"),
        ("find role button click --name Go", "find role button click --name Go"),
        ("set viewport 375 812", "set viewport 375 812"),
        ("network route **/api/* --abort", "network route **/api/* --abort"),
        ("auth login shop", "auth login shop"),
        ("state load login.json", "state load login.json"),
        ("close --all", "close --all"),
        ("--headers {} open /", "open --headers {} /"),
        ("tab -p", "tab -p"),
    ],
)
def test_what_looks_at_a_page_may_run(words: str, argv: str) -> None:
    assert rule(words.split()) == Ruled(argv=tuple(argv.split()))


@pytest.mark.parametrize(
    ("words", "argv", "notes"),
    [
        ("--session mine is visible #a", "is visible #a", ["without --session"]),
        ("open / --json --headed false", "open /", ["without --json", "without --headed"]),
        ("--session=mine --debug snapshot", "snapshot", ["without --session", "without --debug"]),
        ("-v snapshot", "snapshot", ["without -v"]),
        ("--headed open /", "open /", ["without --headed"]),
        ("open / --download-path /etc", "open /", ["without --download-path"]),
        ("console --clear", "console", ["without --clear"]),
        ("network requests --clear", "network requests", ["without --clear"]),
    ],
)
def test_options_that_are_the_runners_are_left_out(words: str, argv: str, notes: list[str]) -> None:
    assert rule(words.split()) == Ruled(argv=tuple(argv.split()), notes=tuple(notes))


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("install", "`install` may not run: it changes what is installed"),
        ("install --with-deps", "`install` may not run: it changes what is installed"),
        ("connect 9222", "`connect` may not run: it would leave the runner's own browser"),
        ("dashboard start", "`dashboard` may not run: it would keep running after the validation"),
        ("record start a.webm", "`record` may not run: it would keep running after the validation"),
        ("network har start", "`network har` may not run: the runner records requests itself"),
        ("auth save shop", "`auth save` may not run: only `auth login` may run"),
        ("state save a.json", "`state save` may not run: only `state load` may run"),
        ("--cdp 9222 snapshot", "`--cdp` may not be used: it would leave the runner's own browser"),
        ("snapshot --cdp=9222", "`--cdp` may not be used: it would leave the runner's own browser"),
        ("-p ios open /", "`-p` may not be used: it would leave the runner's own browser"),
        ("open / --profile Default", "`--profile` may not be used: it would use the person's own logins"),
        ("eval --stdin", "`--stdin` may not be used: there is nothing to read"),
        ("open chrome://settings", "chrome://settings is no page that can be opened here"),
        ("open javascript:alert(1)", "javascript:alert(1) is no page that can be opened here"),
        ("open view-source:file:///etc", "view-source:file:///etc is no page that can be opened here"),
        (
            "open https://localhost/ --ignore-https-errors",
            (
                "`--ignore-https-errors` is for the start of the browser; put it into visual_validation.browser_args, as "
                "`--ignore-certificate-errors`"
            ),
        ),
        (
            "--color-scheme=dark open /",
            "`--color-scheme` is for the start of the browser; use the command `set media dark` or `set media light`",
        ),
        (
            "open / --args --mute-audio",
            "`--args` is for the start of the browser; put its value into visual_validation.browser_args",
        ),
        (
            "--init-script a.js open /",
            "`--init-script` is for the start of the browser; use the command `addscript` once the page is open",
        ),
        (
            "open / --user-agent me",
            (
                "`--user-agent` is for the start of the browser; put it into visual_validation.browser_args, as "
                "`--user-agent=…`"
            ),
        ),
        (
            "--engine lightpanda open /",
            (
                "`--engine` is for the start of the browser; the runner's is a Chromium or Chrome "
                "(visual_validation.browser)"
            ),
        ),
        ("blink", "`blink` is no command of agent-browser that ralph knows"),
        ("--json", "no command of agent-browser is named"),
        ("", "no command of agent-browser is named"),
    ],
)
def test_what_may_not_run_is_said_with_its_reason(words: str, error: str) -> None:
    assert rule(words.split()).error == error
    assert rule(words.split()).argv == ()


def test_values_of_options_are_no_arguments() -> None:
    assert positional(("--headers", "{}", "http://a", "-i")) == ("http://a",)


@pytest.mark.parametrize(
    ("argv", "written", "read"),
    [
        ("screenshot", "", ()),
        ("screenshot screenshots/a.png --full", "screenshots/a.png", ()),
        ("screenshot #card out/a.png", "out/a.png", ()),
        ("screenshot #card", "", ()),
        ("screenshot src/app.ts", "src/app.ts", ()),
        ("pdf out.pdf", "out.pdf", ()),
        ("download #get file.zip", "file.zip", ()),
        ("upload #file a.txt b.txt", "", ("a.txt", "b.txt")),
        ("state load auth.json", "", ("auth.json",)),
        ("diff screenshot --baseline a.png -o b.png", "b.png", ("a.png",)),
        ("open file:///site/dist/index.html?a#b", "", ("/site/dist/index.html",)),
        ("goto FILE://localhost/site/%2e%2e/etc/passwd", "", ("/site/../etc/passwd",)),
        ("tab new file:/etc/passwd", "", ("/etc/passwd",)),
        ("open file://", "", ("/",)),
        ("open http://a/file://b", "", ()),
        ("click #a", "", ()),
    ],
)
def test_which_files_a_command_touches(argv: str, written: str, read: tuple[str, ...]) -> None:
    assert written_path(argv.split()) == written
    assert read_paths(argv.split()) == read


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("screenshots/a.png", True),
        ("./a.png", True),
        ("a/../b.png", True),
        ("/work/a.png", True),
        ("../a.png", False),
        ("a/../../b.png", False),
        ("/etc/passwd", False),
        ("/workshop/a.png", False),
        (".", False),
        (".git/config", False),
        (".kiro/specs/demo/tasks.md", False),
    ],
)
def test_paths_stay_inside_of_the_project(path: str, *, inside: bool) -> None:
    assert (outside(path, "/work") == "") is inside


@pytest.mark.parametrize(
    ("argv", "path", "right"),
    [
        ("screenshot", "a.PNG", True),
        ("screenshot", "src/app.ts", False),
        ("pdf", "a.pdf", True),
        ("pdf", "a.py", False),
        ("download", "screenshots/a.py", True),
        ("download", "./screenshots/x/report.csv", True),
        ("download", "a.py", False),
        ("download", "screenshots/../a.py", False),
        ("download", "screenshots", False),
    ],
)
def test_no_picture_and_no_download_overwrites_a_source_file(argv: str, path: str, *, right: bool) -> None:
    assert (wrong_ending([argv, path], path) == "") is right
