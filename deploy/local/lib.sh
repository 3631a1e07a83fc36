# shellcheck shell=bash
# What demo.sh, up.sh and down.sh share: sourced, from the root of the checkout.
# Servers, logs and process ids lie under .local/demo; what scripts and curl need, in .local/demo.env.

# shellcheck source=deploy/local/tools.sh
. deploy/local/tools.sh
demo=.local/demo
logs=$demo/logs
demo_env=.local/demo.env
programs=$(pwd -P)/target/debug

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

# Says which log to read, and shows its last lines.
die_with_log() { # WHAT LOG
  printf 'demo: %s. The end of %s:\n' "$1" "$2" >&2
  tail -n 20 "$2" >&2 || true
  exit 1
}

random_base64() { head -c "$1" /dev/urandom | base64 | tr -d '\n'; }

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The wanted port if it is free, otherwise one below the range that the system hands out by itself.
port_near() { # WANTED
  local port=$1
  while listening "$port"; do port=$((20000 + RANDOM % 12000)); done
  printf '%s\n' "$port"
}

psql_program() {
  local candidate
  for candidate in /usr/lib/postgresql/*/bin/psql "$(command -v psql || true)"; do
    [[ -n $candidate && -x $candidate ]] && { printf '%s\n' "$candidate"; return; }
  done
  die "psql was not found (deploy/local/prerequisites.sh says how to install PostgreSQL)"
}

query() { "$(psql_program)" --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname="$1" --command="$2"; } # URL SQL

# A number in a pid file may have passed to another process since: only one of our program with our mark is ours.
running() { # NAME: prints its process id
  local pid=''
  [[ -r $demo/$1.pid ]] && { read -r pid <"$demo/$1.pid" || true; }
  [[ $pid =~ ^[0-9]+$ ]] || return 1
  ps -o args= -p "$pid" 2>/dev/null | grep -qF -- "$programs/$1 " || return 1
  printf '%s\n' "$pid"
}

launch() { # NAME URL ARGUMENT..., in the background and without the terminal, until it is ready
  local name=$1 url=$2 log=$logs/$1.log pid end
  shift 2
  setsid "$programs/$name" "$@" >>"$log" 2>&1 </dev/null &
  pid=$!
  printf '%s\n' "$pid" >"$demo/$name.pid"
  end=$((SECONDS + 60))
  until curl --silent --fail --output /dev/null --max-time 5 "$url/readyz"; do
    kill -0 "$pid" 2>/dev/null || die_with_log "$name ended before it was ready" "$log"
    ((SECONDS < end)) || die_with_log "$name was not ready within a minute" "$log"
    sleep 0.2
  done
}

stop_program() { # NAME
  local pid left=300
  if pid=$(running "$1"); then
    kill -TERM "$pid"
    while kill -0 "$pid" 2>/dev/null && ((left-- > 0)); do sleep 0.1; done
    if kill -0 "$pid" 2>/dev/null; then kill -KILL "$pid"; fi
    echo "$1 stopped"
  fi
  rm -f "$demo/$1.pid"
}

# Installs, starts the servers, builds, migrates, seeds and starts both programs. What runs already, stays, unless it
# was built anew.
# shellcheck disable=SC2034 # `set -a` exports what seems unused
start_system() {
  local databases
  mkdir -p "$logs"
  step "Checking what this machine has"
  deploy/local/prerequisites.sh

  step "Starting private PostgreSQL and RabbitMQ servers under $demo"
  deploy/local/servers.sh start "$demo" durable
  # shellcheck source=/dev/null
  . "$demo/servers.env"

  step "Building the dashboard and the programs (a few minutes the first time)"
  make --no-print-directory dashboard >"$logs/build.log" 2>&1 || die_with_log "the dashboard was not built" "$logs/build.log"
  cargo build --locked --package onboarding-portal --package sms-sync

  # Secrets are kept across runs: what was sealed with them stays legible.
  set -a
  if [[ -r $demo_env ]]; then
    # shellcheck source=/dev/null
    . "$demo_env"
  fi
  stop_program sms-sync
  stop_program onboarding-portal
  SMS_ENV=development
  DATABASE_URL=$DATABASE_SERVER_URL/maintenance
  ONBOARDING_DATABASE_URL=$DATABASE_SERVER_URL/onboarding
  AMQP_URL=$AMQP_SERVER_URL/%2f
  WEBHOOK_SECRET=${WEBHOOK_SECRET:-whsec_$(random_base64 32)}
  ONBOARDING_API_KEY=${ONBOARDING_API_KEY:-$(random_base64 24)}
  ONBOARDING_ADMIN_KEY=${ONBOARDING_ADMIN_KEY:-$(random_base64 24)}
  OPERATOR_JWT_SECRET=${OPERATOR_JWT_SECRET:-$(random_base64 48)}
  PASSWORD_SEAL_KEY=${PASSWORD_SEAL_KEY:-$(random_base64 32)}
  API_URL=http://127.0.0.1:$(port_near 3005)
  PORTAL_URL=http://127.0.0.1:$(port_near 3001)
  ONBOARDING_API_URL=$PORTAL_URL/api
  WEBHOOK_URL=$API_URL/api/sync/webhook
  OPERATOR_TOKEN=$("$programs/sms-sync" token --subject demo --role admin --ttl 7d)
  set +a
  write_env

  step "Migrating both databases, and seeding the onboarding portal's with the demo fleet"
  for databases in maintenance onboarding; do
    [[ -n $(query "$DATABASE_SERVER_URL/postgres" "SELECT 1 FROM pg_database WHERE datname = '$databases'") ]] ||
      query "$DATABASE_SERVER_URL/postgres" "CREATE DATABASE $databases"
  done
  "$programs/sms-sync" migrate >>"$logs/migrate.log" 2>&1 || die_with_log "sms-sync migrate failed" "$logs/migrate.log"
  "$programs/onboarding-portal" migrate >>"$logs/migrate.log" 2>&1 ||
    die_with_log "onboarding-portal migrate failed" "$logs/migrate.log"
  if [[ ! -e $demo/seeded ]]; then
    "$programs/onboarding-portal" seed >>"$logs/seed.log" 2>&1 || die_with_log "the demo fleet was not seeded" "$logs/seed.log"
    touch "$demo/seeded"
  fi

  step "Starting the onboarding portal at $PORTAL_URL and sms-sync at $API_URL"
  BIND=${PORTAL_URL#http://} launch onboarding-portal "$PORTAL_URL" serve
  BIND=${API_URL#http://} launch sms-sync "$API_URL" up
}

write_env() {
  local name
  (
    umask 077
    for name in API_URL PORTAL_URL DATABASE_URL ONBOARDING_DATABASE_URL AMQP_URL OPERATOR_TOKEN WEBHOOK_SECRET \
      ONBOARDING_API_KEY ONBOARDING_ADMIN_KEY ONBOARDING_API_URL OPERATOR_JWT_SECRET PASSWORD_SEAL_KEY; do
      printf '%s=%q\n' "$name" "${!name}"
    done >"$demo_env.new"
    mv "$demo_env.new" "$demo_env"
  )
}

say_what_runs() {
  cat <<TEXT

What runs where
  dashboard          $API_URL/
  operator API       $API_URL/api/sync/status
  onboarding portal  $PORTAL_URL
  logs               $logs (make logs)

Operator token (admin, seven days), for the dashboard's sign-in; also in $demo_env
  $OPERATOR_TOKEN

Try
  set -a; . $demo_env; set +a
  target/debug/sms-sync status
  target/debug/sms-sync webhooks send
  target/debug/sms-sync dead-letters list

Stop it: make down
TEXT
}
