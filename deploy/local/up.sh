#!/usr/bin/env bash
# Starts the system of the demo, without the story.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/local/lib.sh
. deploy/local/lib.sh
start_system
say_what_runs
