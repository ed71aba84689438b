# Sourced by test.sh and agent_matrix.py's way to install: real agent CLIs for the tests that carry the mark realcli.
# Needs `venv` and the functions of venv.sh and browser.sh; gives `agents_ready`. Written for bash 3.2 (macOS) and newer.
# shellcheck shell=bash

# They take 1.5 GB, so all checkouts share them. Pinned: tests/modelserver/setups.py names these versions too.
agents_cache=${RALPH_AGENTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ralph-wiggum/agents}
AGENT_NPM_PACKAGES="@anthropic-ai/claude-code@2.1.197 @openai/codex@0.169.0 opencode-ai@1.18.33 @google/gemini-cli@0.61.0 @qwen-code/qwen-code@0.15.10 @github/copilot@1.0.102"
AGENT_NPM_SECONDS=600
MINI_PACKAGES="mini-swe-agent==2.4.6 mcp" # it imports litellm, which imports mcp without asking for it
AIDER_PACKAGES="aider-chat==0.86.2"
AGENT_PIP_SECONDS=900

# agents_ready ci|all: quick when nothing is missing. What cannot be had is said, and the tests that need it fail in CI.
agents_ready() {
  mkdir -p "$agents_cache" || { say "no folder for agent CLIs: $agents_cache"; return 0; }
  choose_python
  exec 8<"$agents_cache"
  "$venv/bin/python" -c "$AGENTS_LOCK" "$WAIT_SECONDS" || say "another start has been installing into $agents_cache for too long"
  if has_node; then
    has_stamp npm "$AGENT_NPM_PACKAGES" || agents_from_npm || agents_from_npm || say "the tests of real agent CLIs have to do without those of npm"
  else
    say "no Node.js with npm for the agent CLIs: install Node.js $NODE_NEEDED or newer (https://nodejs.org/)"
  fi
  agents_from_pypi mini "$MINI_PACKAGES"
  if [[ $1 == all ]]; then agents_from_pypi aider "$AIDER_PACKAGES"; fi
  exec 8<&- # gives the lock back
}

AGENTS_LOCK='
import fcntl, signal, sys
signal.alarm(int(sys.argv[1]))
try:
    fcntl.flock(8, fcntl.LOCK_EX)
except OSError:
    pass  # no locks on this file system
'

# has_stamp NAME PACKAGES: the stamp beside them says that just these were installed, to their end.
has_stamp() {
  local stamp=""
  [[ -r $agents_cache/$1.stamp ]] || return 1
  IFS= read -r stamp <"$agents_cache/$1.stamp" || return 1
  [[ $stamp == "$2" ]]
}

agents_from_npm() {
  say "installing agent CLIs into $agents_cache (npm; 1.4 GB)"
  rm -rf "${agents_cache:?}/npm"
  mkdir -p "$agents_cache/npm"
  # shellcheck disable=SC2086  # a list of words
  tried "install $AGENT_NPM_PACKAGES" bounded "$AGENT_NPM_SECONDS" npm install --prefix "$agents_cache/npm" \
    --no-audit --no-fund --no-update-notifier --loglevel=error $AGENT_NPM_PACKAGES || return
  printf '%s\n' "$AGENT_NPM_PACKAGES" >"$agents_cache/npm.stamp"
}

# agents_from_pypi NAME PACKAGES: into an environment of its own, for each of them wants other versions of the same.
agents_from_pypi() {
  if has_stamp "$1" "$2"; then return; fi
  say "installing $1 into $agents_cache (pip; 0.7 GB)"
  rm -rf "${agents_cache:?}/$1"
  # shellcheck disable=SC2086  # a list of words
  { tried "make an environment for $1" "$python" -m venv "$agents_cache/$1" &&
    tried "install $2" bounded "$AGENT_PIP_SECONDS" "$agents_cache/$1/bin/python" -m pip install --quiet --no-input \
      --disable-pip-version-check $2 &&
    printf '%s\n' "$2" >"$agents_cache/$1.stamp"; } || say "the tests of real agent CLIs have to do without $1"
}
