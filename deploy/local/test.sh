#!/usr/bin/env bash
# Every test, on servers of their own: Rust, the dashboard's, and the browser's against the real services.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/local/tools.sh
. deploy/local/tools.sh
dashboard=crates/status/dashboard

deploy/local/prerequisites.sh --tests
make --no-print-directory dashboard
deploy/local/openapi.sh
deploy/local/observability.sh
deploy/local/docs.sh

# Servers that ran before stay, for the next `cargo test`.
deploy/local/servers.sh status .local/test >/dev/null 2>&1 || trap 'deploy/local/servers.sh stop .local/test' EXIT
deploy/local/servers.sh start .local/test test

# In one go, so that programs and tests share their dependencies, compiled once with the same features.
cargo build --workspace --all-targets --locked
export SMS_TEST_BINARIES_BUILT=1
deploy/local/doc-commands.py
deploy/local/kubernetes.sh
deploy/local/observability-live.sh
deploy/local/backup-test.sh
cargo test --workspace --locked

npm --prefix "$dashboard" run test
npm --prefix "$dashboard" run e2e
