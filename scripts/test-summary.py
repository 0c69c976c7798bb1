"""Reads what `swift test` printed, repeats failures and skips, and counts.

usage: test-summary.py LOG STATUS LIMIT

Exit status 0 only when the run ended with status 0, at least one test passed and none failed; with
LIFEGUARD_TEST_ALL in the environment, none may have been skipped either, but for those that want data
which are not part of the repository.
"""

import os
import re
import sys

# Swift Testing prints one line at the end of each test, with a sign, a word and a quoted or plain
# name; suites have the word Suite instead of Test, the whole run has none.
ENDED = re.compile(
    r'^(?:\S+\s+)?Test (?P<name>"(?:[^"\\]|\\.)*"|(?!run\b|case\b)\S.*?) '
    r"(?:with \d+ test cases? )?(?P<how>passed|failed) after [\d.]+ seconds"
)
SKIPPED = re.compile(
    r'^(?:\S+\s+)?(?P<kind>Test|Suite) (?P<name>"(?:[^"\\]|\\.)*"|\S+) skipped'
    r'(?:: (?P<reason>.*?))?\.?$'
)
# What a reason names when a test wants data that are not part of the repository.
ELSEWHERE = "LIFEGUARD_SHARED"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def count(lines):
    """The passed, failed and skipped tests of a log, the last two as (name, reason)."""
    passed, failed, skipped = [], [], []
    for line in lines:
        line = COLOUR.sub("", line.rstrip("\n"))
        if match := ENDED.match(line):
            name = match["name"].strip('"')
            (passed if match["how"] == "passed" else failed).append(name)
        elif match := SKIPPED.match(line):
            # A suite's tests are named one by one as well.
            if match["kind"] == "Test":
                reason = (match["reason"] or "without a reason").strip('"')
                skipped.append((match["name"].strip('"'), reason))
    return passed, failed, skipped


def main():
    path, status, limit = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with open(path, encoding="utf-8", errors="replace") as log:
        passed, failed, skipped = count(log)
    print()
    for name in failed:
        print(f"failed: {name}")
    if skipped:
        print(f"SKIPPED: {len(skipped)} tests did not run:")
        for name, reason in skipped:
            print(f"  {name}: {reason}")
    failures = len(failed)
    if status in (124, 137):
        print(f"failed: the run was stopped after {limit} s")
        failures += 1
    elif status and not failures:
        print(f"failed: the test runner ended with status {status}")
        failures = 1
    if not passed and not failures:
        print("failed: no test ran")
        failures = 1
    binding = [name for name, reason in skipped if ELSEWHERE not in reason]
    if binding and os.environ.get("LIFEGUARD_TEST_ALL"):
        print(f"failed: every test has to run here, and {len(binding)} did not")
        failures += 1
    print(f"{len(passed)} passed, {failures} failed, {len(skipped)} skipped")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
