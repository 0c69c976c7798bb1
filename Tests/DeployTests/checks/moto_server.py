"""moto_server with what the deployment needs and moto leaves out.

usage: moto_server.py PORT

Added: State Manager's associations (Create, Describe, Update, DeleteAssociation), which moto does
not know, and the LoggingConfig of functions, which it drops. Two tagged instances and a bucket with
a package are there from the start, in us-east-1.
"""

import io
import json
import sys
import threading
import uuid
import zipfile

import boto3
from moto.awslambda.models import LambdaFunction
from moto.core.responses import ActionResult
from moto.server import main as serve
from moto.ssm.responses import SimpleSystemManagerResponse

associations = {}


def create(self):
    asked = json.loads(self.body)
    identifier = str(uuid.uuid4())
    associations[identifier] = asked | {
        "AssociationId": identifier,
        "AssociationVersion": "1",
        "Overview": {"Status": "Success"},
    }
    return ActionResult({"AssociationDescription": associations[identifier]})


def describe(self):
    found = associations.get(json.loads(self.body).get("AssociationId"))
    if found is None:
        body = {"__type": "AssociationDoesNotExist", "message": "there is no such association"}
        return 400, {"status": 400}, json.dumps(body)
    return ActionResult({"AssociationDescription": found})


def update(self):
    asked = json.loads(self.body)
    associations[asked["AssociationId"]] |= asked
    return ActionResult({"AssociationDescription": associations[asked["AssociationId"]]})


def delete(self):
    associations.pop(json.loads(self.body).get("AssociationId"), None)
    return ActionResult({})


def tags(listed):
    """moto's list of tags, but for associations: they have none."""
    def list_tags(self):
        if json.loads(self.body)["ResourceType"] == "Association":
            return ActionResult({"TagList": []})
        return listed(self)

    return list_tags


def patch():
    SimpleSystemManagerResponse.create_association = create
    SimpleSystemManagerResponse.describe_association = describe
    SimpleSystemManagerResponse.update_association = update
    SimpleSystemManagerResponse.delete_association = delete
    SimpleSystemManagerResponse.list_tags_for_resource = tags(
        SimpleSystemManagerResponse.list_tags_for_resource)
    made, described = LambdaFunction.__init__, LambdaFunction.get_configuration

    def remember(self, *given, **named):
        made(self, *given, **named)
        spec = named["spec"] if "spec" in named else given[1]
        self.logging = spec.get("LoggingConfig")

    def answer(self, *rest, **named):
        result = described(self, *rest, **named)
        if self.logging:
            result["LoggingConfig"] = self.logging
        return result

    LambdaFunction.__init__, LambdaFunction.get_configuration = remember, answer


def seed(port):
    """What the complete example expects to find in its account."""
    def client(service):
        return boto3.client(
            service, region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id="test", aws_secret_access_key="test")

    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("bootstrap", "#!/bin/sh\n")
    storage = client("s3")
    storage.create_bucket(Bucket="artifacts")
    storage.put_object(
        Bucket="artifacts", Key="lifeguard-lambda-1.0.0-aarch64.zip", Body=package.getvalue())
    image = client("ec2").describe_images()["Images"][0]["ImageId"]
    tags = [{"Key": "AutoRecovery", "Value": "enabled"}]
    client("ec2").run_instances(
        ImageId=image, MinCount=2, MaxCount=2,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}])
    print("ready", flush=True)


def main():
    port = int(sys.argv[1])
    patch()
    # botocore tries again until the server below listens.
    threading.Thread(target=seed, args=[port], daemon=True).start()
    serve(["-H", "127.0.0.1", "-p", str(port)])


if __name__ == "__main__":
    main()
