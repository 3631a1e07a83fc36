#!/usr/bin/env bash
# Checks the OpenAPI documents by the schema of the specification, and by the rules of `redocly lint`. pip installs
# openapi-spec-validator under .local; the rules come with the dashboard's packages.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/local/tools.sh
. deploy/local/tools.sh

home=$(deploy/local/python.sh openapi-spec-validator==0.9.0)
for document in proto-schemas/*.openapi.json; do
  "$home/bin/openapi-spec-validator" "$document"
done
# Without them it reports its use to its makers, and asks for newer versions.
REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true npm --prefix crates/status/dashboard run --silent lint:openapi
