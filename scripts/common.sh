# shellcheck shell=bash disable=SC2034
# What the scripts share; sourced, never run. Leaves the shell at the root of the project, with these names set:
#   build_dir   where SwiftPM builds: DIVERT_BUILD_DIR, else .build
#   tools_dir   where tools for the tests are unpacked, so that nothing is installed for them

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
build_dir=${DIVERT_BUILD_DIR:-.build}
tools_dir=$PWD/.build/tools

say() { printf '==> %s\n' "$*"; }
complain() { printf 'error: %s\n' "$*" >&2; }
die() {
  complain "$*"
  exit 1
}

# quietly LOG COMMAND…: runs the command with its output in LOG and, every ten seconds, one line of it as progress.
# When the command fails: its errors, where the rest is, and its exit status.
quietly() {
  local log=$1 line status=0 since=$SECONDS next=$((SECONDS + 10))
  shift
  mkdir -p "$(dirname "$log")"
  "$@" 2>&1 | while IFS= read -r line; do
    printf '%s\n' "$line"
    if ((SECONDS >= next)); then
      printf '    %4d s  %.90s\n' $((SECONDS - since)) "$line" >&3
      next=$((SECONDS + 10))
    fi
  done 3>&1 >"$log" || status=$?
  if ((status != 0)); then
    grep -E 'error:' "$log" | sort -u | head -n 40 >&2 || tail -n 40 "$log" >&2
    complain "'$*' failed with status $status; all of its output is in $log"
    return "$status"
  fi
  say "done in $((SECONDS - since)) s"
}
