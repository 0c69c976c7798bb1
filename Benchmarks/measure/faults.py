"""Faults, and the time until the service answers again."""

import os
import random
import signal
import socket
import time

from . import machine


def answers_again(port, old, since, seconds, new_process):
    """Seconds from `since` until the service answers, with another pid where one is expected.

    A request is repeated at once when it is refused or reset, and after 250 ms when nothing comes:
    a stopped server that continues answers the request that already waits for it.
    """
    deadline = since + seconds
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=0.25) as connection:
                connection.settimeout(0.25)
                connection.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n")
                body = connection.recv(4096).rpartition(b"\r\n\r\n")[2]
                now = time.monotonic()
                if body.isdigit() and (not new_process or int(body) != old):
                    return now - since
        except OSError:
            # Short enough to be exact to a fraction of a millisecond, long enough to leave the
            # core to the supervisor.
            time.sleep(0.0002)
    return None


FAULTS = {
    "kill": (signal.SIGKILL, True),
    "stop": (signal.SIGSTOP, False),
    "deadlock": (signal.SIGUSR1, True),
}


def inject(port, fault, seconds):
    """Breaks the service at this port once; the seconds until it answered again, or None."""
    number, new_process = FAULTS[fault]
    pid = machine.wait_for(lambda: machine.ask(port), 15)
    if not pid:
        return None
    pid = int(pid)
    since = time.monotonic()
    os.kill(pid, number)
    if fault != "kill":
        # The fault has arrived when nothing answers any more.
        time.sleep(0.001)
    return answers_again(port, pid, since, seconds, new_process)


def repeat(ports, count, fault, seconds, pause):
    """`count` faults, over the ports in turn, at random moments of the supervisor's second."""
    times = []
    for index in range(count):
        time.sleep(pause + random.random())
        times.append(inject(ports[index % len(ports)], fault, seconds))
    return times


class Burn:
    """One busy process on each core."""

    def __init__(self, bench, seconds):
        self.bench = bench
        self.since = time.time()
        self.processes = [
            bench.start([bench.server, "burn", str(seconds)], "burn.log")
            for _ in range(os.cpu_count() or 1)
        ]

    def wait(self):
        for process in self.processes:
            process.wait(timeout=60)
            self.bench.started.remove(process)

    def end(self):
        for process in self.processes:
            process.kill()
        self.wait()


def stamps(path):
    """The moments (seconds since the epoch) at which an action was started."""
    try:
        with open(path, encoding="utf-8") as file:
            return [int(line) / 1e9 for line in file.read().split()]
    except OSError:
        return []


def overload_once(bench, path):
    """A spike of one second, then sustained load: (false alarms, seconds to the action or None)."""
    before = len(stamps(path))
    time.sleep(random.random())
    spike = Burn(bench, 1.0)
    spike.wait()
    time.sleep(3.5)
    false_alarms = len(stamps(path)) - before
    time.sleep(random.random())
    load = Burn(bench, 15.0)

    def acted():
        return [moment for moment in stamps(path) if moment >= load.since]

    moments = machine.wait_for(acted, 15, pause=0.01)
    load.end()
    return false_alarms, moments[0] - load.since if moments else None
