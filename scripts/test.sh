#!/usr/bin/env bash
# Install and test: ruff, mypy, pytest. usage: scripts/test.sh [--all] [pytest arguments]
# Tests that need a browser or a real agent CLI, and those of many whole nights, run with --all, or where CI=true. What
# they need is installed then, where that can be; tests skip what is not there, but in CI they fail.
set -euo pipefail
unset CDPATH

project=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$project"
# shellcheck source=scripts/venv.sh
source scripts/venv.sh
# shellcheck source=scripts/browser.sh
source scripts/browser.sh
# shellcheck source=scripts/agents.sh
source scripts/agents.sh

WORKERS=${WORKERS:-2} # processes for pytest; 0 runs the tests in one
marks="not browser and not realcli and not long"
if [[ ${CI-} == true ]]; then
  marks=""
  export RALPH_REQUIRE_BROWSER=1
  export RALPH_REQUIRE_AGENTS="claude codex opencode gemini qwen copilot mini"
fi
if [[ ${1-} == --all ]]; then
  marks=""
  shift
fi

ready dev
if [[ -z $marks ]]; then
  browser_ready
  agents_ready ci
  export RALPH_AGENTS_CACHE=$agents_cache
fi

failed=""
# step NAME COMMAND…: run it, remember whether it failed, go on.
step() {
  local name=$1
  shift
  printf '== %s\n' "$name"
  "$@" </dev/null || failed="$failed, $name"
}

python=$venv/bin/python
sources=(ralph_wiggum tests)
if compgen -G "scripts/*.py" >/dev/null; then sources+=(scripts); fi # mypy refuses a folder without Python

step "ruff check" "$python" -m ruff check --quiet "${sources[@]}"
step "ruff format" "$python" -m ruff format --quiet --diff "${sources[@]}"
step "mypy" "$python" -m mypy "${sources[@]}"
step "pytest" "$python" -m pytest -n "$WORKERS" --dist worksteal -m "$marks" "$@" # exit code 5, no tests, is a failure too

if [[ -n $failed ]]; then
  printf 'scripts/test.sh: failed: %s\n' "${failed#, }" >&2
  exit 1
fi
