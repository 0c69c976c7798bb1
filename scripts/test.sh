#!/bin/bash
# All tests, after lint, with warnings as errors; arguments go to `swift test` (--filter NAME).
#
# Ends with one plain line, "N passed, N failed, N skipped", after the reasons of what was skipped.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
limit=${LIFEGUARD_TEST_SECONDS:-1500}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

scripts/lint.sh
[ -d .build/repositories ] ||
  echo "test: the first build takes about $((3 + 8 / $(nproc))) minutes on $(nproc) cores"
# Dependencies are built with warnings off, so that this concerns our own code only.
swift build --build-tests -Xswiftc -warnings-as-errors

status=0
timeout --kill-after=30 "$limit" \
  swift test --skip-build -Xswiftc -warnings-as-errors "$@" < /dev/null 2>&1 |
  tee "$log" || status=${PIPESTATUS[0]}
python3 scripts/test-summary.py "$log" "$status" "$limit"
