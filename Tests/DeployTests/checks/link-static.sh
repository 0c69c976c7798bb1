#!/bin/bash
# Links the Lambda function of a debug build as a release is linked: link-static.sh FOLDER OUTPUT
#
# FOLDER holds the products of a debug build. A release takes minutes to compile, and these seconds
# show the same: which shared libraries it needs, and which versions of their symbols.
set -euo pipefail

folder=${1:?usage: link-static.sh FOLDER OUTPUT}
output=${2:?usage: link-static.sh FOLDER OUTPUT}
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

# As in scripts/build-release.sh: beside a shared library the linker would not take the static one.
for library in yaml z; do
  ln -s "$(gcc -print-file-name="lib$library.a")" "$stage/lib$library.a"
done
# Objects that were compiled for the shared runtime do not name the parts of the static one, and a
# program that tests can import has a `main` of another name.
swiftc -static-stdlib -emit-executable "@$folder/bootstrap.product/Objects.LinkFileList" \
  -o "$output" -L"$stage" -lyaml -lz -lstdc++ -l_FoundationCollections -l_FoundationCShims \
  -Xlinker --defsym=main=bootstrap_main -Xlinker --gc-sections -Xlinker -s
