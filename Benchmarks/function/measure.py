"""Measures the Lambda function beside a Python one that does the original's job.

Start to first poll, CPU of an invocation with 1,000 log events, peak memory, and what ten thousand
events add to it beyond their own size.
"""

import os

from function.runtime import Runtime, events

HERE = os.path.dirname(os.path.abspath(__file__))


def subjects(bootstrap, python):
    found = [("Lifeguard", [os.path.abspath(bootstrap)], {})]
    script = os.path.join(HERE, "handler.py")
    found.append(("Python + boto3", [python, script], {}))
    return found


def measure(argv, environment, starts, invocations):
    """Lists of values: start in ms, CPU in ms an invocation, peak MiB, MiB that 10,000 events add.

    What they add is counted beyond their own size: the event, and what is packed in it.
    """
    first, cpu, peaks, growth = [], [], [], []
    small, small_size = events(1000)
    large, large_size = events(10_000)
    for index in range(starts):
        runtime = Runtime(argv, environment)
        try:
            first.append(runtime.first_poll)
            if index % 5 == 0:
                runtime.invoke(small)
                cpu += [runtime.invoke(small) for _ in range(invocations)]
                peaks.append(runtime.peak())
                runtime.invoke(large)
                payload = (large_size - small_size) / 2**20
                growth.append(runtime.peak() - peaks[-1] - payload)
        finally:
            runtime.end()
    return {"lambda_start": first, "lambda_cpu": cpu, "lambda_peak": peaks, "lambda_growth": growth}


def part(bench, results, options):
    """For bench.py."""
    del bench
    for name, argv, environment in subjects(options.bootstrap, options.python):
        if not os.path.exists(argv[0]):
            results.lack("lambda_start", name, f"{argv[0]} is missing")
            continue
        try:
            figures = measure(argv, environment, options.count, options.count)
        except (OSError, RuntimeError) as problem:
            results.lack("lambda_start", name, problem)
            continue
        for measurement, values in figures.items():
            results.add(measurement, name, values)
