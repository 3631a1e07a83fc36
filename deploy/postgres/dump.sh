#!/usr/bin/env bash
# Dumps one database, and the roles of the server, into files that another server or version can read: for a move or an upgrade of
# PostgreSQL. For disasters take backup.sh, which loses less.
#
#   dump.sh DATABASE DIRECTORY
#
# To read it: psql -f DIRECTORY/roles.sql postgres, createdb -O OWNER DATABASE, pg_restore --dbname=DATABASE DIRECTORY/DATABASE.dump
# It connects as libpq does, as a superuser.
set -euo pipefail

[[ $# -eq 2 ]] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 64; }
umask 077
mkdir -p "$2"
pg_dumpall --no-password --roles-only --file="$2/roles.sql"
pg_dump --no-password --format=custom --file="$2/$1.dump.new" --dbname="$1"
mv "$2/$1.dump.new" "$2/$1.dump"
