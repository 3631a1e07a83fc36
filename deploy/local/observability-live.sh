#!/usr/bin/env bash
# Runs the real services, each as a process of its own, and a Prometheus that asks them by the rules of deploy/prometheus. Approves a
# vessel, has the schedule start full syncs, and asks for every expression of an alert, a rule and a panel: each must be understood
# and find series. What is empty while all is well is printed with its reason. Then things go wrong, one after the other, and their
# alerts must fire. Takes two minutes; the programs must be built.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/local/lib.sh
. deploy/local/lib.sh

here=.local/observability
logs=$here/logs
rm -rf "$logs" "$here/prometheus"
mkdir -p "$logs" "$here/prometheus"

processes=()
declare -A pid
stop_all() {
  if ((${#processes[@]} > 0)); then
    kill "${processes[@]}" 2>/dev/null || true
    wait "${processes[@]}" 2>/dev/null || true
  fi
  deploy/local/servers.sh destroy "$here"
}
trap stop_all EXIT

wait_until_ready() { # NAME URL PID
  local end=$((SECONDS + 60))
  until curl --silent --fail --output /dev/null --max-time 5 "$2"; do
    kill -0 "$3" 2>/dev/null || die_with_log "$1 ended before it was ready" "$logs/$1.log"
    ((SECONDS < end)) || die_with_log "$1 was not ready within a minute" "$logs/$1.log"
    sleep 0.2
  done
}

deploy/local/servers.sh start "$here" test
# shellcheck source=/dev/null
. "$here/servers.env"
for database in maintenance onboarding; do query "$DATABASE_SERVER_URL/postgres" "CREATE DATABASE $database"; done

declare -A at
for name in webhook-ingest scheduler worker status onboarding-portal prometheus; do
  port=$(port_near 3005)
  # A port is free until its program listens, so two names may be given the same one.
  while [[ " ${at[*]} " == *":$port "* ]]; do port=$((20000 + RANDOM % 12000)); done
  at[$name]=127.0.0.1:$port
done

WEBHOOK_SECRET=whsec_$(random_base64 32)
ONBOARDING_API_KEY=$(random_base64 24)
ONBOARDING_ADMIN_KEY=$(random_base64 24)
OPERATOR_JWT_SECRET=$(random_base64 48)
PASSWORD_SEAL_KEY=$(random_base64 32)
export WEBHOOK_SECRET ONBOARDING_API_KEY ONBOARDING_ADMIN_KEY OPERATOR_JWT_SECRET PASSWORD_SEAL_KEY SMS_ENV=development
export DATABASE_URL=$DATABASE_SERVER_URL/maintenance ONBOARDING_DATABASE_URL=$DATABASE_SERVER_URL/onboarding
export AMQP_URL=$AMQP_SERVER_URL/%2f WEBHOOK_URL=http://${at[webhook-ingest]}/api/sync/webhook
export ONBOARDING_API_URL=http://${at[onboarding-portal]}/api API_URL=http://${at[status]}

{ "$programs/sms-sync" migrate && "$programs/onboarding-portal" migrate && "$programs/onboarding-portal" seed; } \
  >"$logs/databases.log" 2>&1 || die_with_log "the databases were not made" "$logs/databases.log"
for name in onboarding-portal webhook-ingest scheduler worker status; do
  BIND=${at[$name]} "$programs/$name" >"$logs/$name.log" 2>&1 </dev/null &
  processes+=("$!")
  pid[$name]=$!
  wait_until_ready "$name" "http://${at[$name]}/readyz" "$!"
done

# The same rules, looked at every second, without the minutes that an alert waits; the same jobs, at the addresses of here.
sed 's/^    interval: 1m$/    interval: 1s/; /^        for: [0-9]*m$/d' deploy/prometheus/rules.yml >"$here/rules.yml"
{
  printf 'global: { scrape_interval: 1s, evaluation_interval: 1s }\nrule_files: [rules.yml]\nscrape_configs:\n'
  sed -n 's/^  - job_name: //p' deploy/prometheus/prometheus.yml | while read -r name; do
    printf '  - { job_name: %s, static_configs: [{ targets: ["%s"] }] }\n' "$name" "${at[$name]}"
  done
} >"$here/prometheus.yml"
prometheus --config.file="$here/prometheus.yml" --storage.tsdb.path="$here/prometheus" \
  --web.listen-address="${at[prometheus]}" >"$logs/prometheus.log" 2>&1 </dev/null &
processes+=("$!")
wait_until_ready prometheus "http://${at[prometheus]}/-/ready" "$!"

OPERATOR_TOKEN=$("$programs/sms-sync" token --subject test --role admin)
export OPERATOR_TOKEN
vessel=$(query "$ONBOARDING_DATABASE_URL" "SELECT id FROM records WHERE kind = 'vessel' AND state = 'draft' LIMIT 1")
curl --silent --show-error --fail-with-body --output /dev/null --request POST \
  --header "X-API-Key: $ONBOARDING_ADMIN_KEY" "http://${at[onboarding-portal]}/api/vessels/$vessel/approve"
curl --silent --output /dev/null "$API_URL/api/sync/status" # without a token: 401
"$programs/sms-sync" schedules set full-sync --cron "*/10 * * * * *" --enabled true >/dev/null

end=$((SECONDS + 90))
until [[ $(query "$DATABASE_URL" "SELECT count(*) FROM sync_logs WHERE cause = 'scheduled' AND completed_at IS NOT NULL") != 0 &&
  $(query "$DATABASE_URL" "SELECT count(*) FROM webhook_events WHERE state = 'processed'") != 0 ]]; do
  ((SECONDS < end)) || die_with_log "the vessel and a full sync were not written within 90 seconds" "$logs/worker.log"
  sleep 0.5
done
sleep 4 # the leading scheduler counts every 15 seconds; rates need two scrapes
deploy/local/python.sh promql-parser==0.11.0 pyyaml==6.0.3 -- deploy/local/observability.py --live "http://${at[prometheus]}"

alerts() { # the names of those that fire, on one line
  curl --silent --fail "http://${at[prometheus]}/api/v1/alerts" | grep -oE '"alertname":"[A-Za-z]+"' | cut -d'"' -f4 | sort -u | tr '\n' ' '
}
must_fire() { # ALERT WHY
  local end=$((SECONDS + 120))
  until [[ " $(alerts)" == *" $1 "* ]]; do
    ((SECONDS < end)) || die "$1 did not fire within two minutes: $2. These do: $(alerts)"
    sleep 0.5
  done
  printf '  %-32s %s\n' "$1" "$2"
}
step "Alerts that fire while nothing is wrong: $(alerts)"
[[ -z $(alerts) ]] || die "none should"

step "Alerts that fire when something is"
# Signed with the right secret: of others it is not said that their clock is wrong.
signature() {
  python3 - "$1" "$WEBHOOK_SECRET" <<'PY'
import base64, hashlib, hmac, sys
key = base64.b64decode(sys.argv[2].removeprefix("whsec_"))
print("v1," + base64.b64encode(hmac.digest(key, f"{sys.argv[1]}.1.{{}}".encode(), hashlib.sha256)).decode())
PY
}
for n in 1 2 3 4 5 6; do # more than were accepted
  curl --silent --output /dev/null --request POST --header "Content-Type: application/json" --header "webhook-id: msg_$n" \
    --header "webhook-timestamp: 1" --header "webhook-signature: $(signature "msg_$n")" --data '{}' "$WEBHOOK_URL"
  sleep 0.3
done
must_fire SmsClockSkew "webhooks of 1970"

deploy/local/servers.sh block-rabbitmq "$here"
must_fire SmsBrokerBlocked "RabbitMQ raises an alarm for memory"
deploy/local/servers.sh unblock-rabbitmq "$here"

kill "${pid[onboarding-portal]}"
must_fire SmsOnboardingPortalUnavailable "the onboarding portal is stopped"

kill "${pid[worker]}"
must_fire SmsServiceDown "the worker is stopped"
kill "${pid[scheduler]}"
must_fire SmsNoSchedulerLeads "the scheduler is stopped"
