"""Which servers show changed code without a new start, as their command tells."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ralph_wiggum.core.servers.reloading import reloads
from ralph_wiggum.core.settings import Ready, ServerSettings


def keeps_up(command: str, env: Mapping[str, str] | None = None, *, told: bool | None = None) -> bool:
    ready = Ready(url="http://localhost:5173")
    return reloads(ServerSettings(name="web", command=command, ready=ready, env=env or {}, reloads=told))


@pytest.mark.parametrize(
    "command",
    [
        "uvicorn app:app --reload --port 8000",
        "hypercorn --reload app:app",
        "uv run gunicorn app:app --reload",
        "node --watch server.js",
        "node --watch-path=./src server.js",
        "bun --hot server.ts",
        "cargo watch -x run",
        "vite",
        "npx vite --port {port}",
        "vite dev",
        "node_modules/.bin/vite --host",
        "node node_modules/vite/bin/vite.js",
        "npx next dev --turbo",
        "nuxt dev",
        "nuxi dev",
        "astro dev",
        "remix dev",
        "remix vite:dev",
        "react-router dev",
        "turbo run dev",
        "wrangler dev",
        "fastapi dev main.py",
        "webpack serve --mode development",
        "webpack-dev-server",
        "react-scripts start",
        "vue-cli-service serve",
        "npx ng serve --port 4200",
        "nodemon server.js",
        "tsx watch src/index.ts",
        "ts-node-dev src/index.ts",
        "parcel index.html",
        "python manage.py runserver 0.0.0.0:8000",
        "uv run ./manage.py runserver_plus",
        "flask --app hello run --debug",
        "flask --debug run",
        "FLASK_DEBUG=1 flask run",
        "streamlit run app.py",
        "python -m http.server {port} --bind 127.0.0.1",
        "php -S localhost:8000 -t public",
        "php artisan serve",
        "browser-sync start --server",
        "live-server public",
        "npx serve public",
        "bundle exec jekyll serve",
        "hugo server -D",
        "mkdocs serve",
        "bin/rails server",
        "npm run dev",
        "npm run dev -- --port {port}",
        "npm --prefix frontend run dev",
        "pnpm dev",
        "pnpm --filter web dev",
        "yarn workspace web dev",
        "bun run dev",
        "npm run start:dev",
        "npm run dev:web",
        "deno task dev",
        "exec npm run dev",
        "cd frontend && npm run dev",
        "npm ci && npm run dev",
        "npm run dev | tee out.txt",
        "npm run dev 2>&1",
        "uvicorn app:app --reload & npm run dev",
        "(uvicorn app:app --reload & npm run dev & wait)",
        "npm run dev; exit 1",
        "docker compose up",
        "docker-compose up db",
        "podman run -p 80:80 web",
        "postgres -D data -p {port}",
        "redis-server --port 6379",
        "sh -c 'npm run dev'",
    ],
)
def test_these_keep_up(command: str) -> None:
    assert keeps_up(command)


@pytest.mark.parametrize(
    "command",
    [
        "node server.js",
        "npm start",
        "npm run start",
        "yarn start",
        "npm run preview",
        "npm run serve",
        "python app.py",
        "uvicorn app:app --port 8000",
        "uvicorn app:app --reload-dir src",
        "gunicorn app:app",
        "flask run",
        "FLASK_DEBUG=0 flask run",
        "python manage.py runserver --noreload",
        "flask run --debug --no-reload",
        "uvicorn app:app --reload=false",
        "vite build",
        "vite preview --port {port}",
        "next start",
        "parcel build index.html",
        "java -jar app.jar",
        "./bin/server",
        "go run .",
        "tsx src/index.ts",
        "cd vite && node server.js",
        "node dev-server.js",
        "npm run build && npx vite preview",
        "npm run build && npx serve dist",
        "make page && python -m http.server",
        "tsc; npx http-server dist",
        "npm run dev & node api.js",
        "node api.js & npm run dev",
        "npm run dev && node api.js",
        "concurrently 'npm run dev' 'node api.js'",
        "npm-run-all --parallel dev api",
        "NODE_ENV=production npm run dev",
        "RAILS_ENV=production rails server",
        "",
    ],
)
def test_these_are_started_anew(command: str) -> None:
    assert not keeps_up(command)


@pytest.mark.parametrize(
    ("command", "env", "expected"),
    [
        ("flask run", {"FLASK_DEBUG": "1"}, True),
        ("flask run", {"FLASK_DEBUG": "0"}, False),
        ("flask run", {"FLASK_ENV": "development"}, True),
        ("npm run dev", {"NODE_ENV": "production"}, False),
        ("node server.js", {"PORT": "{port}"}, False),
    ],
)
def test_the_environment_of_the_settings_counts_too(command: str, env: Mapping[str, str], *, expected: bool) -> None:
    assert keeps_up(command, env) is expected


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("command", ["npm run dev", "node server.js"])
def test_what_the_settings_say_holds(command: str, *, told: bool) -> None:
    assert keeps_up(command, told=told) is told
