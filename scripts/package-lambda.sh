#!/bin/bash
# Packs the Lambda function and its layer: package-lambda.sh [PROGRAM [FOLDER]]
#
#   dist/lifeguard-lambda-VERSION-ARCH.zip   bootstrap, for provided.al2023
#   dist/lifeguard-layer-VERSION.zip         restart_service.sh, found as /opt/restart_service.sh
#
# and holds what Lambda's base image has (scripts/check-program.sh) and what the README promises: at
# most 30 MB, 12 MB packed.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=${1:-.build-release/bootstrap}
folder=${2:-dist}
if [ ! -x "$program" ]; then
  echo "package: $program is missing; run scripts/build-release.sh bootstrap" >&2
  exit 1
fi
version=$(sed -n 's/.*"\([0-9][^"]*\)".*/\1/p' Sources/lifeguard/Version.swift | head -1)

scripts/check-program.sh "$program"

size=$(stat -L -c %s "$program")
if [ "$size" -gt $((30 * 1000 * 1000)) ]; then
  echo "package: bootstrap has $size bytes, more than 30 MB" >&2
  exit 1
fi

mkdir -p "$folder"
function=$folder/lifeguard-lambda-$version-$(uname -m).zip
layer=$folder/lifeguard-layer-$version.zip
# Python's zipfile: the same bytes for the same content, with modes that Lambda keeps.
python3 - "$function" "$layer" "$program" "$(git log -1 --format=%ct)" << 'PACK'
import sys
import time
import zipfile

function, layer, program, stamp = sys.argv[1:5]
date = time.gmtime(max(int(stamp), 315532800))[:6]


def pack(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, source in files:
            entry = zipfile.ZipInfo(name, date)
            entry.create_system = 3
            entry.external_attr = 0o100755 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            with open(source, "rb") as file:
                archive.writestr(entry, file.read())


pack(function, [("bootstrap", program)])
pack(layer, [("restart_service.sh", "scripts/restart_service.sh")])
PACK
packed=$(stat -c %s "$function")
if [ "$packed" -gt $((12 * 1000 * 1000)) ]; then
  echo "package: $function has $packed bytes, more than 12 MB" >&2
  exit 1
fi
(cd "$folder" && sha256sum "${function##*/}" > "${function##*/}.sha256")
echo "package: $function ($packed bytes), $layer"
