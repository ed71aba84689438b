#!/usr/bin/env bash
# Run a spec to its end, from a fresh clone: installs what is needed into .venv of this checkout, then becomes
# ralph-overnight. The project is the one around the current folder, which may be another than this checkout.
set -euo pipefail
unset CDPATH

script=${BASH_SOURCE[0]}
while [[ -L $script ]]; do # a link in somebody's bin folder
  target=$(readlink "$script")
  if [[ $target != /* ]]; then target=$(dirname "$script")/$target; fi
  script=$target
done
project=$(cd -P "$(dirname "$script")/.." && pwd)
# shellcheck source=scripts/venv.sh
source "$project/scripts/venv.sh"

in_a_project() {
  local folder=$PWD
  until [[ -d $folder/.kiro ]]; do
    if [[ -z $folder ]]; then return 1; fi
    folder=${folder%/*}
  done
}

# Whether an argument names a spec of this checkout, and none names a project.
means_this_checkout() {
  local argument found=1
  for argument in "$@"; do
    case $argument in
      -C*) return 1 ;;
      -* | */* | "" | . | ..) ;;
      *) if [[ -d $project/.kiro/specs/$argument ]]; then found=0; fi ;;
    esac
  done
  return "$found"
}

case ${1-} in
  -h | --help)
    if [[ ! -x $venv/bin/ralph-overnight ]]; then
      cat <<'USAGE'
usage: scripts/ralph-overnight.sh SPEC [MAX] [flags]

Installs ralph-wiggum into .venv of this checkout where that was not done yet, and runs
    ralph-overnight SPEC [MAX] [flags]
which works through the tasks of .kiro/specs/SPEC/tasks.md, at most MAX agent runs (100).
Try it:  scripts/ralph-overnight.sh guestbook 100
USAGE
      exit 0
    fi
    ;;
esac

ready base
if ! in_a_project && means_this_checkout "$@"; then
  say "no .kiro here or above; running in $project"
  set -- -C "$project" "$@"
fi
exec "$venv/bin/ralph-overnight" "$@"
