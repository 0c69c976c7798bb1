#!/usr/bin/env python3
"""One scenario of the Lambda function against moto and the Runtime Interface Emulator.

    cloud.py SCENARIO BOOTSTRAP EMULATOR

Prints one JSON object with what the cloud saw. Everything stands on free ports of 127.0.0.1, in
this process and its children, and is ended with it.
"""

import base64
import gzip
import http.client
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
os.environ.update(CREDENTIALS, AWS_DEFAULT_REGION=REGION, AWS_EC2_METADATA_DISABLED="true")

import boto3  # noqa: E402  (its settings are in the environment by now)
import moto.awslambda.models  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402

CONFIGURATION = """
mode: auto
rules:
  - alert: CPUHigh
    expr: CPUUtilization >= 80
    labels: {severity: critical}
    recover: restart-web
plans:
  restart-web:
    target: 'instance:{{ $labels.instance }}'
    steps:
      - ssm: {document: AWS-RunShellScript, parameters: {commands: ['systemctl restart web']}, timeout: 20s}
      - page: {}
    verify: {settle: 0s, hold: 1m, deadline: 10m}
notify:
  receivers:
    aws: {sns: {topic_arn: '%s', subject: '[Warning] High Server Metric Alert', prefix: 'Server Metric Alert: '}}
"""


class Sink:
    """An HTTP server that keeps what it is sent; a hook may delay or end things."""

    def __init__(self, hook=None):
        outer = self
        self.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                outer.requests.append(body.decode("utf-8", "replace"))
                answer = hook(self, body) if hook else (200, b"", "text/plain")
                if answer is None:
                    return
                status, text, kind = answer
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Emulator:
    """One sandbox: the emulator with the function in it."""

    def __init__(self, program, bootstrap, environment, folder, timeout=20):
        self.port, runtime = free_port(), free_port()
        self.log = open(os.path.join(folder, f"emulator-{self.port}.log"), "wb+")
        variables = {
            "PATH": "/usr/bin:/bin", "HOME": folder, "AWS_LAMBDA_FUNCTION_NAME": "recovery",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout), "AWS_REGION": REGION,
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/recovery", **CREDENTIALS, **environment,
        }
        self.process = subprocess.Popen(
            [program, "--runtime-api-address", f"127.0.0.1:{runtime}",
             "--runtime-interface-emulator-address", f"127.0.0.1:{self.port}", bootstrap],
            env=variables, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True)
        wait_for(lambda: answers(self.port), "the emulator does not listen")

    def invoke(self, event, timeout=40):
        body = event if isinstance(event, (bytes, str)) else json.dumps(event)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        connection.request("POST", "/2015-03-31/functions/function/invocations", body)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        connection.close()
        try:
            return {"status": answer.status, "body": json.loads(text)}
        except ValueError:
            return {"status": answer.status, "body": text}

    def kill_function(self):
        """Ends the function in the middle of what it does, as a crash would."""
        children = open(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read()
        pids = {int(pid) for pid in children.split()}
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            path = f"/proc/{self.process.pid}/task/{task}/children"
            pids |= {int(pid) for pid in open(path).read().split()}
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    def text(self):
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")

    def end(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def wait_for(condition, problem, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise RuntimeError(problem)


class Cloud:
    def __init__(self, bootstrap, emulator, folder):
        self.bootstrap, self.emulator_program, self.folder = bootstrap, emulator, folder
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.server.start()
        host, port = self.server.get_host_and_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        self.sink = Sink()
        self.emulators = []
        self.answers = []
        self.sns = self.client("sns")
        self.ssm = self.client("ssm")
        self.logs = self.client("logs")
        self.table = self.client("dynamodb")
        self.topic = self.sns.create_topic(Name="alerts")["TopicArn"]
        self.sns.subscribe(
            TopicArn=self.topic, Protocol="http",
            Endpoint=f"http://127.0.0.1:{self.sink.port}/")
        self.table.create_table(
            TableName="lifeguard", BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}])
        ec2 = self.client("ec2")
        image = ec2.describe_images()["Images"][0]["ImageId"]
        self.instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)[
            "Instances"][0]["InstanceId"]

    def client(self, name):
        return boto3.client(name, endpoint_url=self.endpoint, region_name=REGION)

    def start(self, configuration=True, **environment):
        timeout = int(environment.pop("timeout", 20))
        variables = {"AWS_ENDPOINT_URL": self.endpoint, "LIFEGUARD_STATE_TABLE": "lifeguard"}
        if configuration:
            variables["LIFEGUARD_CONFIG"] = CONFIGURATION % self.topic
        variables.update(environment)
        variables = {key: value for key, value in variables.items() if value is not None}
        emulator = Emulator(
            self.emulator_program, self.bootstrap, variables, self.folder, timeout)
        self.emulators.append(emulator)
        return emulator

    def event(self, value, age=1.0, identity="38213004281604381267001112345678901234567890123456789012"):
        """A subscription's event as CloudWatch Logs packs it."""
        message = {
            "messageType": "DATA_MESSAGE", "owner": "123456789012",
            "logGroup": "ServerMetricsLogGroup", "logStream": self.instance,
            "subscriptionFilters": ["cpu"],
            "logEvents": [{
                "id": identity, "timestamp": int((time.time() - age) * 1000),
                "message": json.dumps({"CPUUtilization": value}),
            }],
        }
        packed = base64.b64encode(gzip.compress(json.dumps(message).encode())).decode()
        return json.dumps({"awslogs": {"data": packed}})

    def bridge(self, emulator):
        """Lets moto's Lambda call the function in the emulator instead of a container."""
        def invoke(_, event=None):
            answer = emulator.invoke(event or "{}")
            self.answers.append(answer)
            return json.dumps(answer["body"]), False, ""

        moto.awslambda.models.LambdaFunction._invoke_lambda = invoke

    def found(self):
        commands = self.ssm.list_commands()["Commands"]
        items = self.table.scan(TableName="lifeguard")["Items"]
        claims = [item for item in items if item["pk"]["S"].startswith("claim#")]
        states = [item for item in items if item["pk"]["S"].startswith("state#")]
        document = json.loads(states[0]["document"]["S"]) if states else {}
        incidents = list(document.get("state", {}).get("incidents", {}).values())
        notices = []
        for body in self.sink.requests:
            notice = json.loads(body)
            if "Message" not in notice:
                continue
            try:
                message = json.loads(notice["Message"])
            except ValueError:
                message = notice["Message"]
            notices.append({"subject": notice.get("Subject"), "message": message})
        return {
            "commands": len(commands),
            "claims": [item.get("outcome", {}).get("S") for item in claims],
            "incidents": len(incidents),
            "interrupted": any(
                (i.get("ladder") or {}).get("current", {}).get("wasInterrupted")
                for i in incidents),
            "phases": [sorted((i.get("ladder") or {}).get("phase", {})) for i in incidents],
            "outbox": len(document.get("outbox", [])),
            "notices": notices,
            "answers": self.answers,
            "log": "".join(emulator.text() for emulator in self.emulators),
        }

    def end(self):
        for emulator in self.emulators:
            emulator.end()
        self.server.stop()


def chain(cloud):
    """PutLogEvents, subscription, function, claim, message, command; twice the same event."""
    emulator = cloud.start()
    cloud.bridge(emulator)
    iam, function = cloud.client("iam"), cloud.client("lambda")
    role = iam.create_role(
        RoleName="recovery",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}))
    arn = function.create_function(
        FunctionName="recovery", Runtime="provided.al2023", Handler="bootstrap",
        Role=role["Role"]["Arn"], Code={"ZipFile": empty_zip()})["FunctionArn"]
    cloud.logs.create_log_group(logGroupName="ServerMetricsLogGroup")
    cloud.logs.create_log_stream(
        logGroupName="ServerMetricsLogGroup", logStreamName=cloud.instance)
    cloud.logs.put_subscription_filter(
        logGroupName="ServerMetricsLogGroup", filterName="cpu", filterPattern="",
        destinationArn=arn)
    cloud.logs.put_log_events(
        logGroupName="ServerMetricsLogGroup", logStreamName=cloud.instance,
        logEvents=[
            {"timestamp": int(time.time() * 1000), "message": "not json: kernel: oom-killer"},
            {"timestamp": int(time.time() * 1000), "message": '{"CPUUtilization": 91.2}'},
        ])
    event = cloud.event(95.0)
    cloud.answers.append(emulator.invoke(event))
    cloud.answers.append(emulator.invoke(event))


def twice(cloud):
    """The same event delivered three times."""
    emulator = cloud.start()
    event = cloud.event(91.2)
    for _ in range(3):
        cloud.answers.append(emulator.invoke(event))


def concurrent(cloud):
    """Sixteen sandboxes get the same event at once."""
    emulators = [cloud.start() for _ in range(16)]
    event = cloud.event(91.2)
    gate = threading.Barrier(len(emulators))

    def deliver(emulator):
        gate.wait()
        cloud.answers.append(emulator.invoke(event))

    threads = [threading.Thread(target=deliver, args=(one,)) for one in emulators]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def killed(cloud):
    """The function dies between its intent and the action; the event comes again."""
    killed_once = threading.Event()
    hold = {}

    def hook(handler, body):
        if not killed_once.is_set():
            killed_once.set()
            hold["emulator"].kill_function()
            handler.close_connection = True
            return None
        return forward(cloud, handler, body)

    proxy = Sink(hook)
    emulator = cloud.start(timeout=4, AWS_ENDPOINT_URL_SSM=f"http://127.0.0.1:{proxy.port}")
    hold["emulator"] = emulator
    event = cloud.event(91.2)
    cloud.answers.append(emulator.invoke(event))
    time.sleep(6)  # Until the lease of the one that died is over.
    cloud.answers.append(emulator.invoke(event))
    cloud.answers.append({"asked": len(proxy.requests)})


def retried(cloud):
    """An event whose message is refused: as it was not handled whole, Lambda posts it twice more."""
    may_publish = threading.Event()

    def hook(handler, body):
        if b"Action=Publish" in body and not may_publish.is_set():
            return (403, b"<ErrorResponse><Error><Code>AuthorizationError</Code>"
                    b"<Message>no</Message></Error></ErrorResponse>", "text/xml")
        return forward(cloud, handler, body)

    proxy = Sink(hook)
    emulator = cloud.start(timeout=4, AWS_ENDPOINT_URL_SNS=f"http://127.0.0.1:{proxy.port}")
    event = cloud.event(91.2)
    cloud.answers.append(emulator.invoke(event))
    may_publish.set()
    time.sleep(6)  # Lambda waits a minute; here until the lease of the first try is over.
    cloud.answers.append(emulator.invoke(event))
    cloud.answers.append(emulator.invoke(event))


def forward(cloud, handler, body):
    """Hands a request on to the services, and their answer back."""
    address = urllib.parse.urlsplit(cloud.endpoint)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    headers = {key: value for key, value in handler.headers.items() if key != "Host"}
    connection.request("POST", handler.path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers.get("Content-Type", "text/plain")


def local(cloud):
    """Zero files: no table, no configuration; the local script once per event."""
    script = os.path.join(cloud.folder, "restart_service.sh")
    trail = os.path.join(cloud.folder, "trail")
    with open(script, "w") as file:
        file.write(f"#!/bin/sh\necho \"$LIFEGUARD_LABEL_INSTANCE\" >> {trail}\n")
    os.chmod(script, 0o755)
    emulator = cloud.start(
        configuration=False, LIFEGUARD_STATE_TABLE=None, SNS_TOPIC_ARN=cloud.topic,
        RECOVERY_SCRIPT_PATH=script, ALARM_THRESHOLD_CPU="90")
    cloud.answers.append(emulator.invoke(cloud.event(89.9)))
    event = cloud.event(90)
    cloud.answers.append(emulator.invoke(event))
    cloud.answers.append(emulator.invoke(event))
    cloud.answers.append({"trail": open(trail).read() if os.path.exists(trail) else ""})


def bad(cloud):
    """What nobody should send; the function lives on and does nothing."""
    emulator = cloud.start()
    bomb = base64.b64encode(gzip.compress(b" " * (64 << 20), 9)).decode()
    events = [
        "{}", "[]", "null", '"text"', "{", "\xff", '{"awslogs": {"data": "%%%"}}',
        '{"awslogs": {"data": "aGVsbG8="}}', '{"awslogs": {}}',
        json.dumps({"awslogs": {"data": bomb}}), '{"Records": [{"eventSource": "aws:s3"}]}',
        '{"source": "aws.health", "detail-type": "AWS Health Event", "detail": {}}',
    ]
    for event in events:
        cloud.answers.append(emulator.invoke(event.encode("latin-1")))
    cloud.answers.append(emulator.invoke(cloud.event(12.0)))


def broken(cloud):
    """A threshold that is no number: the function cannot start, and says which variable."""
    emulator = cloud.start(configuration=False, ALARM_THRESHOLD_CPU="eighty")
    cloud.answers.append(emulator.invoke("{}"))


def empty_zip():
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("bootstrap", "")
    return buffer.getvalue()


SCENARIOS = {scenario.__name__: scenario
             for scenario in (chain, twice, concurrent, killed, retried, local, bad, broken)}


def main():
    import tempfile

    name, bootstrap, emulator = sys.argv[1:4]
    with tempfile.TemporaryDirectory() as folder:
        cloud = Cloud(os.path.abspath(bootstrap), emulator, folder)
        try:
            SCENARIOS[name](cloud)
            print(json.dumps(cloud.found()))
        finally:
            cloud.end()


if __name__ == "__main__":
    main()
