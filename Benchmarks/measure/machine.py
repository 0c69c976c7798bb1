"""What the kernel says about processes, and ways to start and end our own."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time


def cpu_seconds(pid):
    """CPU time of a process, threads that have ended included, to the nanosecond.

    The id of another process' CPU clock is made as clock_getcpuclockid(3) makes it.
    """
    return time.clock_gettime((~pid << 3) | 2)


def children(pid):
    """The pids of all descendants, read from /proc."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
                parents.setdefault(int(fields[1]), []).append(int(name))
    found, wave = [], [pid]
    while wave:
        wave = [child for parent in wave for child in parents.get(parent, [])]
        found += wave
    return found


def executable(pid):
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/exe")
    return ""


class Usage:
    """CPU, memory and writes of a program: a process and those descendants that are its own.

    Descendants that run another executable are what it supervises or starts, and are left out of
    memory and CPU; what short-lived ones used is in the parent's account of reaped children.
    """

    def __init__(self, pid):
        own = executable(pid)
        self.at = time.monotonic()
        self.pids = [pid] + [child for child in children(pid) if executable(child) == own]
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        self.cpu = (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
        self.cpu += sum(cpu_seconds(each) for each in self.pids)
        self.pss = self.resident = self.anonymous = self.written = 0
        for each in self.pids:
            rollup = _fields(f"/proc/{each}/smaps_rollup")
            self.pss += int(rollup.get("Pss", "0").split()[0]) * 1024
            self.resident += int(rollup.get("Rss", "0").split()[0]) * 1024
            self.anonymous += int(rollup.get("Anonymous", "0").split()[0]) * 1024
            self.written += int(_fields(f"/proc/{each}/io").get("write_bytes", "0"))

    def cpu_an_hour(self, before):
        """CPU seconds an hour since another reading."""
        return (self.cpu - before.cpu) / (self.at - before.at) * 3600

    def written_a_second(self, before):
        """KiB a second since another reading."""
        return (self.written - before.written) / 1024 / (self.at - before.at)


# Windows of a measurement: as many as a median with a p95 beside it needs.
WINDOWS = 20


def watch(pids, seconds, wait=time.sleep):
    """For each pid its readings at both ends of `WINDOWS` windows that last `seconds` together.

    `wait(seconds)` passes the time.
    """
    readings = {pid: [Usage(pid)] for pid in pids}
    start = time.monotonic()
    for number in range(1, WINDOWS + 1):
        wait(max(start + seconds * number / WINDOWS - time.monotonic(), 0))
        for pid, taken in readings.items():
            taken.append(Usage(pid))
    return readings


def differences(readings, figure):
    """A figure for each window: what `figure(after, before)` makes of its ends."""
    return [figure(after, before) for before, after in zip(readings, readings[1:])]


def settle(pid, seconds=60):
    """Waits until a program has nothing to do any more: two quiet seconds, at least five in all."""
    deadline = time.monotonic() + seconds
    quiet, before = 0, Usage(pid)
    earliest = time.monotonic() + 5
    while time.monotonic() < deadline:
        time.sleep(1)
        after = Usage(pid)
        quiet = quiet + 1 if after.cpu_an_hour(before) < 0.05 * 3600 else 0
        before = after
        if quiet >= 2 and time.monotonic() >= earliest:
            return


def _fields(path):
    fields = {}
    with contextlib.suppress(OSError):
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                name, _, value = line.partition(":")
                fields[name] = value.strip()
    return fields


def idle_share(seconds):
    """The share of all cores that was idle over a span (proc(5), /proc/stat)."""

    def read():
        with open("/proc/stat", encoding="utf-8") as file:
            values = [int(field) for field in file.readline().split()[1:9]]
        return values[3] + values[4], sum(values)

    idle, total = read()
    time.sleep(seconds)
    idle_after, total_after = read()
    return (idle_after - idle) / max(total_after - total, 1)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def ask(port, path="/", timeout=1.0):
    """The body of an answer with status 200 on 127.0.0.1, or None."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
            connection.settimeout(timeout)
            request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
    except OSError:
        return None
    head, separator, body = answer.partition(b"\r\n\r\n")
    if not separator or b" 200 " not in head.split(b"\r\n")[0]:
        return None
    return body.decode(errors="replace")


def wait_for(condition, seconds, pause=0.02):
    """The first true value of a condition, or None when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() >= deadline:
            return value or None
        time.sleep(pause)


class Bench:
    """A private folder, the processes started here, and the end of both."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="lifeguard-bench.")
        # An agent that gives up root's rights must still reach its data.
        os.chmod(self.folder, 0o755)
        self.started = []
        self.server = self.path("server")
        self._compile()

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def make_folder(self, *parts):
        path = self.path(*parts)
        os.makedirs(path, exist_ok=True)
        return path

    def write(self, path, text, mode=0o644):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def _compile(self):
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "server.c")
        subprocess.run(
            ["gcc", "-O2", "-static", "-s", "-o", self.server, source], check=True, timeout=60
        )

    def start(self, argv, log, **options):
        """Starts a program in a process group of its own; its output goes to a file."""
        with open(self.path(log), "ab") as output:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **options,
            )
        self.started.append(process)
        return process

    def end(self, process, also=()):
        """Ends a program: TERM, then KILL to it, its descendants and what it left (`also`)."""
        below = children(process.pid)
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=5)
        for pid in set(below) | set(also):
            if self.owns(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if process in self.started:
            self.started.remove(process)

    def owns(self, pid):
        """Whether a pid is still one of ours: its program lies in the bench's folder."""
        return executable(pid).startswith(self.folder + "/")

    def sweep(self):
        """Ends whatever still runs a program of this bench's own folder."""
        for name in os.listdir("/proc"):
            if name.isdigit() and self.owns(int(name)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(name), signal.SIGKILL)

    def close(self):
        for process in list(self.started):
            self.end(process)
        self.sweep()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.close()
