#!/usr/bin/env bash
# Prints the Secrets that the deployments mount, one for each service with what it needs and no more, from a directory that
# deploy/secrets.sh has made:
#
#   deploy/secrets.sh ~/sms-sync-secrets
#   deploy/kubernetes/secrets.sh ~/sms-sync-secrets | kubectl apply -f -
#
# For servers elsewhere change host and options in the URLs of the directory first: the passwords stay.
set -euo pipefail

directory=${1:-}
if [[ $# -ne 1 || ! -d $directory ]]; then
  sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
  exit 64
fi

secret() { # NAME KEY[=FILE]...
  local name=$1 one
  shift
  printf -- '---\napiVersion: v1\nkind: Secret\ntype: Opaque\nmetadata:\n  name: %s\n  namespace: sms-sync\n' "$name"
  printf '  labels: { app.kubernetes.io/name: sms-sync, app.kubernetes.io/component: %s }\ndata:\n' "$name"
  for one in "$@"; do
    printf '  %s: "%s"\n' "${one%%=*}" "$(base64 -w0 "$directory/${one#*=}")"
  done
}

seal="password_seal_key password_seal_keys"
# shellcheck disable=SC2086 # two names
{
  secret webhook-ingest database_url=webhook_ingest_database_url amqp_url=webhook_ingest_amqp_url webhook_secret webhook_secrets
  secret scheduler database_url=scheduler_database_url amqp_url=scheduler_amqp_url
  secret worker database_url=worker_database_url amqp_url=worker_amqp_url onboarding_api_key $seal
  secret status database_url=status_database_url amqp_url=status_amqp_url onboarding_api_key \
    operator_jwt_secret operator_jwt_secrets $seal
  secret migrate database_url=owner_database_url amqp_url=worker_amqp_url webhook_ingest_database_url scheduler_database_url \
    worker_database_url status_database_url
  # of the overlay single-node
  secret postgres postgres_password owner_database_url onboarding_database_url
  secret rabbitmq rabbitmq_definitions.json
  secret onboarding-portal onboarding_database_url onboarding_api_key onboarding_admin_key webhook_secret
}
