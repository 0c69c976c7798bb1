"""Prepares a moto server for the contract tests, then switches its checks on.

Usage: moto_setup.py ENDPOINT. Makes what the library has no calls for: users with keys and
policies, a role, a topic with a queue, a table, a parameter, a secret, instances, a group and a
function. Writes what the tests need to know as one JSON object. From then on the server verifies
every key, signature and permission.
"""

import io
import json
import sys
import urllib.request
import zipfile

import boto3

REGION = "eu-west-1"
ACTIONS = [
    "PutMetricData", "GetMetricData", "DescribeAlarms", "PutMetricAlarm", "SetAlarmState",
]
PERMISSIONS = [f"{service}:{action}" for service in ("cloudwatch", "monitoring")
               for action in ACTIONS] + [
    "logs:PutLogEvents", "logs:FilterLogEvents", "logs:CreateLogGroup", "logs:CreateLogStream",
    "sns:Publish", "sqs:ReceiveMessage",
    "ssm:SendCommand", "ssm:GetCommandInvocation", "ssm:GetParameter",
    "secretsmanager:GetSecretValue",
    "ec2:DescribeInstances", "ec2:DescribeInstanceStatus", "ec2:DescribeTags",
    "ec2:RebootInstances", "ec2:StopInstances", "ec2:StartInstances",
    "autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:SetDesiredCapacity", "autoscaling:SetInstanceHealth",
    "autoscaling:TerminateInstanceInAutoScalingGroup", "autoscaling:EnterStandby",
    "autoscaling:ExitStandby",
    "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem",
    "sts:GetCallerIdentity", "sts:AssumeRole",
    "lambda:InvokeFunction", "lambda:Invoke",
]


def policy(actions):
    return json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
    })


def user(iam, name, actions):
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy(actions))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return arn, {"key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


def function(lambdas, role):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("main.py", "def handler(event, context):\n    return event\n")
    lambdas.create_function(
        FunctionName="echo", Runtime="python3.11", Role=role, Handler="main.handler",
        Code={"ZipFile": archive.getvalue()})


def main(endpoint):
    session = boto3.Session(
        aws_access_key_id="setup", aws_secret_access_key="setup", region_name=REGION)

    def client(name):
        return session.client(name, endpoint_url=endpoint)

    post(endpoint, "config", json.dumps({"lambda": {"use_docker": False}}))
    iam = client("iam")
    arn, allowed = user(iam, "allowed", PERMISSIONS)
    _, denied = user(iam, "denied", ["sts:GetCallerIdentity"])
    trust = json.dumps({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": arn}}],
    })
    role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="worker", PolicyName="p", PolicyDocument=policy(PERMISSIONS))
    topic = client("sns").create_topic(Name="alerts")["TopicArn"]
    sqs = client("sqs")
    queue = sqs.create_queue(QueueName="alerts")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(
        QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    client("dynamodb").create_table(
        TableName="state", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}])
    client("ssm").put_parameter(Name="/app/secret", Value="hush", Type="SecureString")
    client("secretsmanager").create_secret(Name="app", SecretString="hush too")
    ec2 = client("ec2")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    instances = [entry["InstanceId"] for entry in ec2.run_instances(
        ImageId=image, MinCount=2, MaxCount=2, InstanceType="t3.micro",
        TagSpecifications=[{"ResourceType": "instance",
                            "Tags": [{"Key": "Name", "Value": "web & co"}]}])["Instances"]]
    ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={"ImageId": image, "InstanceType": "t3.micro"})
    client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="web", MinSize=0, MaxSize=5, DesiredCapacity=2,
        AvailabilityZones=[f"{REGION}a"],
        LaunchTemplate={"LaunchTemplateName": "web", "Version": "$Latest"})
    function(client("lambda"), role)
    print(json.dumps({
        "allowed": allowed, "denied": denied, "role": role, "topic": topic, "queue": queue,
        "instances": instances,
    }))
    post(endpoint, "reset-auth", "0")


def post(endpoint, path, body):
    request = urllib.request.Request(
        f"{endpoint}/moto-api/{path}", data=body.encode(), method="POST",
        headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read()


if __name__ == "__main__":
    main(sys.argv[1])
