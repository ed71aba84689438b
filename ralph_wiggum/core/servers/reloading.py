"""Which servers keep up with the work tree by themselves, so that a change of code needs no new start (O23). Pure.

What is not known here is started anew: that costs seconds, and a look at old code costs a night.
"""

from __future__ import annotations

import re

from ralph_wiggum.core.settings import ServerSettings

_BEFORE, _AFTER = r"(?:^|[\s/\"'(])", r"(?=[\s\"')]|$)"  # of a word of a command line

_WATCHING = (  # programs that watch their files, or read them at every request
    r"vite(?:\.js)?(?!\s+(?:build|preview|optimize)\b)",
    r"(?:next|nuxt|nuxi|astro|react-router|svelte-kit|vinxi|wrangler|storybook|rsbuild|rspack|fastapi)\s+dev",
    r"remix\s+(?:vite:)?dev|turbo\s+(?:run\s+)?dev",
    r"(?:webpack|rspack)\s+serve",
    r"webpack-dev-server",
    r"react-scripts\s+start",
    r"(?:vue-cli-service|ng|ember|mkdocs|jekyll|hugo)\s+(?:serve|server)",
    r"gatsby\s+develop",
    r"parcel(?!\s+(?:build|watch)\b)",
    r"nodemon",
    r"(?:tsx|dotnet|cargo)\s+watch",
    r"ts-node-dev",
    r"browser-sync|live-server|http-server|sphinx-autobuild|watchexec|entr",
    r"npx\s+(?:-y\s+|--yes\s+)?serve",
    r"runserver(?:_plus)?",
    r"flask\s(?:.*\s)?--debug",
    r"streamlit\s+run",
    r"http\.server",
    r"php\s(?:.*\s)?-S",
    r"artisan\s+serve",
    r"rails\s+(?:s|server)",
    r"mix\s+phx\.server",
)
_SCRIPTS = (r"(?:npm|pnpm|yarn|bun|deno)\s(?:.*\s)?(?:dev|start:dev|dev:[\w:-]+)",)  # named so because they reload
_ELSEWHERE = (  # containers: whether they hold code of the project cannot be told, and they start slowly
    r"docker|docker-compose|podman|podman-compose",
)
_SERVICES = (  # programs that run none of the project's code
    r"postgres|pg_ctl|mysqld|mariadbd|mongod|redis-server|valkey-server|memcached|rabbitmq-server|nats-server|minio",
    r"mailpit|mailhog|MailHog|caddy|nginx",
)
_KEEPS_UP = re.compile(f"{_BEFORE}(?:{'|'.join((*_WATCHING, *_SCRIPTS, *_ELSEWHERE, *_SERVICES))}){_AFTER}")
_FLAG = re.compile(r"(?:^|\s)--(?:reload|watch|watch-path|hot|live-?reload|autoreload)(?:=(?!false|no|0)\S*)?(?=\s|$)")
_VARIABLE = re.compile(r"(?:^|\s)(?:FLASK_DEBUG=(?:1|true|on|yes)|FLASK_ENV=development)(?=\s|$)", re.IGNORECASE)
_NOT_SO = re.compile(r"--no-?(?:auto-?)?(?:reload|watch|hot)\b|\b(?:RAILS|MIX|NODE|APP)_ENV=prod", re.IGNORECASE)
_SEVERAL = re.compile(f"{_BEFORE}(?:concurrently|npm-run-all2?|run-p|run-s|foreman|honcho|overmind|goreman){_AFTER}")
_BUILD = re.compile(r"\b(?:build|compile|bundle|generate|export|collectstatic|tsc|make)\b")

_STEP = re.compile(r"&&|\|\||;|\n|(?<![<>&])&(?![>&])")  # between two commands of a line


def reloads(server: ServerSettings) -> bool:
    """Say whether a server shows the present code without a new start: what the settings say, else by its command.

    A line that builds something first, or whose programs are started by another program, is not taken for one.
    """
    if server.reloads is not None:
        return server.reloads
    given = " ".join(f"{name}={value}" for name, value in server.env.items())
    before, serving = _steps(server.command)
    if any(_BUILD.search(step) for step in before):
        return False
    return bool(serving) and all(_keeps_up(f"{given} {step}") for step in serving)


def _keeps_up(text: str) -> bool:
    if _NOT_SO.search(text) or _SEVERAL.search(text):
        return False
    return any(pattern.search(text) for pattern in (_FLAG, _VARIABLE, _KEEPS_UP))


def _steps(command: str) -> tuple[list[str], list[str]]:
    """Return the commands of a line that come to an end before it serves, and those that serve: last, or behind `&`."""
    before: list[str] = []
    serving: list[str] = []
    start = 0
    for found in [*_STEP.finditer(command), None]:
        end, sign = (found.start(), found[0]) if found is not None else (len(command), "&")
        step = command[start:end].strip(" \t()")
        start = found.end() if found is not None else end
        if step and step.split()[0] not in {"wait", "trap", "exit"}:
            (serving if sign == "&" else before).append(step)
    if not serving and before:
        serving.append(before.pop())
    return before, serving
