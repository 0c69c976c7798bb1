"""Checks recorded calls against botocore's models of the services.

JSON lines in: service, action, method, path, query, headers and body of a request, and answer, the
body that the test's own server gave. Each problem is a line of output; none means that requests and
answers have the shapes that the services and their clients agreed on.
"""

import json
import re
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree

from botocore.loaders import Loader
from botocore.model import ServiceModel

NUMBERS = {"integer": int, "long": int, "float": (int, float), "double": (int, float)}


class Checker:
    def __init__(self, call):
        self.call = call
        self.problems = []
        self.model = ServiceModel(Loader().load_service_model(call["service"], "service-2"))
        self.operation = self.model.operation_model(call["action"])
        self.headers = {name.lower(): value for name, value in call["headers"].items()}

    def complain(self, text):
        self.problems.append(f"{self.call['service']} {self.call['action']}: {text}")

    def expect(self, what, found, wanted):
        if found != wanted:
            self.complain(f"{what} is {found!r}, the model has {wanted!r}")

    # Values in JSON.

    def value(self, shape, value, path):
        kind = shape.type_name
        if kind == "structure":
            self.structure(shape, value, path)
        elif kind == "list":
            if not isinstance(value, list):
                return self.complain(f"{path} is no list")
            self.bounds(shape, len(value), path)
            for index, element in enumerate(value):
                self.value(shape.member, element, f"{path}[{index}]")
        elif kind == "map":
            if not isinstance(value, dict):
                return self.complain(f"{path} is no map")
            for name, element in value.items():
                self.value(shape.key, name, f"{path} key")
                self.value(shape.value, element, f"{path}.{name}")
        elif kind == "timestamp":
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                self.complain(f"{path} is no time in seconds: {value!r}")
        else:
            self.scalar(shape, value, path)
        return None

    def structure(self, shape, value, path):
        if not isinstance(value, dict):
            return self.complain(f"{path} is no structure")
        for name in shape.required_members:
            if name not in value:
                self.complain(f"{path}.{name} is missing")
        for name, element in value.items():
            member = shape.members.get(name)
            if member is None:
                self.complain(f"{path}.{name} is unknown")
            else:
                self.value(member, element, f"{path}.{name}")
        return None

    def scalar(self, shape, value, path):
        kind = shape.type_name
        if kind in NUMBERS:
            if isinstance(value, bool) or not isinstance(value, NUMBERS[kind]):
                return self.complain(f"{path} is no {kind}: {value!r}")
            self.bounds(shape, value, path)
        elif kind == "boolean":
            if not isinstance(value, bool):
                self.complain(f"{path} is no boolean: {value!r}")
        elif not isinstance(value, str):
            self.complain(f"{path} is no text: {value!r}")
        else:
            self.bounds(shape, len(value), path)
            if shape.metadata.get("enum") and value not in shape.metadata["enum"]:
                self.complain(f"{path} is {value!r}, none of the model's words")
            self.pattern(shape.metadata.get("pattern"), value, path)
        return None

    def pattern(self, pattern, value, path):
        try:
            compiled = re.compile(pattern or "")
        except re.error:
            # Java's classes, which Python does not have.
            return
        if not compiled.search(value):
            self.complain(f"{path} is {value!r}, which does not match {pattern}")

    def bounds(self, shape, count, path):
        limits = shape.metadata
        if "min" in limits and count < limits["min"]:
            self.complain(f"{path} is below {limits['min']}: {count}")
        if "max" in limits and count > limits["max"]:
            self.complain(f"{path} is above {limits['max']}: {count}")

    # Forms of the query protocols.

    def form(self, shape, parameters, prefix, is_ec2):
        """Takes what belongs to a shape out of the parameters; None when nothing does."""
        kind = shape.type_name
        if kind == "structure":
            result = {}
            for name, member in shape.members.items():
                sent = member.serialization.get("name", name)
                if is_ec2:
                    sent = member.serialization.get(
                        "queryName", sent[:1].upper() + sent[1:])
                found = self.form(
                    member, parameters, f"{prefix}.{sent}" if prefix else sent, is_ec2)
                if found is not None:
                    result[name] = found
            return result or None
        if kind == "list":
            flat = is_ec2 or shape.serialization.get("flattened")
            inner = prefix if flat else f"{prefix}.{shape.member.serialization.get('name', 'member')}"
            found = self.numbered(
                lambda place: self.form(shape.member, parameters, place, is_ec2), inner)
            return found or None
        if kind == "map":
            key = shape.key.serialization.get("name", "key")
            value = shape.value.serialization.get("name", "value")
            pairs = self.numbered(
                lambda place: (lambda name: None if name is None else (
                    name, self.form(shape.value, parameters, f"{place}.{value}", is_ec2)))(
                        parameters.pop(f"{place}.{key}", None)), f"{prefix}.entry")
            return dict(pairs) or None
        return self.plain(shape, parameters.pop(prefix, None))

    @staticmethod
    def numbered(take, prefix):
        result = []
        while (found := take(f"{prefix}.{len(result) + 1}")) is not None:
            result.append(found)
        return result

    @staticmethod
    def plain(shape, text):
        if text is None:
            return None
        kind = shape.type_name
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("float", "double"):
            return float(text)
        if kind == "boolean":
            return {"true": True, "false": False}.get(text, text)
        return text

    # Answers in XML.

    def element(self, shape, element, path):
        kind = shape.type_name
        if kind == "structure":
            known = {
                member.serialization.get("name", name): member
                for name, member in shape.members.items()
            }
            for child in element:
                name = tag(child)
                if name in known:
                    self.element(known[name], child, f"{path}.{name}")
                elif name not in ("requestId", "ResponseMetadata"):
                    self.complain(f"{path}.{name} of the answer is unknown")
        elif kind == "list":
            wanted = shape.member.serialization.get("name", "member")
            for child in element:
                self.expect(f"an element of {path}", tag(child), wanted)
                self.element(shape.member, child, f"{path}[]")
        elif len(element):
            self.complain(f"{path} of the answer is no {kind}")

    # A whole call.

    def check(self):
        metadata = self.model.metadata
        protocols = metadata.get("protocols", [metadata["protocol"]])
        self.expect("the method", self.call["method"], self.operation.http["method"])
        scope = re.search(r"Credential=[^/]*/\d{8}/[^/]+/([^/]+)/aws4_request",
                          self.headers.get("authorization", ""))
        if scope:
            self.expect("the signed service", scope.group(1), self.model.signing_name)
        elif self.operation.auth_type != "none" and "v4" in str(self.operation.auth_type or "v4"):
            self.complain("there is no signature")
        if "rest-json" in protocols:
            self.check_rest()
        elif "json" in protocols:
            self.check_json(metadata)
        else:
            self.check_query(metadata, "ec2" in protocols)
        return self.problems

    def check_json(self, metadata):
        self.expect("X-Amz-Target", self.headers.get("x-amz-target"),
                    f"{metadata['targetPrefix']}.{self.operation.name}")
        self.expect("Content-Type", self.headers.get("content-type"),
                    f"application/x-amz-json-{metadata['jsonVersion']}")
        self.expect("the path", self.call["path"], self.operation.http["requestUri"])
        self.value(self.operation.input_shape, json.loads(self.call["body"]), "input")
        if self.operation.output_shape and self.call["answer"]:
            self.value(self.operation.output_shape, json.loads(self.call["answer"]), "output")

    def check_query(self, metadata, is_ec2):
        parameters = dict(urllib.parse.parse_qsl(
            self.call["body"], keep_blank_values=True, strict_parsing=True))
        self.expect("Action", parameters.pop("Action", None), self.operation.name)
        self.expect("Version", parameters.pop("Version", None), metadata["apiVersion"])
        shape = self.operation.input_shape
        found = self.form(shape, parameters, "", is_ec2) if shape else None
        for name in parameters:
            self.complain(f"the parameter {name} is unknown")
        if shape:
            self.times_as_text(shape, found or {})
        root = ElementTree.fromstring(self.call["answer"])
        self.expect("the outermost element", tag(root), f"{self.operation.name}Response")
        shape = self.operation.output_shape
        if shape is None:
            return
        wrapper = shape.serialization.get("resultWrapper")
        inner = root if not wrapper else next((c for c in root if tag(c) == wrapper), None)
        if inner is None:
            self.complain(f"the answer has no {wrapper}")
        else:
            self.element(shape, inner, "output")

    def times_as_text(self, shape, value):
        self.structure(shape, value, "input")

    def check_rest(self):
        template = self.operation.http["requestUri"]
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template))
        if not re.fullmatch(pattern, self.call["path"]):
            self.complain(f"the path {self.call['path']} is not {template}")
        members = self.operation.input_shape.members.values()
        known = {m.serialization.get("name") for m in members
                 if m.serialization.get("location") == "querystring"}
        for name, _ in urllib.parse.parse_qsl(self.call["query"] or ""):
            if name not in known:
                self.complain(f"the query parameter {name} is unknown")
        known = {m.serialization["name"].lower() for m in members
                 if m.serialization.get("location") == "header"}
        for name in self.headers:
            if name.startswith("x-amz-") and name not in known | {
                    "x-amz-date", "x-amz-security-token"}:
                self.complain(f"the header {name} is unknown")


def tag(element):
    return element.tag.split("}")[-1]


def main():
    for line in sys.stdin:
        for problem in Checker(json.loads(line)).check():
            print(problem)


if __name__ == "__main__":
    main()
