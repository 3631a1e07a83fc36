#!/usr/bin/env bash
# Writes deploy/pinned-images.yml anew: the images of third parties in docker-compose.yml and the Dockerfile, by the digests
# that their tags have in the registry now.
#
#   pin-images.sh               writes the file; needs Docker with Buildx, and the registry
#   pin-images.sh --check       compares, without network: does the file have every image and service, with the same tags?
#   pin-images.sh --build-args  prints the file's build arguments, one NAME=IMAGE a line
set -euo pipefail
cd "$(dirname "$0")/.."

file=deploy/pinned-images.yml
die() { echo "pin-images.sh: $*" >&2; exit 1; }

# Prints SERVICE TAG for each service with an image of its own, and SERVICE alone for each that is built from the Dockerfile.
services() {
  awk '/^[^ #]/ { inside = /^services:/ }
    inside && /^  [a-z0-9-]+:/ { service = $1; sub(/:$/, "", service) }
    inside && /^    image: / { print service, $2 }
    inside && /^    <<: \*program$/ { print service }' docker-compose.yml
}
build_images() { sed -n 's/^ARG \([A-Z]*_IMAGE\)=/\1 /p' deploy/Dockerfile; } # prints NAME TAG

declare -A digests
read_digests() {
  local digest tag
  while read -r digest tag; do digests[$tag]=$digest; done \
    < <(sed -En 's/^ *[A-Za-z_]+: [^ ]+@(sha256:[0-9a-f]{64}) # (.*)$/\1 \2/p' "$file")
}
ask_registry() {
  local tag
  for tag in $({ services; build_images; } | awk 'NF == 2 { print $2 }' | sort -u); do
    # Buildx prints a table for a format that begins with {{.Manifest (seen with 0.13.1).
    digests[$tag]=$(docker buildx imagetools inspect --format '{{printf "%s" .Manifest.Digest}}' "$tag")
    [[ ${digests[$tag]} =~ ^sha256:[0-9a-f]{64}$ ]] || die "the registry gave no digest for $tag"
  done
}

pinned() { # TAG: by its digest, or as it is where the registry has not been asked for it
  if [[ ${digests[$1]:-} ]]; then printf '%s@%s # %s\n' "${1%:*}" "${digests[$1]}" "$1"; else printf '%s # not pinned yet\n' "$1"; fi
}
body() {
  local name tag
  printf '\nx-pinned-build: &pinned-build\n  build:\n    args:\n'
  while read -r name tag; do printf '      %s: %s\n' "$name" "$(pinned "$tag")"; done < <(build_images)
  printf '\nservices:\n'
  while read -r name tag; do
    if [[ -n $tag ]]; then
      printf '  %s:\n    image: %s\n' "$name" "$(pinned "$tag")"
    else
      printf '  %s: *pinned-build\n' "$name"
    fi
  done < <(services)
}

case ${1:-} in
  '')
    ask_registry
    {
      echo "# The images of third parties by digest, in the place of the tags in docker-compose.yml and the Dockerfile:"
      echo "#"
      echo "#   docker compose -f docker-compose.yml -f deploy/pinned-images.yml up --build --wait"
      echo "#"
      echo "# Written by deploy/pin-images.sh: the digests that the tags had in the registry on $(date --utc +%Y-%m-%d)."
      body
    } >"$file.new"
    mv "$file.new" "$file"
    ;;
  --check)
    read_digests
    diff <(body) <(grep -v '^#' "$file") >&2 ||
      die "$file does not fit docker-compose.yml and deploy/Dockerfile: write it anew by deploy/pin-images.sh"
    ;;
  --build-args) sed -n 's/^ *\([A-Z]*_IMAGE\): \([^ ]*\).*/\1=\2/p' "$file" ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
