#!/usr/bin/env bash
# Makes a base backup of a whole PostgreSQL server while it runs, checks it, and forgets old ones. With the archive of
# archive-wal.sh it can be restored to any later point in time (restore.sh).
#
#   backup.sh DIRECTORY [--archive ARCHIVE] [--keep NUMBER]
#
#   DIRECTORY  each backup becomes a directory named by the time of its end, such as 20261128T041500Z
#   --archive  where archive-wal.sh keeps segments: those that no kept backup needs are deleted
#   --keep     backups to keep, 7 by default
#
# It connects as libpq does: PGHOST, PGPORT, PGUSER, PGPASSWORD or a service file. The user must be a superuser, or have REPLICATION.
set -euo pipefail

usage() { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 64; }
directory='' archive='' keep=7
while (($# > 0)); do
  case $1 in
    --archive) archive=${2:?} && shift 2 ;;
    --keep) keep=${2:?} && shift 2 ;;
    -*) usage ;;
    *) [[ -z $directory ]] || usage; directory=$1 && shift ;;
  esac
done
[[ $directory && $keep =~ ^[1-9][0-9]*$ ]] || usage

mkdir -p "$directory"
exec 9>"$directory/.lock"
flock --nonblock 9 || { echo "backup.sh: another backup is under way" >&2; exit 75; }
new=$directory/incomplete
rm -rf "$new"
pg_basebackup --pgdata="$new" --format=plain --checkpoint=fast --wal-method=stream --no-password --label="sms-sync"
# reads every file again, and compares it with the sum that the server has sent
pg_verifybackup --quiet "$new"
sync "$new"
name=$(date --utc +%Y%m%dT%H%M%SZ)
mv "$new" "$directory/$name"
echo "$directory/$name: $(du -sh "$directory/$name" | cut -f1)"

backups=$(find "$directory" -maxdepth 1 -type d -name '20*T*Z' | sort)
old=$(head -n "-$keep" <<<"$backups")
for one in $old; do
  rm -rf "$one"
  echo "$one: deleted"
done
if [[ $archive ]]; then
  oldest=$(find "$directory" -maxdepth 1 -type d -name '20*T*Z' | sort | head -n 1)
  needed=$(sed -n 's/^START WAL LOCATION: .*(file \([0-9A-F]*\))$/\1/p' "$oldest/backup_label")
  pg_archivecleanup "$archive" "$needed"
fi
