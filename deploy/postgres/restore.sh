#!/usr/bin/env bash
# Makes the data directory of a PostgreSQL server from a base backup of backup.sh and the archive of archive-wal.sh: as it was at a
# point in time, or as late as the archive goes. Starts nothing: start the server, and then run after-restore.sh.
#
#   restore.sh --backups DIRECTORY --archive ARCHIVE [--to TIME] DATA_DIRECTORY
#
#   --to TIME  such as 2026-11-28T04:15:00Z. By default everything that was archived
#
# Run it as the user that the server runs as, with its programs in PATH. DATA_DIRECTORY must be empty or absent, so that nothing is
# written over: move the damaged one aside, it may still be needed.
set -euo pipefail

usage() { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 64; }
die() { echo "restore.sh: $*" >&2; exit 1; }
backups='' archive='' to='' data=''
while (($# > 0)); do
  case $1 in
    --backups) backups=${2:?} && shift 2 ;;
    --archive) archive=${2:?} && shift 2 ;;
    --to) to=${2:?} && shift 2 ;;
    -*) usage ;;
    *) [[ -z $data ]] || usage; data=$1 && shift ;;
  esac
done
[[ $backups && $archive && $data ]] || usage
archive=$(cd "$archive" && pwd)
[[ ! -d $data || -z $(ls -A "$data") ]] || die "$data is not empty: move it aside"

# The newest backup that had ended by then.
before=99991231T235959Z
[[ -z $to ]] || before=$(date --utc --date="$to" +%Y%m%dT%H%M%SZ) || die "$to is no time"
backup=$(find "$backups" -maxdepth 1 -type d -name '20*T*Z' | sort | awk -F/ -v before="$before" '$NF <= before' | tail -n 1)
[[ $backup ]] || die "no backup in $backups had ended by ${to:-now}"

echo "restoring $backup${to:+, up to $to}"
mkdir -p "$data"
cp -a "$backup/." "$data/"
chmod 700 "$data"
# A backup of a server that was itself restored has the point in time of then, which is not in the archive any more.
sed -i -E '/^# by restore\.sh$|^(restore_command|recovery_target[a-z_]*) *=/d' "$data/postgresql.auto.conf"
{
  echo "# by restore.sh"
  # PostgreSQL puts the segment's name and path into the places.
  echo "restore_command = 'cp \"$archive/%f\" \"%p\"'"
  echo "recovery_target_action = 'promote'"
  [[ -z $to ]] || echo "recovery_target_time = '$(date --utc --date="$to" '+%Y-%m-%d %H:%M:%S.%6N+00')'"
} >>"$data/postgresql.auto.conf"
touch "$data/recovery.signal"
