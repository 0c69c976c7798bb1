"""The table and the JSON."""

import json
import math
import os
import platform
import subprocess
import time

# What is measured: a title, the unit, and the budget of the design, for which less is better.
BUDGETS = {
    "cpu": ("CPU at 1 s, everything on", "CPU-s/h", 8),
    "cpu_total": ("the same over the whole span, folding included", "CPU-s/h", 8),
    "pss": ("memory (PSS)", "MiB", 32),
    "anonymous": ("of which anonymous", "MiB", 12),
    "written": ("written to disk", "KiB/s", 25),
    "written_total": ("the same over the whole span, folding included", "KiB/s", 25),
    "series": ("series", "", None),
    "kill": ("kill -9 → answering", "ms", 5),
    "stop": ("SIGSTOP → answering", "s", 1.2),
    "stop_default": ("SIGSTOP → answering, all defaults", "s", None),
    "deadlock": ("deadlock → answering", "s", 2.5),
    "deadlock_default": ("deadlock → answering, all defaults", "s", None),
    "overload": ("sustained overload → action", "s", 2.5),
    "false_alarms": ("actions on 1 s spikes", "", 0),
    "watched_10": ("CPU, 10 watched processes", "CPU-s/h", None),
    "watched_100": ("CPU, 100 watched processes", "CPU-s/h", None),
    "watched_500": ("CPU, 500 watched processes", "CPU-s/h", 15),
    "watched_500_one": ("the same as one group", "CPU-s/h", None),
    "followed_500": ("CPU, 500 services by pid file", "CPU-s/h", None),
    "ingest": ("remote write, 10,000 series × 120 samples", "CPU-µs/sample", 1),
    "ingest_growth": ("the same, 100,000 series over 1,000", "× a sample", None),
    "ingest_memory": ("memory afterwards (PSS)", "MB", 60),
    "ingest_resident": ("memory afterwards (RSS)", "MB", None),
    "ingest_anonymous": ("of which anonymous", "MB", None),
    "disk": ("on disk, 10,000 series every 15 s", "bytes/sample", 1.6),
    "disk_second": ("on disk, 600 series every second", "bytes/sample", 1.6),
    "query-instant": ("rate over 1,000 series, instant", "CPU-ms", 4),
    "query-range": ("the same over 6 h at 60 s", "CPU-ms", 28),
    "query_growth": ("the same, 100,000 series over 1,000", "× a series", None),
    "rule": ("a rule of 1,000 on 4,000 series", "CPU-µs", 100),
    "rule_evaluator": ("of which the evaluator", "CPU-µs", None),
    "rule_one": ("a rule over one series", "CPU-µs", 5),
    "turn_quiet": ("sample → end of turn, p99, quiet", "ms", None),
    "turn_loaded": ("sample → end of turn, p99, under HTTP load", "ms", 250),
    "turns_missed": ("turns missed under HTTP load", "", 0),
    "lambda_start": ("Lambda: start → first poll", "ms", 8),
    "lambda_cpu": ("Lambda: 1,000 log events", "CPU-ms", 0.6),
    "lambda_peak": ("Lambda: peak memory", "MiB", 20),
    "lambda_growth": ("Lambda: 10,000 events add beyond their size", "MiB", 1),
}
# A budget is missed by far beyond so many times its value.
FAR = 1.5
VERDICTS_BAD = ("missed", "missed by far", "failed")
LIFEGUARD = "Lifeguard"


def percentile(values, share):
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1]


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


class Results:
    """Figures by measurement and subject; a figure is a list of values, failures beside it."""

    def __init__(self):
        self.figures = {}
        self.missing = []
        self.notes = []

    def add(self, measurement, subject, values):
        """Values in the unit of the budget; None is a repetition that never came to its end."""
        entry = self.figures.setdefault(measurement, {}).setdefault(
            subject, {"values": [], "failed": 0}
        )
        entry["values"] += [value for value in values if value is not None]
        entry["failed"] += sum(value is None for value in values)

    def lack(self, measurement, subject, why):
        self.missing.append({"measurement": measurement, "subject": subject, "why": str(why)})

    def judged(self, measurement):
        """Our figure that the budget is for: the median, or the worst where nothing is allowed."""
        values = self.figures[measurement][LIFEGUARD]["values"]
        return max(values) if BUDGETS[measurement][2] == 0 else median(values)

    def factor(self, measurement):
        """How many times its budget a figure is; infinite where nothing was allowed."""
        value, budget = self.judged(measurement), BUDGETS[measurement][2]
        return value / budget if budget else math.inf if value else 0

    def verdict(self, measurement):
        """ok, one of `VERDICTS_BAD`, or nothing where there is no budget or no figure."""
        ours = self.figures.get(measurement, {}).get(LIFEGUARD)
        if BUDGETS[measurement][2] is None or ours is None:
            return ""
        if ours["failed"] or not ours["values"]:
            return "failed"
        factor = self.factor(measurement)
        return "ok" if factor <= 1 else "missed" if factor <= FAR else "missed by far"

    def is_bad(self, strict):
        """Whether a measurement of ours is lacking, failed or missed its budget by far."""
        bad = VERDICTS_BAD if strict else ("missed by far", "failed")
        lacking = any(each["subject"] == LIFEGUARD for each in self.missing)
        return lacking or any(self.verdict(name) in bad for name in self.figures)

    def rows(self):
        """A row for each measurement and peer: ours stands in the first of each measurement."""
        for measurement, (title, unit, budget) in BUDGETS.items():
            subjects = self.figures.get(measurement)
            if not subjects:
                continue
            ours = subjects.get(LIFEGUARD)
            peers = [name for name in subjects if name != LIFEGUARD] or [None]
            for index, peer in enumerate(peers):
                theirs = subjects.get(peer)
                name = f"{title} ({unit})" if unit else title
                first = index == 0
                yield (
                    (name if first else "",)
                    + (figures(ours) if first else ("", "", ""))
                    + (peer or "",)
                    + figures(theirs)
                    + (ratio(ours, theirs), f"≤ {budget}" if first and budget is not None else "")
                    + (self.verdict(measurement).upper().replace("OK", "ok") if first else "",)
                )

    def table(self):
        rows = [HEAD, *self.rows()]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = []
        for number, row in enumerate(rows):
            cells = [
                cell.ljust(width) if column in (0, 4, 10) else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths))
            ]
            lines.append("  ".join(cells).rstrip())
            if number == 0:
                lines.append("─" * len(lines[0]))
        lines += [f"missing: {each['subject']}: {each['why']}" for each in self.missing]
        lines += self.notes
        for name in self.figures:
            verdict = self.verdict(name)
            if verdict in VERDICTS_BAD:
                lines.append(f"{verdict}: {BUDGETS[name][0]}{self.times(name, verdict)}")
        return "\n".join(lines)

    def times(self, name, verdict):
        """By how much a budget was missed, in words."""
        if verdict == "failed":
            return ""
        factor = self.factor(name)
        return f": {factor:.2f} × its budget" if factor < math.inf else ", where none is allowed"

    def document(self):
        out = {"machine": machine_facts(), "missing": self.missing, "notes": self.notes}
        out["missed_by_far"] = [
            name for name in self.figures if self.verdict(name) in ("missed by far", "failed")
        ]
        out["measurements"] = {}
        for measurement, subjects in self.figures.items():
            title, unit, budget = BUDGETS[measurement]
            out["measurements"][measurement] = {
                "title": title,
                "unit": unit,
                "budget": budget,
                "verdict": self.verdict(measurement),
                "subjects": {name: summary(entry) for name, entry in subjects.items()},
            }
        return json.dumps(out, indent=2, ensure_ascii=False)


HEAD = ("", "Lifeguard", "p95", "n", "peer", "", "p95", "n", "ratio", "budget", "")


def summary(entry):
    values = entry["values"]
    if not values:
        return {"n": 0, "failed": entry["failed"]}
    return {
        "median": round(median(values), 4),
        "p95": round(percentile(values, 0.95), 4),
        "min": round(min(values), 4),
        "max": round(max(values), 4),
        "n": len(values),
        "failed": entry["failed"],
    }


def figures(entry):
    """Median, p95 and number, as cells."""
    if entry is None:
        return ("", "", "")
    if not entry["values"]:
        return ("failed", "", f"0/{entry['failed']}")
    values, count = entry["values"], str(len(entry["values"]))
    if entry["failed"]:
        count += f"/{len(values) + entry['failed']}"
    spread = number(percentile(values, 0.95)) if len(values) > 1 else ""
    return (number(median(values)), spread, count)


def number(value):
    if value == int(value):
        return str(int(value))
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ratio(ours, theirs):
    """Ours over theirs: below 1 is less time, memory or work."""
    if not ours or not theirs or not ours["values"] or not theirs["values"]:
        return ""
    other = median(theirs["values"])
    return f"{median(ours['values']) / other:.2f}" if other else ""


def machine_facts():
    model = ""
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
        cwd=os.path.dirname(os.path.abspath(__file__)),
    ).stdout.strip()
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "commit": commit,
        "load": os.getloadavg()[0],
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
