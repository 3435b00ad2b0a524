# shellcheck shell=bash
# System packages: installed on Debian as root, named with the exact command everywhere else.

can_install_packages() {
  [[ -f /etc/debian_version && $(id -u) == 0 ]] && command -v apt-get >/dev/null
}

apt_install() { # PACKAGE...
  local options=(-y -qq --no-install-recommends -o Dpkg::Use-Pty=0)
  # A fresh image has no package lists, an old one has lists that name files which are gone.
  DEBIAN_FRONTEND=noninteractive apt-get install "${options[@]}" "$@" ||
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install "${options[@]}" "$@"; }
}

# The command that a person types, for the package managers we know.
install_command() { # PACKAGE... (Debian's names)
  local name names=""
  if command -v apt-get >/dev/null; then
    echo "sudo apt-get install -y --no-install-recommends $*"
    return
  fi
  for name in "$@"; do names+=" $(other_name "$name")"; done
  if command -v dnf >/dev/null; then
    echo "sudo dnf install -y$names"
  elif command -v pacman >/dev/null; then
    echo "sudo pacman -S --needed$names"
  elif command -v brew >/dev/null; then
    echo "brew install$names"
  else
    echo "install with this system's package manager: $*"
  fi
}

other_name() { # PACKAGE: Debian's name in the words of the package manager at hand
  local manager=brew
  if command -v dnf >/dev/null; then manager=dnf; elif command -v pacman >/dev/null; then manager=pacman; fi
  case "$1:$manager" in
    build-essential:dnf) echo "gcc gcc-c++ make" ;;
    build-essential:pacman) echo "base-devel" ;;
    build-essential:brew) echo "gcc make" ;;
    default-jre-headless:dnf) echo "java-17-openjdk-headless" ;;
    default-jre-headless:pacman) echo "jre17-openjdk-headless" ;;
    default-jre-headless:brew) echo "openjdk@17" ;;
    npm:brew) echo "node" ;;
    *) echo "$1" ;;
  esac
}

# Installs the packages, or returns 1 where that cannot be done from here.
try_packages() { # WHY ABOUT PACKAGE...
  local why=$1 about=$2
  shift 2
  can_install_packages || return 1
  step "installing $* $why" "$about" apt_install "$@"
}

# The C and C++ compilers and make build librdkafka, zstd and the linker's output; certificates let cargo download.
setup_compilers() {
  local missing=() pieces=()
  if ! command -v cc >/dev/null || ! command -v c++ >/dev/null || ! command -v make >/dev/null; then
    missing+=(build-essential)
    pieces+=("a C and C++ compiler with make")
  fi
  if [[ -f /etc/debian_version && ! -s /etc/ssl/certs/ca-certificates.crt ]]; then
    missing+=(ca-certificates)
    pieces+=("the certificates that downloads are checked with")
  fi
  ((${#missing[@]} > 0)) || return 0
  try_packages "for the C parts of the libraries" "30 s" "${missing[@]}" ||
    stop_with 3 "missing: $(printf '%s; ' "${pieces[@]}")get them with: $(install_command "${missing[@]}")"
}
