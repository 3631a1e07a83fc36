#!/usr/bin/env bash
# Follows the logs of the system that demo.sh or up.sh started.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/local/lib.sh
. deploy/local/lib.sh
[[ -d $logs ]] || die "nothing was started yet: make demo"
exec tail -n 50 -F "$logs"/*.log
