#!/usr/bin/env bash
# Checks what building and running on this machine needs, and installs what is missing: Debian's packages as root or by a
# sudo that asks nothing, a pinned Node.js under .local, and with INSTALL=1 Rust under .local. What it cannot install it
# names, all at once, with the line that does, and exits with 1.
#
#   prerequisites.sh           to build and run: Rust, Node.js, a C compiler, PostgreSQL, RabbitMQ
#   prerequisites.sh --tests   and to test: Chromium, Prometheus, Python
#
# PostgreSQL, RabbitMQ and Prometheus are needed as programs only: the scripts start private ones. So the system's services,
# which the packages bring along, are neither started nor enabled.
set -euo pipefail
cd "$(dirname "$0")/../.."

with_docker="Or run everything in containers, with Docker alone: docker compose up --build --wait"
[[ $(uname) == Linux ]] || { printf 'The private servers are for Linux.\n%s\n' "$with_docker" >&2; exit 1; }

for_tests=false
[[ ${1:-} == --tests ]] && for_tests=true
# shellcheck source=deploy/local/tools.sh
. deploy/local/tools.sh
system_path=${PATH//"$PWD/.local/bin:"/}
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
has_pip() { python3 -m pip --version >/dev/null 2>&1 || has_python; }
has_certificates() {
  [[ -n ${SSL_CERT_FILE:-} || -e /etc/ssl/certs/ca-certificates.crt || -e /etc/pki/tls/certs/ca-bundle.crt || -e /etc/ssl/cert.pem ]]
}
has_prometheus() { has prometheus && has promtool; }
has_chromium() { has chromium || has chromium-browser || has google-chrome || has google-chrome-stable; }

# ----------------------------------------------------------------------------------------- what packages can bring

look_for_packages() {
  packages=()
  has_postgres || packages+=(postgresql)
  has_rabbitmq || packages+=(rabbitmq-server)
  has cc || packages+=(gcc libc6-dev)
  has make || packages+=(make)
  has curl || packages+=(curl)
  has_certificates || packages+=(ca-certificates)
  has ps || packages+=(procps)
  if $for_tests && ! has_chromium; then packages+=(chromium); fi
  if $for_tests && ! has_prometheus; then packages+=(prometheus); fi
  if $for_tests && ! has_python; then packages+=(python3-venv); fi
}

may_install_packages() { has apt-get && { [[ $(id -u) == 0 ]] || sudo -n true 2>/dev/null; }; }

install_packages() { # PACKAGE...
  local sudo=()
  [[ $(id -u) == 0 ]] || sudo=(sudo -n)
  echo "Installing $* by apt-get" >&2
  "${sudo[@]}" bash -s -- "$@" <<'AS_ROOT'
set -euo pipefail
policy=/usr/sbin/policy-rc.d
fresh=()
for service in postgresql prometheus rabbitmq-server; do
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

look_for_packages
if ((${#packages[@]} > 0)) && may_install_packages; then
  install_packages "${packages[@]}" || true # what is still missing is named below
  look_for_packages
fi
for package in "${packages[@]}"; do
  case $package in
    postgresql) need "PostgreSQL 15 or newer, its server programs  (Debian, Ubuntu: sudo apt-get install postgresql)" ;;
    rabbitmq-server) need "RabbitMQ 3.10 or newer  (Debian, Ubuntu: sudo apt-get install rabbitmq-server)" ;;
    gcc) need "a C compiler  (Debian, Ubuntu: sudo apt-get install gcc libc6-dev)" ;;
    make) need "make  (Debian, Ubuntu: sudo apt-get install make)" ;;
    curl) need "curl  (Debian, Ubuntu: sudo apt-get install curl)" ;;
    ca-certificates) need "certificates of public authorities, for HTTPS  (Debian, Ubuntu: sudo apt-get install ca-certificates)" ;;
    procps) need "ps  (Debian, Ubuntu: sudo apt-get install procps)" ;;
    python3-venv) need "Python 3 with venv, for the tests with the public standardwebhooks package and the check of the OpenAPI documents  (Debian, Ubuntu: sudo apt-get install python3-venv)" ;;
    prometheus) need "Prometheus with promtool, for the tests of alerts and dashboards  (Debian, Ubuntu: sudo apt-get install prometheus)" ;;
    chromium) need "Chromium, for the browser tests  (Debian: sudo apt-get install chromium)" ;;
  esac
done

# ----------------------------------------------------------------------------------- what comes under .local: Rust

wanted_rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
rust_version() { cargo --version 2>/dev/null | sed -E 's/^cargo ([0-9.]+).*/\1/'; }
has_rust() { has cargo && at_least "$wanted_rust" "$(rust_version)"; }

if (PATH=$system_path && has_rust); then
  rm -f .local/bin/{cargo,clippy-driver,rustc,rustdoc,rustfmt,rustup}
elif ! has_rust && [[ ${INSTALL:-} == 1 ]]; then
  echo "Installing Rust under .local by rustup's installer" >&2
  deploy/local/rust.sh || true
fi
hash -r
if ! has_rust; then
  rust_line="INSTALL=1, as in 'make demo INSTALL=1', has rustup's installer put it under .local; rustup.rs has other ways"
  if has rustup; then rust_line="rustup update stable"; fi
  found=$(if has cargo; then rust_version || true; fi)
  need "Rust $wanted_rust or newer${found:+, here is $found}  ($rust_line)"
fi

# -------------------------------------------------------------------------------- what comes under .local: Node.js

wanted_node=$(sed -n 's/^ *"node": ">=\(.*\)".*/\1/p' crates/status/dashboard/package.json)
node_version() { node --version 2>/dev/null | tr -d v; }
has_node() { has node && has npm && at_least "$wanted_node" "$(node_version)"; }

install_node() {
  echo "Installing Node.js under .local, from nodejs.org" >&2
  deploy/local/node.sh nodejs.org && return
  echo "Installing Node.js under .local, by pip" >&2
  if ! has_pip && may_install_packages; then install_packages python3-venv || true; fi
  has_pip && deploy/local/node.sh pip
}

if (PATH=$system_path && has_node); then
  rm -f .local/bin/{node,npm,npx}
elif ! has_node; then
  install_node || true
fi
hash -r
if ! has_node; then
  found=$(if has node; then node_version || true; fi)
  need "Node.js $wanted_node or newer, with npm${found:+, here is $found}  (nodejs.org has it; pip brings it where Python 3 has venv, Debian: sudo apt-get install python3-venv)"
fi

((${#missing[@]} > 0)) || exit 0
{
  echo "Missing on this machine:"
  printf '  - %s\n' "${missing[@]}"
  echo
  echo "$with_docker"
} >&2
exit 1
