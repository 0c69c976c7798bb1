#!/usr/bin/env python3
"""Measures Lifeguard beside its real peers, on this machine and in the same run.

    make bench
    make bench ARGS='--only recovery --count 5'

Prints a table and writes JSON. Everything runs in a private folder on free ports of the loopback
interface; what is started here is ended here, and nothing else is touched. A quiet machine is
assumed; what was found is printed.
"""

import argparse
import os
import signal
import sys
import time

import function.measure
from measure import faults, load, machine, queries, subjects
from measure.report import LIFEGUARD, Results, median, percentile


def footprint(bench, results, options):
    """CPU, memory and writes at one second, all programs at once, each with what it does alone."""
    running = []

    def add(name, start):
        try:
            running.append((name, start()))
        except (subjects.Unavailable, OSError) as problem:
            results.lack("cpu", name, problem)

    add(LIFEGUARD, lambda: lifeguard(bench, options).start(subjects.everything()))
    add("node_exporter", lambda: subjects.NodeExporter(bench).start())
    system = "check system bench\n  if cpu usage > 95% for 60 cycles then alert\n"
    system += "  if memory usage > 95% then alert\ncheck filesystem root with path /\n"
    system += "  if space usage > 99% then alert\n"
    add("monit", lambda: subjects.Monit(bench).start(system, "monit-footprint"))
    scraped = [subject for name, subject in running if name == "node_exporter"]
    scrape_for(options.settle, scraped)
    before = {name: machine.Usage(subject.process.pid) for name, subject in running}
    started = time.monotonic()
    scrape_for(options.seconds, scraped)
    elapsed = time.monotonic() - started
    for name, subject in running:
        after = machine.Usage(subject.process.pid)
        used = after.cpu - before[name].cpu + after.reaped - before[name].reaped
        results.add("cpu", name, [used / elapsed * 3600])
        results.add("pss", name, [after.pss / 2**20])
        results.add("anonymous", name, [after.anonymous / 2**20])
        results.add("written", name, [(after.written - before[name].written) / 1024 / elapsed])
        if hasattr(subject, "series"):
            results.add("series", name, [subject.series()])
    for _, subject in running:
        subject.end()


def scrape_for(seconds, exporters):
    """Asks the exporters once a second: without it they do nothing."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        next_second = time.monotonic() + 1
        for exporter in exporters:
            exporter.series()
        time.sleep(max(min(next_second, end) - time.monotonic(), 0))


def lifeguard(bench, options):
    return subjects.Lifeguard(bench, options.lifeguard)


def recovery(bench, results, options):
    """The time from a fault of a supervised server until it answers again."""
    for fault, seconds, unit in (("kill", 20, 1000), ("stop", 15, 1), ("deadlock", 15, 1)):
        if options.fault and fault not in options.fault:
            continue
        progress(f"{fault}: {LIFEGUARD}")
        attempt(results, fault, LIFEGUARD, unit, lambda: ours(bench, options, fault, seconds))
        for name, start in peers(bench, fault):
            progress(f"{fault}: {name}")
            attempt(
                results, fault, name, unit, lambda: theirs(bench, options, start, fault, seconds)
            )


def attempt(results, measurement, name, unit, run):
    try:
        values = run()
        results.add(measurement, name, [None if v is None else v * unit for v in values])
    except (subjects.Unavailable, OSError) as problem:
        results.lack(measurement, name, problem)


def ours(bench, options, fault, seconds):
    """Each repetition has a child of its own: the guard rails hold as in real use."""
    ports = [machine.free_port() for _ in range(options.count)]
    services = [(f"web{index}", bench.server, port) for index, port in enumerate(ports)]
    agent = lifeguard(bench, options).start(subjects.supervised(services))
    try:
        for port in ports:
            if not machine.wait_for(lambda port=port: machine.ask(port), 20):
                raise subjects.Unavailable("lifeguard did not start its children")
        # The first evaluations after a start only observe (guard rail G27).
        time.sleep(6)
        return faults.repeat(ports, options.count, fault, seconds, pause=0.3)
    finally:
        agent.end()
        bench.sweep()


def theirs(bench, options, start, fault, seconds):
    port = machine.free_port()
    subject = start(port)
    try:
        if not machine.wait_for(lambda: machine.ask(port), 20):
            raise subjects.Unavailable(f"{subject.name} did not start the server")
        # runsv waits a second before it starts a service again that lived shorter than that.
        return faults.repeat([port], options.count, fault, seconds, pause=1.5)
    finally:
        subject.end()
        bench.sweep()


def peers(bench, fault):
    """Those that can notice the fault: runit and supervisord see only that a process ends."""

    def monit(port):
        folder = bench.make_folder("monit-web")
        pidfile = os.path.join(folder, "web.pid")
        start = bench.write(
            os.path.join(folder, "start"),
            f"#!/bin/sh\nsetsid {bench.server} {port} {pidfile} > /dev/null 2>&1 < /dev/null &\n",
            0o755,
        )
        stop = bench.write(
            os.path.join(folder, "stop"), f"#!/bin/sh\nkill -9 $(cat {pidfile})\n", 0o755
        )
        # Monit leaves a service alone for the timeout of its start program (30 s by default) after
        # each start.
        return subjects.Monit(bench).start(
            f"check process web with pidfile {pidfile}\n"
            f'  start program = "{start}" with timeout 1 seconds\n  stop program = "{stop}"\n'
            f"  if failed host 127.0.0.1 port {port} protocol http with timeout 1 seconds"
            " then restart\n",
            "monit-web",
        )

    found = [("monit", monit)]
    if fault == "kill":
        found += [
            ("runit", lambda port: subjects.Runit(bench).start(port)),
            ("supervisord", lambda port: subjects.Supervisor(bench).start(port)),
        ]
    return found


def overload(bench, results, options):
    """Sustained load on all cores → an action has started; a burst of one second starts none."""
    idle = machine.idle_share(2)
    if idle < 0.7:
        results.notes.append(
            f"note: the machine was {100 - idle * 100:.0f} % busy before the overload was measured"
        )

    def start_ours(path):
        return lifeguard(bench, options).start(subjects.overload(bench.server, path))

    def start_monit(path):
        script = bench.write(
            bench.path("act"), f"#!/bin/sh\nexec {bench.server} stamp {path}\n", 0o755
        )
        return subjects.Monit(bench).start(
            f'check system bench\n  if cpu usage > 80% for 2 cycles then exec "{script}"\n',
            "monit-overload",
        )

    for name, start in ((LIFEGUARD, start_ours), ("monit", start_monit)):
        progress(f"overload: {name}")
        try:
            for index in range(options.count):
                path = bench.path(f"stamps-{name}-{index}")
                # A new agent each time, so that no cool-down of the last round is measured.
                subject = start(path)
                try:
                    time.sleep(5)
                    alarms, seconds = faults.overload_once(bench, path)
                finally:
                    subject.end()
                results.add("overload", name, [seconds])
                results.add("false_alarms", name, [alarms])
        except (subjects.Unavailable, OSError) as problem:
            results.lack("overload", name, problem)


def watched(bench, results, options):
    """What it costs to watch that these processes live, and what they use."""
    for count in (10, 100, 500):
        folder = bench.make_folder(f"idle-{count}")
        pidfiles = [os.path.join(folder, f"{index}.pid") for index in range(count)]
        idle = [bench.start([bench.server, "idle", path], "idle.log") for path in pidfiles]
        if not machine.wait_for(lambda: all(os.path.exists(path) for path in pidfiles), 20):
            raise subjects.Unavailable("the idle processes did not start")
        checks = "\n".join(
            f"check process idle{index} with pidfile {path}\n  if cpu > 99% then alert"
            for index, path in enumerate(pidfiles)
        )
        measurement = f"watched_{count}"
        for name, start in (
            (LIFEGUARD, lambda: lifeguard(bench, options).start(subjects.watched(pidfiles))),
            ("monit", lambda: subjects.Monit(bench).start(checks, f"monit-{count}")),
        ):
            progress(f"{count} watched processes: {name}")
            try:
                subject = start()
            except (subjects.Unavailable, OSError) as problem:
                results.lack(measurement, name, problem)
                continue
            time.sleep(options.settle)
            before, since = machine.Usage(subject.process.pid), time.monotonic()
            time.sleep(options.seconds)
            after, elapsed = machine.Usage(subject.process.pid), time.monotonic() - since
            used = after.cpu - before.cpu + after.reaped - before.reaped
            results.add(measurement, name, [used / elapsed * 3600])
            subject.end()
        for process in idle:
            process.kill()
            process.wait()
            bench.started.remove(process)


def evaluation(bench, results, options):
    """The same queries over the same series, beside the databases that speak PromQL."""
    queries.measure(bench, results, options.query_bench, LIFEGUARD)


def http(bench, results, options):
    """The one-second turn, quiet and while fifty clients, heavy queries and a writer ask for all."""
    agent = lifeguard(bench, options).start(load.configuration())
    try:
        with open(agent.token_path, encoding="utf-8") as file:
            token = file.read().strip()
        time.sleep(options.settle)
        for measurement, is_loaded in (("turn_quiet", False), ("turn_loaded", True)):
            progress(f"turns, {'loaded' if is_loaded else 'quiet'}")
            clients = load.Load(agent.port, token) if is_loaded else None
            if clients:
                time.sleep(5)
            before, since = load.Turns(agent.port), time.monotonic()
            time.sleep(options.seconds)
            after, elapsed = load.Turns(agent.port), time.monotonic() - since
            if clients:
                clients.end()
            late = after.quantile_since(before, "latency", 0.99)
            work = after.quantile_since(before, "work", 0.99)
            results.add(measurement, LIFEGUARD, [None if late is None else late * 1000])
            results.notes.append(
                f"{measurement}: {after.count_since(before):.0f} turns in {elapsed:.0f} s,"
                f" p99 of a turn's own work {(work or 0) * 1000:.1f} ms"
            )
            if clients:
                results.add("turns_missed", LIFEGUARD, [max(elapsed - after.count_since(before) - 1, 0)])
                times = clients.times or [0]
                results.notes.append(
                    f"load: {clients.answers / (elapsed + 5):.0f} answers/s"
                    f" ({clients.failures} failed, median {median(times) * 1000:.1f} ms,"
                    f" p99 {percentile(times, 0.99) * 1000:.0f} ms),"
                    f" {clients.written / (elapsed + 5):.0f} samples/s written"
                )
    finally:
        agent.end()


PARTS = {
    "footprint": footprint,
    "recovery": recovery,
    "overload": overload,
    "watched": watched,
    "queries": evaluation,
    "http": http,
    "lambda": function.measure.part,
}


def progress(text):
    print(f"bench: {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description="Measures Lifeguard beside its peers.")
    parser.add_argument("--lifeguard", default=".build-release/lifeguard", help="the command")
    parser.add_argument(
        "--query-bench", default=".build-release/query-bench", help="of Tests/QueryBench"
    )
    parser.add_argument(
        "--bootstrap", default=".build-release/bootstrap", help="the Lambda function"
    )
    parser.add_argument("--python", help="a Python with boto3, for the function beside ours")
    parser.add_argument("--only", choices=PARTS, action="append", help="a part; may be repeated")
    parser.add_argument("--fault", choices=faults.FAULTS, action="append", help="of recovery")
    parser.add_argument("--count", type=int, default=20, help="repetitions of a fault")
    parser.add_argument("--seconds", type=float, default=60, help="length of a CPU measurement")
    parser.add_argument("--settle", type=float, default=10, help="wait before a CPU measurement")
    parser.add_argument("--json", default="dist/bench.json", help="where the JSON goes")
    parser.add_argument("--strict", action="store_true", help="status 1 when a budget is missed")
    return parser.parse_args()


def main():
    options = arguments()
    # An interrupt or a TERM ends what was started, by the way of the exception.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results = Results()
    idle = machine.idle_share(1)
    progress(f"the machine is {idle * 100:.0f} % idle")
    if idle < 0.8:
        results.notes.append("note: the machine was busy; the figures are worse than they would be")
    with machine.Bench() as bench:
        for name in options.only or PARTS:
            progress(name)
            PARTS[name](bench, results, options)
    print(results.table())
    os.makedirs(os.path.dirname(os.path.abspath(options.json)), exist_ok=True)
    with open(options.json, "w", encoding="utf-8") as file:
        file.write(results.document() + "\n")
    progress(f"JSON in {options.json}")
    incomplete = any(each["subject"] == LIFEGUARD for each in results.missing)
    missed = any(results.verdict(name) in ("missed", "failed") for name in results.figures)
    return 1 if incomplete or (options.strict and missed) else 0


if __name__ == "__main__":
    sys.exit(main())
