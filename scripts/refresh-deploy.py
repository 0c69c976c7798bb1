"""Writes what deploy/ holds twice from the place where it is maintained.

usage: refresh-deploy.py [--check]

- the CloudFormation template holds the SSM documents, the configuration of Amazon's agent and the
  function's default configuration, which the Terraform module reads from their files;
- deploy/terraform/README.md holds tables of the module's variables and outputs.

With --check nothing is written; exit status 1 and the names of the files that are out of date.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
TEMPLATE = DEPLOY / "cloudformation" / "lifeguard.yaml"
MODULE = DEPLOY / "terraform"


def agent_configuration():
    """The configuration of Amazon's agent as a Sub whose own references stay as they are."""
    text = (DEPLOY / "cloudwatch-agent" / "amazon-cloudwatch-agent.json").read_text()
    text = text.replace("${", "${!").replace("ServerMetricsLogGroup", "${LogGroupName}")
    return ["!Sub |"] + ["  " + line for line in text.rstrip("\n").split("\n")]


def function_configuration():
    """The function's default configuration: Terraform's template with CloudFormation's names."""
    names = {
        "name": "Name",
        "metric": "MetricName",
        "threshold": "Threshold",
        "document": "RestartServiceDocument",
        "service": "Service",
        "topic": "AlertsTopic",
        "subject": "NotificationSubject",
        "prefix": "NotificationMessagePrefix",
    }
    text = (MODULE / "lifeguard.yaml.tftpl").read_text()
    text = re.sub(r"\$\{(\w+)\}", lambda found: "${" + names[found[1]] + "}", text)
    lines = ["- Fn::Sub:", "    - |"]
    lines += [("      " + line).rstrip() for line in text.rstrip("\n").split("\n")]
    lines.append("    - Threshold: !If [HasMetricThreshold, !Ref MetricThreshold, !Ref CpuThreshold]")
    return lines


def part(name):
    """What stands between `# begin NAME` and `# end` in the template."""
    if name == "amazon-cloudwatch-agent.json":
        return agent_configuration()
    if name == "lifeguard.yaml.tftpl":
        return function_configuration()
    return (DEPLOY / "ssm" / name).read_text().rstrip("\n").split("\n")


def refreshed_template(text):
    """The template with every marked part written anew, indented as its marker is."""
    result, skipping = [], False
    for line in text.split("\n"):
        bare = line.strip()
        if skipping and bare == "# end":
            skipping = False
        if skipping:
            continue
        result.append(line)
        if found := re.fullmatch(r"( *)# begin (\S+)", line):
            result += [(found[1] + text).rstrip() for text in part(found[2])]
            skipping = True
    if skipping:
        sys.exit("deploy/cloudformation/lifeguard.yaml: a `# begin` has no `# end`")
    return "\n".join(result)


BLOCK = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}', re.M | re.S)


def attribute(body, name):
    """The text of a one-line attribute of a block, or None."""
    found = re.search(rf"^  {name} += (.*)$", body, re.M)
    return found[1].strip() if found else None


def blocks(file, kind):
    """(name, attributes) of each block of a kind in a file, in order."""
    for found in BLOCK.finditer((MODULE / file).read_text()):
        if found[1] == kind:
            body = found[3]
            description = json.loads(attribute(body, "description"))
            yield found[2], description, attribute(body, "type"), attribute(body, "default")


def tables():
    """The README's tables by name."""
    inputs = ["| variable | what it is | type | default |", "| --- | --- | --- | --- |"]
    for name, description, kind, default in blocks("variables.tf", "variable"):
        value = "required" if default is None else f"`{default}`"
        inputs.append(f"| `{name}` | {description} | `{kind}` | {value} |")
    outputs = ["| output | what it is |", "| --- | --- |"]
    for name, description, _, _ in blocks("outputs.tf", "output"):
        outputs.append(f"| `{name}` | {description} |")
    return {"variables": inputs, "outputs": outputs}


def refreshed_readme(text):
    """The module's README with its tables written anew."""
    for name, lines in tables().items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = before + begin + "\n" + "\n".join(lines) + "\n" + end + after
    return text


def main():
    check = sys.argv[1:] == ["--check"]
    stale = []
    for path, refresh in [(TEMPLATE, refreshed_template), (MODULE / "README.md", refreshed_readme)]:
        text = path.read_text()
        wanted = refresh(text)
        if text != wanted:
            stale.append(str(path.relative_to(ROOT)))
            if not check:
                path.write_text(wanted)
    for path in stale:
        print(f"{path}: out of date; run scripts/refresh-deploy.py" if check else f"{path}: written")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
