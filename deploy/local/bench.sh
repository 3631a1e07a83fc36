#!/usr/bin/env bash
# Measures throughput, latency and memory, each figure beside a raw limit of the same run, on servers of its own that
# write to disk as real ones do. Prints a table and writes .local/bench.json. Some ten minutes, and a release build before.
#
#   bench.sh [NAME...]   sync, webhook, scale (a provider that is slow), updates (10,000 clients of the event stream), history
#                        (lists over tables of years); by default all. soak: ten minutes more, and what the processes hold
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/local/tools.sh
. deploy/local/tools.sh
out=.local/bench
mkdir -p "$out"

deploy/local/prerequisites.sh
make --no-print-directory dashboard
cargo build --locked --release --bin worker --bin webhook-ingest --bin status \
  --example bench --example webhook_bench --example status_bench
if [[ " $* " == *" soak "* ]]; then cargo build --locked --release --bins --example soak; fi

deploy/local/servers.sh start "$out" durable
trap 'deploy/local/servers.sh stop "$out"' EXIT
export SMS_TEST_SERVERS=$PWD/$out/servers.env SMS_TEST_BINARIES_BUILT=1

for name in "${@:-sync webhook scale updates history}"; do
  for one in $name; do
    printf '\nMeasuring: %s\n' "$one" >&2
    case $one in
      sync) target/release/examples/bench --json "$out/sync.json" ;;
      scale) target/release/examples/bench --scale --json "$out/scale.json" ;;
      soak) target/release/examples/soak --json "$out/soak.json" ;;
      webhook) target/release/examples/webhook_bench --json "$out/webhook.json" ;;
      # An open file for each client. The program says what it lacks, where the hard limit is too low.
      updates) (ulimit -S -n "$(ulimit -H -n)" && target/release/examples/status_bench updates --json "$out/updates.json") ;;
      history) target/release/examples/status_bench history --json "$out/history.json" ;;
      *) echo "bench.sh: there is no measurement called $one" >&2; exit 2 ;;
    esac
  done
done

node - "$out" <<'SCRIPT'
const { readFileSync, writeFileSync, existsSync } = require("node:fs");
const directory = process.argv[2];
const files = ["sync", "webhook", "scale", "updates", "history", "soak"].map((name) => `${directory}/${name}.json`).filter(existsSync);
const figures = files.flatMap((file) => JSON.parse(readFileSync(file, "utf8")));
writeFileSync(".local/bench.json", `${JSON.stringify(figures, null, 2)}\n`);
const number = (it) => (it == null ? "" : it.toLocaleString("en", { maximumFractionDigits: it < 10 ? 2 : 0 }));
const row = (name, value, unit, limit, ratio) =>
  console.log(`  ${name.padEnd(24)} ${value.padStart(12)} ${unit.padEnd(12)} ${limit.padStart(12)} ${ratio.padStart(8)}`);
console.log();
row("figure", "value", "unit", "limit", "ratio");
for (const it of figures) row(it.name, number(it.value), it.unit, number(it.limit), it.ratio == null ? "" : it.ratio.toFixed(2));
SCRIPT
