#!/usr/bin/env bash
# Tests deny.sh: without a snapshot of the advisories, or with one that is too old, it fails and says why.
set -euo pipefail
cd "$(dirname "$0")/../.."
snapshot=$(mktemp -d)
trap 'rm -rf "$snapshot"' EXIT

# Runs deny.sh with the snapshot, and wants its exit code to be zero or not, and its output to say this.
want() {
  local code=$1 said=$2 output actual=0
  output=$(ADVISORIES_UNCHECKED='' ADVISORY_DB=$snapshot deploy/local/deny.sh 2>&1) || actual=1
  if [[ $actual != "$code" || $output != *"$said"* ]]; then
    printf 'deny-test: exit %s and "%s" were wanted. Exit %s:\n%s\n' "$code" "$said" "$actual" "$output" >&2
    exit 1
  fi
}

# A snapshot of one advisory, about a crate that nobody has, of this date.
advisory_of() {
  mkdir -p "$snapshot/crates/nobody-has-this-crate"
  cat >"$snapshot/crates/nobody-has-this-crate/RUSTSEC-2000-0001.md" <<TEXT
\`\`\`toml
[advisory]
id = "RUSTSEC-2000-0001"
package = "nobody-has-this-crate"
date = "$1"

[versions]
patched = []
\`\`\`

# Nobody has this crate

A test of deny.sh.
TEXT
}

want 1 "There is no snapshot of the RustSec database"
mkdir "$snapshot/crates"
want 1 "holds no advisory with a date"
advisory_of "$(date --date='400 days ago' +%F)"
want 1 "is stale"
advisory_of "$(date --date=yesterday +%F)"
want 0 "advisories ok"
