"""Compares what the function's code calls with what its role allows.

usage: actions.py TEMPLATE SOURCES [PARAMETER=VALUE …]

SOURCES is the folder `Sources`. The calls are those of `LifeguardAWS/Services` that the function and
the steps in AWS make. Exit status 1 and a line for each call that is not allowed, and for each right
that no code needs.
"""

import pathlib
import re
import sys

import inventory
from policies import known_actions, role_of_function
from template import Template

# A file of calls, the service as IAM calls it, and what its values are called in the code.
SERVICES = {
    "AutoScaling.swift": ("autoscaling", ("autoScaling", "groups")),
    "CloudWatch.swift": ("cloudwatch", ("cloudWatch",)),
    "CloudWatchLogs.swift": ("logs", ("logs",)),
    "DynamoDB.swift": ("dynamodb", ("dynamoDB", "database")),
    "EC2.swift": ("ec2", ("ec2",)),
    "LambdaService.swift": ("lambda", ("lambda",)),
    "SNS.swift": ("sns", ("sns",)),
    "SSM.swift": ("ssm", ("ssm",)),
    "STS.swift": ("sts", ("sts",)),
    "SecretStore.swift": ("secretsmanager", ("secretsManager",)),
}

# The one call whose right has another name.
RENAMED = {("lambda", "Invoke"): "InvokeFunction"}

# Lambda itself does these with the function's role.
OF_LAMBDA = {"WriteOwnLog", "HandOverFailures", "AttachToNetwork"}


def calls_of(folder):
    """{(service, function of ours): rights}, those of functions that it uses included."""
    known = known_actions()
    calls, uses = {}, {}
    for file in sorted(folder.glob("*.swift")):
        text = file.read_text(encoding="utf-8")
        if file.name not in SERVICES:
            if re.search(r"client\s*\.(json|query|perform)\(", text):
                raise SystemExit(f"{file.name} makes calls of a service that is not listed here")
            continue
        service, _ = SERVICES[file.name]
        actions = known[service]["Actions"]
        parts = re.split(r"\n  (?:public |private )*(?:static )?func (\w+)", text)
        for name, body in zip(parts[1::2], parts[2::2]):
            words = {RENAMED.get((service, word), word)
                     for word in re.findall(r'"([A-Z]\w+)"', body)}
            calls[service, name] = {f"{service}:{word}" for word in words if word.lower() in actions}
            uses[service, name] = set(re.findall(r"\.(\w+)\(", body))
    for service, name in calls:
        for used in uses[service, name]:
            calls[service, name] |= calls.get((service, used), set())
    return calls


def needed(sources):
    calls = calls_of(sources / "LifeguardAWS" / "Services")
    files = [*(sources / "bootstrap").rglob("*.swift"),
             *(sources / "LifeguardAWS" / "Steps").glob("*.swift")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    found = set()
    for service, receivers in SERVICES.values():
        for name in re.findall(rf"\b(?:{'|'.join(receivers)})\s*\.(\w+)\(", text):
            found |= calls.get((service, name), set())
    # However the value is called that a call is made on, where its name says enough.
    for name in set(re.findall(r"\.(\w+)\(", text)):
        services = [service for service, other in calls if other == name]
        if len(services) == 1:
            found |= calls[services[0], name]
    return found


def main():
    path, sources, *given = sys.argv[1:]
    parameters = dict(item.split("=", 1) for item in given)
    found = inventory.of_template(Template(path, parameters))
    statements = found["role"][role_of_function(found)]["policies"]["lifeguard"]
    allowed = {action for sid, statement in statements.items() if sid not in OF_LAMBDA
               for action in statement["actions"]}
    calls = needed(pathlib.Path(sources))
    problems = [f"{action} is called, and not allowed" for action in sorted(calls - allowed)]
    problems += [f"{action} is allowed, and never called" for action in sorted(allowed - calls)]
    print("\n".join(problems) or f"{len(calls)} calls, all allowed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
