#!/bin/bash
# Packs the release command with its unit, examples and licence: dist/lifeguard-VERSION-ARCH.tar.gz
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=$(.build-release/lifeguard --version)
version=${version##* }
name=lifeguard-$version-$(uname -m)

scripts/check-program.sh .build-release/lifeguard

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/$name" dist
install -m 755 .build-release/lifeguard "$stage/$name/lifeguard"
for path in LICENSE README.md CHANGELOG.md examples deploy/systemd scripts/restart_service.sh; do
  [ ! -e "$path" ] || cp -R --parents "$path" "$stage/$name/"
done
tar -C "$stage" --owner=0 --group=0 --sort=name --mtime="@$(git log -1 --format=%ct)" \
  -czf "dist/$name.tar.gz" "$name"
(cd dist && sha256sum "$name.tar.gz" > "$name.tar.gz.sha256")
echo "package: dist/$name.tar.gz"
