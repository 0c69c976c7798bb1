"""Queries over the same series in Lifeguard, Prometheus and VictoriaMetrics, in CPU seconds.

Lifeguard's evaluator runs in a program of its own (Tests/QueryBench), without HTTP; what HTTP costs the
peers is measured with a query that reads nothing, and taken off.
"""

import json
import os
import struct
import subprocess
import time
import urllib.parse
import urllib.request

from . import machine, subjects

START = 1_700_000_000_000
INTERVAL = 15_000
SAMPLES = 6 * 240 + 40
SERIES = 1000
QUERY = "avg by (instance)(rate(x[5m]))"
END = (START + (SAMPLES - 1) * INTERVAL) // 1000
REPETITIONS = 15


class Database(subjects.Subject):
    """A peer that takes remote write and answers Prometheus' HTTP API."""

    def __init__(self, bench):
        super().__init__(bench)
        self.port = machine.free_port()

    def launch(self, arguments, ready, write):
        self.log = f"{self.name}.log"
        self.process = self.bench.start(arguments, self.log)
        self.write_path = write
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                self.request(ready)
                return self
            except OSError:
                time.sleep(0.1)
        raise subjects.Unavailable(f"{self.name} did not start: {self.log_tail(self.log)}")

    def request(self, path, body=None, headers=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data=body, headers=headers or {}
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read()

    def write(self, body):
        headers = {
            "Content-Encoding": "snappy",
            "Content-Type": "application/x-protobuf",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
        }
        self.request(self.write_path, body, headers)

    def cost(self, path, parameters):
        """The least CPU time of several requests, in milliseconds."""
        target = path + "?" + urllib.parse.urlencode(parameters)
        least = float("inf")
        for _ in range(REPETITIONS):
            before = machine.cpu_seconds(self.process.pid)
            answer = json.loads(self.request(target))
            least = min(least, machine.cpu_seconds(self.process.pid) - before)
            if not answer["data"]["result"]:
                raise subjects.Unavailable(f"{self.name} has no answer to {target}")
        return least * 1000


class Prometheus(Database):
    name = "Prometheus"

    def start(self):
        program = subjects.require("prometheus")
        folder = self.bench.make_folder("prometheus")
        configuration = self.bench.write(
            os.path.join(folder, "prometheus.yml"), "global: {scrape_interval: 1h}\n"
        )
        arguments = [
            program,
            f"--config.file={configuration}",
            f"--storage.tsdb.path={os.path.join(folder, 'data')}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--web.enable-remote-write-receiver",
            "--log.level=warn",
        ]
        return self.launch(arguments, "/-/ready", "/api/v1/write")


class VictoriaMetrics(Database):
    name = "VictoriaMetrics"

    def start(self):
        program = subjects.require("victoria-metrics")
        folder = self.bench.make_folder("victoria-metrics")
        arguments = [
            program,
            f"-storageDataPath={folder}",
            f"-httpListenAddr=127.0.0.1:{self.port}",
            "-retentionPeriod=100y",
            "-search.disableCache",
            "-loggerLevel=WARN",
        ]
        return self.launch(arguments, "/health", "/api/v1/write")

    def cost(self, path, parameters):
        # What was written is searchable once it has been flushed.
        self.request("/internal/force_flush")
        return super().cost(path, parameters)


def bodies():
    """The series of Tests/QueryBench in order of time, as bodies of remote write."""
    for first in range(0, SAMPLES, 100):
        message = bytearray()
        for index in range(SERIES):
            names = {"__name__": "x", "instance": f"i{index % 100}", "job": "j", "n": str(index)}
            entry = bytearray()
            for name, value in names.items():
                label = field(1, name.encode()) + field(2, value.encode())
                entry += field(1, label)
            for step in range(first, min(first + 100, SAMPLES)):
                sample = b"\x09" + struct.pack("<d", float(step * (index + 1)))
                entry += field(2, sample + b"\x10" + variable(START + step * INTERVAL))
            message += field(1, bytes(entry))
        yield snappy(bytes(message))


def variable(value):
    result = bytearray()
    while value >= 0x80:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    result.append(value)
    return bytes(result)


def field(number, content):
    return bytes([number << 3 | 2]) + variable(len(content)) + content


def snappy(content):
    """A Snappy block of literals only (google/snappy, format_description.txt)."""
    result = bytearray(variable(len(content)))
    for start in range(0, len(content), 65_536):
        part = content[start : start + 65_536]
        result += bytes([61 << 2]) + struct.pack("<H", len(part) - 1) + part
    return bytes(result)


def measure(bench, results, program, ours):
    """Adds rows `query-instant`, `query-range` (milliseconds) and `rule` (microseconds)."""
    answer = json.loads(subprocess.run([program], check=True, capture_output=True).stdout)
    own = answer["queries"][0]
    results.add("query-instant", ours, [own["instant_milliseconds"]])
    results.add("query-range", ours, [own["range_milliseconds"]])
    results.add("rule", ours, [answer["rule_microseconds"]])
    content = list(bodies())
    for kind in (Prometheus, VictoriaMetrics):
        try:
            subject = kind(bench).start()
        except (subjects.Unavailable, OSError) as problem:
            results.lack("query-range", kind.name, problem)
            continue
        try:
            for body in content:
                subject.write(body)
            idle = subject.cost("/api/v1/query", {"query": "vector(1)", "time": END})
            instant = subject.cost("/api/v1/query", {"query": QUERY, "time": END})
            span = {"query": QUERY, "start": END - 6 * 3600, "end": END, "step": 60}
            results.add("query-instant", kind.name, [max(instant - idle, 0)])
            results.add("query-range", kind.name, [subject.cost("/api/v1/query_range", span) - idle])
        except (subjects.Unavailable, OSError) as problem:
            results.lack("query-range", kind.name, problem)
        finally:
            subject.end()
