"""Load on the HTTP API, and what it does to the agent's turns."""

import contextlib
import http.client
import threading
import time
import urllib.parse

from . import machine, wire

# Seven billion steps over a constant: it runs until its time limit.
ENDLESS = "max_over_time(max_over_time(vector(1)[1d:1s])[1d:1s])"
# Everything that is in memory, over an hour.
HEAVY = 'sum by (job) (rate({__name__=~"node_.+"}[5m]))'
QUESTIONS = [
    "/api/v1/query?query=CPUUtilization",
    "/api/v1/query?query=" + urllib.parse.quote("rate(node_cpu_seconds_total[1m])"),
    "/api/v1/series?match[]=" + urllib.parse.quote('{job="node"}'),
    "/api/v1/labels",
    "/api/v1/rules",
    "/metrics",
    "/federate?match[]=" + urllib.parse.quote('{job="node"}'),
]


def configuration():
    return (
        "mode: observe\ninterval: 1s\n"
        "http: {anonymous_read: true, remote_write: true}\n"
        "collect: {series_max: 200000}\n"
    )


def write_request(snappy, first, count, milliseconds):
    """`count` series with one sample each."""
    return snappy.compress(
        b"".join(
            wire.series(
                wire.labels(
                    {"__name__": "bench_metric", "instance": "bench", "number": str(index)}
                ),
                wire.sample(float(index + milliseconds % 1000), milliseconds),
            )
            for index in range(first, first + count)
        )
    )


class Load:
    """Clients, heavy queries and a writer, in threads, until it is ended."""

    def __init__(self, port, token, clients=50, writes=10_000):
        self.port, self.token, self.writes = port, token, writes
        self.snappy = wire.Snappy()
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.answers, self.failures, self.written = 0, 0, 0
        self.times = []
        jobs = [self.client] * clients + [self.heavy, self.endless]
        jobs += [self.writer] if writes else []
        self.threads = [
            threading.Thread(target=job, args=(number,), daemon=True)
            for number, job in enumerate(jobs)
        ]
        for thread in self.threads:
            thread.start()

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(timeout=20)

    def ask(self, path, body=None, headers=None, timeout=30):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("POST" if body else "GET", path, body, headers or {})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def client(self, number):
        """Ten questions a second."""
        while not self.stop.wait(0.1):
            number += 1
            begin = time.monotonic()
            status = 0
            with contextlib.suppress(OSError, http.client.HTTPException):
                status = self.ask(QUESTIONS[number % len(QUESTIONS)])
            with self.lock:
                self.answers += status == 200
                self.failures += status != 200
                self.times.append(time.monotonic() - begin)

    def heavy(self, _):
        while not self.stop.is_set():
            end = time.time()
            query = urllib.parse.urlencode(
                {"query": HEAVY, "start": end - 3600, "end": end, "step": 1}
            )
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.ask("/api/v1/query_range?" + query)

    def endless(self, _):
        query = urllib.parse.urlencode({"query": ENDLESS, "timeout": "10s"})
        while not self.stop.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.ask("/api/v1/query?" + query)

    def writer(self, _):
        """Every series once a second, in requests of 2,000 as Prometheus sends them."""
        headers = wire.HEADERS | {"Authorization": f"Bearer {self.token}"}
        while not self.stop.is_set():
            begin = time.monotonic()
            milliseconds = int(time.time() * 1000)
            for first in range(0, self.writes, 2000):
                status = 0
                with contextlib.suppress(OSError, http.client.HTTPException):
                    body = write_request(
                        self.snappy, first, min(2000, self.writes - first), milliseconds
                    )
                    status = self.ask("/api/v1/write", body, headers)
                with self.lock:
                    self.written += 2000 if status in (200, 204) else 0
            self.stop.wait(max(1 - (time.monotonic() - begin), 0))


class Turns:
    """The agent's histograms of its turns, as they are now."""

    def __init__(self, port):
        text = machine.ask(port, "/metrics", timeout=30) or ""
        self.buckets = {}
        for name in ("latency", "work"):
            prefix = f'lifeguard_turn_{name}_seconds_bucket{{le="'
            self.buckets[name] = [
                (float(line[len(prefix) :].split('"')[0].replace("+Inf", "inf")), float(line.split()[-1]))
                for line in text.split("\n")
                if line.startswith(prefix)
            ]

    def quantile_since(self, before, name, share):
        """In seconds, interpolated within a bucket as histogram_quantile does."""
        pairs = [
            (bound, count - old)
            for (bound, count), (_, old) in zip(self.buckets[name], before.buckets[name])
        ]
        if not pairs or pairs[-1][1] == 0:
            return None
        rank = share * pairs[-1][1]
        low = below = 0
        for bound, count in pairs:
            if count >= rank:
                if bound == float("inf"):
                    return low
                return low + (bound - low) * (rank - below) / max(count - below, 1)
            low, below = bound, count
        return low

    def count_since(self, before):
        return self.buckets["work"][-1][1] - before.buckets["work"][-1][1]
