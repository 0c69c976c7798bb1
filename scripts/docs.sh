#!/bin/bash
# The API's pages from the doc comments: dist/docs/TARGET for each library of ours.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
swift build
graphs=$(mktemp -d)
trap 'rm -rf "$graphs"' EXIT
bin=$(swift build --show-bin-path)
for folder in Sources/Lifeguard*; do
  module=${folder##*/}
  mkdir -p "$graphs/$module"
  swift symbolgraph-extract -module-name "$module" -minimum-access-level public \
    -target "$(swiftc -print-target-info | jq -r .target.unversionedTriple)" \
    -I "$bin/Modules" -I Sources/CLinux/include -I Sources/CSQLite -I Sources/CYAML \
    -I Sources/CZlib -output-dir "$graphs/$module"
  docc convert --additional-symbol-graph-dir "$graphs/$module" \
    --fallback-display-name "$module" --fallback-bundle-identifier "lifeguard.$module" \
    --output-path "dist/docs/$module"
  echo "docs: dist/docs/$module"
done
