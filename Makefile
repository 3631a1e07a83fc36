# SMS Sync. `make` lists what there is; the work is done by the scripts in deploy/local.

.DEFAULT_GOAL := help
SHELL := /bin/bash
# The PATH of deploy/local/tools.sh
export PATH := $(CURDIR)/.local/bin:$(PATH):$(HOME)/.cargo/bin

dashboard := crates/status/dashboard
dashboard_sources = $(shell find $(dashboard) \( -name node_modules -o -name dist -o -name e2e -o -name test-results \) -prune -o -type f -print 2>/dev/null)

.PHONY: help demo up down logs test check fmt bench simulate sbom docs dashboard openapi clean-local

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## The whole story: install (Rust too, with INSTALL=1), start, seed, approve a vessel, run a full sync; leaves it running
	@deploy/local/demo.sh

up: ## Start the system of the demo, without the story
	@deploy/local/up.sh

down: ## Stop everything that `make demo` or `make up` started, and nothing else
	@deploy/local/down.sh

logs: ## Follow the logs of the running system
	@deploy/local/logs.sh

test: ## Run every test, on servers of their own
	@deploy/local/test.sh

check: dashboard ## Check format, lints, types, dependencies and what is shipped
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	npm --prefix $(dashboard) run lint
	npm --prefix $(dashboard) run typecheck
	@if command -v shellcheck >/dev/null; then shellcheck deploy/*.sh deploy/*/*.sh .ci/run; fi
	@if command -v hadolint >/dev/null; then hadolint deploy/Dockerfile; fi
	@if command -v gitleaks >/dev/null; then gitleaks git --no-banner --redact; fi
	deploy/pin-images.sh --check
	deploy/local/deny.sh

fmt: ## Format all sources
	cargo fmt --all
	npm --prefix $(dashboard) run format

bench: ## Measure throughput beside the raw limits of this machine; writes .local/bench.json
	@deploy/local/bench.sh

simulate: ## Simulate millions of records and a day of 10,000 ships; SIMULATE='day --seed 7' passes options; writes .local/simulate.json
	@deploy/local/simulate.sh $(SIMULATE)

sbom: ## Write software bills of materials (CycloneDX) of the image into .local/sbom
	@deploy/local/sbom.sh

docs: ## Build the documentation as a site, and check its links: .local/book/index.html
	@deploy/local/docs.sh

dashboard: $(dashboard)/dist/index.html ## Build the dashboard, where its sources have changed

openapi: $(dashboard)/node_modules/.package-lock.json ## Write the operator API's OpenAPI document and the dashboard's types anew
	cargo run --locked --quiet --bin sms-sync -- openapi --to proto-schemas/operator-api.openapi.json
	npm --prefix $(dashboard) run api

clean-local: ## Stop the private servers and delete all that lies under .local
	@if [[ -x deploy/local/down.sh ]]; then deploy/local/down.sh; fi
	@for servers in .local/*/servers.env .local/test-private/*/servers.env; do \
	  if [[ -e $$servers ]]; then deploy/local/servers.sh destroy "$$(dirname "$$servers")"; fi; \
	done
	rm -rf .local

$(dashboard)/node_modules/.package-lock.json: $(dashboard)/package.json $(dashboard)/package-lock.json
	npm --prefix $(dashboard) ci --no-audit --no-fund
	@touch $@

$(dashboard)/dist/index.html: $(dashboard)/node_modules/.package-lock.json $(dashboard_sources)
	npm --prefix $(dashboard) run build
	@touch $@
