#!/usr/bin/env bash
# Runs a Python program with packages that pip installs under .local, in an environment for these packages alone.
#
#   python.sh PACKAGE==VERSION... -- PROGRAM ARGUMENT...
set -euo pipefail
cd "$(dirname "$0")/../.."

packages=()
while [[ $# -gt 0 && $1 != -- ]]; do packages+=("$1") && shift; done
[[ $# -gt 1 ]] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
shift
name=${packages[*]}
home=.local/tools/python-${name// /-}
if [[ ! -e $home/installed ]]; then
  echo "Installing $name under .local, by pip" >&2
  python3 -m venv --clear "$home"
  "$home/bin/python" -m pip --quiet --disable-pip-version-check install --only-binary :all: "${packages[@]}"
  touch "$home/installed"
fi
exec "$home/bin/python" "$@"
