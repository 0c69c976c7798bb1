"""The figures of a measurement as Markdown, between two marks of a page."""

import json
import re

from .report import LIFEGUARD, number

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def fill(page, source):
    """Puts the figures of a JSON file of bench.py between the marks of a page."""
    with open(source, encoding="utf-8") as file:
        document = json.load(file)
    with open(page, encoding="utf-8") as file:
        text = file.read()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise SystemExit(f"{page}: needs one line {BEGIN} and one line {END} below it")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    with open(page, "w", encoding="utf-8") as file:
        file.write(f"{before}{BEGIN}\n\n{markdown(document)}\n{END}{after}")


def markdown(document):
    machine = document["machine"]
    lines = [
        f"Measured at {machine['time']} on {machine['cores']} cores of {machine['cpu']}, Linux"
        f" {machine['kernel']}, commit `{machine['commit']}`; the load before was"
        f" {machine['load']:.1f}.",
        "",
        "| | Lifeguard | p95 | n | peers | budget | |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for entry in document["measurements"].values():
        subjects = entry["subjects"]
        ours = subjects.get(LIFEGUARD, {})
        peers = ", ".join(
            f"{name} {value(each)}" for name, each in subjects.items() if name != LIFEGUARD
        )
        title = f"{entry['title']} ({entry['unit']})" if entry["unit"] else entry["title"]
        budget = "" if entry["budget"] is None else f"≤ {entry['budget']}"
        verdict = f"**{entry['verdict']}**" if entry["verdict"] not in ("", "ok") else "ok"
        cells = [
            title,
            value(ours),
            number(ours["p95"]) if ours.get("n", 0) > 1 else "",
            str(ours.get("n", "")),
            peers,
            budget,
            verdict if entry["verdict"] else "",
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    lines.append("")
    remarks = [f"missing: {each['subject']}: {each['why']}" for each in document["missing"]]
    # A path of this machine's own says nothing to a reader.
    remarks = [re.sub(r"/\S*/", "…/", remark) for remark in remarks] + document["notes"]
    lines += [f"- {remark}" for remark in remarks]
    return "\n".join(lines + [""] if remarks else lines)


def value(entry):
    if not entry:
        return ""
    failed = f" ({entry['failed']} failed)" if entry["failed"] else ""
    return (number(entry["median"]) if entry["n"] else "–") + failed
