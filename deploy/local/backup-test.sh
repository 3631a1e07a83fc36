#!/usr/bin/env bash
# Backs up, destroys and restores a real PostgreSQL by the scripts of deploy/postgres, under the running system: a base backup while
# records are written, a restore to a point in time, and the one command that brings queue, ledger and portals in step. Then a dump,
# read into another database. Takes a minute; the programs must be built.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/local/lib.sh
. deploy/local/lib.sh

here=$PWD/.local/backup
logs=$here/logs
scripts=$PWD/deploy/postgres
rm -rf "$logs"
mkdir -p "$logs"

processes=()
stop_programs() {
  ((${#processes[@]} > 0)) || return 0
  kill "${processes[@]}" 2>/dev/null || true
  wait "${processes[@]}" 2>/dev/null || true
  processes=()
}
stop_all() {
  stop_programs
  deploy/local/servers.sh destroy "$here"
  if [[ ${store:-} ]]; then rm -rf "$store"; fi
}
trap stop_all EXIT

start_program() { # NAME ADDRESS ARGUMENT...
  local name=$1 address=$2 end=$((SECONDS + 60))
  shift 2
  BIND=$address "$programs/$name" "$@" >>"$logs/$name.log" 2>&1 </dev/null &
  processes+=("$!")
  until curl --silent --fail --output /dev/null --max-time 5 "http://$address/readyz"; do
    kill -0 "$!" 2>/dev/null || die_with_log "$name ended before it was ready" "$logs/$name.log"
    ((SECONDS < end)) || die_with_log "$name was not ready within a minute" "$logs/$name.log"
    sleep 0.2
  done
}
start_programs() {
  start_program onboarding-portal "$portal" serve
  start_program sms-sync "$api" up
}
as_server() { # the user that PostgreSQL runs as
  if [[ $(id -u) == 0 ]]; then
    setpriv --reuid="$(stat -c %u "$SERVERS_DATA/postgres.conf")" --regid="$(stat -c %g "$SERVERS_DATA/postgres.conf")" --clear-groups -- "$@"
  else
    "$@"
  fi
}
expect() { # WHAT WANTED FOUND
  [[ $2 == "$3" ]] || die "$1: $2 was wanted, $3 found"
  printf '  %s: %s\n' "$1" "$3"
}
wait_for() { # WHAT WANTED SQL
  local end=$((SECONDS + 60))
  until [[ $(query "$DATABASE_URL" "$3") == "$2" ]]; do
    ((SECONDS < end)) || die_with_log "$1 did not happen within a minute" "$logs/sms-sync.log"
    sleep 0.1
  done
}
approve() { # VESSEL
  curl --silent --show-error --fail-with-body --output /dev/null --request POST --header "X-API-Key: $ONBOARDING_ADMIN_KEY" \
    "http://$portal/api/vessels/$1/approve"
}
is_here() { query "$DATABASE_URL" "SELECT count(*) FROM vessels WHERE source_id = '$1'"; }

deploy/local/servers.sh start "$here" durable
# shellcheck source=/dev/null
. "$here/servers.env"
# the programs of the server's own version, where several are installed
version=$(cat "$SERVERS_DATA/postgres/PG_VERSION")
if [[ ! -d /usr/lib/postgresql/$version/bin ]]; then version=''; fi
PATH=${version:+/usr/lib/postgresql/$version/bin:}$(dirname "$(psql_program)"):$PATH
export PGHOST=127.0.0.1 PGPORT=$SERVERS_POSTGRES_PORT PGUSER=sms PGPASSWORD=$SERVERS_PASSWORD
# where the server's user may write, whoever runs this
store=$(mktemp -d)
mkdir "$store/wal" "$store/base" "$store/dump"
if [[ $(id -u) == 0 ]]; then chown -R "$(stat -c %u:%g "$SERVERS_DATA/postgres.conf")" "$store"; fi
cp "$scripts"/*.sh "$store/"
chmod 755 "$store" "$store"/*.sh

# An onboarding portal is another company's system: only the maintenance portal's server is lost. Its database is on another server.
query "$DATABASE_SERVER_URL/postgres" "CREATE DATABASE maintenance"
deploy/local/servers.sh start "$here/portal" test
portal_server=$(sed -n 's/^DATABASE_SERVER_URL=//p' "$here/portal/servers.env")
trap 'deploy/local/servers.sh destroy "$here/portal"; stop_all' EXIT
query "$portal_server/postgres" "CREATE DATABASE onboarding"

api=127.0.0.1:$(port_near 3005) portal=127.0.0.1:$(port_near 3001)
WEBHOOK_SECRET=whsec_$(random_base64 32)
ONBOARDING_API_KEY=$(random_base64 24)
ONBOARDING_ADMIN_KEY=$(random_base64 24)
OPERATOR_JWT_SECRET=$(random_base64 48)
PASSWORD_SEAL_KEY=$(random_base64 32)
export WEBHOOK_SECRET ONBOARDING_API_KEY ONBOARDING_ADMIN_KEY OPERATOR_JWT_SECRET PASSWORD_SEAL_KEY SMS_ENV=development
export DATABASE_URL=$DATABASE_SERVER_URL/maintenance ONBOARDING_DATABASE_URL=$portal_server/onboarding AMQP_URL=$AMQP_SERVER_URL/%2f
export ONBOARDING_API_URL=http://$portal/api API_URL=http://$api WEBHOOK_URL=http://$api/api/sync/webhook
{ "$programs/sms-sync" migrate && "$programs/onboarding-portal" migrate &&
  "$programs/onboarding-portal" seed --vessels 12 --equipment 3000 --users 24; } \
  >"$logs/databases.log" 2>&1 || die_with_log "the databases were not made" "$logs/databases.log"
query "$ONBOARDING_DATABASE_URL" "UPDATE records SET state = 'draft' WHERE id IN (
  SELECT id FROM records WHERE kind = 'vessel' ORDER BY id LIMIT 2)"
OPERATOR_TOKEN=$("$programs/sms-sync" token --subject test --role admin)
export OPERATOR_TOKEN

step "Archiving the write-ahead log"
query "$DATABASE_SERVER_URL/postgres" "ALTER SYSTEM SET archive_mode = on"
query "$DATABASE_SERVER_URL/postgres" "ALTER SYSTEM SET archive_timeout = 60"
query "$DATABASE_SERVER_URL/postgres" "ALTER SYSTEM SET archive_command = '$store/archive-wal.sh $store/wal %p %f'"
deploy/local/servers.sh kill-postgres "$here"
deploy/local/servers.sh start-postgres "$here"
start_programs

step "A base backup, while a full sync writes"
"$programs/sms-sync" trigger --watch --reason "before the backup" >"$logs/sync-1.log" &
sync=$!
as_server env PATH="$PATH" "$store/backup.sh" "$store/base" --archive "$store/wal"
wait "$sync"

mapfile -t drafts < <(query "$ONBOARDING_DATABASE_URL" "
  SELECT id FROM records WHERE kind = 'vessel' AND state = 'draft' ORDER BY id LIMIT 2")
early=${drafts[0]} late=${drafts[1]}

step "One approval, a full sync that has begun, the point in time, and another approval"
approve "$early"
wait_for "the first approval" 1 "SELECT count(*) FROM webhook_events WHERE source_id = '$early' AND state = 'processed'"
"$programs/sms-sync" trigger --reason "at work at the point in time" >>"$logs/sync-2.log"
point=$(query "$DATABASE_URL" "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
state=$(query "$DATABASE_URL" "SELECT state FROM sync_logs WHERE mode = 'full' ORDER BY started_at DESC LIMIT 1")
approve "$late"
wait_for "the second approval" 1 "SELECT count(*) FROM webhook_events WHERE source_id = '$late' AND state = 'processed'"
wait_for "the end of the full sync" 0 "SELECT count(*) FROM sync_logs WHERE completed_at IS NULL"
query "$DATABASE_URL" "SELECT pg_switch_wal()" >/dev/null
segment=$(query "$DATABASE_URL" "SELECT pg_walfile_name(pg_current_wal_lsn() - 1)")
echo "the point in time is $point; the full sync was $state"

step "Losing the server, disk and all"
deploy/local/servers.sh kill-postgres "$here"
mv "$SERVERS_DATA/postgres" "$SERVERS_DATA/lost" # and nothing of it is looked at
stop_programs

step "Restoring it to the point in time"
as_server env PATH="$PATH" "$store/restore.sh" --backups "$store/base" --archive "$store/wal" --to "$point" "$SERVERS_DATA/postgres"
deploy/local/servers.sh start-postgres "$here"
wait_for "the promotion" f "SELECT pg_is_in_recovery()"
expect "the first approval is there" 1 "$(is_here "$early")"
expect "the second one is not" 0 "$(is_here "$late")"
expect "full syncs that have not ended" 1 "$(query "$DATABASE_URL" "SELECT count(*) FROM sync_logs WHERE mode = 'full' AND completed_at IS NULL")"
"$programs/sms-sync" audit verify

step "Bringing queue, ledger and portals in step"
start_programs
SMS_SYNC=$programs/sms-sync deploy/postgres/after-restore.sh | tee "$logs/after-restore.log"
expect "the second approval is there" 1 "$(is_here "$late")"
expect "syncs that have not ended" 0 "$(query "$DATABASE_URL" "SELECT count(*) FROM sync_logs WHERE completed_at IS NULL")"
"$programs/sms-sync" trigger --watch --reason "nothing may have changed" >"$logs/sync-3.log"
expect "what another full sync changes" 0 "$(query "$DATABASE_URL" "
  SELECT sum(created + updated) FROM sync_counts WHERE sync_id = (SELECT id FROM sync_logs ORDER BY started_at DESC LIMIT 1)")"
printf '  dead letters of messages from the lost time: %s\n' "$(query "$DATABASE_URL" "SELECT count(*) FROM dead_letters WHERE state = 'dead'")"

step "A dump, read into another database"
stop_programs
"$store/dump.sh" maintenance "$logs/dump"
query "$DATABASE_SERVER_URL/postgres" "CREATE DATABASE copy"
pg_restore --exit-on-error --dbname=copy "$logs/dump/maintenance.dump"
for table in vessels equipment users audit webhook_events; do
  expect "rows of $table" "$(query "$DATABASE_URL" "SELECT count(*) FROM $table")" \
    "$(query "$DATABASE_SERVER_URL/copy" "SELECT count(*) FROM $table")"
done
grep -q "CREATE ROLE sms_worker" "$logs/dump/roles.sql" || die "the dump has no roles"

step "A second backup, and the first one forgotten"
as_server env PATH="$PATH" "$store/backup.sh" "$store/base" --archive "$store/wal" --keep 1
expect "backups" 1 "$(find "$store/base" -name '20*T*Z' | wc -l)"
[[ ! -e $store/wal/$segment ]] || die "the segment $segment, which no backup needs, is still there"

step "Losing the restored server, and restoring as late as the archive goes"
query "$DATABASE_SERVER_URL/postgres" "SELECT pg_switch_wal()" >/dev/null
segment=$(query "$DATABASE_SERVER_URL/postgres" "SELECT pg_walfile_name(pg_current_wal_lsn() - 1)")
end=$((SECONDS + 60))
until [[ -e $store/wal/$segment ]]; do
  ((SECONDS < end)) || die "the segment $segment was not archived within a minute"
  sleep 0.1
done
synced=$(query "$DATABASE_URL" "SELECT count(*) FROM sync_logs")
deploy/local/servers.sh kill-postgres "$here"
mv "$SERVERS_DATA/postgres" "$SERVERS_DATA/lost-again"
as_server env PATH="$PATH" "$store/restore.sh" --backups "$store/base" --archive "$store/wal" "$SERVERS_DATA/postgres"
deploy/local/servers.sh start-postgres "$here"
wait_for "the promotion" f "SELECT pg_is_in_recovery()"
expect "syncs" "$synced" "$(query "$DATABASE_URL" "SELECT count(*) FROM sync_logs")"
