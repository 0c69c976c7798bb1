"""One description of the infrastructure from both sides: {kind: {name: properties}}.

`of_template` reads a resolved CloudFormation template, `of_state` the state that
`terraform show -json` prints. What is equal in AWS is equal here, whichever way it was written.
"""

import json


def number(value):
    """80, "80" and 80.0 are one threshold."""
    return None if value in (None, "") else float(value)


def listed(value):
    return value if isinstance(value, list) else [value]


def statements(policy):
    """A policy's statements by Sid, with lists sorted and single values as lists."""
    policy = json.loads(policy) if isinstance(policy, str) else policy
    result = {}
    for index, statement in enumerate(listed(policy["Statement"])):
        conditions = {
            f"{test} {key}": sorted(listed(values))
            for test, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        }
        principal = statement.get("Principal", {})
        result[statement.get("Sid") or str(index)] = {
            "effect": statement.get("Effect", "Allow"),
            "actions": sorted(listed(statement["Action"])),
            "resources": sorted(listed(statement.get("Resource", []))),
            "conditions": conditions,
            "principal": {"AWS": "*"} if principal == "*" else principal,
        }
    return result


class Inventory(dict):
    def add(self, kind, name, **properties):
        entries = self.setdefault(kind, {})
        if name in entries:
            raise SystemExit(f"two {kind}s are called {name}")
        entries[name] = properties

    def extend(self, kind, name, **properties):
        """For what one side keeps in a resource of its own."""
        self.setdefault(kind, {}).setdefault(name, {}).update(properties)


# ---- CloudFormation ---------------------------------------------------------------------------


def pairs(items, key="Name", value="Value"):
    return {item[key]: item[value] for item in items or []}


def template_metric(entry):
    stat = entry.get("MetricStat")
    return {
        "id": entry["Id"],
        "expression": entry.get("Expression"),
        "label": entry.get("Label"),
        "returns": bool(entry.get("ReturnData")),
        "period": number(entry.get("Period")),
        "stat": stat
        and [
            stat["Metric"]["Namespace"],
            stat["Metric"]["MetricName"],
            pairs(stat["Metric"].get("Dimensions")),
            stat["Stat"],
            number(stat["Period"]),
        ],
    }


def of_template(template):
    found = Inventory()
    for resource in template.resources.values():
        kind, p = resource["Type"], resource["Properties"]
        if kind == "AWS::Logs::LogGroup":
            found.add("log group", p["LogGroupName"], retention=number(p["RetentionInDays"]))
        elif kind == "AWS::Logs::MetricFilter":
            (to,) = p["MetricTransformations"]
            metric = [to["MetricNamespace"], to["MetricName"], to["MetricValue"]]
            found.add(
                "metric filter", p["FilterName"],
                group=p["LogGroupName"], pattern=p["FilterPattern"], metric=metric)
        elif kind == "AWS::Logs::SubscriptionFilter":
            found.add(
                "subscription filter", p["FilterName"], group=p["LogGroupName"],
                pattern=p["FilterPattern"], destination=p["DestinationArn"])
        elif kind == "AWS::CloudWatch::Alarm":
            found.add(
                "alarm", p["AlarmName"], description=p["AlarmDescription"].strip(),
                metric=[p.get("Namespace"), p.get("MetricName"), p.get("Statistic")],
                dimensions=pairs(p.get("Dimensions")), period=number(p.get("Period")),
                periods=number(p["EvaluationPeriods"]), datapoints=number(p["DatapointsToAlarm"]),
                comparison=p["ComparisonOperator"], threshold=number(p["Threshold"]),
                missing=p["TreatMissingData"], alarm_actions=sorted(p["AlarmActions"]),
                ok_actions=sorted(p["OKActions"]),
                metrics=sorted((template_metric(m) for m in p.get("Metrics", [])),
                               key=lambda m: m["id"]))
        elif kind == "AWS::Lambda::Function":
            logging = p["LoggingConfig"]
            found.add(
                "function", p["FunctionName"], role=p["Role"], runtime=p["Runtime"],
                handler=p["Handler"], architectures=p["Architectures"],
                memory=number(p["MemorySize"]), timeout=number(p["Timeout"]),
                reserved=number(p.get("ReservedConcurrentExecutions", -1)),
                environment={k: str(v) for k, v in p["Environment"]["Variables"].items()},
                layers=len(p.get("Layers", [])),
                log=[logging["LogFormat"], logging["ApplicationLogLevel"],
                     logging["SystemLogLevel"], logging["LogGroup"]],
                network=[sorted(p.get("VpcConfig", {}).get("SubnetIds", [])),
                         sorted(p.get("VpcConfig", {}).get("SecurityGroupIds", []))])
        elif kind == "AWS::Lambda::EventInvokeConfig":
            found.add(
                "invoke configuration", p["FunctionName"],
                age=number(p["MaximumEventAgeInSeconds"]),
                retries=number(p["MaximumRetryAttempts"]),
                failures=p["DestinationConfig"]["OnFailure"]["Destination"])
        elif kind == "AWS::Lambda::Permission":
            found.add(
                "permission", p["Principal"], action=p["Action"], function=p["FunctionName"],
                account=p.get("SourceAccount"), source=p.get("SourceArn"))
        elif kind == "AWS::Lambda::LayerVersion":
            found.add("layer", p["LayerName"], runtimes=p["CompatibleRuntimes"])
        elif kind == "AWS::DynamoDB::Table":
            ttl = p["TimeToLiveSpecification"]
            found.add(
                "table", p["TableName"], billing=p["BillingMode"],
                key=pairs(p["KeySchema"], "AttributeName", "KeyType"),
                attributes=pairs(p["AttributeDefinitions"], "AttributeName", "AttributeType"),
                ttl=ttl["AttributeName"] if ttl["Enabled"] else None,
                recovery=p["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"])
        elif kind == "AWS::SQS::Queue":
            found.extend(
                "queue", p["QueueName"], retention=number(p["MessageRetentionPeriod"]),
                encrypted=p["SqsManagedSseEnabled"])
        elif kind == "AWS::SQS::QueuePolicy":
            for queue in p["Queues"]:
                found.extend(
                    "queue", queue.rsplit("/", 1)[-1], policy=statements(p["PolicyDocument"]))
        elif kind == "AWS::SNS::Topic":
            found.extend("topic", p["TopicName"], display=p["DisplayName"])
        elif kind == "AWS::SNS::TopicPolicy":
            for topic in p["Topics"]:
                found.extend(
                    "topic", topic.rsplit(":", 1)[-1], policy=statements(p["PolicyDocument"]))
        elif kind == "AWS::SNS::Subscription":
            found.add(
                "topic subscription", f"{p['Protocol']} {p['Endpoint']}", topic=p["TopicArn"])
        elif kind == "AWS::Events::Rule":
            targets = [
                [t["Id"], t["Arn"], number(t["RetryPolicy"]["MaximumEventAgeInSeconds"]),
                 number(t["RetryPolicy"]["MaximumRetryAttempts"]), t["DeadLetterConfig"]["Arn"]]
                for t in p["Targets"]
            ]
            found.extend(
                "rule", p["Name"], description=p["Description"],
                schedule=p.get("ScheduleExpression"), pattern=p.get("EventPattern"),
                targets=targets)
        elif kind == "AWS::SSM::Document":
            found.add(
                "document", p["Name"], type=p["DocumentType"], target=p["TargetType"],
                content=p["Content"])
        elif kind == "AWS::SSM::Parameter":
            found.add("parameter", p["Name"], type=p["Type"], value=parsed(p["Value"]))
        elif kind == "AWS::SSM::Association":
            found.add(
                "association", p["AssociationName"], document=p["Name"],
                schedule=p["ScheduleExpression"],
                parameters={k: listed(v)[0] for k, v in p["Parameters"].items()},
                targets=pairs(p["Targets"], "Key", "Values"),
                limits=[p["MaxConcurrency"], p["MaxErrors"], p["ComplianceSeverity"]])
        elif kind == "AWS::CloudWatch::Dashboard":
            found.add("dashboard", p["DashboardName"], body=json.loads(p["DashboardBody"]))
        elif kind == "AWS::IAM::Role":
            found.add(
                "role", p["RoleName"], trust=statements(p["AssumeRolePolicyDocument"]),
                policies={q["PolicyName"]: statements(q["PolicyDocument"])
                          for q in p.get("Policies", [])})
        elif kind == "AWS::IAM::InstanceProfile":
            found.add("instance profile", p["InstanceProfileName"], roles=p["Roles"])
        elif kind == "AWS::Chatbot::SlackChannelConfiguration":
            found.add("slack channel", p["ConfigurationName"], topics=p["SnsTopicArns"])
        else:
            raise SystemExit(f"the comparison does not know {kind}")
    return found


def parsed(text):
    """A parameter's value: as data when it is JSON, else as text without trailing space."""
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()


# ---- Terraform --------------------------------------------------------------------------------


def resources(module):
    for resource in module.get("resources", []):
        if resource["mode"] == "managed":
            yield resource["type"], resource["values"]
    for child in module.get("child_modules", []):
        yield from resources(child)


def first(values):
    return values[0] if values else {}


def state_metric(entry):
    stat = first(entry.get("metric"))
    return {
        "id": entry["id"],
        "expression": entry.get("expression") or None,
        "label": entry.get("label") or None,
        "returns": bool(entry.get("return_data")),
        "period": number(entry.get("period") or None),
        "stat": (stat or None)
        and [stat["namespace"], stat["metric_name"], stat.get("dimensions") or {}, stat["stat"],
             number(stat["period"])],
    }


def of_state(state):
    found = Inventory()
    for kind, v in resources(state["values"]["root_module"]):
        if kind == "aws_cloudwatch_log_group":
            found.add("log group", v["name"], retention=number(v["retention_in_days"]))
        elif kind == "aws_cloudwatch_log_metric_filter":
            to = first(v["metric_transformation"])
            found.add(
                "metric filter", v["name"], group=v["log_group_name"], pattern=v["pattern"],
                metric=[to["namespace"], to["name"], to["value"]])
        elif kind == "aws_cloudwatch_log_subscription_filter":
            found.add(
                "subscription filter", v["name"], group=v["log_group_name"],
                pattern=v["filter_pattern"], destination=v["destination_arn"])
        elif kind == "aws_cloudwatch_metric_alarm":
            found.add(
                "alarm", v["alarm_name"], description=v["alarm_description"],
                metric=[v["namespace"] or None, v["metric_name"] or None, v["statistic"] or None],
                dimensions=v["dimensions"] or {}, period=number(v["period"] or None),
                periods=number(v["evaluation_periods"]),
                datapoints=number(v["datapoints_to_alarm"]),
                comparison=v["comparison_operator"], threshold=number(v["threshold"]),
                missing=v["treat_missing_data"], alarm_actions=sorted(v["alarm_actions"]),
                ok_actions=sorted(v["ok_actions"]),
                metrics=sorted((state_metric(m) for m in v["metric_query"] or []),
                               key=lambda m: m["id"]))
        elif kind == "aws_lambda_function":
            logging, network = first(v["logging_config"]), first(v["vpc_config"])
            found.add(
                "function", v["function_name"], role=v["role"], runtime=v["runtime"],
                handler=v["handler"], architectures=v["architectures"],
                memory=number(v["memory_size"]), timeout=number(v["timeout"]),
                reserved=number(v["reserved_concurrent_executions"]),
                environment=first(v["environment"])["variables"], layers=len(v["layers"] or []),
                log=[logging.get("log_format"), logging.get("application_log_level"),
                     logging.get("system_log_level"), logging.get("log_group")],
                network=[sorted(network.get("subnet_ids", [])),
                         sorted(network.get("security_group_ids", []))])
        elif kind == "aws_lambda_function_event_invoke_config":
            destination = first(first(v["destination_config"])["on_failure"])["destination"]
            found.add(
                "invoke configuration", v["function_name"],
                age=number(v["maximum_event_age_in_seconds"]),
                retries=number(v["maximum_retry_attempts"]), failures=destination)
        elif kind == "aws_lambda_permission":
            found.add(
                "permission", v["principal"], action=v["action"], function=v["function_name"],
                account=v["source_account"] or None, source=v["source_arn"])
        elif kind == "aws_lambda_layer_version":
            found.add("layer", v["layer_name"], runtimes=v["compatible_runtimes"])
        elif kind == "aws_dynamodb_table":
            ttl = first(v["ttl"])
            found.add(
                "table", v["name"], billing=v["billing_mode"], key={v["hash_key"]: "HASH"},
                attributes=pairs(v["attribute"], "name", "type"),
                ttl=ttl["attribute_name"] if ttl["enabled"] else None,
                recovery=first(v["point_in_time_recovery"])["enabled"])
        elif kind == "aws_sqs_queue":
            found.extend(
                "queue", v["name"], retention=number(v["message_retention_seconds"]),
                encrypted=v["sqs_managed_sse_enabled"])
        elif kind == "aws_sqs_queue_policy":
            found.extend(
                "queue", v["queue_url"].rsplit("/", 1)[-1], policy=statements(v["policy"]))
        elif kind == "aws_sns_topic":
            found.extend("topic", v["name"], display=v["display_name"])
        elif kind == "aws_sns_topic_policy":
            found.extend("topic", v["arn"].rsplit(":", 1)[-1], policy=statements(v["policy"]))
        elif kind == "aws_sns_topic_subscription":
            found.add("topic subscription", f"{v['protocol']} {v['endpoint']}", topic=v["topic_arn"])
        elif kind == "aws_cloudwatch_event_rule":
            pattern = v["event_pattern"]
            found.extend(
                "rule", v["name"], description=v["description"],
                schedule=v["schedule_expression"] or None,
                pattern=json.loads(pattern) if pattern else None)
        elif kind == "aws_cloudwatch_event_target":
            retry = first(v["retry_policy"])
            target = [
                v["target_id"], v["arn"], number(retry["maximum_event_age_in_seconds"]),
                number(retry["maximum_retry_attempts"]), first(v["dead_letter_config"])["arn"]]
            found.extend("rule", v["rule"], targets=[target])
        elif kind == "aws_ssm_document":
            found.add(
                "document", v["name"], type=v["document_type"], target=v["target_type"],
                content=json.loads(v["content"]))
        elif kind == "aws_ssm_parameter":
            found.add("parameter", v["name"], type=v["type"], value=parsed(v["value"]))
        elif kind == "aws_ssm_association":
            found.add(
                "association", v["association_name"], document=v["name"],
                schedule=v["schedule_expression"], parameters=v["parameters"],
                targets=pairs(v["targets"], "key", "values"),
                limits=[v["max_concurrency"], v["max_errors"], v["compliance_severity"]])
        elif kind == "aws_cloudwatch_dashboard":
            found.add("dashboard", v["dashboard_name"], body=json.loads(v["dashboard_body"]))
        elif kind == "aws_iam_role":
            found.extend("role", v["name"], trust=statements(v["assume_role_policy"]))
        elif kind == "aws_iam_role_policy":
            role = found.setdefault("role", {}).setdefault(v["role"], {})
            role.setdefault("policies", {})[v["name"]] = statements(v["policy"])
        elif kind == "aws_iam_instance_profile":
            found.add("instance profile", v["name"], roles=[v["role"]])
        elif kind == "aws_chatbot_slack_channel_configuration":
            found.add("slack channel", v["configuration_name"], topics=v["sns_topic_arns"])
        else:
            raise SystemExit(f"the comparison does not know {kind}")
    return found
