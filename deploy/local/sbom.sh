#!/usr/bin/env bash
# Writes software bills of materials (SBOM, CycloneDX 1.5) of the container image into .local/sbom: one for each program by
# cargo-cyclonedx, one for the dashboard by npm, and image.cdx.json with all of them in one. cargo-cyclonedx is built into
# .local/tools where it is missing (some two minutes of one core, once). Needs Rust and Node.js, and no build of the workspace.
#
# Crates and packages that are needed to build, and are not in the image, have the scope `excluded` (cargo-cyclonedx) or
# `optional` (npm). They stay in: with --omit dev, npm 10 and 11 leave out react, too, on which development dependencies depend.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/local/tools.sh
. deploy/local/tools.sh
version=0.5.9
tools=$PWD/.local/tools
out=.local/sbom

if ! command -v cargo-cyclonedx >/dev/null; then
  PATH=$tools/bin:$PATH
  if [[ ! -x $tools/bin/cargo-cyclonedx ]]; then
    echo "Building cargo-cyclonedx $version into .local/tools" >&2
    # Quick to build, as in deny.sh; it runs for seconds.
    CARGO_TARGET_DIR=$tools/build-cyclonedx CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off \
      cargo install --locked --quiet --root "$tools" --version "$version" cargo-cyclonedx
    rm -rf "$tools/build-cyclonedx"
  fi
fi
rm -rf "$out"
mkdir -p "$out"

# cargo-cyclonedx writes beside each Cargo.toml, NAME_bin.cdx.json for each program.
trap 'rm -f crates/*/*_bin.cdx.json' EXIT
cargo fetch --locked --quiet
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) cargo cyclonedx --quiet --format json --spec-version 1.5 --describe binaries
for file in crates/*/*_bin.cdx.json; do
  # The ids of our own crates are paths: of the workspace, not of this machine.
  sed "s|path+file://$PWD/|path+file:///|g" "$file" >"$out/$(basename "$file" _bin.cdx.json).cdx.json"
done
npm --prefix crates/status/dashboard sbom --sbom-format cyclonedx --sbom-type application --package-lock-only \
  >"$out/dashboard.cdx.json"

node - "$out" "$(sed -n '/^\[workspace\.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)" <<'SCRIPT'
const { readdirSync, readFileSync, writeFileSync } = require("node:fs");
const { randomUUID } = require("node:crypto");
const [directory, version] = process.argv.slice(2);
const parts = readdirSync(directory).map((name) => JSON.parse(readFileSync(`${directory}/${name}`, "utf8")));

const components = new Map();
const dependencies = new Map();
for (const part of parts) {
  for (const it of [part.metadata.component, ...part.components]) {
    const known = components.get(it["bom-ref"]);
    if (known === undefined || known.scope !== "required") components.set(it["bom-ref"], it);
  }
  for (const { ref, dependsOn = [] } of part.dependencies) {
    dependencies.set(ref, new Set([...(dependencies.get(ref) ?? []), ...dependsOn]));
  }
}
const image = { type: "container", "bom-ref": `sms-sync-image@${version}`, name: "sms-sync", version };
dependencies.set(image["bom-ref"], new Set(parts.map((part) => part.metadata.component["bom-ref"])));
const byRef = ([left], [right]) => (left < right ? -1 : 1);
const all = {
  bomFormat: "CycloneDX",
  specVersion: "1.5",
  serialNumber: `urn:uuid:${randomUUID()}`,
  version: 1,
  metadata: {
    timestamp: new Date().toISOString(),
    tools: [...new Map(parts.flatMap((part) => part.metadata.tools).map((it) => [it.name, it])).values()],
    component: image,
  },
  components: [...components].sort(byRef).map(([, it]) => it),
  dependencies: [...dependencies].sort(byRef).map(([ref, on]) => ({ ref, dependsOn: [...on].sort() })),
};
writeFileSync(`${directory}/image.cdx.json`, `${JSON.stringify(all, null, 2)}\n`);
console.log(`${directory}: ${parts.length} SBOMs, and image.cdx.json with ${all.components.length} components`);
SCRIPT
