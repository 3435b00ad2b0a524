# shellcheck shell=bash
# Cargo, with the build output where every checkout of this user finds it.

readonly target_kib_max=$((15 * 1024 * 1024)) # a full build is 5 GB; incremental leftovers only ever grow

# Removes the build output once it has grown too large. Looked at once a day, and only in our own place: a
# directory that somebody chose with CARGO_TARGET_DIR is theirs. Cargo's own lock keeps a running build safe.
limit_build_output() {
  local stamp=$cache/target-looked-at kib
  [[ $CARGO_TARGET_DIR == "$cache/target" && -f $CARGO_TARGET_DIR/release/.cargo-lock ]] || return 0
  [[ -z $(find "$stamp" -mtime -1 2>/dev/null) ]] || return 0
  touch "$stamp"
  kib=$(du -sk "$CARGO_TARGET_DIR" 2>/dev/null | cut -f 1)
  ((kib > target_kib_max)) && command -v flock >/dev/null || return 0
  say "the build output in $CARGO_TARGET_DIR has grown to $((kib / 1024 / 1024)) GB: removing it, the next build is a full one"
  flock -n "$CARGO_TARGET_DIR/release/.cargo-lock" rm -rf "$CARGO_TARGET_DIR/release" ||
    say "another build is using it: not removed this time"
}

# Cargo goes by the times of files, and two checkouts in one build output are the same to it: what another one compiled
# last would be used for all files of this one that are older.
claim_build_output() {
  local claim=$CARGO_TARGET_DIR/checkout
  mkdir -p "$CARGO_TARGET_DIR"
  [[ $(cat "$claim" 2>/dev/null) != "$root" ]] || return 0
  find "$root/crates" "$root/benches" -name '*.rs' -exec touch {} +
  echo "$root" >"$claim"
}

# Reads what cargo says. Silent while nothing has to be compiled; else one line that says what and how long, the
# number of crates behind it at a terminal, and warnings and errors in full.
show_cargo() { # WHAT ABOUT
  local line crates=0 started="" waiting="" at_line_end=1
  while IFS= read -r line; do
    # What cargo also says when there is nothing to compile.
    if [[ $line =~ ^\ +(Finished|Executable)\  ]]; then continue; fi
    if [[ $line =~ ^\ +Blocking\  ]]; then
      [[ -n $waiting ]] || say "another build is running: waiting for it"
      waiting=yes
      continue
    fi
    if [[ -z $started ]]; then
      started=$SECONDS
      printf '%s (about %s) ... ' "$1" "$2" >&2
      at_line_end=0
    fi
    if [[ $line =~ ^\ +(Compiling|Checking|Dirty)\  ]]; then
      crates=$((crates + 1))
      if [[ -t 2 ]]; then printf '\r\e[K%s (about %s) ... %d crates' "$1" "$2" "$crates" >&2; fi
    elif [[ ! $line =~ ^\ +(Updating|Locking|Downloading|Downloaded|Adding)\  ]]; then
      ((at_line_end)) || echo >&2
      at_line_end=1
      say "$line"
    fi
  done
  [[ -n $started ]] || return 0
  if ((at_line_end)); then printf '%s: ' "$1" >&2; fi
  say "took $((SECONDS - started)) s"
}

# A cargo command with nothing to say to standard output.
cargo_step() { # WHAT ABOUT ARGS...
  local what=$1 about=$2 code
  shift 2
  set +e
  cargo "$@" </dev/null 2>&1 | show_cargo "$what" "$about"
  code=${PIPESTATUS[0]}
  set -e
  return "$code"
}

# `--workspace` although one binary is wanted: cargo settles the features of the libraries for the packages that
# are selected, so anything else would compile DuckDB's and tantivy's crates once for the program and once more for
# the tests.
build_binary() { # NAME
  cargo_step "compiling $1" "7 to 12 min the first time, seconds after that" \
    build --release --workspace --bin "$1" ${bundled_features[@]+"${bundled_features[@]}"} ||
    stop_with 1 "$1 does not compile: the errors are above"
}
