#!/bin/bash
# Builds the release command, .build-release/lifeguard, or another program of the package:
#
#     scripts/build-release.sh [PRODUCT]
#
# One self-contained file: the Swift runtime, SQLite, libyaml and zlib are linked statically;
# glibc (2.34 or newer), libstdc++ and libgcc_s stay the host's. It has a scratch folder of its
# own because other flags in the same folder would compile everything again; so has the Lambda
# function, which is compiled for size: it may have 30 MB, and loads its code at every cold start.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
product=${1:-lifeguard}
output=$root/.build-release
libraries=$output/static-libraries
scratch=$output
flags=()
if [ "$product" = bootstrap ]; then
  scratch=$output/small
  flags=(-Xswiftc -Osize -Xcc -Os -Xcxx -Os -Xlinker --icf=safe)
  # At a fixed address: without 2 MB of relocations that every cold start would work through and
  # keep in memory. Its libraries, heap and stacks are still placed at random.
  flags+=(-Xswiftc -Xclang-linker -Xswiftc -no-pie)
fi

# Where a folder holds a shared and a static library, the linker takes the shared one. So the static
# ones stand in a folder of their own, and pkg-config is told of no other.
mkdir -p "$libraries"
for library in sqlite3 yaml:yaml-0.1 z:zlib; do
  file=lib${library%%:*}.a
  path=$(gcc -print-file-name="$file")
  if [ ! -f "$path" ]; then
    echo "build: $file is missing; run scripts/setup.sh run" >&2
    exit 1
  fi
  ln -sfn "$path" "$libraries/$file"
  printf 'Name: %s\nDescription: static\nVersion: 0\nLibs: -L%s -l%s\n' \
    "${library##*:}" "$libraries" "${library%%:*}" > "$libraries/${library##*:}.pc.new"
  # Rewritten only when it differs: a newer file would link everything again.
  if cmp -s "$libraries/${library##*:}.pc.new" "$libraries/${library##*:}.pc"; then
    rm "$libraries/${library##*:}.pc.new"
  else
    mv "$libraries/${library##*:}.pc.new" "$libraries/${library##*:}.pc"
  fi
done

if [ ! -x "$output/$product" ]; then
  cores=$(nproc)
  # Measured: about 18 CPU-minutes cold; the last, whole-module steps use one core.
  minutes=$((3 + 18 / cores))
  echo "build: the first release build takes about $minutes minutes on $cores cores;" \
    "later ones take seconds"
fi
started=$SECONDS
# Nothing is loaded into these programs, so they export nothing: 4 MB of names, and the code that only
# a name keeps.
swift build -c release --scratch-path "$scratch" --product "$product" \
  --static-swift-stdlib --pkg-config-path "$libraries" "${flags[@]}" \
  -Xlinker -s -Xlinker --no-export-dynamic
ln -sfn "$(swift build -c release --scratch-path "$scratch" --show-bin-path)/$product" \
  "$output/$product"
# A library that came in as a shared one would be missing on the next machine.
if ldd "$output/$product" | grep -E 'libsqlite3|libyaml|libz\.'; then
  echo "build: these libraries are not linked statically" >&2
  exit 1
fi
echo "build: done in $((SECONDS - started)) s: .build-release/$product"
