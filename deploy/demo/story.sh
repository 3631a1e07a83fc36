#!/usr/bin/env bash
# The story of `make demo`, told within the containers: docker compose --profile demo run --rm demo
# Approves a vessel in the onboarding portal, follows it to the maintenance portal, and runs a full sync of the fleet.
set -euo pipefail

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

# The image has no HTTP client, and Bash can open a connection by itself.
portal() { # METHOD PATH: prints the body of an answer 2xx
  local answer status
  exec 3<>/dev/tcp/onboarding-portal/3001
  printf '%s %s HTTP/1.0\r\nHost: onboarding-portal\r\nX-API-Key: %s\r\nContent-Length: 0\r\n\r\n' \
    "$1" "$2" "$(</run/secrets/onboarding_admin_key)" >&3
  answer=$(tr -d '\r' <&3)
  exec 3>&-
  status=${answer%%$'\n'*}
  [[ $status == *" 2"* ]] || die "$1 $2: $status"
  printf '%s\n' "${answer#*$'\n\n'}"
}
# The id of the first vessel in this state; nothing where there is none.
vessel_in() { portal GET "/api/vessels?state=$1&limit=1" | sed -n 's/.*"record":{"id":"\([^"]*\)".*/\1/p'; }

OPERATOR_TOKEN=$(sms-sync token --subject demo --role admin)
export OPERATOR_TOKEN

say "Approving a vessel in the onboarding portal"
# The draft that the demo fleet keeps for this; later it is approved already, and is approved once more.
vessel=$(vessel_in draft)
vessel=${vessel:-$(vessel_in approved)}
[[ $vessel ]] || die "the onboarding portal has no vessel"
processed() { { sms-sync records timeline vessel "$vessel" 2>/dev/null || true; } | grep -c webhook_processed || true; }
before=$(processed)
portal POST "/api/vessels/$vessel/approve" >/dev/null
echo "$vessel is approved; its signed webhook is on its way"

say "Following it to the maintenance portal"
end=$((SECONDS + 60))
until (($(processed) > before)); do
  ((SECONDS < end)) || die "the webhook was not processed within a minute: sms-sync doctor"
  sleep 0.2
done
sms-sync records timeline vessel "$vessel"

say "Running a full sync of the fleet"
sms-sync trigger --watch --reason "demo"

say "Where to look"
cat <<TEXT
  dashboard          http://localhost:3005/
  onboarding portal  http://localhost:3001/
  Operator token (admin, for the dashboard's sign-in)
  $OPERATOR_TOKEN
TEXT
