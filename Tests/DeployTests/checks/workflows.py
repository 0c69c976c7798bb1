"""Checks GitHub workflows without GitHub.

usage: workflows.py FOLDER-FOR-SCRIPTS WORKFLOW …

Writes every `run:` into a file of the folder, for shellcheck, and says what does not hold: actions are
pinned to a commit with their version beside it; tokens may only read unless a job says why not; an
identity token goes only to a job in a protected environment; no expression stands inside a script,
where what somebody else wrote (a branch's name, a title) would be run; every job ends by itself.
"""

import pathlib
import re
import sys

import yaml

PINNED = re.compile(r"uses: +([\w.-]+/[\w./-]+)@([0-9a-f]{40}) +# v\d+(\.\d+)+ *$")
WRITES_ALLOWED = {"id-token"}


def steps_of(jobs):
    for job_name, job in jobs.items():
        for index, step in enumerate(job.get("steps", [])):
            yield job_name, job, index, step


def check(name, text, folder):
    workflow = yaml.safe_load(text)
    for number, line in enumerate(text.split("\n"), start=1):
        if re.search(r"\buses:", line) and "./" not in line and not PINNED.search(line):
            yield f"{name}:{number}: pin the action to a commit, with its version as a comment"
    # YAML 1.1 reads the key `on` as true.
    triggers = workflow.get("on", workflow.get(True))
    if not triggers:
        yield f"{name}: never starts"
    elif "pull_request_target" in triggers:
        yield f"{name}: pull_request_target runs others' code with this repository's rights"
    if workflow.get("permissions") != {"contents": "read"}:
        yield f"{name}: needs `permissions: {{contents: read}}` at the top"
    jobs = workflow["jobs"]
    for job_name, job in jobs.items():
        where = f"{name}: job {job_name}"
        if "timeout-minutes" not in job:
            yield f"{where}: has no timeout-minutes"
        if "latest" in str(job.get("runs-on")):
            yield f"{where}: runs on a machine that changes by itself: name its version"
        for needed in [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", []):
            if needed not in jobs:
                yield f"{where}: needs {needed}, which does not exist"
        for scope, level in job.get("permissions", {}).items():
            if level == "write" and scope not in WRITES_ALLOWED:
                yield f"{where}: may write {scope}"
            if scope == "id-token" and level == "write" and "environment" not in job:
                yield f"{where}: gets an identity token outside a protected environment"
    for job_name, job, index, step in steps_of(jobs):
        where = f"{name}: job {job_name}, step {index + 1}"
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            if step.get("with", {}).get("persist-credentials") is not False:
                yield f"{where}: leaves a token in the checkout; say persist-credentials: false"
        if "run" not in step:
            continue
        if "${{" in step["run"]:
            yield f"{where}: an expression inside a script: hand it in through env"
        path = folder / f"{pathlib.Path(name).stem}-{job_name}-{index + 1}.sh"
        known = workflow.get("env", {}) | job.get("env", {}) | step.get("env", {})
        given = "".join(f"export {variable}=given\n" for variable in known)
        path.write_text(f"#!/bin/bash\nset -eo pipefail\n{given}{step['run']}")
    settings = re.findall(r"aws-(?:access-key-id|secret-access-key)", text)
    if settings:
        yield f"{name}: stores keys of AWS; let the job assume a role with its identity token"


def main():
    folder = pathlib.Path(sys.argv[1])
    problems = []
    for path in sys.argv[2:]:
        problems += check(pathlib.Path(path).name, pathlib.Path(path).read_text(), folder)
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
