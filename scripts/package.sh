#!/bin/bash
# Packs the release command with its unit, examples and licence: dist/lifeguard-VERSION-ARCH.tar.gz
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=$(.build-release/lifeguard --version)
version=${version##* }
name=lifeguard-$version-$(uname -m)

# The promise of the README: what the command needs of a host's C libraries, and no more.
for symbol in $(objdump -T .build-release/lifeguard | grep -oE 'GLIBC(XX)?_[0-9.]+' | sort -uV); do
  case $symbol in
    GLIBC_*) floor=GLIBC_2.34 ;;
    *) floor=GLIBCXX_3.4.29 ;;
  esac
  if [ "$(printf '%s\n' "$symbol" "$floor" | sort -V | tail -1)" != "$floor" ]; then
    echo "package: the command needs $symbol, newer than $floor" >&2
    exit 1
  fi
done

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
