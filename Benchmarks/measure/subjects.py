"""Lifeguard and its peers: how each is configured and started for a measurement."""

import os
import shutil
import time

from . import machine


class Unavailable(Exception):
    """A program is missing, or did not come up; the message says which and what it printed."""


def require(program):
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found:
        raise Unavailable(f"{program} is not installed")
    return found


class Subject:
    """A program under measurement."""

    name = ""

    def __init__(self, bench):
        self.bench = bench
        self.process = None

    def log_tail(self, log):
        try:
            with open(self.bench.path(log), encoding="utf-8", errors="replace") as file:
                return " | ".join(file.read().strip().split("\n")[-3:])
        except OSError:
            return ""

    def end(self):
        if self.process:
            self.bench.end(self.process)
            self.process = None


class Lifeguard(Subject):
    """The agent, from the release command."""

    name = "Lifeguard"
    count = 0

    def __init__(self, bench, command):
        super().__init__(bench)
        self.command = os.path.abspath(command)
        self.port = machine.free_port()

    def start(self, configuration, seconds=30):
        type(self).count += 1
        run = f"lifeguard-{self.count}"
        folder = self.bench.make_folder(run)
        path = self.bench.write(os.path.join(folder, "lifeguard.yaml"), configuration)
        self.log = f"{run}.log"
        self.data = os.path.join(folder, "data")
        self.token_path = os.path.join(self.data, "token")
        self.process = self.bench.start(
            [self.command, "run", "--config", path, "--data", self.data]
            + ["--listen", f"127.0.0.1:{self.port}"],
            self.log,
        )

        def is_ready():
            if self.process.poll() is not None:
                raise Unavailable(
                    f"lifeguard ended with status {self.process.returncode}:"
                    f" {self.log_tail(self.log)}"
                )
            return machine.ask(self.port, "/-/ready") is not None

        if not machine.wait_for(is_ready, seconds):
            raise Unavailable(f"lifeguard was not ready after {seconds} s: {self.log_tail(self.log)}")
        return self

    def series(self):
        text = machine.ask(self.port, "/metrics", timeout=5) or ""
        return sum(1 for line in text.split("\n") if line and not line.startswith("#"))


class NodeExporter(Subject):
    """Debian's prometheus-node-exporter, which works only while somebody scrapes it."""

    name = "node_exporter"

    def start(self):
        self.port = machine.free_port()
        self.process = self.bench.start(
            [require("prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{self.port}"],
            "node_exporter.log",
        )
        if not machine.wait_for(lambda: machine.ask(self.port, "/metrics", 5), 20):
            raise Unavailable(f"node_exporter did not answer: {self.log_tail('node_exporter.log')}")
        return self

    def series(self):
        text = machine.ask(self.port, "/metrics", timeout=5) or ""
        return sum(1 for line in text.split("\n") if line and not line.startswith("#"))


class Monit(Subject):
    """Debian's monit with a cycle of one second, the shortest that it has."""

    name = "monit"

    def start(self, checks, run="monit"):
        folder = self.bench.make_folder(run)
        control = self.bench.write(
            os.path.join(folder, "monitrc"),
            f"set daemon 1\nset logfile {folder}/monit.log\nset pidfile {folder}/monit.pid\n"
            f"set idfile {folder}/monit.id\nset statefile {folder}/monit.state\n{checks}\n",
            mode=0o600,
        )
        self.process = self.bench.start([require("monit"), "-I", "-c", control], f"{run}.log")
        time.sleep(2.5)
        if self.process.poll() is not None:
            raise Unavailable(f"monit ended: {self.log_tail(f'{run}.log')}")
        return self


class Runit(Subject):
    """Debian's runit: one runsv for one service."""

    name = "runit"

    def start(self, port):
        folder = self.bench.make_folder("runit", "web")
        self.bench.write(
            os.path.join(folder, "run"), f"#!/bin/sh\nexec {self.bench.server} {port}\n", 0o755
        )
        self.process = self.bench.start([require("runsv"), folder], "runit.log")
        return self


class Supervisor(Subject):
    """Debian's supervisord."""

    name = "supervisord"

    def start(self, port):
        folder = self.bench.make_folder("supervisor")
        configuration = self.bench.write(
            os.path.join(folder, "supervisord.conf"),
            "[supervisord]\nnodaemon=true\n"
            f"logfile={folder}/supervisord.log\npidfile={folder}/supervisord.pid\n"
            f"childlogdir={folder}\n"
            f"[program:web]\ncommand={self.bench.server} {port}\nautorestart=true\n"
            "startsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\n",
        )
        # Its own Python, because a version manager's first in PATH would not have its module.
        self.process = self.bench.start(
            ["/usr/bin/python3", require("supervisord"), "-c", configuration, "-n"],
            "supervisor.log",
        )
        return self


def supervised(services, by_default=False):
    """Lifeguard's configuration for children with a probe, by (name, port).

    The budgets are for a service whose first failed probe counts. By default three in a row are
    waited for, and the host's budget is six actions an hour, fewer than the faults of a
    measurement; every child keeps the guard rails of its own.
    """
    failures = "" if by_default else ", failures: 1"
    entries = "".join(
        f"  - name: {name}\n    command: [{command}, '{port}']\n"
        f"    probe: {{http: 'http://127.0.0.1:{port}/'{failures}}}\n"
        for name, command, port in services
    )
    rails = "" if by_default else "guard_rails: {action_budget: 1000 per 1h}\n"
    return f"mode: auto\ninterval: 1s\ndefault_rules: false\n{rails}services:\n{entries}"


def everything(rules=50):
    """Lifeguard's configuration for its footprint: all defaults and fifty rules."""
    expressions = [
        "CPUUtilization > 101",
        "MemoryUtilization > 101",
        "node_load1 > 100000",
        "rate(node_disk_io_time_seconds_total[10s]) > 100",
        "node_filesystem_avail_bytes / node_filesystem_size_bytes * 100 < 0",
        "rate(node_network_receive_errs_total[30s]) > 1000000",
        "avg by (instance) (rate(node_cpu_seconds_total{mode='iowait'}[10s])) * 100 > 101",
        "node_memory_MemAvailable_bytes < 0",
        "predict_linear(node_filesystem_avail_bytes[60s], 3600) < -1e18",
        "increase(node_vmstat_oom_kill[60s]) > 100000",
    ]
    entries = "".join(
        f"  - {{alert: Bench{index}, expr: \"{expressions[index % len(expressions)]}\", for: 10s}}\n"
        for index in range(rules)
    )
    return f"mode: observe\ninterval: 1s\nrules:\n{entries}"


def overload(command, stamps):
    """Lifeguard's configuration for an action on sustained overload of the whole host.

    Two samples in a row: a burst of one second touches two samples but can fill only one.
    """
    return (
        "mode: auto\ninterval: 1s\ndefault_rules: false\n"
        "rules:\n  - alert: Overload\n    expr: CPUUtilization > 80\n    for: 1s\n"
        "    recover:\n      target: host\n      steps:\n"
        f"        - run: {{command: [{command}, stamp, {stamps}], timeout: 10s, disruptive: false}}\n"
    )


def watched(groups):
    """Lifeguard's configuration for groups of processes, by executable: each has series about how
    many there are, their CPU time, memory, threads and states."""
    entries = "".join(
        f"    - {{name: group{index}, exe: {executable}}}\n"
        for index, executable in enumerate(groups)
    )
    return (
        "mode: observe\ninterval: 1s\ndefault_rules: false\n"
        f"collect:\n  process_groups:\n{entries}"
    )


def followed(pidfiles):
    """Lifeguard's configuration for services by pid file, whose end is noticed by event."""
    entries = "".join(
        f"  - {{name: idle{index}, pidfile: {path}, mode: observe}}\n"
        for index, path in enumerate(pidfiles)
    )
    return f"mode: observe\ninterval: 1s\ndefault_rules: false\nservices:\n{entries}"
