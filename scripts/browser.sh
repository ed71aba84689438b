# Sourced by test.sh: has what the tests of pages need (Chromium, Node.js, agent-browser, vite), where that can be had.
# Needs `venv` and the functions of venv.sh; gives `browser_ready`. Written for bash 3.2 (macOS) and newer.
# shellcheck shell=bash

NPM_PACKAGES="agent-browser@0.41.2 vite@7.3.8"
NODE_NEEDED="20.19" # of vite 7
APT_SECONDS=600
NPM_SECONDS=300
CHROMIUM_NAMES="chromium chromium-browser google-chrome google-chrome-stable"
CHROMIUM_APPS="/Applications/Chromium.app/Contents/MacOS/Chromium
/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"

# browser_ready: quick when nothing is missing. What cannot be had is said, and the tests that need it say so again.
browser_ready() {
  local missing=""
  if ! has_chromium; then missing="chromium fonts-liberation"; fi
  if ! has_node && [[ ${CI-} == true ]]; then missing="$missing nodejs npm"; fi # a person's Node.js is a person's choice
  if [[ -n $missing ]]; then install_debian "${missing# }"; fi
  if ! has_chromium; then
    say "no Chromium for the tests of pages: install it (Debian: apt install chromium; macOS: brew install --cask chromium)"
  fi
  if ! has_node; then
    say "no Node.js with npm for the tests of pages: install Node.js $NODE_NEEDED or newer (https://nodejs.org/)"
    return
  fi
  if ! node_is_new; then say "Node.js here is $(node --version); vite needs $NODE_NEEDED or newer"; fi
  install_npm
}

has_chromium() {
  local name
  if [[ -x ${AGENT_BROWSER_EXECUTABLE_PATH-} ]]; then return; fi
  for name in $CHROMIUM_NAMES; do
    if command -v "$name" >/dev/null; then return; fi
  done
  while IFS= read -r name; do
    if [[ -x $name ]]; then return; fi
  done <<<"$CHROMIUM_APPS"
  return 1
}

has_node() { command -v node >/dev/null && command -v npm >/dev/null; }

node_is_new() {
  node -e 'const [a, b] = process.versions.node.split(".").map(Number)
    const [c, d] = process.argv[1].split(".").map(Number)
    process.exit(a > c || (a === c && b >= d) ? 0 : 1)' "$NODE_NEEDED" </dev/null >/dev/null 2>&1
}

# install_debian "PACKAGE…": by apt, where that is possible without asking anybody.
install_debian() {
  local sudo=""
  command -v apt-get >/dev/null || return 0
  if [[ $(id -u) != 0 ]]; then
    sudo="sudo -n"
    $sudo true >/dev/null 2>&1 </dev/null || return 0
  fi
  say "installing $1 (apt)"
  tried "read the package lists" bounded "$APT_SECONDS" $sudo apt-get -qq update || true # old lists may do
  # shellcheck disable=SC2086  # both are lists of words
  tried "install $1" bounded "$APT_SECONDS" $sudo env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends $1 || true
}

# The npm packages lie in .venv/browser, with a stamp that says which. No package needs its install scripts.
install_npm() {
  if has_npm_packages; then return; fi
  choose_python
  lock
  if ! has_npm_packages; then
    say "installing $NPM_PACKAGES into .venv/browser (npm)"
    mkdir -p "$venv/browser"
    # a network that stumbles once is no reason to go without
    npm_install || npm_install || say "the tests of pages have to do without agent-browser and vite"
  fi
  exec 9<&- # gives the lock back
}

has_npm_packages() {
  local stamp="" folder=$venv/browser
  [[ -x $folder/node_modules/.bin/agent-browser && -x $folder/node_modules/.bin/vite && -r $folder/ralph-packages ]] || return 1
  IFS= read -r stamp <"$folder/ralph-packages" || return 1
  [[ $stamp == "$NPM_PACKAGES" ]]
}

npm_install() {
  # shellcheck disable=SC2086  # a list of words
  tried "install $NPM_PACKAGES" bounded "$NPM_SECONDS" npm install --prefix "$venv/browser" --ignore-scripts \
    --no-audit --no-fund --no-update-notifier --loglevel=error $NPM_PACKAGES || return
  chmod +x "$venv"/browser/node_modules/agent-browser/bin/agent-browser-* # an install script would have done so
  printf '%s\n' "$NPM_PACKAGES" >"$venv/browser/ralph-packages"
}

# bounded SECONDS COMMAND…: macOS has no timeout(1).
BOUND='
import os, signal, sys
signal.alarm(int(sys.argv[1]))  # survives the exec, and ends the program where it handles no SIGALRM
os.execvp(sys.argv[2], sys.argv[2:])
'
bounded() { "$venv/bin/python" -c "$BOUND" "$@"; }
