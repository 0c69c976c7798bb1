"""What a Lambda function in Python does for the same job: the runtime's loop, and a handler that
decodes a subscription's event, looks for the metric in every line and acts on the first value at
or above the threshold, with boto3's clients made at the start as is usual.
"""

import base64
import gzip
import http.client
import json
import os
import subprocess

import boto3

THRESHOLD = float(os.environ.get("ALARM_THRESHOLD_CPU", "80"))
METRIC = os.environ.get("METRIC_NAME_TO_MONITOR", "CPUUtilization")
SUBJECT = os.environ.get("NOTIFICATION_SUBJECT", "[Warning] High Server Metric Alert")
PREFIX = os.environ.get("NOTIFICATION_MESSAGE_PREFIX", "Server Metric Alert: ")
SCRIPT = os.environ.get("RECOVERY_SCRIPT_PATH", "/opt/restart_service.sh")
sns = boto3.client("sns")
logs = boto3.client("logs")


def handler(event):
    data = gzip.decompress(base64.b64decode(event["awslogs"]["data"]))
    for line in json.loads(data)["logEvents"]:
        try:
            message = json.loads(line["message"])
        except ValueError:
            continue
        if METRIC not in message or float(message[METRIC]) < THRESHOLD:
            continue
        text = f"{PREFIX}{METRIC} is {message[METRIC]}"
        sns.publish(TopicArn=os.environ["SNS_TOPIC_ARN"], Subject=SUBJECT, Message=text)
        subprocess.run([SCRIPT], timeout=15, check=False)
        return {"statusCode": 200, "body": text}
    return {"statusCode": 200, "body": "nothing to do"}


def main():
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    base = "/2018-06-01/runtime/invocation/"
    while True:
        connection.request("GET", base + "next")
        answer = connection.getresponse()
        body = answer.read()
        request = answer.getheader("Lambda-Runtime-Aws-Request-Id")
        result = json.dumps(handler(json.loads(body)))
        connection.request("POST", f"{base}{request}/response", result)
        connection.getresponse().read()


if __name__ == "__main__":
    main()
