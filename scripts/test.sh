#!/bin/bash
# All tests, after lint, with warnings as errors; arguments go to `swift test` (--filter NAME).
#
# Ends with one plain line, "N passed, N failed, N skipped", after the reasons of what was skipped.
# All of it, what is installed and built included, ends within LIFEGUARD_TEST_SECONDS; with
# LIFEGUARD_TEST_ALL set, a test that is skipped counts as a failure.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Below the forty minutes that continuous integration has, with time to end what still runs.
limit=${LIFEGUARD_TEST_SECONDS:-2280}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Seconds until the limit; at least one, so that `timeout` ends what is started too late.
left() {
  local seconds=$((limit - SECONDS))
  echo $((seconds > 0 ? seconds : 1))
}

scripts/setup.sh test
scripts/lint.sh
[ -d .build/repositories ] ||
  echo "test: the first build takes about $((3 + 8 / $(nproc))) minutes on $(nproc) cores"
# Dependencies are built with warnings off, so that this concerns our own code only.
built=0
timeout --kill-after=30 "$(left)" swift build --build-tests -Xswiftc -warnings-as-errors || built=$?
if [ "$built" != 0 ]; then
  python3 scripts/test-summary.py "$log" "$built" "$limit"
  exit 1
fi

# The Lambda function as it is shipped, where there is a release of these very sources.
function=${LIFEGUARD_TEST_BOOTSTRAP:-}
release=$PWD/.build-release/bootstrap
if [ -z "$function" ] && [ -x "$release" ] &&
  [ -z "$(find -L Sources Package.swift Package.resolved -newer "$release" -print -quit)" ]; then
  function=$release
fi
if [ -n "$function" ]; then export LIFEGUARD_TEST_BOOTSTRAP=$function; fi
echo "test: the Lambda function is tested as ${function:-the debug build}"

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
run() {
  local ended=0
  timeout --kill-after=30 "$(left)" \
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
