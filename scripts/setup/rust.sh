# shellcheck shell=bash
# Rust is the one thing that must be there already: which toolchain a machine has is its owner's decision.

readonly rust_version_min=1.95

rust_is_new_enough() {
  local version
  version=$(rustc --version 2>/dev/null | cut -d ' ' -f 2) || return 1
  [[ -n $version && $(printf '%s\n' "$rust_version_min" "$version" | sort -V | head -n 1) == "$rust_version_min" ]]
}

setup_rust() {
  if rust_is_new_enough && command -v cargo >/dev/null; then return; fi
  # A shell that did not read the profile, or a distribution's older Rust in front of it.
  PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
  if rust_is_new_enough && command -v cargo >/dev/null; then return; fi
  if command -v rustup >/dev/null; then
    stop_with 3 "Rust $rust_version_min or newer is needed: rustup toolchain install $rust_version_min --profile default && rustup default $rust_version_min"
  fi
  stop_with 3 "Rust $rust_version_min or newer is needed:" \
    "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --default-toolchain $rust_version_min"
}

# A minimal toolchain lacks the formatter and the linter, which only `./run test` needs.
setup_rust_components() {
  local missing=()
  cargo fmt --version >/dev/null 2>&1 || missing+=(rustfmt)
  cargo clippy --version >/dev/null 2>&1 || missing+=(clippy)
  ((${#missing[@]} > 0)) || return 0
  if command -v rustup >/dev/null; then
    step "adding ${missing[*]} to the Rust toolchain" "20 s" rustup component add "${missing[@]}" && return
  fi
  stop_with 3 "missing: ${missing[*]}; get them with: rustup component add ${missing[*]}"
}
