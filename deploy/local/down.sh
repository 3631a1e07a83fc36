#!/usr/bin/env bash
# Stops everything that demo.sh or up.sh started, and nothing else. The data stays, for the next start.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/local/lib.sh
. deploy/local/lib.sh
stop_program sms-sync
stop_program onboarding-portal
deploy/local/servers.sh stop "$demo"
