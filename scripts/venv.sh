# Sourced by the other scripts: makes .venv of this checkout hold what pyproject.toml asks for.
# Needs `project`, the folder of the checkout; gives `venv` and `ready`. Written for bash 3.2 (macOS) and newer.
# shellcheck shell=bash

venv=${project:?}/.venv
PYTHONS="python3 python3.13 python3.12 python3.14 python3.11"
WAIT_SECONDS=900 # for another start that installs
UV=https://docs.astral.sh/uv/

say() { printf 'ralph: %s\n' "$1" >&2; }

# fail WHAT HINT: as the commands do for what a person can mend (exit code 2).
fail() {
  say "$1"
  hinted "$2"
}

hinted() {
  printf '  hint: %s\n' "$1" >&2
  exit 2
}

# ready base|dev: quick when nothing has to be done (one cksum); else one start installs and the others wait for it.
ready() {
  local wanted
  wanted="$(cksum <"$project/pyproject.toml") $project" # a checkout that moved is installed anew
  if installed "$1" "$wanted"; then return; fi
  choose_python
  lock
  if ! installed "$1" "$wanted"; then
    make_environment
    install_package "$1"
    printf '%s\n' "$wanted" >"$venv/ralph-base"
    if [[ $1 == dev ]]; then printf '%s\n' "$wanted" >"$venv/ralph-dev"; fi
  fi
  exec 9<&- # gives the lock back
}

# installed base|dev WANTED: the stamp of the last install says the same, and its result is there.
installed() {
  local stamp=""
  [[ -x $venv/bin/python && -x $venv/bin/ralph-overnight && -r $venv/ralph-$1 ]] || return 1
  IFS= read -r stamp <"$venv/ralph-$1" || return 1
  [[ $stamp == "$2" ]]
}

usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 </dev/null; }

# Debian ships Python without ensurepip, and venv cannot do without it.
makes_environments() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1 </dev/null; }

# Sets `python` to one that can make a virtual environment, else to one that is only new enough, else to "".
choose_python() {
  local name
  python=""
  for name in $PYTHONS; do
    if command -v "$name" >/dev/null && usable "$name"; then
      python=${python:-$name}
      if makes_environments "$name"; then
        python=$name
        return
      fi
    fi
  done
}

# The lock belongs to descriptor 9, which this shell shares with the child that takes it, and ends with this shell.
LOCK='
import fcntl, signal, sys
signal.alarm(int(sys.argv[1]))
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("ralph: another start is installing into .venv; waiting for it", file=sys.stderr)
    fcntl.flock(9, fcntl.LOCK_EX)
except OSError as error:
    print(f"ralph: no locks on this file system ({error.strerror}); going on without", file=sys.stderr)
'
lock() {
  if [[ -z $python ]]; then return; fi # only uv is here; it brings its own Python
  exec 9<"$project"
  "$python" -c "$LOCK" "$WAIT_SECONDS" || fail "another start has been installing into .venv for too long" \
    "look for a pip that hangs, end it, and start again"
}

make_environment() {
  if usable "$venv/bin/python"; then return; fi
  if [[ -e $venv ]]; then say "the Python in .venv is gone or older than 3.11; making .venv anew"; fi
  if [[ -n $python ]] && makes_environments "$python"; then
    say "making .venv with $("$python" --version 2>&1)"
    logged "make .venv" "$python" -m venv --clear "$venv"
  elif command -v uv >/dev/null; then
    say "making .venv with uv"
    rm -rf "${venv:?}"
    logged "make .venv" uv venv --quiet --python '>=3.11' "$venv"
  elif [[ -n $python ]]; then
    fail "$python cannot make a virtual environment: its venv module is not complete" \
      "Debian and Ubuntu: sudo apt install python3-venv; or install uv: $UV"
  else
    fail "Python 3.11 or newer is needed; python3 here: $(python3 --version 2>/dev/null || echo none)" \
      "Debian and Ubuntu: sudo apt install python3 python3-venv; macOS: brew install python; or uv: $UV"
  fi
}

# install_package base|dev, from inside the checkout: pip reads more into a path than a path.
install_package() (
  cd "$project" || exit
  what=.
  if [[ $1 == dev ]]; then what='.[dev]'; fi
  say "installing ralph-wiggum into .venv (once; less than a minute)"
  if ! has_pip && command -v uv >/dev/null; then
    logged "install ralph-wiggum" uv pip install --quiet --python "$venv/bin/python" --editable "$what"
    return
  fi
  has_pip || logged "install pip" "$venv/bin/python" -m ensurepip
  logged "install ralph-wiggum" env PIP_USER=0 "$venv/bin/python" -m pip install --quiet --no-input \
    --disable-pip-version-check --editable "$what"
)

has_pip() { "$venv/bin/python" -m pip --version >/dev/null 2>&1 </dev/null; }

# tried WHAT COMMAND…: quiet when it works; when not, the end of what it said, and where all of it is.
tried() {
  local what=$1 log
  shift
  log=$(mktemp "${TMPDIR:-/tmp}/ralph-install.XXXXXX")
  if "$@" >"$log" 2>&1 </dev/null; then
    rm -f "$log"
    return
  fi
  tail -n 15 "$log" | sed 's/^/  | /' >&2
  say "could not $what (all it said: $log)"
  return 1
}

# logged WHAT COMMAND…: the same for what nothing can go on without.
logged() {
  tried "$@" || hinted "the package index must be reachable: look at the network, or set HTTPS_PROXY or PIP_INDEX_URL; then start again"
}
