#!/usr/bin/env python3
"""Measures Lifeguard beside its real peers, on this machine and in the same run.

    make bench
    make bench ARGS='--only recovery --count 5'

Prints a table and writes JSON. Everything runs in a private folder on free ports of the loopback
interface; what is started here is ended here, and nothing else is touched. A quiet machine is
assumed; what was found is printed.
"""

import argparse
import contextlib
import os
import signal
import sys
import time

import function.measure
from measure import faults, load, machine, page, queries, store, subjects
from measure.report import LIFEGUARD, Results, median, percentile


def footprint(bench, results, options):
    """CPU, memory and writes at one second, all programs at once: over windows and over all."""
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
    # Long enough for the agent to fold once what it has written: every ten minutes.
    seconds = options.seconds or 690
    readings = machine.watch(
        [subject.process.pid for _, subject in running],
        seconds,
        wait=lambda pause: scrape_for(pause, scraped),
    )
    for name, subject in running:
        taken = readings[subject.process.pid]
        results.add("cpu", name, machine.differences(taken, machine.Usage.cpu_an_hour))
        results.add("cpu_total", name, [taken[-1].cpu_an_hour(taken[0])])
        results.add("pss", name, [each.pss / 2**20 for each in taken[1:]])
        results.add("anonymous", name, [each.anonymous / 2**20 for each in taken[1:]])
        results.add("written", name, machine.differences(taken, machine.Usage.written_a_second))
        results.add("written_total", name, [taken[-1].written_a_second(taken[0])])
        if hasattr(subject, "series"):
            results.add("series", name, [subject.series()])
    if seconds < 660:
        results.notes.append(
            f"note: {seconds:.0f} s are too short for the agent to fold, which it does every 600 s"
        )
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
    results.notes.append(
        "note: kill, SIGSTOP and deadlock are measured with `failures: 1` in the probe and"
        " `action_budget: 1000 per 1h`; the defaults are 3 and 6 per 1h, measured in rows of their own"
    )
    for fault, seconds, unit in (("kill", 20, 1000), ("stop", 15, 1), ("deadlock", 15, 1)):
        if options.fault and fault not in options.fault:
            continue
        progress(f"{fault}: {LIFEGUARD}")
        attempt(results, fault, LIFEGUARD, unit, lambda: ours(bench, options, fault, seconds))
        if fault != "kill":
            name = f"{fault}_default"
            progress(f"{fault}, all defaults: {LIFEGUARD}")
            attempt(results, name, LIFEGUARD, unit, lambda: by_default(bench, options, fault))
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


def ours(bench, options, fault, seconds, count=None, defaults=False):
    """Each repetition has a child of its own: the guard rails hold as in real use."""
    count = count or options.count
    ports = [machine.free_port() for _ in range(count)]
    services = [(f"web{index}", bench.server, port) for index, port in enumerate(ports)]
    agent = lifeguard(bench, options).start(subjects.supervised(services, defaults))
    try:
        for port in ports:
            if not machine.wait_for(lambda port=port: machine.ask(port), 20):
                raise subjects.Unavailable("lifeguard did not start its children")
        # The first evaluations after a start only observe (guard rail G27).
        time.sleep(6)
        return faults.repeat(ports, count, fault, seconds, pause=0.3)
    finally:
        agent.end()
        bench.sweep()


def by_default(bench, options, fault):
    """In groups of three: more in an hour is more than the host's budget of actions allows."""
    times = []
    while len(times) < options.count:
        count = min(options.count - len(times), 3)
        times += ours(bench, options, fault, 30, count, defaults=True)
    return times


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
    """What it costs to watch that processes live, and what CPU, memory and threads they use."""

    def ours(name, configuration):
        agent = lifeguard(bench, options)
        watch(results, options, name, agent, lambda: agent.start(configuration))

    for count in (10, 100, 500):
        with idle_processes(bench, count) as processes:
            name = f"watched_{count}"
            ours(name, subjects.watched([program for program, _ in processes]))
            pidfiles = [pidfile for _, pidfile in processes]
            checks = "\n".join(
                f"check process idle{index} with pidfile {pidfile}\n  if cpu > 99% then alert"
                for index, pidfile in enumerate(pidfiles)
            )
            monit = subjects.Monit(bench)
            watch(results, options, name, monit, lambda: monit.start(checks, name))
            if count == 500:
                ours("followed_500", subjects.followed(pidfiles))
    with idle_processes(bench, 500, is_one_program=True) as processes:
        ours("watched_500_one", subjects.watched([processes[0][0]]))


@contextlib.contextmanager
def idle_processes(bench, count, is_one_program=False):
    """Processes that do nothing, as (executable, pid file), each a program of its own."""
    folder = bench.make_folder(f"idle-{count}-{is_one_program}")
    processes = []
    for index in range(1 if is_one_program else count):
        os.link(bench.server, os.path.join(folder, f"idle{index}"))
    for index in range(count):
        program = os.path.join(folder, "idle0" if is_one_program else f"idle{index}")
        processes.append((program, os.path.join(folder, f"{index}.pid")))
    started = [bench.start([program, "idle", path], "idle.log") for program, path in processes]
    try:
        if not machine.wait_for(lambda: all(os.path.exists(path) for _, path in processes), 20):
            raise subjects.Unavailable("the idle processes did not start")
        yield processes
    finally:
        for process in started:
            process.kill()
            process.wait()
            bench.started.remove(process)


def watch(results, options, measurement, subject, start):
    """CPU of a program that watches the processes."""
    progress(f"{measurement}: {subject.name}")
    try:
        start()
        time.sleep(options.settle)
        pid = subject.process.pid
        if subject.name == LIFEGUARD:
            results.notes.append(f"{measurement}: {subject.series()} series")
        taken = machine.watch([pid], options.seconds or 60)[pid]
        results.add(
            measurement, subject.name, machine.differences(taken, machine.Usage.cpu_an_hour)
        )
    except (subjects.Unavailable, OSError) as problem:
        results.lack(measurement, subject.name, problem)
    finally:
        subject.end()


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
            time.sleep(options.seconds or 60)
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


def storage(bench, results, options):
    """What is taken in by remote write, kept and judged, beside the databases."""
    store.measure(bench, results, options, progress)


PARTS = {
    "footprint": footprint,
    "recovery": recovery,
    "overload": overload,
    "watched": watched,
    "store": storage,
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
        "--store-writer", default=".build-release/store-writer", help="of Tests/StoreWriter"
    )
    parser.add_argument(
        "--bootstrap", default=".build-release/bootstrap", help="the Lambda function"
    )
    parser.add_argument(
        "--python",
        default=".build/venv/bin/python3",
        help="a Python with boto3, for the function beside ours",
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="a part; may be repeated")
    parser.add_argument("--fault", choices=faults.FAULTS, action="append", help="of recovery")
    parser.add_argument("--count", type=int, default=20, help="repetitions of a fault")
    parser.add_argument(
        "--seconds", type=float, help="length of every CPU measurement: for a first look"
    )
    parser.add_argument("--settle", type=float, default=10, help="wait before a CPU measurement")
    parser.add_argument("--json", default="dist/bench.json", help="where the JSON goes")
    parser.add_argument(
        "--strict",
        action="store_true",
        help="status 1 when a budget is missed at all; without it, when it is by more than half",
    )
    parser.add_argument(
        "--fill",
        metavar="PAGE",
        help="measure nothing: write the figures of --json into a page (docs/benchmarks.md)",
    )
    return parser.parse_args()


def main():
    options = arguments()
    if options.fill:
        page.fill(options.fill, options.json)
        return 0
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
            try:
                PARTS[name](bench, results, options)
            except subjects.Unavailable as problem:
                results.lack(name, LIFEGUARD, problem)
    print(results.table())
    os.makedirs(os.path.dirname(os.path.abspath(options.json)), exist_ok=True)
    with open(options.json, "w", encoding="utf-8") as file:
        file.write(results.document() + "\n")
    progress(f"JSON in {options.json}")
    return 1 if results.is_bad(options.strict) else 0


if __name__ == "__main__":
    sys.exit(main())
