#!/usr/bin/env bash
# Simulates a fleet: a virtual provider, the real services, servers of its own that write to disk as real ones do. Writes
# .local/simulate.json. Some half an hour on two cores, and a release build before.
#
#   simulate.sh [OPTION...] [slopes] [day]   the options of the example, which --help lists; by default both
#
#   simulate.sh --help                       every option
#   simulate.sh day --seed 7                 the day that a failure has named
#   simulate.sh slopes --millions 1,4,16     also 16 million records: some 25 GB of disk
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/local/tools.sh
. deploy/local/tools.sh
out=.local/simulate
mkdir -p "$out"

deploy/local/prerequisites.sh
make --no-print-directory dashboard
cargo build --locked --release --bins --example simulate
for option in "$@"; do
  case $option in -h | --help) exec target/release/examples/simulate --help ;; esac
done

# destroy, not stop: the databases of a simulation are large, and nothing in them is needed again.
trap 'deploy/local/servers.sh destroy "$out"' EXIT
deploy/local/servers.sh start "$out" durable
export SMS_TEST_SERVERS=$PWD/$out/servers.env SMS_TEST_BINARIES_BUILT=1
target/release/examples/simulate --own-servers --json .local/simulate.json "$@"
