#!/usr/bin/env bash
# Private PostgreSQL and RabbitMQ servers: their data, logs and process ids live under one directory, they listen
# on the loopback interface alone, on ports that were free, with a random password. Nothing of the system's own
# servers or configuration is read or touched.
#
#   servers.sh start DIR [test|durable]   start what is not running; the profile is fixed at the first start
#   servers.sh stop DIR                   stop what `start` started, and nothing else
#   servers.sh status DIR                 say what runs; exit 3 unless both do
#   servers.sh destroy DIR                stop, and delete the data
#   servers.sh kill-postgres|start-postgres|kill-rabbitmq|start-rabbitmq DIR    for fault tests (kill is SIGKILL)
#   servers.sh settle-rabbitmq DIR        have it write the names of its queues, which it holds back for a moment
#   servers.sh block-rabbitmq|unblock-rabbitmq DIR    have it raise the alarm of too little memory, and end it
#   servers.sh wipe-rabbitmq DIR          kill it, and delete its data: its next start is with an empty disk
#
# DIR/servers.env, readable by its owner alone, holds DATABASE_SERVER_URL (without a database), AMQP_SERVER_URL
# (without a vhost) and RABBITMQ_MANAGEMENT_URL. The profile `test` trades durability for speed.
set -euo pipefail

say() { printf 'servers: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

usage() { sed -n '2,16s/^# \{0,1\}//p' "$0" >&2; exit 2; }

# ---------------------------------------------------------------------------------------------- where things are

verb=${1:-} dir=${2:-} wanted_profile=${3:-}
[[ -n $verb && -n $dir ]] || usage
case $verb in
  start | stop | status | destroy | kill-postgres | start-postgres | kill-rabbitmq | start-rabbitmq | \
    settle-rabbitmq | block-rabbitmq | unblock-rabbitmq | wipe-rabbitmq) ;;
  *) usage ;;
esac
case $verb in
  start) mkdir -p "$dir" ;;
  *) [[ -d $dir ]] || { [[ $verb == status ]] && { say "nothing was started in $dir"; exit 3; }; exit 0; } ;;
esac
dir=$(cd "$dir" && pwd -P)
env_file=$dir/servers.env
umask 077

newest_postgres_bin() {
  local candidate best='' best_major=0 major
  for candidate in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
    "$(dirname "$(command -v initdb 2>/dev/null || echo /nowhere/initdb)")"; do
    [[ -x $candidate/initdb && -x $candidate/pg_ctl && -x $candidate/postgres ]] || continue
    major=$("$candidate/postgres" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
    if ((major > best_major)); then best=$candidate best_major=$major; fi
  done
  ((best_major >= 15)) || die "PostgreSQL 15 or newer is not installed (deploy/local/prerequisites.sh says how)"
  printf '%s\n' "$best"
}

# Debian's /usr/sbin/rabbitmq-server insists on its own user and directories: take the script behind it.
rabbitmq_server_script() {
  local candidate
  for candidate in /usr/lib/rabbitmq/bin/rabbitmq-server "$(command -v rabbitmq-server 2>/dev/null || true)" \
    /usr/local/sbin/rabbitmq-server /opt/rabbitmq/sbin/rabbitmq-server; do
    [[ -n $candidate && -x $candidate ]] && { printf '%s\n' "$candidate"; return; }
  done
  die "RabbitMQ is not installed (deploy/local/prerequisites.sh says how)"
}

epmd_program() {
  local candidate
  for candidate in "$(command -v epmd 2>/dev/null || true)" /usr/lib/erlang/bin/epmd /usr/lib/erlang/erts-*/bin/epmd \
    /usr/local/lib/erlang/bin/epmd /opt/erlang/bin/epmd; do
    [[ -n $candidate && -x $candidate ]] && { printf '%s\n' "$candidate"; return; }
  done
  die "epmd, the name server of Erlang, was not found"
}

owner_of() { stat -c '%u:%g' "$1"; }

# PostgreSQL refuses to run as root, so root hands both servers to an unprivileged user.
service_ids() {
  if [[ $(id -u) != 0 ]]; then
    printf '%s:%s\n' "$(id -u)" "$(id -g)"
  elif [[ -d ${1:-}/postgres && $(owner_of "$1/postgres") != 0:* ]]; then
    owner_of "$1/postgres"
  else
    local name
    for name in postgres nobody; do
      id "$name" >/dev/null 2>&1 && { printf '%s:%s\n' "$(id -u "$name")" "$(id -g "$name")"; return; }
    done
    die "root needs an unprivileged user, postgres or nobody, to run PostgreSQL"
  fi
}

as_service() { # PROGRAM ARGUMENT..., as the servers' user, without the lock
  (
    exec 9>&-
    if [[ $(id -u) == 0 ]]; then
      exec setpriv --reuid="${ids%:*}" --regid="${ids#*:}" --clear-groups -- "$@"
    fi
    exec "$@"
  )
}

# The same as a process of its own session, so that no terminal ends it: prints its id.
launch() { # LOG PROGRAM ARGUMENT...
  local log=$1
  shift
  (
    exec 9>&- >"$log" 2>&1 </dev/null
    if [[ $(id -u) == 0 ]]; then
      exec setpriv --reuid="${ids%:*}" --regid="${ids#*:}" --clear-groups -- setsid -- "$@"
    fi
    exec setsid -- "$@"
  ) &
  printf '%s\n' "$!"
}

# shellcheck disable=SC2016
write_private() { as_service sh -c 'rm -f "$1"; cat >"$1"' sh "$1"; } # FILE, from standard input

# The data lies under DIR, unless the servers' user cannot get there or RabbitMQ's scripts cannot spell it.
choose_data_dir() {
  local place=$dir/data hash
  ids=$(service_ids "$place")
  if [[ $place =~ ^[A-Za-z0-9/._@+-]+$ ]] && (cd / && as_service test -x "$dir"); then
    printf '%s\n' "$place"
    return
  fi
  hash=$(printf '%s' "$dir" | cksum | cut -d' ' -f1)
  if [[ $(id -u) == 0 ]]; then
    printf '/var/lib/sms-sync/%s\n' "$hash"
  else
    printf '%s/sms-sync/%s\n' "${XDG_STATE_HOME:-$HOME/.local/state}" "$hash"
  fi
}

# --------------------------------------------------------------------------------------------- what is remembered

profile='' password='' data='' postgres_port='' amqp_port='' management_port='' epmd_port='' dist_port=''

load() {
  [[ -e $env_file ]] || return 1
  [[ -r $env_file ]] || die "$env_file belongs to another user: run this as that user"
  # shellcheck disable=SC1090
  . "$env_file"
  profile=$SERVERS_PROFILE password=$SERVERS_PASSWORD data=$SERVERS_DATA
  postgres_port=$SERVERS_POSTGRES_PORT amqp_port=$SERVERS_AMQP_PORT management_port=$SERVERS_MANAGEMENT_PORT
  epmd_port=$SERVERS_EPMD_PORT dist_port=$SERVERS_DIST_PORT
  ids=$(service_ids "$data")
}

save() {
  local temporary=$env_file.$$
  {
    printf 'DATABASE_SERVER_URL=postgres://sms:%s@127.0.0.1:%s\n' "$password" "$postgres_port"
    printf 'AMQP_SERVER_URL=amqp://sms:%s@127.0.0.1:%s\n' "$password" "$amqp_port"
    printf 'RABBITMQ_MANAGEMENT_URL=http://sms:%s@127.0.0.1:%s\n' "$password" "$management_port"
    printf 'SERVERS_PROFILE=%s\nSERVERS_PASSWORD=%s\nSERVERS_DATA=%s\n' "$profile" "$password" "$data"
    printf 'SERVERS_POSTGRES_PORT=%s\nSERVERS_AMQP_PORT=%s\n' "$postgres_port" "$amqp_port"
    printf 'SERVERS_MANAGEMENT_PORT=%s\n' "$management_port"
    printf 'SERVERS_EPMD_PORT=%s\nSERVERS_DIST_PORT=%s\n' "$epmd_port" "$dist_port"
  } >"$temporary"
  mv "$temporary" "$env_file"
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below the range from which systems hand out ports by themselves, so that no client gets ours while we are down.
free_port() {
  local port
  while :; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    case " $postgres_port $amqp_port $management_port $epmd_port $dist_port " in *" $port "*) continue ;; esac
    listening "$port" || { printf '%s\n' "$port"; return; }
  done
}

# ------------------------------------------------------------------------------------------------------ processes

pid_in() { # FILE: the number on its first line, if there is one
  local pid=''
  [[ -r $1 ]] && { read -r pid <"$1" || true; }
  [[ $pid =~ ^[0-9]+$ ]] && printf '%s\n' "$pid"
}

# A number in a pid file may have passed to another process since: only one that names our directory is ours.
ours() { # PID
  [[ -n ${1:-} ]] && ps -o args= -p "$1" 2>/dev/null | grep -qF -- "$data/"
}

postgres_pid() { local pid; pid=$(pid_in "$data/postgres/postmaster.pid" || true); ours "$pid" && printf '%s\n' "$pid"; }
# Erlang writes its pid file late: the argument that marks our server is there from its first moment.
rabbitmq_pid() {
  ps -e -o pid= -o args= | awk -v mark="-sms_sync_home $data/rabbitmq/" \
    'index($0, mark) && $2 != "awk" { print $1; found = 1; exit } END { exit !found }'
}
epmd_pid() {
  local pid
  pid=$(pid_in "$data/epmd.pid" || true)
  [[ -n $pid ]] && ps -o args= -p "$pid" 2>/dev/null | grep -q -- "epmd.* -port $epmd_port" && printf '%s\n' "$pid"
}

wait_gone() { # PID SECONDS
  local left=$(($2 * 10))
  while kill -0 "$1" 2>/dev/null; do
    ((left-- > 0)) || return 1
    sleep 0.1
  done
}

# ----------------------------------------------------------------------------------------------------- PostgreSQL

start_postgres() {
  local bin pid attempt
  if pid=$(postgres_pid) && listening "$postgres_port"; then return; fi
  bin=$(newest_postgres_bin)
  if [[ ! -d $data/postgres ]]; then
    rm -rf "$data/postgres.new"
    write_private "$data/password" <<<"$password"
    (cd "$data" && as_service env LC_ALL=C "$bin/initdb" -D "$data/postgres.new" --username=sms --encoding=UTF8 \
      --no-locale --auth=scram-sha-256 --pwfile="$data/password" --no-sync >"$dir/initdb.log" 2>&1) ||
      die "initdb failed: see $dir/initdb.log"
    rm -f "$data/password"
    echo "include_if_exists '../postgres.conf'" >>"$data/postgres.new/postgresql.conf"
    mv "$data/postgres.new" "$data/postgres"
  fi
  if [[ $(cat "$data/postgres/PG_VERSION") != "$("$bin/postgres" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')" ]]; then
    bin=/usr/lib/postgresql/$(cat "$data/postgres/PG_VERSION")/bin
    [[ -x $bin/postgres ]] || die "$data was made by another PostgreSQL: $0 destroy $dir"
  fi
  for attempt in 1 2 3 4 5; do
    if [[ -z $(postgres_pid) ]]; then
      rm -f "$data/postgres/postmaster.pid" # of a server that was killed; its number may be another's by now
      if [[ $verb == start ]] && listening "$postgres_port"; then
        postgres_port=$(free_port)
        save
      fi
    fi
    postgres_settings | write_private "$data/postgres.conf"
    if (cd "$data" && as_service "$bin/pg_ctl" -D "$data/postgres" -l "$data/postgres.log" -w -t 60 start \
      >/dev/null 2>&1 </dev/null); then
      return
    fi
    sleep "0.$((attempt * 2))" # the last processes of a killed server still hold its shared memory
  done
  tail -n 20 "$data/postgres.log" >&2 || true
  die "PostgreSQL did not start: see $data/postgres.log"
}

postgres_settings() {
  cat <<SETTINGS
listen_addresses = '127.0.0.1'
port = $postgres_port
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
shared_buffers = '128MB'
max_wal_size = '2GB'
log_line_prefix = '%m [%p] %d '
timezone = 'UTC'
SETTINGS
  if [[ $profile == test ]]; then
    # What is committed outlives a SIGKILL, as it is with the kernel; only a crash of the machine may lose it.
    printf "max_connections = 400\nfsync = off\nfull_page_writes = off\n"
  else
    # Old WAL is written over: to make new files keeps all commits waiting, each time for some 30 ms.
    printf "max_connections = 200\nmin_wal_size = 1GB\n"
  fi
}

stop_postgres() {
  local pid
  pid=$(postgres_pid) || return 0
  kill -INT "$pid" # a fast shutdown: sessions are ended, everything is written
  wait_gone "$pid" 30 || kill_postgres
}

kill_postgres() {
  local pid children
  pid=$(postgres_pid) || return 0
  children=$(ps -o pid= --ppid "$pid" 2>/dev/null || true)
  # shellcheck disable=SC2086
  kill -KILL "$pid" $children 2>/dev/null || true
  wait_gone "$pid" 10 || true
}

# ------------------------------------------------------------------------------------------------------- RabbitMQ

# The last thing that RabbitMQ does when it starts is to listen; then it answers a protocol header at once.
amqp_answers() {
  local byte=''
  {
    exec 3<>"/dev/tcp/127.0.0.1/$amqp_port" || return 1
    printf 'AMQP\0\0\11\1' >&3
    IFS= read -r -t 3 -N 1 byte <&3 || true
    exec 3>&-
  } 2>/dev/null
  [[ $byte == $'\1' ]]
}

wait_for_rabbitmq() { # SECONDS PID, until it answers, or that process has ended
  local end=$((SECONDS + $1))
  until (amqp_answers); do
    ((SECONDS < end)) && kill -0 "$2" 2>/dev/null || return 1
    sleep 0.2
  done
  as_service touch "$data/rabbitmq/initialised"
}

start_rabbitmq() {
  local script pid launcher attempt home=$data/rabbitmq
  if pid=$(rabbitmq_pid); then
    wait_for_rabbitmq 60 "$pid" && return
    kill_rabbitmq
  fi
  script=$(rabbitmq_server_script)
  if [[ ! -e $home/initialised ]]; then rm -rf "$home"; fi # its first start did not come to the end
  as_service mkdir -p "$home/log" "$home/conf.d" "$home/mnesia"
  for attempt in 1 2 3; do
    if [[ $verb == start ]]; then
      if listening "$amqp_port"; then amqp_port=$(free_port); fi
      if listening "$management_port"; then management_port=$(free_port); fi
    fi
    if listening "$dist_port"; then dist_port=$(free_port); fi
    if ! epmd_pid >/dev/null; then
      if listening "$epmd_port"; then epmd_port=$(free_port); fi
      launch /dev/null "$(epmd_program)" -port "$epmd_port" -address 127.0.0.1 >"$data/epmd.pid"
    fi
    save
    rabbitmq_files
    launcher=$(launch_rabbitmq "$script")
    if wait_for_rabbitmq 120 "$launcher"; then return; fi
    kill_rabbitmq
    say "RabbitMQ did not start (attempt $attempt)"
  done
  tail -n 20 "$home/log/start.log" "$home"/log/*.log >&2 || true
  die "RabbitMQ did not start: see $home/log"
}

rabbitmq_files() {
  local home=$data/rabbitmq
  [[ -s $home/.erlang.cookie ]] || {
    write_private "$home/.erlang.cookie" <<<"$password"
    as_service chmod 400 "$home/.erlang.cookie"
  }
  write_private "$home/enabled_plugins" <<<'[rabbitmq_management].'
  write_private "$home/advanced.config" <<<'[].'
  write_private "$home/env.conf" <<<'# instead of the system'"'"'s'
  write_private "$home/rabbitmq.conf" <<SETTINGS
listeners.tcp.1 = 127.0.0.1:$amqp_port
management.tcp.ip = 127.0.0.1
management.tcp.port = $management_port
default_user = sms
default_pass = $password
default_user_tags.administrator = true
disk_free_limit.absolute = 50MB
raft.wal_max_size_bytes = 64000000
log.file = rabbitmq.log
log.file.level = info
SETTINGS
}

launch_rabbitmq() { # SCRIPT: prints the id of the launching process
  local home=$data/rabbitmq
  # Erlang's schedulers would spin for work that is not there: the machine has better use for its cores.
  launch "$home/log/start.log" env -C "$home" \
    HOME="$home" LC_ALL=C.UTF-8 ERL_EPMD_PORT="$epmd_port" ERL_EPMD_ADDRESS=127.0.0.1 \
    RABBITMQ_NODENAME=sms-sync@localhost RABBITMQ_USE_LONGNAME=false RABBITMQ_DIST_PORT="$dist_port" \
    RABBITMQ_CONF_ENV_FILE="$home/env.conf" RABBITMQ_CONFIG_FILE="$home/rabbitmq.conf" \
    RABBITMQ_CONFIG_FILES="$home/conf.d" RABBITMQ_ADVANCED_CONFIG_FILE="$home/advanced.config" \
    RABBITMQ_ENABLED_PLUGINS_FILE="$home/enabled_plugins" RABBITMQ_MNESIA_BASE="$home/mnesia" \
    RABBITMQ_GENERATED_CONFIG_DIR="$home/generated" RABBITMQ_SCHEMA_DIR="$home/schema" \
    RABBITMQ_LOG_BASE="$home/log" RABBITMQ_PID_FILE="$home/pid" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1} -sms_sync_home $home/" \
    "$1"
}

stop_rabbitmq() {
  local pid
  if pid=$(rabbitmq_pid); then
    kill -TERM "$pid"
    wait_gone "$pid" 40 || kill_rabbitmq
  fi
  if pid=$(epmd_pid); then kill -TERM "$pid"; fi
}

kill_rabbitmq() {
  local pid
  pid=$(rabbitmq_pid) || return 0
  kill -KILL "$pid" 2>/dev/null || true
  wait_gone "$pid" 10 || true
}

# RabbitMQ's registry of Raft members (ra_directory) is a dets table, written half a second late: a queue that was declared
# just before a SIGKILL would have no leader ever after.
settle_rabbitmq() { rabbitmqctl eval '[ok = dets:sync(T) || T <- dets:all()], mnesia:sync_log().'; }

rabbitmqctl() {
  local home=$data/rabbitmq
  as_service env -C "$home" HOME="$home" LC_ALL=C.UTF-8 ERL_EPMD_PORT="$epmd_port" \
    RABBITMQ_CONF_ENV_FILE="$home/env.conf" "$(dirname "$(rabbitmq_server_script)")/rabbitmqctl" \
    --quiet --node sms-sync@localhost "$@" >/dev/null
}

# ---------------------------------------------------------------------------------------------------------- verbs

start() {
  if ! load; then
    data=$(choose_data_dir)
    ids=$(service_ids "$data")
    profile=${wanted_profile:-durable}
    [[ $profile == test || $profile == durable ]] || usage
    if [[ -e $data ]]; then
      say "$env_file is gone: starting afresh"
      stop_postgres
      stop_rabbitmq
      rm -rf "${data:?}"
    fi
    password=$(od -An -N18 -tx1 /dev/urandom | tr -d ' \n')
    postgres_port=$(free_port)
    amqp_port=$(free_port)
    management_port=$(free_port)
    epmd_port=$(free_port)
    dist_port=$(free_port)
    save
  fi
  if [[ ! -d $data ]]; then
    (umask 022 && mkdir -p "$(dirname "$data")")
    mkdir -m 700 "$data"
    if [[ $(id -u) == 0 ]]; then chown "$ids" "$data"; fi
  fi
  start_postgres
  start_rabbitmq
}

require_started() { load || die "nothing was started in $dir"; }

(umask 022 && : >>"$dir/.lock") 2>/dev/null || die "$dir belongs to another user"
exec 9<"$dir/.lock"
[[ $verb == status ]] || flock 9

case $verb in
  start) start ;;
  stop)
    load || exit 0
    stop_rabbitmq
    stop_postgres
    ;;
  destroy)
    load || exit 0
    kill_rabbitmq
    stop_rabbitmq
    kill_postgres
    rm -rf "${data:?}" "$env_file" "$dir/initdb.log"
    ;;
  status)
    load || { say "nothing was started in $dir"; exit 3; }
    running=0
    for server in postgres rabbitmq; do
      port=$postgres_port
      [[ $server == postgres ]] || port=$amqp_port
      if pid=$("${server}_pid"); then
        printf '%-10s running, process %s, 127.0.0.1:%s\n' "$server" "$pid" "$port"
        running=$((running + 1))
      else
        printf '%-10s stopped\n' "$server"
      fi
    done
    ((running == 2)) || exit 3
    ;;
  kill-postgres) require_started && kill_postgres ;;
  start-postgres) require_started && start_postgres ;;
  kill-rabbitmq) require_started && kill_rabbitmq ;;
  start-rabbitmq) require_started && start_rabbitmq ;;
  settle-rabbitmq) require_started && settle_rabbitmq ;;
  block-rabbitmq) require_started && rabbitmqctl set_vm_memory_high_watermark absolute 1 ;;
  unblock-rabbitmq) require_started && rabbitmqctl set_vm_memory_high_watermark 0.4 ;;
  wipe-rabbitmq) require_started && kill_rabbitmq && rm -rf "${data:?}/rabbitmq" ;;
esac
