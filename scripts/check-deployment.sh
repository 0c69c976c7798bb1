#!/bin/bash
# Asks a deployed function for a sweep and looks whether it could do it: check-deployment.sh NAME
#
# A sweep only looks for alarms that stay in ALARM. Needs the AWS CLI and lambda:InvokeFunction.
set -euo pipefail

name=${1:?usage: check-deployment.sh FUNCTION}
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# The event that the schedule sends (EventBridge, "Scheduled Event").
event=$(
  printf '{"version":"0","id":"%s","detail-type":"Scheduled Event","source":"aws.events",' \
    "$(cat /proc/sys/kernel/random/uuid)"
  printf '"account":"","time":"%s","region":"","resources":["check-deployment"],"detail":{}}' \
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
)
problem=$(aws lambda invoke --function-name "$name" --cli-binary-format raw-in-base64-out \
  --payload "$event" --query FunctionError --output text "$answer")
if [ "$problem" != None ]; then
  echo "check: $name failed ($problem): $(head -c 2000 "$answer")" >&2
  echo "check: its log says more: aws logs tail /aws/lambda/$name --since 10m" >&2
  exit 1
fi
echo "check: $name answered: $(head -c 500 "$answer")"
