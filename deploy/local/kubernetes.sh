#!/usr/bin/env bash
# Checks the manifests of Kubernetes: each by the schemas of its version, and against each other, the services and Compose. pip
# installs kubernetes-validate under .local. kubectl is not needed; where it is there, its kustomize must agree with our reading.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/local/tools.sh
. deploy/local/tools.sh

deploy/local/python.sh kubernetes-validate==1.37.0 pyyaml==6.0.3 -- deploy/local/kubernetes.py
