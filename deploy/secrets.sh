#!/usr/bin/env bash
# Makes the secrets of docker-compose.yml, one file each: what is missing in the directory, and nothing else. After a change of
# deploy/rabbitmq/rights delete rabbitmq_definitions.json and call it again.
#
#   deploy/secrets.sh DIRECTORY                  random ones
#   deploy/secrets.sh --replace NAME DIRECTORY   another one in the place of this; docs/security.md says what to restart then
#   deploy/secrets.sh --development DIRECTORY    those that everybody knows, as in deploy/secrets/development
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
unset CDPATH
usage="usage: deploy/secrets.sh [--development | --replace NAME] DIRECTORY"
development="" replace=""
case ${1:-} in
  --development) development=1 && shift ;;
  --replace) replace=${2:-} && shift $(($# < 2 ? 1 : 2)) ;;
esac
if [[ $# -ne 1 || $1 == -* || $replace == */* ]]; then
  echo "$usage" >&2
  exit 64
fi
for program in openssl base64; do
  if ! command -v "$program" >/dev/null; then
    echo "deploy/secrets.sh needs $program" >&2
    exit 69
  fi
done

directory=$1
mkdir -p "$directory"
# Containers read the files as users of their own, so whoever may enter the directory may read them.
[[ $development ]] || chmod 700 "$directory"
cd "$directory"

make() { # NAME: the input becomes the secret's file, unless there is one
  if [[ -e $1 ]]; then
    cat >/dev/null
    return
  fi
  rm -f "$1.new" # of a run that was interrupted
  cat >"$1.new"
  if [[ ! -s $1.new && $1 != *s ]]; then
    echo "deploy/secrets.sh: $1 would be empty" >&2
    exit 70
  fi
  chmod 444 "$1.new"
  mv "$1.new" "$1"
  echo "made $1"
}

password() { # letters and digits, so that it may stand in a URL as it is
  if [[ $development ]]; then printf development; else openssl rand -hex 24; fi
}

random_or() { # BYTES TEXT
  if [[ $development ]]; then printf %s "$2"; else openssl rand -base64 "$1"; fi
}

if [[ $development && -s postgres_password && $(<postgres_password) != development ]]; then
  echo "deploy/secrets.sh: $directory holds secrets of your own" >&2
  exit 65
fi
# What was sent or sealed with the old one of these stays valid for so many hours.
overlap_hours() {
  case $1 in
    webhook_secret) echo 24 ;;
    operator_jwt_secret) echo 168 ;;
    password_seal_key) echo 72 ;;
  esac
}

# The password of a URL that this script or a person has written.
password_of() { # FILE
  local found
  found=$(sed -nE 's#^[a-z]+://[^:/@]+:([^@%]+)@.*#\1#p' "$1")
  if [[ ! $found ]]; then
    echo "deploy/secrets.sh: $1 is no URL with a password of letters and digits" >&2
    exit 65
  fi
  printf %s "$found"
}

if [[ $replace ]]; then
  if [[ ! -s $replace || $replace == rabbitmq_definitions.json || $replace == *.new ]]; then
    echo "deploy/secrets.sh: there is no secret $replace in $directory" >&2
    exit 66
  fi
  old=$(<"$replace")
  hours=$(overlap_hours "$replace")
  if [[ $hours ]]; then
    # webhook_secrets, operator_jwt_secrets, password_seal_keys: without those whose time is over
    more=${replace}s
    now=$(date -u +%FT%TZ)
    {
      printf 'replaced-%s@%s=%s\n' "$(date -u +%s%N)" "$(date -u -d "+$hours hours" +%FT%TZ)" "$old"
      awk -F'[@=]' -v now="$now" 'NF > 2 && $2 > now' "$more"
    } >"$more.new"
    chmod 444 "$more.new"
    mv -f "$more.new" "$more"
  fi
  if [[ $old == *://* ]]; then
    # Host, options and all else stay, whatever interrupts this.
    password_of "$replace" >/dev/null
    new=$(password)
    sed -E "s#^([a-z]+://[^:/@]+:)[^@]+@#\\1$new@#" <<<"$old" >"$replace.new"
    chmod 444 "$replace.new"
    mv -f "$replace.new" "$replace"
    echo "made $replace"
    if [[ $replace == *_amqp_url ]]; then rm -f rabbitmq_definitions.json; fi
  else
    rm -f "$replace"
  fi
fi

password | make postgres_password
password | make grafana_admin_password
echo "postgres://sms:$(password)@postgres:5432/maintenance" | make owner_database_url
echo "postgres://onboarding:$(password)@postgres:5432/onboarding" | make onboarding_database_url
services=$(sed -n 's/^\([a-z-]*\) .*/\1/p' "$here/rabbitmq/rights")
for service in $services; do
  role=${service//-/_}
  echo "postgres://sms_$role:$(password)@postgres:5432/maintenance" | make "${role}_database_url"
  echo "amqp://$service:$(password)@rabbitmq:5672/%2f" | make "${role}_amqp_url"
done
{ [[ $development ]] || printf whsec_; random_or 32 development-webhook-secret; } | make webhook_secret
random_or 32 development-onboarding-api-key | make onboarding_api_key
random_or 32 development-onboarding-admin-key | make onboarding_admin_key
random_or 48 development-operator-token-secret-of-48-bytes-00 | make operator_jwt_secret
random_or 32 developmentonlyAAAAAAAAAAAAAAAAAAAAAAAAAAAA= | make password_seal_key

for more in webhook_secrets operator_jwt_secrets password_seal_keys; do
  make "$more" </dev/null
done

# RabbitMQ's users: https://www.rabbitmq.com/docs/definitions, with hashes as in https://www.rabbitmq.com/docs/passwords
definitions() {
  local users="" permissions="" comma="" service configure write read url salt hash
  while read -r service configure write read; do
    url=${service//-/_}_amqp_url
    salt=$(openssl rand -hex 4 | sed 's/../\\x&/g')
    hash=$({
      printf %b "$salt"
      { printf %b "$salt"; password_of "$url"; } |
        openssl dgst -sha256 -binary
    } | base64 -w0)
    users+="$comma
    {\"name\": \"$service\", \"password_hash\": \"$hash\", \"hashing_algorithm\": \"rabbit_password_hashing_sha256\", \"tags\": [],
     \"limits\": {\"max-connections\": 100, \"max-channels\": 1000}}"
    permissions+="$comma
    {\"user\": \"$service\", \"vhost\": \"/\", \"configure\": \"$configure\", \"write\": \"$write\", \"read\": \"$read\"}"
    comma=,
  done < <(grep -v '^#' "$here/rabbitmq/rights")
  # In a cluster the queues' leaders are spread over the nodes, whichever node a worker was connected to when it made them.
  local policy='{"vhost": "/", "name": "balanced-leaders", "pattern": "^sync[.]", "apply-to": "queues", "priority": 0,
     "definition": {"queue-leader-locator": "balanced"}}'
  printf '{\n  "vhosts": [{"name": "/"}],\n  "users": [%s\n  ],\n  "permissions": [%s\n  ],\n  "policies": [\n    %s\n  ]\n}\n' \
    "$users" "$permissions" "$policy"
}
definitions | make rabbitmq_definitions.json
