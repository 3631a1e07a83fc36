#!/usr/bin/env bash
# Asks every operation of an OpenAPI document with what the document allows and with what it does not, and checks the answers
# against it: no 5xx but 503, no status, type, header or body that it does not describe.
#   schemathesis.sh DOCUMENT URL 'HEADER: VALUE' [OPTION…]
# pip installs schemathesis under .local.
set -euo pipefail
cd "$(dirname "$0")/../.."

home=$(deploy/local/python.sh schemathesis==4.32.5)
document=$PWD/$1 url=$2 header=$3
program=$PWD/$home/bin/schemathesis
shift 3
# It keeps a folder of its own where it is started.
mkdir -p .local/schemathesis
cd .local/schemathesis
# The same requests each time: a fault that is found is found again.
exec "$program" run "$document" --url "$url" --header "$header" --seed 1 --no-color --warnings off \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance \
  --request-timeout 30 --generation-database none --continue-on-failure "$@"
