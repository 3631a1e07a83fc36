#!/bin/sh
# Keeps a finished segment of the write-ahead log, for restores to a point in time. PostgreSQL calls it:
#
#   archive_mode = on
#   archive_timeout = 60        # the most that a lost server can cost, in seconds
#   archive_command = '/path/to/archive-wal.sh /path/to/archive %p %f'
#
# A segment that is there already and is the same is none to fail for: PostgreSQL asks again after a crash. Another one is: two
# servers would write into one archive.
set -eu

archive=$1 from=$2 name=$3
if [ -e "$archive/$name" ]; then
  cmp -s "$from" "$archive/$name"
  exit
fi
cp "$from" "$archive/$name.new"
sync "$archive/$name.new"
mv "$archive/$name.new" "$archive/$name"
sync "$archive"
