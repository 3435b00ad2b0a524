# shellcheck shell=bash
# How `run` speaks: always on standard error, because standard output belongs to the command that is run.

say() {
  printf '%s\n' "$*" >&2
}

# Ends `run`. Code 3 is "something this machine lacks", 2 is wrong use.
stop_with() { # CODE SENTENCE...
  local code=$1
  shift
  say "run: $*"
  exit "$code"
}

# One line before the work, with what it will take, and how long it took at its end. What the command prints
# is shown only when it fails.
step() { # WHAT ABOUT COMMAND...
  local what=$1 about=$2 started=$SECONDS log code=0
  shift 2
  log=$(mktemp)
  printf '%s (about %s) ... ' "$what" "$about" >&2
  "$@" >"$log" 2>&1 </dev/null || code=$?
  if ((code == 0)); then
    say "took $((SECONDS - started)) s"
  else
    say "failed after $((SECONDS - started)) s:"
    tail -n 30 "$log" >&2
  fi
  rm -f "$log"
  return "$code"
}
