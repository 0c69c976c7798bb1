#!/bin/bash
# Holds what the README promises of a program that is shipped: check-program.sh PROGRAM
#
# Nothing newer than GLIBC_2.34 and the libstdc++ of GCC 11 (GLIBCXX_3.4.29, CXXABI_1.3.13), and no
# shared library beyond glibc, libstdc++ and libgcc_s.
set -euo pipefail

program=${1:?usage: check-program.sh PROGRAM}
name=$(basename "$program")

# Read first, so that a program that cannot be read is not taken for one that needs nothing.
symbols=$(objdump -T "$program" | grep -oE '(GLIBC|GLIBCXX|CXXABI)_[0-9.]+' | sort -uV)
libraries=$(objdump -p "$program" | awk '/NEEDED/ {print $2}')

for symbol in $symbols; do
  case $symbol in
    GLIBC_*) floor=GLIBC_2.34 ;;
    GLIBCXX_*) floor=GLIBCXX_3.4.29 ;;
    *) floor=CXXABI_1.3.13 ;;
  esac
  if [ "$(printf '%s\n' "$symbol" "$floor" | sort -V | tail -1)" != "$floor" ]; then
    echo "package: $name needs $symbol, newer than $floor" >&2
    exit 1
  fi
done

for library in $libraries; do
  case $library in
    libc.so.6 | libm.so.6 | libpthread.so.0 | libdl.so.2 | librt.so.1 | ld-linux-*) ;;
    libstdc++.so.6 | libgcc_s.so.1) ;;
    *)
      echo "package: $name needs $library, which not every host has: link it statically" >&2
      exit 1
      ;;
  esac
done
