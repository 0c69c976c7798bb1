"""The table and the JSON."""

import json
import math
import os
import platform
import subprocess
import time

# The budgets of the design, and the unit that each is counted in.
BUDGETS = {
    "cpu": ("CPU at 1 s, everything on", "CPU-s/h", 8),
    "pss": ("memory (PSS)", "MiB", 32),
    "anonymous": ("of which anonymous", "MiB", 12),
    "written": ("written to disk", "KiB/s", 25),
    "series": ("series", "", None),
    "kill": ("kill -9 → answering", "ms", 5),
    "stop": ("SIGSTOP → answering", "s", 1.2),
    "deadlock": ("deadlock → answering", "s", 2.5),
    "overload": ("sustained overload → action", "s", 2.5),
    "false_alarms": ("actions on 1 s spikes", "", 0),
    "watched_10": ("CPU, 10 watched processes", "CPU-s/h", None),
    "watched_100": ("CPU, 100 watched processes", "CPU-s/h", None),
    "turn_quiet": ("sample → end of turn, p99, quiet", "ms", None),
    "turn_loaded": ("sample → end of turn, p99, under HTTP load", "ms", 250),
    "turns_missed": ("turns missed under HTTP load", "", 0),
    "watched_500": ("CPU, 500 watched processes", "CPU-s/h", 15),
    "query-instant": ("rate over 1,000 series, instant", "CPU-ms", 4),
    "query-range": ("the same over 6 h at 60 s", "CPU-ms", 28),
    "rule": ("a rule of 1,000 on 4,000 series", "CPU-µs", 100),
    "lambda_start": ("Lambda: start → first poll", "ms", 8),
    "lambda_cpu": ("Lambda: 1,000 log events", "ms CPU", 0.6),
    "lambda_peak": ("Lambda: peak memory", "MiB", 20),
    "lambda_growth": ("Lambda: 10,000 events add", "MiB", None),
}
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

    def verdict(self, measurement):
        """ok, missed or failed, or nothing where there is no budget or no figure."""
        budget = BUDGETS[measurement][2]
        ours = self.figures.get(measurement, {}).get(LIFEGUARD)
        if budget is None or ours is None:
            return ""
        if ours["failed"] or not ours["values"]:
            return "failed"
        return "ok" if median(ours["values"]) <= budget else "missed"

    def table(self):
        rows = [("", "Lifeguard", "p95", "n", "peer", "", "p95", "n", "ratio", "budget", "")]
        for measurement, (title, unit, budget) in BUDGETS.items():
            subjects = self.figures.get(measurement)
            if not subjects:
                continue
            ours = subjects.get(LIFEGUARD)
            peers = [name for name in subjects if name != LIFEGUARD] or [None]
            for index, peer in enumerate(peers):
                theirs = subjects.get(peer)
                name = f"{title} ({unit})" if unit else title
                rows.append(
                    (name if index == 0 else "",)
                    + (figures(ours) if index == 0 else ("", "", ""))
                    + (peer or "",)
                    + figures(theirs)
                    + (ratio(ours, theirs), "" if budget is None or index else f"≤ {budget}")
                    + (self.verdict(measurement) if index == 0 else "",)
                )
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
        missed = [name for name in BUDGETS if self.verdict(name) in ("missed", "failed")]
        for name in missed:
            title, _, budget = BUDGETS[name]
            values = self.figures[name][LIFEGUARD]["values"]
            factor = f"{median(values) / budget:.1f} × its budget" if values and budget else "failed"
            lines.append(f"{self.verdict(name)}: {title}: {factor}")
        return "\n".join(lines)

    def document(self):
        out = {"machine": machine_facts(), "missing": self.missing, "notes": self.notes}
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
