#!/usr/bin/env bash
# Makes the secrets of docker-compose.yml, one file each: what is missing in the directory, and nothing else.
#
#   deploy/secrets.sh DIRECTORY                 random ones
#   deploy/secrets.sh --development DIRECTORY   those that everybody knows, as in deploy/secrets/development
#
# To replace a secret, delete its file and call this again; docs/security.md says what to restart then.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
usage="usage: deploy/secrets.sh [--development] DIRECTORY"
development=
if [[ ${1:-} == --development ]]; then
  development=1
  shift
fi
if [[ $# -ne 1 || $1 == -* ]]; then
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
  cat >"$1.new"
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

password | make postgres_password
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

# RabbitMQ's users: https://www.rabbitmq.com/docs/definitions, with hashes as in https://www.rabbitmq.com/docs/passwords
definitions() {
  local users="" permissions="" comma="" service configure write read url salt hash
  while read -r service configure write read; do
    url=${service//-/_}_amqp_url
    salt=$(openssl rand -hex 4 | sed 's/../\\x&/g')
    hash=$({
      printf %b "$salt"
      { printf %b "$salt"; sed -E 's#^amqp://[^:]+:([^@]+)@.*#\1#' "$url" | tr -d '\n'; } |
        openssl dgst -sha256 -binary
    } | base64 -w0)
    users+="$comma
    {\"name\": \"$service\", \"password_hash\": \"$hash\", \"hashing_algorithm\": \"rabbit_password_hashing_sha256\", \"tags\": []}"
    permissions+="$comma
    {\"user\": \"$service\", \"vhost\": \"/\", \"configure\": \"$configure\", \"write\": \"$write\", \"read\": \"$read\"}"
    comma=,
  done < <(grep -v '^#' "$here/rabbitmq/rights")
  printf '{\n  "vhosts": [{"name": "/"}],\n  "users": [%s\n  ],\n  "permissions": [%s\n  ]\n}\n' "$users" "$permissions"
}
for source in *_amqp_url "$here/rabbitmq/rights"; do
  if [[ $source -nt rabbitmq_definitions.json ]]; then rm -f rabbitmq_definitions.json; fi
done
definitions | make rabbitmq_definitions.json
