#!/bin/bash
# Tries a packed function under AWS's Runtime Interface Emulator: smoke-lambda.sh ZIP
#
# It has to start, answer two events, survive one that nobody understands, and be of this machine's
# processor. Nothing reaches AWS: its endpoint is a closed port. The emulator is $LAMBDA_RIE, or the
# one inside the PyPI package aws-sam-cli, which is fetched into a temporary folder.
set -euo pipefail

zip=${1:?usage: smoke-lambda.sh ZIP}
sam_cli=1.170.0
stage=$(mktemp -d)
emulator_pid=
stop() {
  if [ -n "$emulator_pid" ]; then
    # The emulator leads a process group of its own, with the function in it.
    kill -TERM -- "-$emulator_pid" 2> /dev/null || true
    sleep 0.2
    kill -KILL -- "-$emulator_pid" 2> /dev/null || true
  fi
  rm -rf "$stage"
}
trap stop EXIT

case $(uname -m) in
  x86_64) processor=x86_64 ;;
  aarch64 | arm64) processor=arm64 ;;
  *)
    echo "smoke: there is no emulator for $(uname -m)" >&2
    exit 2
    ;;
esac

emulator=${LAMBDA_RIE:-}
if [ -z "$emulator" ]; then
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$stage/wheel" \
    "aws-sam-cli==$sam_cli"
  python3 -m zipfile -e "$stage"/wheel/*.whl "$stage/sam"
  emulator=$stage/sam/samcli/local/rapid/aws-lambda-rie-$processor
  chmod 755 "$emulator"
fi

python3 -m zipfile -e "$zip" "$stage/function"
if [ ! -f "$stage/function/bootstrap" ]; then
  echo "smoke: $zip has no bootstrap at its root" >&2
  exit 1
fi
# A zip made without Unix attributes would arrive in Lambda without the right to execute.
python3 - "$zip" << 'CHECK'
import sys
import zipfile

mode = zipfile.ZipFile(sys.argv[1]).getinfo("bootstrap").external_attr >> 16
if mode & 0o111 != 0o111:
    sys.exit(f"smoke: bootstrap has mode {mode:o} in the zip; it must be executable for everybody")
CHECK
chmod 755 "$stage/function/bootstrap"

read -r api front < <(python3 - << 'PORTS'
import socket

sockets = [socket.socket() for _ in range(2)]
for each in sockets:
    each.bind(("127.0.0.1", 0))
print(*(each.getsockname()[1] for each in sockets))
PORTS
)

# Alone in its environment, as in Lambda.
setsid env -i PATH="$PATH" HOME=/tmp TZ=UTC \
  AWS_LAMBDA_FUNCTION_TIMEOUT=20 AWS_LAMBDA_FUNCTION_NAME=smoke AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128 \
  AWS_LAMBDA_FUNCTION_VERSION="\$LATEST" AWS_REGION=us-east-1 AWS_ENDPOINT_URL=http://127.0.0.1:9 \
  AWS_ACCESS_KEY_ID=smoke AWS_SECRET_ACCESS_KEY=smoke METRIC_NAME_TO_MONITOR=CPUUtilization \
  LOG_GROUP_NAME=ServerMetricsLogGroup LAMBDA_TASK_ROOT="$stage/function" \
  "$emulator" --log-level error --runtime-api-address "127.0.0.1:$api" \
  --runtime-interface-emulator-address "127.0.0.1:$front" "$stage/function/bootstrap" \
  > "$stage/log" 2>&1 &
emulator_pid=$!

for _ in $(seq 100); do
  if (: < "/dev/tcp/127.0.0.1/$front") 2> /dev/null; then break; fi
  sleep 0.1
done

# Sends an event; prints the answer and, on a line of its own, its status.
invoke() {
  curl --silent --show-error --max-time 30 --write-out '\n%{http_code}\n' --data-binary "$1" \
    "http://127.0.0.1:$front/2015-03-31/functions/function/invocations" || echo "no answer"
}

# What CloudWatch Logs sends when a subscription is made: gzip and base64; it asks for nothing.
control=$(python3 - << 'EVENT'
import base64
import gzip
import json

message = {
    "messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logGroup": "", "logStream": "",
    "subscriptionFilters": [],
    "logEvents": [{"id": "", "timestamp": 1700000000000, "message": "CWL CONTROL MESSAGE"}],
}
data = base64.b64encode(gzip.compress(json.dumps(message).encode())).decode()
print(json.dumps({"awslogs": {"data": data}}))
EVENT
)

# The emulator answers 200 for a failed function too: the body tells (errorType, or its own words).
expect_success() {
  local answer
  answer=$(invoke "$1")
  case $answer in
    *errorType* | *errorMessage* | *'Task timed out'*) ;;
    *$'\n200') return 0 ;;
  esac
  echo "smoke: $2: $answer" >&2
  cat "$stage/log" >&2
  exit 1
}

expect_success "$control" "the first event failed"
invoke '{"neither": "log nor alarm"}' > "$stage/unknown"
expect_success "$control" "the function did not survive an unknown event"
echo "smoke: $(basename "$zip") starts on $processor and answers"
