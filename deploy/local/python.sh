#!/usr/bin/env bash
# Runs a Python program with packages that pip installs under .local, in an environment for these packages alone.
#
#   python.sh PACKAGE==VERSION [--hash=sha256:SUM…]… -- PROGRAM ARGUMENT…
#   python.sh PACKAGE==VERSION [--hash=sha256:SUM…]…     prints the environment's directory: bin/ has the packages' programs
#
# With one sum, each package needs one; an archive with another sum is not installed.
set -euo pipefail
cd "$(dirname "$0")/../.."

packages=() requirements=''
while [[ $# -gt 0 && $1 != -- ]]; do
  case $1 in
    --hash=*) requirements+=" $1" ;;
    *) packages+=("$1") requirements+=$'\n'$1 ;;
  esac
  shift
done
[[ ${#packages[@]} -gt 0 && $# != 1 ]] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
name=${packages[*]}
home=.local/tools/python-${name// /-}
if [[ ! -e $home/installed ]]; then
  echo "Installing $name under .local, by pip" >&2
  python3 -m venv --clear "$home"
  printf '%s\n' "$requirements" >"$home/requirements.txt"
  "$home/bin/python" -m pip --quiet --disable-pip-version-check install --only-binary :all: --requirement "$home/requirements.txt"
  touch "$home/installed"
fi
if [[ $# == 0 ]]; then
  printf '%s\n' "$home"
else
  shift
  exec "$home/bin/python" "$@"
fi
