"""Says how the Terraform module and the CloudFormation template differ.

usage: compare.py TEMPLATE STATE [PARAMETER=VALUE …]

TEMPLATE is the template, STATE a file with what `terraform show -json` printed, the parameters are
those that correspond to the variables of that state. Exit status 1 when anything differs.
"""

import json
import sys

import inventory
from template import Template


def differences(left, right, path):
    """Every place in which two values differ, as lines."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(set(left) | set(right), key=str):
            if key not in left:
                yield f"{path}/{key}: only in Terraform"
            elif key not in right:
                yield f"{path}/{key}: only in CloudFormation"
            else:
                yield from differences(left[key], right[key], f"{path}/{key}")
    elif left != right:
        yield f"{path}: CloudFormation {left!r}, Terraform {right!r}"


def main():
    path, state_path, *given = sys.argv[1:]
    parameters = dict(item.split("=", 1) for item in given)
    with open(state_path, encoding="utf-8") as file:
        state = json.load(file)
    template = inventory.of_template(Template(path, parameters))
    terraform = inventory.of_state(state)
    found = list(differences(template, terraform, ""))
    print("\n".join(found))
    counts = {kind: len(entries) for kind, entries in sorted(template.items())}
    print("compared:", ", ".join(f"{count} {kind}" for kind, count in counts.items()))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
