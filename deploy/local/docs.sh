#!/usr/bin/env bash
# Builds the documentation as a site into .local/book, and checks that every link and anchor within it leads somewhere. mdBook
# is built into .local/tools where it is missing (some eighty seconds of one core, once).
#
#   docs.sh            build and check
#   docs.sh --install  only make sure that mdBook is there
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/local/tools.sh
. deploy/local/tools.sh
version=0.5.4
tools=$PWD/.local/tools

mdbook=mdbook
if [[ $(mdbook --version 2>/dev/null) != "mdbook v$version" ]]; then
  mdbook=$tools/bin/mdbook
  if [[ $("$mdbook" --version 2>/dev/null) != "mdbook v$version" ]]; then
    echo "Building mdBook $version into .local/tools" >&2
    # Without its web server. Quick to build, as in deny.sh: this site takes it a second.
    CARGO_TARGET_DIR=$tools/build-mdbook CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off \
      CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
      cargo install --locked --quiet --force --root "$tools" --version "$version" --no-default-features --features search mdbook
    rm -rf "$tools/build-mdbook"
  fi
fi
[[ ${1:-} == --install ]] && exit 0

deploy/local/docs.py copy
MDBOOK_LOG=warn "$mdbook" build
deploy/local/docs.py check
