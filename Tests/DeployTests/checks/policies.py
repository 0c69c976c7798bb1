"""Checks every policy of the template against the list of IAM's actions that cfn-lint carries.

usage: policies.py TEMPLATE [PARAMETER=VALUE …]

Holds: every action exists; a statement names resources of a kind that its actions work on, and `*`
only where the actions know no resources or where it is listed below; a condition key exists for
those resources; nothing is allowed by a pattern of actions; whatever acts on servers or groups does
so only where they carry the recovery tag; the right to send commands names documents and tagged
servers in statements of their own. Exit status 1 and a line for each thing that does not hold.
"""

import importlib.util
import json
import pathlib
import re
import sys

import inventory
from template import Template

# The Service Authorization Reference knows resources for these, but a caller has to be let at all of
# them: an agent asks for documents and associations before it knows their names, attaching to a
# network makes interfaces whose names nobody knows beforehand, and what is described is a list.
ANY_RESOURCE = {
    "BeManaged": "the agent of Systems Manager asks for whatever is sent to it",
    "AttachToNetwork": "as AWSLambdaVPCAccessExecutionRole has it",
    "CancelCommands": "commands have no names before they are sent",
    "LookOnly": "lists and states of servers, alarms and metrics",
    "KnowItself": "lists of tags and volumes",
    "ShowAlarms": "graphs of alarms",
    "PublishMetrics": "a metric is confined by its namespace, which is a condition",
}

# What changes a server or a group, and the condition that must confine it.
ACTS = {
    "autoscaling": "aws:ResourceTag/AutoRecovery",
    "ec2": "aws:ResourceTag/AutoRecovery",
    "ssm": "ssm:resourceTag/AutoRecovery",
}

# Keys of requests, not of resources (Service Authorization Reference).
REQUEST_KEYS = {
    "aws:SecureTransport", "aws:SourceAccount", "aws:SourceArn", "cloudwatch:AlarmActions",
    "cloudwatch:namespace",
}


def known_actions():
    """{service: {"Actions": {name in lower case: …}, "Resources": {…}}}"""
    # Found without importing it, which would take seconds.
    package = pathlib.Path(importlib.util.find_spec("cfnlint").origin).parent
    file = package / "data" / "AdditionalSpecs" / "Policies.json"
    return json.loads(file.read_text(encoding="utf-8"))


def matches(resource, formats):
    """Whether an ARN with wildcards could be one of these, whose parts are patterns."""
    for pattern in formats:
        pattern = re.sub(r"\$\{\w+\}", "[^:]*", pattern)
        if re.fullmatch(pattern, resource) or re.fullmatch(pattern, resource.replace("*", "x")):
            return True
    return False


def looks_only(name):
    return re.match("(Describe|Get|List)", name) is not None


def check_statement(where, sid, statement, known):
    resources, conditions = statement["resources"], statement["conditions"]
    keys = {condition.split(" ", 1)[1] for condition in conditions}
    possible_keys = set(REQUEST_KEYS)
    for action in statement["actions"]:
        service, _, name = action.partition(":")
        if statement["effect"] == "Deny":
            continue
        if "*" in action:
            yield f"{where}: {action}: name the actions one by one"
            continue
        details = known.get(service, {}).get("Actions", {}).get(name.lower())
        if details is None:
            yield f"{where}: {action}: there is no such action"
            continue
        kinds = details.get("Resources", [])
        described = known[service].get("Resources", {})
        formats = [f for kind in kinds for f in described.get(kind.lower(), {}).get("ARNFormats", [])]
        for kind in kinds:
            for key in described.get(kind.lower(), {}).get("ConditionKeys", []):
                possible_keys.add(key.replace("${TagKey}", "AutoRecovery"))
        if resources == ["*"]:
            if kinds and sid not in ANY_RESOURCE:
                yield f"{where}: {action}: works on {', '.join(kinds)}; name them instead of *"
        elif not kinds:
            yield f"{where}: {action}: knows no resources, so that nothing would be allowed"
        else:
            for resource in resources:
                if not matches(resource, formats):
                    yield f"{where}: {action}: {resource} is none of {', '.join(kinds)}"
        acts = service in ACTS and not looks_only(name) and sid not in ANY_RESOURCE
        is_document = all(":document/" in resource for resource in resources)
        if acts and not is_document and conditions.get(f"StringEquals {ACTS[service]}") != ["enabled"]:
            yield f"{where}: {action}: acts on servers that do not carry the tag"
        if acts and is_document and conditions:
            yield f"{where}: {action}: a document carries no tag, so that nothing would be allowed"
    for key in sorted(keys - possible_keys):
        yield f"{where}: {key}: there is no such condition for these resources"


def check(found):
    known = known_actions()
    for role, properties in found["role"].items():
        for policy, statements in properties["policies"].items():
            for sid, statement in statements.items():
                yield from check_statement(f"{role}/{policy}/{sid}", sid, statement, known)
        for sid, statement in properties["trust"].items():
            if statement["actions"] != ["sts:AssumeRole"] or "Service" not in statement["principal"]:
                yield f"{role}: trusts more than a service of AWS"
    for kind in ("queue", "topic"):
        for name, properties in found[kind].items():
            for sid, statement in properties["policy"].items():
                where = f"{kind} {name}/{sid}"
                yield from check_statement(where, sid, statement, known)
                opens = statement["effect"] == "Allow" and not statement["conditions"]
                if opens or (statement["effect"] == "Allow" and "Service" not in statement["principal"]):
                    yield f"{where}: open to others than a service acting for this account"
    for principal, permission in found["permission"].items():
        if not permission["source"] or not (permission["account"] or ":sns:" in permission["source"]):
            yield f"permission {principal}: names no source, so that any account could invoke"
    sent = [
        (sid, statement)
        for sid, statement in found["role"][role_of_function(found)]["policies"]["lifeguard"].items()
        if "ssm:SendCommand" in statement["actions"]
    ]
    if len(sent) != 2:
        yield "SendCommand: needs two statements, one for documents and one for tagged servers"


def role_of_function(found):
    (function,) = found["function"].values()
    return function["role"].rsplit("/", 1)[-1]


def main():
    path, *given = sys.argv[1:]
    parameters = dict(item.split("=", 1) for item in given)
    problems = list(check(inventory.of_template(Template(path, parameters))))
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
