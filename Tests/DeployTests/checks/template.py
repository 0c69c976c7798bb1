"""Resolves a CloudFormation template: what a stack with these parameters would ask for.

Enough of the language for deploy/cloudformation/lifeguard.yaml: Ref, GetAtt, Sub, Join, If,
FindInMap, Base64, ForEach over a parameter, and conditions. Every resource there has a name of its
own, so that references become the names and ARNs that AWS would give.
"""

import base64
import re

import yaml

ACCOUNT = "123456789012"
PSEUDO = {"AWS::Region": "us-east-1", "AWS::AccountId": ACCOUNT, "AWS::Partition": "aws",
          "AWS::URLSuffix": "amazonaws.com"}
NOTHING = object()


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms as one-key mappings."""


def _short_form(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", _short_form)


class Template:
    def __init__(self, path, parameters):
        with open(path, encoding="utf-8") as file:
            self.body = yaml.load(file, Loader)
        self.parameters = {}
        for name, declared in self.body["Parameters"].items():
            value = parameters.get(name, declared.get("Default", NOTHING))
            if value is NOTHING:
                raise SystemExit(f"the parameter {name} has no default and was not given")
            if declared["Type"] == "CommaDelimitedList" and isinstance(value, str):
                value = value.split(",")
            self.parameters[name] = value
        for name in set(parameters) - set(self.parameters):
            raise SystemExit(f"the template has no parameter {name}")
        self.loops = {}
        self.raw = dict(self._expanded(self.body["Resources"]))
        self.resources = {}
        for name, resource in self.raw.items():
            if "Condition" in resource and not self.holds(resource["Condition"]):
                continue
            self.resources[name] = {
                "Type": resource["Type"],
                "Properties": self.resolve(resource.get("Properties", {})),
            }

    def _expanded(self, resources):
        for name, resource in resources.items():
            if not name.startswith("Fn::ForEach::"):
                yield name, resource
                continue
            variable, collection, body = resource
            for item in self.resolve(collection):
                for key, value in body.items():
                    plain = re.sub("[^A-Za-z0-9]", "", item)
                    key = key.replace("&{%s}" % variable, plain).replace("${%s}" % variable, item)
                    yield key, self._replaced(value, variable, item)

    def _replaced(self, value, variable, item):
        if isinstance(value, dict):
            if value == {"Ref": variable}:
                return item
            return {k: self._replaced(v, variable, item) for k, v in value.items()}
        if isinstance(value, list):
            return [self._replaced(v, variable, item) for v in value]
        return value.replace("${%s}" % variable, item) if isinstance(value, str) else value

    # ---- conditions ----

    def holds(self, condition):
        if isinstance(condition, str):
            return self.holds(self.body["Conditions"][condition])
        ((function, value),) = condition.items()
        if function == "Condition":
            return self.holds(value)
        if function == "Fn::Equals":
            left, right = (str(self.resolve(side)) for side in value)
            return left == right
        if function == "Fn::Not":
            return not self.holds(value[0])
        if function == "Fn::Or":
            return any(self.holds(part) for part in value)
        if function == "Fn::And":
            return all(self.holds(part) for part in value)
        raise SystemExit(f"unknown condition {function}")

    # ---- values ----

    def resolve(self, value):
        if isinstance(value, list):
            return [part for part in map(self.resolve, value) if part is not NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function == "Ref":
                return self.reference(argument)
            if function.startswith("Fn::"):
                return getattr(self, "_" + function[4:].lower())(argument)
        resolved = {key: self.resolve(part) for key, part in value.items()}
        return {key: part for key, part in resolved.items() if part is not NOTHING}

    def reference(self, name):
        if name == "AWS::NoValue":
            return NOTHING
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            return self.parameters[name]
        return self.identity(name)[0]

    def identity(self, name):
        """What Ref and GetAtt Arn of a resource give."""
        resource = self.raw[name]
        properties = resource["Properties"]
        kind = resource["Type"]

        def named(key):
            return self.resolve(properties[key])

        def arn(service, rest, region=True):
            where = PSEUDO["AWS::Region"] if region else ""
            return f"arn:aws:{service}:{where}:{ACCOUNT}:{rest}"

        if kind == "AWS::Logs::LogGroup":
            group = named("LogGroupName")
            return group, arn("logs", f"log-group:{group}:*")
        if kind == "AWS::Lambda::Function":
            return named("FunctionName"), arn("lambda", f"function:{named('FunctionName')}")
        if kind == "AWS::Lambda::LayerVersion":
            layer = arn("lambda", f"layer:{named('LayerName')}:1")
            return layer, layer
        if kind == "AWS::SNS::Topic":
            topic = arn("sns", named("TopicName"))
            return topic, topic
        if kind == "AWS::SQS::Queue":
            queue = named("QueueName")
            return f"https://queue/{queue}", arn("sqs", queue)
        if kind == "AWS::DynamoDB::Table":
            return named("TableName"), arn("dynamodb", f"table/{named('TableName')}")
        if kind == "AWS::IAM::Role":
            return named("RoleName"), arn("iam", f"role/{named('RoleName')}", region=False)
        if kind in ("AWS::SSM::Document", "AWS::SSM::Parameter"):
            return named("Name"), None
        raise SystemExit(f"what is a reference to a {kind}?")

    def _getatt(self, argument):
        name, attribute = argument
        if attribute == "Arn":
            return self.identity(name)[1]
        if attribute == "QueueName":
            return self.resolve(self.raw[name]["Properties"]["QueueName"])
        raise SystemExit(f"unknown attribute {attribute}")

    def _sub(self, argument):
        text, values = argument if isinstance(argument, list) else (argument, {})
        values = {key: self.resolve(value) for key, value in values.items()}

        def replacement(found):
            name = found[1]
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in values:
                return str(values[name])
            if "." in name:
                return str(self._getatt(name.split(".", 1)))
            return str(self.reference(name))

        return re.sub(r"\$\{([^}]+)\}", replacement, text)

    def _join(self, argument):
        return argument[0].join(str(part) for part in self.resolve(argument[1]))

    def _if(self, argument):
        return self.resolve(argument[1] if self.holds(argument[0]) else argument[2])

    def _findinmap(self, argument):
        table, row, column = (self.resolve(part) for part in argument)
        return self.body["Mappings"][table][row][column]

    def _base64(self, argument):
        return base64.b64encode(str(self.resolve(argument)).encode()).decode()
