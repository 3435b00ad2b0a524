# shellcheck shell=bash
# libduckdb, the ledger's engine. Three ways, the first that works:
#   1. DUCKDB_LIB_DIR, a directory with libduckdb of your own choice;
#   2. the prebuilt library in DuckDB's npm package, one exact version, checked against the hash below;
#   3. DuckDB compiled from its sources (cargo feature `bundled`): over 40 minutes on two cores.
# Sets DUCKDB_LIB_DIR for the build, or `bundled_features` for way 3.

readonly duckdb_version=1.5.6
readonly duckdb_package_version=1.5.6-r.1
bundled_features=()

# Prints package and integrity for this platform; fails where no package is pinned.
duckdb_package() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64)
      ldd --version 2>&1 | grep -qi musl && return 1 # the package is built for glibc
      echo "@duckdb/node-bindings-linux-x64 sha512-IXcrZJE6kEqM0Z4wwdVnGBHX/frOS33VPNAwDXQ/Q+Fs84b058Qe94chrCCIcNJlG8Y3UHIUU4eBeCQxW5mN1Q=="
      ;;
    *) return 1 ;;
  esac
}

integrity_matches() { # FILE sha512-BASE64
  local expected actual
  expected=$(base64 -d <<<"${2#sha512-}" | od -An -v -tx1 | tr -d ' \n')
  actual=$(sha512sum "$1" | cut -d ' ' -f 1)
  [[ -n $actual && $actual == "$expected" ]]
}

fetch_libduckdb() { # PACKAGE INTEGRITY DIRECTORY
  local parts=$3.$$ archives
  rm -rf "$parts"
  mkdir -p "$parts"
  if ! (cd "$parts" && npm pack "$1@$duckdb_package_version"); then
    rm -rf "$parts"
    return 1
  fi
  archives=("$parts"/*.tgz)
  if ! integrity_matches "${archives[0]}" "$2"; then
    echo "the package $1@$duckdb_package_version is not the one pinned by its hash: not used"
    rm -rf "$parts"
    return 1
  fi
  # Moved in whole, so that an interrupted download never looks like a library.
  tar -xzf "${archives[0]}" -C "$parts" package/libduckdb.so &&
    mkdir -p "$3" && mv "$parts/package/libduckdb.so" "$3/libduckdb.so" && rm -rf "$parts"
}

setup_libduckdb() {
  local home=$cache/libduckdb-$duckdb_version package integrity
  if [[ -n ${DUCKDB_LIB_DIR:-} ]]; then
    compgen -G "$DUCKDB_LIB_DIR/libduckdb.*" >/dev/null ||
      stop_with 3 "DUCKDB_LIB_DIR=$DUCKDB_LIB_DIR holds no libduckdb: correct the variable, or unset it to have the library fetched"
    put_libduckdb_beside_binaries
    return
  fi
  if [[ ! -s $home/libduckdb.so ]] && read -r package integrity < <(duckdb_package); then
    command -v npm >/dev/null || try_packages "to fetch DuckDB's prebuilt library" "1 min" npm || true
    if command -v npm >/dev/null; then
      step "fetching libduckdb $duckdb_version, 24 MB" "10 s" fetch_libduckdb "$package" "$integrity" "$home" || true
    else
      say "npm is missing; with it ($(install_command npm)) the next build takes 7 minutes instead of 50"
    fi
  fi
  if [[ -s $home/libduckdb.so ]]; then
    export DUCKDB_LIB_DIR=$home
    put_libduckdb_beside_binaries
  else
    say "no prebuilt libduckdb here: DuckDB is compiled from its sources, over 40 minutes on two cores, once"
    bundled_features=(--features server/bundled-duckdb)
  fi
}

# The binaries look for the library beside themselves (.cargo/config.toml), so no variable is needed to run them.
put_libduckdb_beside_binaries() {
  local beside=$CARGO_TARGET_DIR/release/deps library
  # Cargo ignores the flags in its configuration when this variable is set.
  if [[ -n ${RUSTFLAGS:-} && $(uname -s) == Linux && $RUSTFLAGS != *-rpath* ]]; then
    # shellcheck disable=SC2016 # $ORIGIN is for the loader
    RUSTFLAGS+=' -C link-arg=-Wl,-rpath,$ORIGIN:$ORIGIN/deps:$ORIGIN/../lib'
  fi
  for library in "$DUCKDB_LIB_DIR"/libduckdb.so "$DUCKDB_LIB_DIR"/libduckdb.dylib; do
    [[ -f $library ]] || continue
    cmp -s "$library" "$beside/${library##*/}" && continue
    # Renamed into place: a running server keeps the file that it has open.
    mkdir -p "$beside" && cp "$library" "$beside/.libduckdb.$$" && mv "$beside/.libduckdb.$$" "$beside/${library##*/}"
  done
}
