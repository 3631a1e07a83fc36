#!/usr/bin/env bash
# Generates a Python client from the operator API's document, and uses it: it must import, and read and write what it says.
#   python-client.sh URL TOKEN
set -euo pipefail
cd "$(dirname "$0")/../.."

home=$(deploy/local/python.sh openapi-python-client==0.29.1 python-dateutil==2.9.0.post0)
rm -rf .local/python-client
mkdir -p .local/python-client
# It says on its standard output which answers it cannot represent: images, event streams, NDJSON.
"$home/bin/openapi-python-client" generate --path proto-schemas/operator-api.openapi.json --meta none --overwrite \
  --output-path .local/python-client/sms_sync_client >.local/python-client/generated.log 2>&1 ||
  { cat .local/python-client/generated.log >&2; exit 1; }
PYTHONPATH=.local/python-client exec "$home/bin/python" deploy/local/python-client.py "$@"
