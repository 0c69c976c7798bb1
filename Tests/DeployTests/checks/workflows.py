"""Checks GitHub workflows without GitHub.

usage: workflows.py FOLDER-FOR-SCRIPTS WORKFLOW …

Writes every `run:` into a file of the folder, for shellcheck, and says what does not hold: actions are
pinned to a commit with their version beside it; tokens may only read unless a job says why not; an
identity token goes only to a job in a protected environment; no expression stands inside a script,
where what somebody else wrote (a branch's name, a title) would be run; every job ends by itself; a
workflow that is called is one of this repository; nothing is deployed that the tests have not passed.
"""

import pathlib
import re
import sys

import yaml

PINNED = re.compile(r"uses: +([\w.-]+/[\w./-]+)@([0-9a-f]{40}) +# v\d+(\.\d+)+ *$")
WRITES_ALLOWED = {"id-token"}
WORKFLOWS = pathlib.Path(__file__).resolve().parents[3] / ".github/workflows"
TESTS = WORKFLOWS / "ci.yml"


def triggers_of(workflow):
    # YAML 1.1 reads the key `on` as true.
    return workflow.get("on", workflow.get(True))


def needs_of(job):
    needs = job.get("needs", [])
    return [needs] if isinstance(needs, str) else needs


def called(job):
    """The workflow of this repository that a job calls, or None."""
    return WORKFLOWS / pathlib.PurePath(job["uses"]).name if "uses" in job else None


def is_tested(name, jobs):
    """Whether a job waits, however indirectly, for the workflow with all tests."""
    seen, waiting = set(), [name]
    while waiting:
        job = jobs.get(current := waiting.pop(), {})
        if called(job) == TESTS:
            return True
        seen.add(current)
        waiting += [needed for needed in needs_of(job) if needed not in seen]
    return False


def steps_of(jobs):
    for job_name, job in jobs.items():
        for index, step in enumerate(job.get("steps", [])):
            yield job_name, job, index, step


def check_call(where, job):
    if not job["uses"].startswith("./.github/workflows/"):
        yield f"{where}: calls a workflow of somebody else"
    elif not called(job).exists():
        yield f"{where}: calls {job['uses']}, which does not exist"
    elif "workflow_call" not in triggers_of(yaml.safe_load(called(job).read_text())):
        yield f"{where}: calls {job['uses']}, which cannot be called"


def check(name, text, folder):
    workflow = yaml.safe_load(text)
    for number, line in enumerate(text.split("\n"), start=1):
        if re.search(r"\buses:", line) and "./" not in line and not PINNED.search(line):
            yield f"{name}:{number}: pin the action to a commit, with its version as a comment"
    triggers = triggers_of(workflow)
    if not triggers:
        yield f"{name}: never starts"
    elif "pull_request_target" in triggers:
        yield f"{name}: pull_request_target runs others' code with this repository's rights"
    if workflow.get("permissions") != {"contents": "read"}:
        yield f"{name}: needs `permissions: {{contents: read}}` at the top"
    jobs = workflow["jobs"]
    for job_name, job in jobs.items():
        where = f"{name}: job {job_name}"
        if "uses" in job:
            # Its jobs are checked where they are written; limits can only be set there.
            yield from check_call(where, job)
        elif "timeout-minutes" not in job:
            yield f"{where}: has no timeout-minutes"
        if "environment" in job and not is_tested(job_name, jobs):
            yield f"{where}: deploys what the tests ({TESTS.name}) have not passed"
        if "latest" in str(job.get("runs-on")):
            yield f"{where}: runs on a machine that changes by itself: name its version"
        for needed in needs_of(job):
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
