#!/usr/bin/env bash
# Brings queue, ledger and both portals in step after the database was restored to an earlier point, with the services running. One
# command, safe to run again: ends the syncs that were at work at that point, whose messages are gone or are of another time, runs a
# full sync, and says what is still wrong.
#
#   after-restore.sh
#
# Needs sms-sync in PATH (or SMS_SYNC), with API_URL and the OPERATOR_TOKEN of an operator.
set -euo pipefail

sms_sync=${SMS_SYNC:-sms-sync}
for state in queued running retrying; do
  # one id a line, whatever the shape around it
  ids=$("$sms_sync" history --state "$state" --limit 200 --output json | grep -oE '"syncId": ?"[0-9a-f-]{36}"' | cut -d'"' -f4 || true)
  for id in $ids; do
    echo "cancelling $id, which was $state"
    "$sms_sync" syncs cancel "$id" >/dev/null
  done
done
"$sms_sync" trigger --watch --reason "the database was restored to an earlier point"
"$sms_sync" doctor || true # records that stand rejected were so before
