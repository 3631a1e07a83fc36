#!/usr/bin/env bash
# Checks what building and running on this machine needs. Installs Debian's packages as root or by a sudo that asks
# nothing; what it cannot install it names, all at once, with the line that does, and exits with 1.
#
#   prerequisites.sh           to build and run: Rust, Node.js, a C compiler, PostgreSQL, RabbitMQ
#   prerequisites.sh --tests   and to test: Chromium, Python
#
# PostgreSQL and RabbitMQ are needed as programs only: servers.sh starts private ones. So the system's services, which
# the packages bring along, are neither started nor enabled.
set -euo pipefail

with_docker="Or run everything in containers, with Docker alone: docker compose up --build --wait"
[[ $(uname) == Linux ]] || { printf 'The private servers are for Linux.\n%s\n' "$with_docker" >&2; exit 1; }

for_tests=false
[[ ${1:-} == --tests ]] && for_tests=true
root=$(cd "$(dirname "$0")/../.." && pwd)
missing=() packages=()

need() { missing+=("$1"); }
has() { command -v "$1" >/dev/null 2>&1; }
at_least() { [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; } # WANTED FOUND

has_postgres() {
  local directory
  for directory in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
    "$(dirname "$(command -v initdb || echo /nowhere/initdb)")"; do
    if [[ -x $directory/initdb && -x $directory/postgres ]]; then
      at_least 15 "$("$directory/postgres" --version | sed -E 's/^[^0-9]*([0-9.]+).*/\1/')" && return
    fi
  done
  return 1
}
has_rabbitmq() { [[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ]] || has rabbitmq-server; }
has_python() { python3 -c 'import ensurepip, venv' 2>/dev/null; }
has_chromium() { has chromium || has chromium-browser || has google-chrome || has google-chrome-stable; }

# ----------------------------------------------------------------------------------------- what packages can bring

look() {
  packages=()
  has_postgres || packages+=(postgresql)
  has_rabbitmq || packages+=(rabbitmq-server)
  has cc || packages+=(gcc libc6-dev)
  has curl || packages+=(curl ca-certificates)
  has ps || packages+=(procps)
  if $for_tests && ! has_chromium; then packages+=(chromium); fi
  if $for_tests && ! has_python; then packages+=(python3-venv); fi
}

install_packages() {
  local sudo=()
  [[ $(id -u) == 0 ]] || sudo=(sudo -n)
  echo "Installing ${packages[*]} by apt-get" >&2
  "${sudo[@]}" bash -s -- "${packages[@]}" <<'AS_ROOT'
set -euo pipefail
policy=/usr/sbin/policy-rc.d
fresh=()
for service in postgresql rabbitmq-server; do
  case " $* " in *" $service "*) fresh+=("$service") ;; esac
done
if [[ ! -e $policy ]]; then # one that is there already keeps its say
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
{ apt-get update && apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1 || { tail -n 30 "$log" >&2; rm "$log"; exit 1; }
rm "$log"
if command -v systemctl >/dev/null; then
  for service in "${fresh[@]}"; do systemctl disable "$service" >/dev/null 2>&1 || true; done
fi
AS_ROOT
}

look
if ((${#packages[@]} > 0)) && has apt-get && { [[ $(id -u) == 0 ]] || sudo -n true 2>/dev/null; }; then
  install_packages || true # what is still missing is named below
  look
fi
for package in "${packages[@]}"; do
  case $package in
    postgresql) need "PostgreSQL 15 or newer, its server programs  (Debian, Ubuntu: sudo apt-get install postgresql)" ;;
    rabbitmq-server) need "RabbitMQ 3.10 or newer  (Debian, Ubuntu: sudo apt-get install rabbitmq-server)" ;;
    gcc) need "a C compiler  (Debian, Ubuntu: sudo apt-get install gcc libc6-dev)" ;;
    curl) need "curl  (Debian, Ubuntu: sudo apt-get install curl ca-certificates)" ;;
    procps) need "ps  (Debian, Ubuntu: sudo apt-get install procps)" ;;
    python3-venv) need "Python 3 with venv, for the tests with the public standardwebhooks package  (Debian, Ubuntu: sudo apt-get install python3-venv)" ;;
    chromium) need "Chromium, for the browser tests  (Debian: sudo apt-get install chromium)" ;;
  esac
done

# --------------------------------------------------------------------------------------------- Rust, Node.js: said

wanted_rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")
if ! has cargo && [[ -x $HOME/.cargo/bin/cargo ]]; then PATH=$HOME/.cargo/bin:$PATH; fi
if ! has cargo; then
  need "Rust $wanted_rust or newer  (curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal)"
elif found=$(cd "$root" && cargo --version 2>/dev/null | cut -d' ' -f2) && ! at_least "$wanted_rust" "${found%%-*}"; then
  if has rustup; then
    need "Rust $wanted_rust or newer, here is ${found:-none that works}  (rustup update stable)"
  else
    need "Rust $wanted_rust or newer, here is ${found:-none that works}  (curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal)"
  fi
fi

wanted_node=20.19.0
node_line="Debian, Ubuntu: curl -fsSL https://deb.nodesource.com/setup_22.x | sudo -E bash - && sudo apt-get install -y nodejs"
if ! has node || ! has npm; then
  need "Node.js $wanted_node or newer, with npm  ($node_line)"
elif found=$(node --version) && ! at_least "$wanted_node" "${found#v}"; then
  need "Node.js $wanted_node or newer, here is ${found#v}  ($node_line)"
fi

((${#missing[@]} > 0)) || exit 0
{
  echo "Missing on this machine:"
  printf '  - %s\n' "${missing[@]}"
  echo
  echo "$with_docker"
} >&2
exit 1
