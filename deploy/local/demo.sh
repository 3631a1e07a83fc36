#!/usr/bin/env bash
# The whole story: install, start, seed, approve a vessel and follow its webhook to the row, run a full sync, and hold
# the numbers of both portals side by side. Leaves the system running.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/local/lib.sh
. deploy/local/lib.sh

start_system

step "Approving a vessel in the onboarding portal"
# The draft that the demo fleet keeps for this; on later runs it is approved already, and is approved once more.
IFS='|' read -r vessel name imo < <(query "$ONBOARDING_DATABASE_URL" "
  SELECT id, document ->> 'name', document ->> 'imoNumber' FROM records
  WHERE kind = 'vessel' ORDER BY (state = 'draft') DESC, id LIMIT 1")
approved_at=$(query "$DATABASE_URL" "SELECT clock_timestamp()")
curl --silent --show-error --fail-with-body --output /dev/null --request POST \
  --header "X-API-Key: $ONBOARDING_ADMIN_KEY" "$PORTAL_URL/api/vessels/$vessel/approve" ||
  die "the onboarding portal did not approve $name"
echo "$name (IMO $imo) is approved; its signed webhook is on its way"

handled="FROM webhook_events WHERE source_id = '$vessel' AND received_at >= '$approved_at'"
end=$((SECONDS + 60))
until [[ $(query "$DATABASE_URL" "SELECT count(*) $handled AND state = 'processed'") != 0 ]]; do
  ((SECONDS < end)) || die_with_log "the webhook was not processed within a minute" "$logs/sms-sync.log"
  sleep 0.05
done
query "$DATABASE_URL" "
  SELECT format('  %s ms  %s', lpad(round(extract(epoch FROM at - '$approved_at') * 1000)::text, 6), what)
  FROM (SELECT received_at AS at, 'the webhook is verified and committed (202)' AS what $handled AND state = 'processed'
        UNION ALL SELECT processed_at, 'the vessel, its equipment and its users are rows' $handled AND state = 'processed'
       ) AS steps ORDER BY at"
query "$DATABASE_URL" "
  SELECT format('  %s, IMO %s, flag %s: %s pieces of equipment, %s users', v.name, v.imo_number, v.flag,
    (SELECT count(*) FROM equipment e WHERE e.vessel_id = v.id),
    (SELECT count(*) FROM users u WHERE v.source_id = ANY(u.vessel_scope)))
  FROM vessels v WHERE v.source_id = '$vessel'"

step "Running a full sync of the fleet"
"$programs/sms-sync" trigger --watch --reason "make demo"

step "Holding both portals side by side"
printf '  %-12s %22s %22s\n' "" "approved in onboarding" "active in maintenance"
while IFS='|' read -r kind table; do
  printf '  %-12s %22s %22s\n' "$kind" \
    "$(query "$ONBOARDING_DATABASE_URL" "SELECT count(*) FROM records WHERE kind = '$kind' AND state = 'approved'")" \
    "$(query "$DATABASE_URL" "SELECT count(*) FROM $table WHERE status = 'active'")"
done <<'KINDS'
company|companies
vessel|vessels
equipment|equipment
user|users
KINDS
echo "  The difference is what was rejected, with the reasons above: a handful of the demo fleet's records are bad on purpose."

say_what_runs
