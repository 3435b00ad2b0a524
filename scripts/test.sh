# shellcheck shell=bash
# `./run test [CARGO ARGS] [-- TEST ARGS]`: formatting, lints and every test, counted.
#
# A test that needs a real Kafka carries `#[ignore = "needs a real Kafka"]`. Where Kafka can be had, ignored tests run
# like all others, with LEDGERLENS_KAFKA_HOME set; elsewhere cargo counts them as ignored and we as skipped.

passed=0
failed=0
skipped=0

# Formatting and lints count as a test each.
check() { # WHAT ABOUT CARGO ARGS...
  if cargo_step "$@"; then passed=$((passed + 1)); else count_failure "$1"; fi
}

count_failure() { # WHAT
  failed=$((failed + 1))
  say "FAILED: $1"
}

# A check by a public tool: what it prints is shown only when it fails.
check_contract() { # WHAT ABOUT COMMAND...
  if step "$@"; then passed=$((passed + 1)); else count_failure "$1"; fi
}

skip_contract() { # CHECK...
  skipped=$((skipped + $#))
  say "SKIPPED: $(printf '%s; ' "$@")$contract_absent_because"
}

# What other programs read, judged by other programs (scripts/contract/README.md). A test each.
lint_contracts() {
  local tools=$root/scripts/contract spectral
  if setup_contract_linters; then
    spectral=$contract_linters/node_modules/.bin/spectral
    check_contract "openapi.yaml linted" "5 s" "$spectral" lint --fail-severity warn --ruleset "$tools/spectral.yaml" openapi.yaml
    check_contract "asyncapi.yaml linted" "5 s" \
      "$spectral" lint --fail-severity warn --ruleset "$tools/spectral.yaml" schemas/asyncapi.yaml
    check_contract "types made of openapi.yaml" "10 s" "$tools/check-types" "$contract_linters"
  else
    skip_contract "openapi.yaml linted" "asyncapi.yaml linted" "types made of openapi.yaml"
  fi
}

# A live server asked by another program, beside the tests: these wait for disks and brokers a quarter of the time.
probe_log=
probe_pid=
start_probe() {
  if ! setup_contract_prober; then
    skip_contract "a live server asked by Schemathesis"
    return 0
  fi
  build_binary ledgerlens
  say "a live server is asked by Schemathesis beside the tests"
  probe_log=$(mktemp)
  "$contract_prober/bin/python" "$root/scripts/contract/probe.py" "$CARGO_TARGET_DIR/release/ledgerlens" \
    >"$probe_log" 2>&1 </dev/null &
  probe_pid=$!
  # A run that breaks off takes it along.
  trap 'kill "$probe_pid" 2>/dev/null || true' EXIT
}

end_probe() {
  [[ -n $probe_pid ]] || return 0
  local code=0
  wait "$probe_pid" || code=$?
  trap - EXIT
  # All of it where something was found, else the figures in the last line.
  if ((code == 0)); then tail -n 1 "$probe_log" >&2; else cat "$probe_log" >&2; fi
  rm -f "$probe_log"
  if ((code == 0)); then passed=$((passed + 1)); else count_failure "a live server asked by Schemathesis"; fi
}

# Adds up the `test result:` lines in what cargo printed. A test program that died has no such line, and shows only in
# cargo's exit code.
count_results() { # LOG CARGO_CODE
  local line failed_before=$failed
  while IFS= read -r line; do
    if [[ $line =~ ^test\ result:.*\ ([0-9]+)\ passed\;\ ([0-9]+)\ failed\;\ ([0-9]+)\ ignored ]]; then
      passed=$((passed + BASH_REMATCH[1]))
      failed=$((failed + BASH_REMATCH[2]))
      skipped=$((skipped + BASH_REMATCH[3]))
    fi
  done <"$1"
  if (($2 != 0 && failed == failed_before)); then
    count_failure "a test program ended before it could report"
  fi
}

# Examples in the documentation that are marked `ignore` are text: nothing was skipped.
run_examples() { # ARGS OF cargo test
  local skipped_before=$skipped
  run_tests --doc "$@"
  skipped=$skipped_before
}

run_tests() { # ARGS OF cargo test
  local log code
  log=$(mktemp)
  set +e
  # One more at once than there are processors: a quarter of the time they wait for disks and brokers.
  RUST_TEST_THREADS=${RUST_TEST_THREADS:-$(($(nproc) + 1))} \
    cargo test --release --no-fail-fast "$@" </dev/null | tee "$log"
  code=${PIPESTATUS[0]}
  set -e
  count_results "$log" "$code"
  rm -f "$log"
}

# Sets selection (which packages), cargo_args (all before `--`) and test_args (all after it).
read_test_args() { # ARGS...
  local all=("$@") i
  selection=()
  cargo_args=()
  test_args=()
  for ((i = 0; i < ${#all[@]}; i++)); do
    case "${all[i]}" in
      --)
        test_args=("${all[@]:i+1}")
        break
        ;;
      -p | --package) selection+=("${all[i]}" "${all[i + 1]:-}") ;;
      -p* | --package=*) selection+=("${all[i]}") ;;
    esac
    cargo_args+=("${all[i]}")
  done
  [[ -z ${TEST_FILTER:-} ]] || test_args+=("$TEST_FILTER")
  if ((${#selection[@]} == 0)); then
    selection=(--workspace)
    cargo_args=(--workspace ${cargo_args[@]+"${cargo_args[@]}"})
  elif ((${#bundled_features[@]} > 0)); then
    stop_with 2 "with DuckDB compiled from its sources only the whole workspace can be tested: leave out -p, choose tests with TEST_FILTER=name"
  fi
}

test_all() { # ARGS...
  local started=$SECONDS selection cargo_args test_args code=0
  local features=(${bundled_features[@]+"${bundled_features[@]}"}) targets=(--tests) examples=yes
  read_test_args "$@"
  # Whoever names more than packages has chosen the targets. Else: everything, and the examples in the documentation
  # apart, because those marked `ignore` are text and not tests.
  if ((${#cargo_args[@]} > ${#selection[@]})); then targets=() examples=""; fi
  if setup_kafka; then
    test_args=(--include-ignored ${test_args[@]+"${test_args[@]}"})
  else
    say "SKIPPED: every test that needs a real Kafka. $kafka_absent_because"
  fi

  check "formatting" "2 s" fmt --all --check -- --files-with-diff
  check "lints" "3 min the first time" clippy --release "${selection[@]}" --all-targets \
    ${features[@]+"${features[@]}"} -- -D warnings
  cargo_args=(${targets[@]+"${targets[@]}"} "${cargo_args[@]}" ${features[@]+"${features[@]}"})
  if cargo_step "compiling the tests" "8 min the first time" test --release --no-run "${cargo_args[@]}"; then
    # Part of everything; whoever chose packages or names asked for less.
    if [[ -n $examples && ${selection[0]} == --workspace && -z ${TEST_FILTER:-} ]]; then
      lint_contracts
      start_probe
    fi
    run_tests "${cargo_args[@]}" -- ${test_args[@]+"${test_args[@]}"}
    end_probe
    if [[ -n $examples ]] && selection_has_library; then
      run_examples "${selection[@]}" ${features[@]+"${features[@]}"} -- ${TEST_FILTER:+"$TEST_FILTER"}
    fi
  else
    count_failure "the tests do not compile, none of them was run"
  fi
  say "tests took $((SECONDS - started)) s"
  echo "$passed passed, $failed failed, $skipped skipped"
  ((failed == 0)) || code=1
  return "$code"
}

# Cargo refuses to look for examples in a package that is only a program.
selection_has_library() {
  local name
  [[ ${selection[0]} == --workspace ]] && return 0
  for name in "${selection[@]}"; do
    [[ -f $root/crates/$name/src/lib.rs ]] && return 0
  done
  return 1
}
