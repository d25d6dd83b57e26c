#!/usr/bin/env bash
# Installs missing dependencies: system packages with apt, libtorch as a wheel.
#
#   scripts/install_dependencies.sh GROUP...
#
#   build   dependencies of the program and its tests; libtorch in .deps/python
#   bench   Google Benchmark, and Python's venv for the peers
#   lint    clang-format and clang-tidy
#   cuda    nvcc in .deps/cuda, unless a CUDA toolkit is installed
#
# sudo is used for apt only, is announced, and is not used if nothing is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

packages_of() {
  case $1 in
    build)
      echo g++ cmake ninja-build ccache pkg-config python3 python3-pip libsndfile1-dev \
        libmpg123-dev libsoxr-dev libsentencepiece-dev nlohmann-json3-dev libtomlplusplus-dev \
        libcli11-dev libjemalloc-dev libfmt-dev libxxhash-dev zlib1g-dev libgtest-dev libgmock-dev \
        libutf8proc-dev libsimdjson-dev libyaml-cpp-dev
      ;;
    bench) echo libbenchmark-dev python3-dev python3-venv ;;
    lint) echo clang clang-format clang-tidy libomp-dev ;;
    cuda) echo g++ python3 python3-pip ;;
    *)
      echo "error: unknown group '$1' (build, bench, lint, cuda)" >&2
      exit 2
      ;;
  esac
}

fail() {
  echo "error: $1" >&2
  echo "hint: $2" >&2
  exit 1
}

# Runs a command with its output in a log, and shows the end of the log on failure.
logged() {
  mkdir -p build
  "$@" >>build/install.log 2>&1 || {
    tail -n 20 build/install.log >&2
    fail "'$*' failed" "the whole output is in build/install.log"
  }
}

installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Prints the packages that are not installed. Python and pip need not be Debian's.
missing_packages() {
  local package
  for package in "$@"; do
    [ "$package" = python3-pip ] && python3 -m pip --version >/dev/null 2>&1 && continue
    [ "$package" = python3 ] && command -v python3 >/dev/null && continue
    installed "$package" || echo "$package"
  done
}

install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    echo "not Debian or Ubuntu: these packages, or their equivalents, must be installed: $*"
    return
  fi
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -eq 0 ] && return
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      fail "missing packages: ${missing[*]}" "as root: apt-get install ${missing[*]}"
    echo "sudo: installing system packages needs root"
    sudo -v
    sudo=(sudo)
  fi
  echo "apt: installing ${missing[*]}"
  logged "${sudo[@]}" apt-get update
  logged "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${missing[@]}"
}

# Installs the wheels of LIST into FOLDER atomically, unless it already holds that list.
install_wheels() {
  local list=$1 folder=$2
  cmp -s "$list" "$folder/.wheels" && return
  local versions new
  versions=$(grep -v '^#' "$list" | tr '\n' ' ')
  echo "pip: installing ${versions}into $folder"
  mkdir -p "$(dirname "$folder")"
  rm -rf "$folder".new.*
  new=$folder.new.$$
  local pip=(python3 -m pip install --disable-pip-version-check --root-user-action ignore
    --no-deps --only-binary :all: --target "$new" -r "$list")
  if [ -t 1 ]; then "${pip[@]}"; else logged "${pip[@]}"; fi
  # nvcc searches lib64; its wheel has lib.
  if [ -x "$new/nvidia/cu13/bin/nvcc" ]; then ln -s lib "$new/nvidia/cu13/lib64"; fi
  cp "$list" "$new/.wheels"
  rm -rf "$folder"
  mv "$new" "$folder"
}

has_cuda_toolkit() {
  command -v nvcc >/dev/null || [ -x /usr/local/cuda/bin/nvcc ]
}

for group in "$@"; do
  packages=$(packages_of "$group")
  # shellcheck disable=SC2086 # a list of words
  if [ "$group" != cuda ]; then
    install_packages $packages
  elif ! has_cuda_toolkit; then
    install_packages $packages
    install_wheels cmake/nvcc-wheels.txt .deps/cuda
  fi
  if [ "$group" = build ]; then
    install_wheels cmake/libtorch-wheels.txt .deps/python
  fi
done
