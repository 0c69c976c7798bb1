"""The databases that speak PromQL and take remote write, and Lifeguard as one of them."""

import http.client
import json
import os
import subprocess
import time
import urllib.parse

from . import machine, subjects, wire

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
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                self.request(ready)
                return self
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
        raise subjects.Unavailable(f"{self.name} did not start: {self.log_tail(self.log)}")

    def request(self, path, body=None, headers=None):
        """One request after the other on one connection, as senders and dashboards have it."""
        method = "GET" if body is None else "POST"
        for attempt in (1, 2):
            try:
                self.connection.request(method, path, body, headers or {})
                answer = self.connection.getresponse()
                content = answer.read()
                break
            except (OSError, http.client.HTTPException) as problem:
                # The next request opens it again; a server may close one that was idle.
                self.connection.close()
                if attempt == 2 or not isinstance(problem, http.client.RemoteDisconnected):
                    raise
        if answer.status // 100 != 2:
            raise OSError(f"{self.name} answered {answer.status} to {path}: {content[:200]}")
        return content

    def write(self, body):
        self.request(self.write_path, body, wire.HEADERS)

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
    count = 0

    def start(self, rules=None):
        """`rules` is the path of a rule file."""
        program = subjects.require("prometheus")
        type(self).count += 1
        folder = self.bench.make_folder(f"prometheus-{self.count}")
        self.data = os.path.join(folder, "data")
        text = "global: {scrape_interval: 1h}\n"
        if rules:
            text += f"rule_files: [{rules}]\n"
        configuration = self.bench.write(os.path.join(folder, "prometheus.yml"), text)
        arguments = [
            program,
            f"--config.file={configuration}",
            f"--storage.tsdb.path={self.data}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--web.enable-remote-write-receiver",
            "--web.enable-admin-api",
            "--log.level=warn",
        ]
        return self.launch(arguments, "/-/ready", "/api/v1/write")

    def stored_bytes(self):
        """What all samples take in blocks, with their index, as compaction writes them."""
        answer = json.loads(self.request("/api/v1/admin/tsdb/snapshot", b""))
        return folder_bytes(os.path.join(self.data, "snapshots", answer["data"]["name"]))


class VictoriaMetrics(Database):
    name = "VictoriaMetrics"
    count = 0

    def start(self):
        program = subjects.require("victoria-metrics")
        type(self).count += 1
        self.data = folder = self.bench.make_folder(f"victoria-metrics-{self.count}")
        arguments = [
            program,
            f"-storageDataPath={folder}",
            f"-httpListenAddr=127.0.0.1:{self.port}",
            "-retentionPeriod=100y",
            "-search.disableCache",
            "-loggerLevel=WARN",
        ]
        return self.launch(arguments, "/health", "/api/v1/write")

    def stored_bytes(self):
        """What all samples take in parts, with their index, once these have been merged."""
        self.request("/internal/force_flush")
        self.request("/internal/force_merge")
        machine.settle(self.process.pid)
        return sum(folder_bytes(os.path.join(self.data, each)) for each in ("data", "indexdb"))

    def cost(self, path, parameters):
        # What was written is searchable once it has been flushed.
        self.request("/internal/force_flush")
        return super().cost(path, parameters)


class LifeguardStore(Database):
    """The agent with remote write in: it goes on watching its host meanwhile."""

    name = "Lifeguard"

    def __init__(self, bench, command):
        super().__init__(bench)
        self.agent = subjects.Lifeguard(bench, command)

    def start(self, rules=None):
        configuration = (
            "mode: observe\ninterval: 1s\ndefault_rules: false\n"
            "http: {anonymous_read: true, remote_write: true}\n"
            "collect: {series_max: 200000}\n"
        )
        if rules:
            configuration += f"rule_files: [{rules}]\n"
        self.agent.start(configuration)
        self.process = self.agent.process
        self.port = self.agent.port
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        self.write_path = "/api/v1/write"
        with open(self.agent.token_path, encoding="utf-8") as file:
            self.token = file.read().strip()
        return self

    def write(self, body):
        headers = wire.HEADERS | {"Authorization": f"Bearer {self.token}"}
        self.request(self.write_path, body, headers)

    def stored(self):
        """Bytes and samples in chunks, with SQLite's pages and the series; ends the agent.

        What came last waits in the log until there is enough of it for a chunk, and is left out.
        """
        self.end()
        command = [self.agent.command, "db", "stats", "--data", self.agent.data, "--json"]
        statistics = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        samples = sum(tier["samples"] for tier in statistics["tiers"])
        return statistics["usedBytes"] - statistics["logBytes"], samples


def folder_bytes(path):
    """The sizes of all files below a folder."""
    return sum(
        os.lstat(os.path.join(folder, name)).st_size
        for folder, _, names in os.walk(path)
        for name in names
    )
