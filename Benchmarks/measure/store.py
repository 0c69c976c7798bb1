"""What it costs to take samples in, to keep them, and to evaluate rules over them.

The same bodies of remote write go to the agent, Prometheus and VictoriaMetrics: series that move
like those of a host (mix.py), compressed by the real Snappy. The agent watches its host meanwhile.
"""

import json
import os
import subprocess
import threading
import time

from . import machine, mix, subjects, wire
from .databases import LifeguardStore, Prometheus, VictoriaMetrics
from .report import LIFEGUARD

SERIES = 10_000
STEP = 15_000
# After these the CPU time and the memory are read.
INGESTED = 120
# What the agent takes in reaches back an hour at most, so this is as long as series can get; more
# than half of it is in chunks then.
STORED = 200
REPETITIONS = 3

GROWTH_SIZES = (1000, 10_000, 100_000)
GROWTH_STEPS = 40

# As an agent writes its own samples: one row a second.
SECOND_SERIES, SECOND_STEPS = 600, 3600

RULES, RULE_SERIES, RULE_METRICS = 1000, 4000, 400
RULE_HISTORY = 120


def milliseconds():
    return int(time.time() * 1000)


def stores(bench, options):
    return [
        (LIFEGUARD, lambda: LifeguardStore(bench, options.lifeguard)),
        (Prometheus.name, lambda: Prometheus(bench)),
        (VictoriaMetrics.name, lambda: VictoriaMetrics(bench)),
    ]


def push(store, bodies):
    """CPU seconds that the store needs for these bodies, what it does afterwards included."""
    before = machine.Usage(store.process.pid)
    for body in bodies:
        store.write(body)
    machine.settle(store.process.pid)
    return machine.Usage(store.process.pid).cpu - before.cpu


def ingest(bench, results, options, progress):
    """CPU a sample, memory and bytes on disk, each store alone."""
    per_step = -(-SERIES // mix.BATCH)
    for number in range(min(options.count, REPETITIONS)):
        # New ones each time, because the agent takes the last hour's only.
        bodies = mix.bodies(SERIES, STORED, STEP, milliseconds())
        for name, make in stores(bench, options):
            progress(f"{SERIES:,} series, {number + 1}: {name}")
            store = make()
            try:
                store.start()
                cpu = push(store, bodies[: INGESTED * per_step])
                usage = machine.Usage(store.process.pid)
                results.add("ingest", name, [cpu / (SERIES * INGESTED) * 1e6])
                results.add("ingest_memory", name, [usage.pss / 1e6])
                results.add("ingest_resident", name, [usage.resident / 1e6])
                results.add("ingest_anonymous", name, [usage.anonymous / 1e6])
                push(store, bodies[INGESTED * per_step :])
                results.add("disk", name, [bytes_a_sample(store, SERIES * STORED)])
            except (subjects.Unavailable, OSError) as problem:
                results.lack("ingest", name, problem)
            finally:
                store.end()


def bytes_a_sample(store, samples):
    if isinstance(store, LifeguardStore):
        size, samples = store.stored()
    else:
        size = store.stored_bytes()
    if not samples:
        raise subjects.Unavailable(f"{store.name} has written no chunk")
    return size / samples


def growth(bench, results, options, progress):
    """The agent with more and more series, each with as many samples."""
    cost = {}
    for size in GROWTH_SIZES:
        progress(f"{size:,} series: {LIFEGUARD}")
        bodies = mix.bodies(size, GROWTH_STEPS, STEP, milliseconds())
        store = LifeguardStore(bench, options.lifeguard)
        try:
            store.start()
            cost[size] = push(store, bodies) / (size * GROWTH_STEPS) * 1e6
        finally:
            store.end()
    results.add("ingest_growth", LIFEGUARD, [cost[GROWTH_SIZES[-1]] / cost[GROWTH_SIZES[0]]])
    results.notes.append(
        f"remote write of {GROWTH_STEPS} samples each, new series included, CPU-µs a sample: "
        + ", ".join(f"{value:.2f} at {size:,} series" for size, value in cost.items())
    )


def seconds_on_disk(bench, results, options, progress):
    """Bytes a sample at one sample a second.

    Only the agent's own collectors write rows of a second, so its store is filled by a program of
    its own (Tests/StoreWriter) through the interface that the agent uses; the peers get the same
    values by remote write.
    """
    progress(f"{SECOND_SERIES} series every second: {LIFEGUARD}")
    if not os.access(options.store_writer, os.X_OK):
        raise subjects.Unavailable(
            f"{options.store_writer} is missing; run scripts/build-release.sh store-writer"
        )
    folder = bench.make_folder("store-writer")
    command = [options.store_writer, folder, "measure", "disk"]
    command += [str(SECOND_SERIES), str(SECOND_STEPS)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    size = found["used_bytes"] - found["log_bytes"]
    results.add("disk_second", LIFEGUARD, [size / found["folded"]])
    bodies = mix.bodies(SECOND_SERIES, SECOND_STEPS, 1000, milliseconds())
    for name, make in stores(bench, options)[1:]:
        progress(f"{SECOND_SERIES} series every second: {name}")
        store = make()
        try:
            store.start()
            push(store, bodies)
            size = bytes_a_sample(store, SECOND_SERIES * SECOND_STEPS)
            results.add("disk_second", name, [size])
        except (subjects.Unavailable, OSError) as problem:
            results.lack("disk_second", name, problem)
        finally:
            store.end()


class Feed:
    """The series of the rules, a sample each every second, until it is ended."""

    def __init__(self, store):
        self.store = store
        self.snappy = wire.Snappy()
        self.labels = [
            wire.labels(
                {"__name__": f"m{index % RULE_METRICS}", "instance": f"i{index}", "job": "j"}
            )
            for index in range(RULE_SERIES)
        ]
        self.start = milliseconds() // 1000 - RULE_HISTORY
        self.send(range(RULE_HISTORY))
        self.problem = None
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def send(self, steps):
        for first in range(0, RULE_SERIES, 500):
            self.store.write(
                self.snappy.compress(
                    b"".join(
                        wire.series(
                            labels,
                            b"".join(
                                wire.sample(float(step), (self.start + step) * 1000)
                                for step in steps
                            ),
                        )
                        for labels in self.labels[first : first + 500]
                    )
                )
            )

    def run(self):
        step = RULE_HISTORY
        while not self.stop.wait(max(self.start + step - time.time(), 0)):
            try:
                self.send([step])
            except OSError as problem:
                self.problem = problem
                return
            step += 1

    def end(self):
        self.stop.set()
        self.thread.join(timeout=30)
        if self.problem:
            raise self.problem


def rule_file(bench):
    """A thousand alerting rules of three common shapes, as Tests/QueryBench has them."""
    lines = ["groups:", "- name: bench", "  interval: 1s", "  rules:"]
    for index in range(RULES):
        metric = f"m{index % RULE_METRICS}"
        forms = (
            f"rate({metric}[1m]) > 100",
            f"{metric} > 1e9",
            f"sum by (job) ({metric}) / 10 > 1e9",
        )
        lines.append(f"  - {{alert: Bench{index}, expr: '{forms[index % 3]}', for: 10s}}")
    return bench.write(bench.path("rules.yaml"), "\n".join(lines) + "\n")


# The counter of evaluations in /metrics, and how many rules each stands for.
EVALUATIONS = {
    LIFEGUARD: ("lifeguard_turns_total", RULES),
    Prometheus.name: ("prometheus_rule_evaluations_total", 1),
}


def evaluations(store):
    metric, rules = EVALUATIONS[store.name]
    text = machine.ask(store.port, "/metrics", timeout=30) or ""
    lines = [line for line in text.split("\n") if line.startswith((metric + " ", metric + "{"))]
    return sum(float(line.split()[-1]) for line in lines) * rules


def rules(bench, results, options, progress):
    """CPU a rule: what a store uses with a thousand rules, less what it uses without, in turn."""
    path = rule_file(bench)
    seconds = options.seconds or 30
    for name, make in stores(bench, options)[:2]:
        progress(f"{RULES:,} rules: {name}")
        used = {}
        try:
            for given in (None, path):
                store = make()
                try:
                    store.start(rules=given)
                    feed = Feed(store)
                    time.sleep(options.settle)
                    before, count = machine.Usage(store.process.pid), evaluations(store)
                    time.sleep(seconds)
                    after, count = machine.Usage(store.process.pid), evaluations(store) - count
                    feed.end()
                    used[given] = (after.cpu - before.cpu) / (after.at - before.at)
                finally:
                    store.end()
            if not count:
                raise subjects.Unavailable(f"{name} has evaluated no rule")
            cost = (used[path] - used[None]) * (after.at - before.at) / count
            results.add("rule", name, [cost * 1e6])
        except (subjects.Unavailable, OSError) as problem:
            results.lack("rule", name, problem)


def measure(bench, results, options, progress):
    parts = {"ingest": ingest, "ingest_growth": growth, "disk_second": seconds_on_disk, "rule": rules}
    for measurement, part in parts.items():
        try:
            part(bench, results, options, progress)
        except subjects.Unavailable as problem:
            results.lack(measurement, LIFEGUARD, problem)
