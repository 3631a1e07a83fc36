#!/usr/bin/env bash
# Installs Rust under .local by rustup's own installer, where it touches neither the system nor another Rust of this user:
# toolchain, registry and programs lie in .local/rust, and .local/bin has a program of each name that finds them there.
set -euo pipefail
cd "$(dirname "$0")/../.."

export RUSTUP_HOME=$PWD/.local/rust/rustup CARGO_HOME=$PWD/.local/rust/cargo
mkdir -p .local/bin
installer=$(mktemp .local/rustup-init.XXXXXX)
trap 'rm -f "$installer"' EXIT

curl --proto '=https' --tlsv1.2 --fail --silent --show-error --connect-timeout 10 --output "$installer" https://sh.rustup.rs
# The path check is about another Rust on the PATH, beside which this one is meant to live.
RUSTUP_INIT_SKIP_PATH_CHECK=yes sh "$installer" -y --quiet --no-modify-path --profile minimal \
  --default-toolchain stable --component rustfmt --component clippy

for program in cargo clippy-driver rustc rustdoc rustfmt rustup; do
  cat >".local/bin/$program" <<'PROGRAM'
#!/bin/sh
rust=$(cd "$(dirname "$0")/../rust" && pwd)
RUSTUP_HOME=$rust/rustup CARGO_HOME=$rust/cargo exec "$rust/cargo/bin/$(basename "$0")" "$@"
PROGRAM
  chmod +x ".local/bin/$program"
done
.local/bin/cargo --version >&2
