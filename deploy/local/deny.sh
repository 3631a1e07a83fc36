#!/usr/bin/env bash
# Licences, bans, sources and security advisories of the dependencies, by cargo-deny, which is built into
# .local/tools where it is missing (some four minutes of one core, once).
#
#   deny.sh            check
#   deny.sh --install  only make sure that cargo-deny is there
#
# The advisories come from a snapshot of the RustSec database beside the checkout (../shared/advisory-db, or the
# directory that ADVISORY_DB names), so that the answer is the same with and without network.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/local/tools.sh
. deploy/local/tools.sh
version=0.20.2
tools=$PWD/.local/tools

if command -v cargo-deny >/dev/null; then
  deny=cargo-deny
else
  deny=$tools/bin/cargo-deny
  if [[ ! -x $deny ]]; then
    echo "Building cargo-deny $version into .local/tools" >&2
    # Its own target directory: a build of the workspace may run at the same time. Its release profile, with LTO of everything
    # in one unit, pays for itself only in many runs: built as here the check takes three seconds.
    CARGO_TARGET_DIR=$tools/build \
      CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
      cargo install --locked --quiet --root "$tools" --version "$version" cargo-deny
    rm -rf "$tools/build"
  fi
fi
[[ ${1:-} == --install ]] && exit 0

# A build has downloaded only what is for this platform; cargo-deny reads what is for any.
cargo fetch --locked --quiet

snapshot=${ADVISORY_DB:-../shared/advisory-db}
checks=(bans licenses sources)
if [[ -d $snapshot/crates ]]; then
  checks+=(advisories)
  copy=.local/advisories/advisory-db-3157b0e258782691 # the name that cargo-deny makes of the database's URL
  rm -rf "$copy"
  mkdir -p "$copy"
  cp -r "$snapshot/crates" "$copy/"
  chmod -R u+w "$copy"
  git init --quiet "$copy"
  touch "$copy/.git/FETCH_HEAD"
else
  echo "!!! ADVISORIES NOT CHECKED: no snapshot of the RustSec database at $snapshot (ADVISORY_DB names another) !!!" >&2
fi
exec "$deny" --locked --offline check --hide-inclusion-graph "${checks[@]}"
