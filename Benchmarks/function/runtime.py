"""A runtime API that times a function: process start to first poll, CPU an invocation, memory.

It answers on a free port of 127.0.0.1 and starts the program under test as its child. Memory is the
child's peak (VmHWM); CPU is read from the scheduler right before an event is handed out and right
after its answer came (/proc/PID/schedstat, in nanoseconds).
"""

import base64
import gzip
import json
import os
import socket
import subprocess
import time
import uuid

REQUEST_LIMIT = 16 << 20


def events(count, value="12.5"):
    """A subscription's event with so many metric lines, all below the threshold, and its payload:
    the bytes of the event and of what is packed in it.
    """
    now = int(time.time() * 1000) - count * 10
    lines = [
        {
            "id": f"{38213004281604381267001112345678901234567890123456789012 + index}",
            "timestamp": now + index * 10,
            "message": '{"CPUUtilization": %s, "MemoryUtilization": 41.%d, '
            '"InstanceId": "i-0123456789abcdef0", "service": "web", "status": "ok"}'
            % (value, index % 10),
        }
        for index in range(count)
    ]
    message = {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": "ServerMetricsLogGroup",
        "logStream": "i-0123456789abcdef0",
        "subscriptionFilters": ["cpu"],
        "logEvents": lines,
    }
    content = json.dumps(message, separators=(",", ":")).encode()
    packed = base64.b64encode(gzip.compress(content)).decode()
    event = json.dumps({"awslogs": {"data": packed}}).encode()
    return event, len(event) + len(content)


class Runtime:
    """One start of the program, and the invocations that it is given."""

    def __init__(self, argv, environment):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(30)
        address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        variables = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "AWS_LAMBDA_RUNTIME_API": address,
            "AWS_LAMBDA_FUNCTION_NAME": "recovery",
            "AWS_LAMBDA_LOG_LEVEL": "ERROR",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            **environment,
        }
        self.started = time.perf_counter()
        self.process = subprocess.Popen(argv, env=variables, stdout=subprocess.DEVNULL)
        self.connection, _ = self.listener.accept()
        self.connection.settimeout(60)
        self.buffer = b""
        self._request()
        self.first_poll = (time.perf_counter() - self.started) * 1000

    def invoke(self, event):
        """Hands an event out and takes its answer; the CPU that it took, in milliseconds."""
        before = self._cpu()
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Lambda-Runtime-Aws-Request-Id: {uuid.uuid4()}\r\n"
            f"Lambda-Runtime-Deadline-Ms: {int(time.time() * 1000) + 60000}\r\n"
            "Lambda-Runtime-Invoked-Function-Arn: "
            "arn:aws:lambda:us-east-1:123456789012:function:recovery\r\n"
            f"Content-Length: {len(event)}\r\n\r\n"
        )
        self.connection.sendall(head.encode() + event)
        path, _ = self._request()
        if not path.endswith("/response"):
            raise RuntimeError(f"the function answered {path}")
        after = self._cpu()
        answer = b'{"status":"OK"}'
        self.connection.sendall(
            b"HTTP/1.1 202 Accepted\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer)
        )
        self._request()
        return (after - before) / 1e6

    def peak(self):
        """MiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) / 1024
        return 0.0

    def end(self):
        self.connection.close()
        self.listener.close()
        self.process.kill()
        self.process.wait()

    def _cpu(self):
        total = 0
        folder = f"/proc/{self.process.pid}/task"
        for task in os.listdir(folder):
            with open(f"{folder}/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total

    def _request(self):
        """Reads one request; a client may open a connection for each."""
        while b"\r\n\r\n" not in self.buffer:
            self._fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        length = 0
        for line in lines[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "content-length":
                length = min(int(value), REQUEST_LIMIT)
        while len(self.buffer) < length:
            self._fill()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return lines[0].split(" ")[1], body

    def _fill(self):
        block = self.connection.recv(1 << 16)
        if not block:
            self.connection.close()
            self.connection, _ = self.listener.accept()
            self.connection.settimeout(60)
            self.buffer = b""
            return
        self.buffer += block
