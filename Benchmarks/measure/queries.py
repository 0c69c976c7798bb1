"""Queries over the same series in Lifeguard, Prometheus and VictoriaMetrics, in CPU seconds.

Lifeguard's evaluator runs in a program of its own (Tests/QueryBench), without HTTP; what HTTP costs the
peers is measured with a query that reads nothing, and taken off.
"""

import json
import os
import subprocess

from . import subjects, wire
from .databases import Prometheus, VictoriaMetrics

START = 1_700_000_000_000
INTERVAL = 15_000
SAMPLES = 6 * 240 + 40
SERIES = 1000
# How many series the same queries run over, to show how the cost grows.
SIZES = (SERIES, 10_000, 100_000)
QUERY = "avg by (instance)(rate(x[5m]))"
END = (START + (SAMPLES - 1) * INTERVAL) // 1000


def bodies():
    """The series of Tests/QueryBench in order of time, as bodies of remote write."""
    snappy = wire.Snappy()
    for first in range(0, SAMPLES, 100):
        message = bytearray()
        for index in range(SERIES):
            names = {"__name__": "x", "instance": f"i{index % 100}", "job": "j", "n": str(index)}
            samples = b"".join(
                wire.sample(float(step * (index + 1)), START + step * INTERVAL)
                for step in range(first, min(first + 100, SAMPLES))
            )
            message += wire.series(wire.labels(names), samples)
        yield snappy.compress(bytes(message))


def measure(bench, results, program, ours):
    """Adds rows about queries in milliseconds, about rules in microseconds, and the growth."""
    if not os.access(program, os.X_OK):
        raise subjects.Unavailable(f"{program} is missing; run scripts/build-release.sh query-bench")
    command = [program] + [str(size) for size in SIZES]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    own = {each["series"]: each for each in answer["queries"]}
    results.add("query-instant", ours, [own[SERIES]["instant_milliseconds"]])
    results.add("query-range", ours, [own[SERIES]["range_milliseconds"]])
    results.add("rule_evaluator", ours, [answer["rule_microseconds"]])
    results.add("rule_one", ours, [answer["single_rule_microseconds"]])
    cost = {size: own[size]["range_milliseconds"] / size for size in SIZES}
    results.add("query_growth", ours, [cost[SIZES[-1]] / cost[SIZES[0]]])
    results.notes.append(
        "range query, CPU-µs a series: "
        + ", ".join(f"{cost[size] * 1000:.1f} at {size:,} series" for size in SIZES)
    )
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
