#!/bin/bash
# All tests, after lint, with warnings as errors; arguments go to `swift test` (--filter NAME).
#
# Ends with one plain line, "N passed, N failed, N skipped", after the reasons of what was skipped.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
limit=${LIFEGUARD_TEST_SECONDS:-1800}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

scripts/lint.sh
[ -d .build/repositories ] ||
  echo "test: the first build takes about $((3 + 8 / $(nproc))) minutes on $(nproc) cores"
# Dependencies are built with warnings off, so that this concerns our own code only.
swift build --build-tests -Xswiftc -warnings-as-errors

# Group after group, each in a process of its own: tests that compute for a minute would starve those
# that wait for a child or a socket, because all of a process share two threads here. What no group
# names runs last, so that a new target cannot be forgotten.
groups=(
  'LifeguardCoreTests|LifeguardConfigurationTests|DefaultRulesTests|TidyTests'
  'SimulationTests'
  'PromQLPeerTests'
  'LifeguardHostTests|TestSupportTests'
  'LifeguardStoreTests'
  'LifeguardAgentTests\.(Peer|Receive|RemoteWrite|Scrape|SnappyPeer|Spool)'
  'LifeguardAgentTests\.(?!Peer|Receive|RemoteWrite|Scrape|SnappyPeer|Spool)'
  'LifeguardServerTests'
  'LifeguardAWSTests|BootstrapTests'
  'CommandTests'
  'DeployTests'
)

status=0
deadline=$((SECONDS + limit))
run() {
  local left=$((deadline - SECONDS)) ended=0
  [ "$left" -gt 0 ] || left=1
  timeout --kill-after=30 "$left" \
    swift test --skip-build -Xswiftc -warnings-as-errors "$@" < /dev/null 2>&1 |
    tee -a "$log" || ended=${PIPESTATUS[0]}
  [ "$ended" = 0 ] || status=$ended
}

if [ "$#" -gt 0 ]; then
  run "$@"
else
  rest=()
  for group in "${groups[@]}"; do
    echo "test: $group"
    run --filter "$group"
    rest+=(--skip "$group")
  done
  echo "test: the rest"
  run "${rest[@]}"
fi
python3 scripts/test-summary.py "$log" "$status" "$limit"
