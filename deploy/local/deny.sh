#!/usr/bin/env bash
# Licences, bans, sources and security advisories of the dependencies, by cargo-deny, which is built into
# .local/tools where it is missing (some four minutes of one core, once).
#
#   deny.sh            check
#   deny.sh --install  only make sure that cargo-deny is there
#
# The advisories come from a snapshot of the RustSec database beside the checkout (../shared/advisory-db, or the
# directory that ADVISORY_DB names), so that the answer is the same with and without network. The snapshot is as old as its
# newest advisory; deny.toml says how old it may be (maximum-db-staleness), with the reason. Without a snapshot the check fails,
# unless ADVISORIES_UNCHECKED says why it may pass: ADVISORIES_UNCHECKED="no network on this machine" deny.sh
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
  newest=$(grep -rhoP '^date = "\K[0-9]{4}-[0-9]{2}-[0-9]{2}' "$copy/crates" | sort | tail -n 1) || true # none was found
  if [[ -z $newest ]]; then
    echo "The snapshot at $snapshot holds no advisory with a date." >&2
    exit 1
  fi
  echo "Newest advisory of the snapshot: $newest" >&2
  # cargo-deny takes this file's time for that of the snapshot.
  touch --date="$newest" "$copy/.git/FETCH_HEAD"
elif [[ -n ${ADVISORIES_UNCHECKED:-} ]]; then
  echo "!!! ADVISORIES NOT CHECKED: no snapshot of the RustSec database at $snapshot. Reason: $ADVISORIES_UNCHECKED !!!" >&2
else
  echo "There is no snapshot of the RustSec database at $snapshot. Set ADVISORY_DB to the directory of one (a clone of" >&2
  echo "https://github.com/rustsec/advisory-db), or ADVISORIES_UNCHECKED to the reason why the check may pass without." >&2
  exit 1
fi
exec "$deny" --locked --offline check --hide-inclusion-graph "${checks[@]}"
