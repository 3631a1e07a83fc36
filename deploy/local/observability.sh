#!/usr/bin/env bash
# Checks what Prometheus and Grafana are given: the rules by promtool and by their tests; that every expression of an alert or a
# panel names only metrics and labels of the catalogue; that every metric is on a dashboard, and every alert has its runbook. pip
# installs promql-parser and PyYAML under .local.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/local/tools.sh
. deploy/local/tools.sh

promtool check config deploy/prometheus/prometheus.yml
(cd deploy/prometheus && promtool test rules rules_test.yml)
deploy/local/python.sh promql-parser==0.11.0 pyyaml==6.0.3 -- deploy/local/observability.py
