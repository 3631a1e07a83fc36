#!/usr/bin/env bash
# Counts what a rolling restart, a killed worker and a restart of everything cost, on a Compose system of its own: the containers,
# volumes and ports of this test are its own, and are removed at its end.
#
#   rolling-restart-test.sh
#
# 1. With four workers one is killed in the middle of the first full sync: the sync succeeds, its counts are right, and a second full
#    sync finds nothing to change.
# 2. Each service is replaced in turn, as an upgrade does it, under steady signed webhooks and requests to the operator API. Not one
#    answer may be wrong, and every webhook must be a row that is done with.
# 3. `down` and `up`: every table has the rows that it had.
#
# Takes five minutes. Needs Docker with Compose, Python 3, and the image: SMS_SYNC_IMAGE, otherwise sms-sync:local, which is built
# where it is missing. RATE is the number of webhooks a second (200).
set -euo pipefail
cd "$(dirname "$0")/../.."

die() { printf 'rolling-restart-test: %s\n' "$*" >&2; exit 1; }
step() { printf '\n%s\n' "$*"; }
docker compose version >/dev/null 2>&1 || die "needs Docker with Compose, and \`docker compose\` is not here"
docker info >/dev/null 2>&1 || die "Docker's engine does not answer; is it started?"
command -v python3 >/dev/null || die "needs Python 3"

rate=${RATE:-200}
here=.local/rolling-restart
mkdir -p "$here"
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
export COMPOSE_PROJECT_NAME=sms-sync-rolling-restart COMPOSE_FILE=docker-compose.yml SMS_ENV=development
export GATEWAY_ADDRESS PORTAL_ADDRESS
unset SECRETS COMPOSE_PROFILES
GATEWAY_ADDRESS=127.0.0.1:$(free_port)
PORTAL_ADDRESS=127.0.0.1:$(free_port)
gateway=http://$GATEWAY_ADDRESS portal=http://$PORTAL_ADDRESS
secrets=deploy/secrets/development

load=''
stop_all() {
  if [[ $load ]]; then kill "$load" 2>/dev/null || true; fi
  docker compose down --volumes --timeout 5 >/dev/null 2>&1 || true
}
trap stop_all EXIT

quiet() { "$@" >"$here/last.log" 2>&1 || { tail -n 30 "$here/last.log" >&2; docker compose logs --tail 5 >&2; die "$* failed"; }; }
query() { docker compose exec -T postgres psql --username postgres --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 \
  --dbname="$1" --command="$2"; } # DATABASE SQL
sms() { docker compose exec -T -e OPERATOR_TOKEN="$OPERATOR_TOKEN" status sms-sync "$@"; }
of_portal() { # METHOD PATH [CURL OPTION…]
  curl --silent --show-error --fail-with-body --request "$1" --header "X-API-Key: $(cat $secrets/onboarding_admin_key)" "${@:3}" "$portal$2"
}
wait_for() { # WHAT WANTED COMMAND…
  local what=$1 wanted=$2 end=$((SECONDS + 300)) found
  shift 2
  until found=$("$@") && [[ $found == "$wanted" ]]; do
    ((SECONDS < end)) || die "$what: $wanted was wanted, $found found after five minutes"
    sleep 0.2
  done
}
expect() { # WHAT WANTED FOUND
  [[ $2 == "$3" ]] || die "$1: $2 was wanted, $3 found"
  printf '  %s: %s\n' "$1" "$3"
}
field() { python3 -c 'import functools, json, sys
print(functools.reduce(lambda value, name: value[name], sys.argv[2].split("."), json.load(open(sys.argv[1]))))' "$1" "$2"; } # FILE NAME.NAME

step "Starting the system of the test"
docker image inspect "${SMS_SYNC_IMAGE:-sms-sync:local}" >/dev/null 2>&1 || quiet docker compose build
quiet docker compose up --detach --no-build --wait
OPERATOR_TOKEN=$(docker compose exec -T status sms-sync token --subject rolling-restart --role admin)
export OPERATOR_TOKEN

# --------------------------------------------------------------------------- a worker killed in the middle of a sync

counts() { query maintenance "SELECT string_agg(format('%s %s', record_type, $2), ', ' ORDER BY record_type) FROM sync_counts WHERE sync_id = '$1'"; }
active() { query maintenance "SELECT format('company %s, equipment %s, user %s, vessel %s', (SELECT count(*) FROM companies WHERE status = 'active'),
  (SELECT count(*) FROM equipment WHERE status = 'active'), (SELECT count(*) FROM users WHERE status = 'active'),
  (SELECT count(*) FROM vessels WHERE status = 'active'))"; }
tasks_done() { query maintenance "SELECT count(*) FROM sync_queue WHERE sync_id = '$1' AND record_type = 'equipment' AND state = 'done'"; }
state_of() { query maintenance "SELECT state FROM sync_logs WHERE id = '$1'"; }
ended() { query maintenance "SELECT completed_at IS NOT NULL FROM sync_logs WHERE id = '$1'"; }

step "Killing one of four workers in the middle of the first full sync"
quiet docker compose up --detach --no-build --no-recreate --wait --scale worker=4
of_portal PUT /api/faults --header "Content-Type: application/json" --data '{"kind": "slow", "delayMs": 1500}' >/dev/null
sms trigger --reason "one worker is killed" >/dev/null
sync=$(query maintenance "SELECT id FROM sync_logs ORDER BY started_at DESC LIMIT 1")
end=$((SECONDS + 60))
until (($(tasks_done "$sync") > 0)); do
  ((SECONDS < end)) || die "no page of equipment was written within a minute"
done
docker kill "$(docker compose ps --quiet worker | head -n 1)" >/dev/null
expect "the sync when the worker was killed" running "$(state_of "$sync")"
of_portal DELETE /api/faults
wait_for "the end of the sync" t ended "$sync"
# The demo fleet has records that are wrong on purpose.
expect "the sync with three workers left" completed_with_errors "$(state_of "$sync")"
expect "read, as expected by the portal" "$(counts "$sync" expected)" "$(counts "$sync" read)"
# The demo fleet has one conflict, over a label: its record is written without it.
expect "active, as created" "$(counts "$sync" 'created + conflict')" "$(active)"
quiet sms trigger --watch --reason "after one worker was killed"
again=$(query maintenance "SELECT id FROM sync_logs ORDER BY started_at DESC LIMIT 1")
expect "created or updated by a second full sync" "company 0, equipment 0, user 0, vessel 0" "$(counts "$again" 'created + updated')"
expect "unchanged in it, as created in the first" "$(counts "$sync" 'created + conflict')" "$(counts "$again" unchanged)"

# ------------------------------------------------------------------------------------------------ a rolling restart

step "Replacing each service under $rate webhooks a second"
mapfile -t vessels < <(query maintenance "SELECT source_id FROM vessels WHERE status = 'active' ORDER BY source_id")
WEBHOOK_SECRET=$(cat $secrets/webhook_secret) python3 deploy/local/webhook-load.py "$gateway" rolling- "$rate" "${vessels[@]}" >"$here/load.json" &
load=$!
sleep 3
# The container alone, five times: whether the last webhook before the port closes is answered is a matter of milliseconds.
for _ in 1 2 3 4 5; do
  quiet docker compose up --detach --no-build --no-deps --force-recreate --wait webhook-ingest
  sleep 1
done
echo "  webhook-ingest: replaced five times"
# As docs/operations.md upgrades. Compose takes a container that was made with --no-deps for another one.
for service in worker scheduler webhook-ingest status onboarding-portal; do
  at=$(date +%s%N)
  quiet docker compose up --detach --no-build --force-recreate --wait "$service"
  printf '  %s: replaced in %d.%d s\n' "$service" $((($(date +%s%N) - at) / 1000000000)) $((($(date +%s%N) - at) / 100000000 % 10))
  sleep 3
done
started() { docker compose ps --quiet webhook-ingest status worker gateway | xargs docker inspect --format '{{.Name}} {{.State.StartedAt}}'; }
before=$(started)
quiet docker compose up --detach --no-build --wait
[[ $(started) == "$before" ]] || die "a last 'docker compose up' started services again"
sleep 2
kill -TERM "$load"
wait "$load" || die "the load ended with an error"
load=''
python3 - "$here/load.json" <<'SCRIPT'
import json, sys
load = json.load(open(sys.argv[1]))
print(f"  webhooks {load['webhooks']}, reads {load['reads']}, slowest answer {load['slowestSeconds']} s")
for fault in load["faults"][:20]:
    print(f"  {fault}")
sys.exit(f"{len(load['faults'])} requests failed" if load["faults"] else 0)
SCRIPT
accepted=$(field "$here/load.json" webhooks.202)
expect "rows of the webhooks that were answered 2xx" "$accepted" \
  "$(query maintenance "SELECT count(*) FROM webhook_events WHERE webhook_id LIKE 'rolling-%'")"
wait_for "webhooks that are processed" "$accepted" \
  query maintenance "SELECT count(*) FROM webhook_events WHERE webhook_id LIKE 'rolling-%' AND state = 'processed'"
expect "of them processed" "$accepted" "$accepted"
expect "dead letters" 0 "$(query maintenance "SELECT count(*) FROM dead_letters")"

# ------------------------------------------------------------------------------------------------------ down and up

step "Ending everything while webhooks are in hand, and starting it again"
rows() { query maintenance "SELECT string_agg(format('%s %s', name, (xpath('/row/n/text()',
  query_to_xml(format('SELECT count(*) AS n FROM %I', name), false, true, '')))[1]), ', ') FROM unnest(ARRAY['companies', 'vessels',
  'equipment', 'critical_parts', 'maintenance_schedules', 'users', 'conflicts', 'audit']) AS name"; }
load_for() { # PREFIX SECONDS: prints how many were accepted
  local running
  WEBHOOK_SECRET=$(cat $secrets/webhook_secret) OPERATOR_TOKEN='' python3 deploy/local/webhook-load.py "$gateway" "$1" "$rate" "${vessels[@]}" \
    >"$here/load.json" &
  running=$!
  sleep "$2"
  kill -TERM "$running"
  wait "$running"
  field "$here/load.json" webhooks.202
}
before=$(rows)
accepted=$(load_for last- 3)
quiet docker compose down
quiet docker compose up --detach --no-build --wait
wait_for "webhooks that are processed" "$accepted" \
  query maintenance "SELECT count(*) FROM webhook_events WHERE webhook_id LIKE 'last-%' AND state = 'processed'"
expect "of the last $accepted webhooks processed" "$accepted" "$accepted"
expect "rows" "$before" "$(rows)"
