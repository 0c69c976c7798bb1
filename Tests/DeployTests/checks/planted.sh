#!/bin/bash
# Makes a program in which one thing is wrong for Lambda: planted.sh KIND OUTPUT
#
# Needs newer symbols or another library by stand-ins that have nothing but a name and a version, so
# that it does not matter what this machine has.
set -euo pipefail

kind=${1:?usage: planted.sh KIND OUTPUT}
output=${2:?usage: planted.sh KIND OUTPUT}
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

# Builds a program that calls a function of a library with this name, at this version.
needing() {
  echo 'int wanted(void) { return 0; }' > "$stage/library.c"
  local version=()
  if [ -n "${2:-}" ]; then
    echo "$2 { wanted; };" > "$stage/versions"
    version=("-Wl,--version-script=$stage/versions")
  fi
  gcc -shared -fPIC "-Wl,-soname,$1" "${version[@]}" -o "$stage/library.so" "$stage/library.c"
  echo 'int wanted(void); int main(void) { return wanted(); }' > "$stage/main.c"
  gcc -o "$output" "$stage/main.c" "$stage/library.so"
}

case $kind in
  fine)
    echo 'int main(void) { return 0; }' | gcc -x c -o "$output" -
    ;;
  newer-glibc) needing libm.so.6 GLIBC_2.35 ;;
  newer-libstdc++) needing libstdc++.so.6 GLIBCXX_3.4.30 ;;
  newer-abi) needing libstdc++.so.6 CXXABI_1.3.14 ;;
  other-library) needing libyaml-0.so.2 ;;
  large)
    echo 'char large[30000000] = {1}; int main(void) { return large[7]; }' |
      gcc -x c -o "$output" -
    ;;
  dense)
    # What cannot be compressed: it is small enough alone, and too large packed.
    head -c 12500000 /dev/urandom > "$stage/noise"
    printf '__asm__(".data\\n.globl noise\\nnoise: .incbin \\"%s\\"\\n");\n%s\n' "$stage/noise" \
      'extern char noise[]; int main(void) { return noise[7]; }' |
      gcc -x c -o "$output" -
    ;;
  *)
    echo "planted: unknown kind \"$kind\"" >&2
    exit 2
    ;;
esac
