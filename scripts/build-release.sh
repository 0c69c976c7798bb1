#!/bin/bash
# Builds the release command: .build-release/lifeguard
#
# One self-contained file: the Swift runtime, SQLite, libyaml and zlib are linked statically;
# glibc (2.34 or newer), libstdc++ and libgcc_s stay the host's. It has a scratch folder of its
# own because other flags in the same folder would compile everything again.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
scratch=$root/.build-release
libraries=$scratch/static-libraries

# The linker takes a shared library before a static one of the same folder, so the static ones
# stand in a folder that holds nothing else and is searched first.
mkdir -p "$libraries"
for library in libsqlite3.a libyaml.a libz.a; do
  path=$(gcc -print-file-name="$library")
  if [ ! -f "$path" ]; then
    echo "build: $library is missing; run scripts/setup.sh run" >&2
    exit 1
  fi
  ln -sfn "$path" "$libraries/$library"
done

if [ ! -x "$scratch/lifeguard" ]; then
  cores=$(nproc)
  # Measured: about 11 CPU-minutes cold; the last, whole-module steps use one core.
  minutes=$((2 + 10 / cores))
  echo "build: the first release build takes about $minutes minutes on $cores cores;" \
    "later ones take seconds"
fi
started=$SECONDS
swift build -c release --scratch-path "$scratch" --product lifeguard \
  --static-swift-stdlib -Xlinker -s -Xlinker "-L$libraries"
ln -sfn "$(swift build -c release --scratch-path "$scratch" --show-bin-path)/lifeguard" \
  "$scratch/lifeguard"
echo "build: done in $((SECONDS - started)) s: .build-release/lifeguard"
