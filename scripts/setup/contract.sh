# shellcheck shell=bash
# The public tools that check the contracts from outside, as scripts/contract/ pins them: Spectral and
# openapi-typescript with its compiler (npm), Schemathesis (a Python environment of its own). The program needs none of
# them, only `./run test` does. Where they lie is named after their pins, so a change of the pins fetches anew.

contract_absent_because=""

hash_of_pins() { # FILE...
  (cd "$root/scripts/contract" && cat "$@") | sha256sum | cut -c 1-12
}

node_is_new_enough() {
  local major
  major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p')
  [[ -n $major ]] && ((major >= 18))
}

python_is_new_enough() {
  python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null
}

fetch_contract_linters() { # DIRECTORY
  local parts=$1.$$
  rm -rf "$parts"
  mkdir -p "$parts"
  cp "$root/scripts/contract/package.json" "$root/scripts/contract/package-lock.json" "$parts"
  # Moved in whole, so that an interrupted download never looks like the tools.
  npm ci --prefix "$parts" --no-audit --no-fund --ignore-scripts && mv "$parts" "$1"
}

fetch_contract_prober() { # DIRECTORY
  # An environment of Python knows its own place, so a stamp, and not a name, says that it is whole.
  rm -rf "$1"
  python3 -m venv "$1" &&
    "$1/bin/python" -m pip install --quiet --requirement "$root/scripts/contract/requirements.txt" && touch "$1/whole"
}

# Sets contract_linters, or returns 1 and says why in `contract_absent_because`.
setup_contract_linters() {
  contract_linters=$cache/contract-$(hash_of_pins package.json package-lock.json)
  [[ ! -d $contract_linters ]] || return 0
  if ! node_is_new_enough || ! command -v npm >/dev/null; then
    try_packages "for the linters of the contracts" "1 min" npm || true
  fi
  if ! node_is_new_enough || ! command -v npm >/dev/null; then
    contract_absent_because="missing: npm with Node 18 or newer; get it with: $(install_command npm)"
    return 1
  fi
  step "fetching Spectral, openapi-typescript and TypeScript, 110 MB" "20 s" fetch_contract_linters "$contract_linters" && return
  contract_absent_because="the packages of scripts/contract/package-lock.json could not be fetched"
  return 1
}

# Sets contract_prober, or returns 1 and says why in `contract_absent_because`.
setup_contract_prober() {
  contract_prober=$cache/contract-$(hash_of_pins requirements.txt)
  [[ ! -f $contract_prober/whole ]] || return 0
  python_is_new_enough || try_packages "for Schemathesis" "20 s" python3-venv || true
  if ! python_is_new_enough; then
    contract_absent_because="missing: Python 3.10 or newer with venv; get it with: $(install_command python3-venv)"
    return 1
  fi
  step "fetching Schemathesis, 60 MB" "30 s" fetch_contract_prober "$contract_prober" && return
  contract_absent_because="the packages of scripts/contract/requirements.txt could not be fetched"
  return 1
}
