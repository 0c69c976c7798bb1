# ---- the function -------------------------------------------------------------------------------

data "aws_iam_policy_document" "function_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "function" {
  name               = "${var.name}-function-${local.region}"
  description        = "What the function ${var.name} may do."
  assume_role_policy = data.aws_iam_policy_document.function_trust.json
  tags               = local.tags
}

data "aws_iam_policy_document" "function" {
  statement {
    sid       = "WriteOwnLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.function.arn}:*"]
  }

  statement {
    sid       = "TellPeople"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alerts.arn]
  }

  statement {
    sid       = "KeepState"
    actions   = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
    resources = [aws_dynamodb_table.state.arn]
  }

  statement {
    sid       = "HandOverFailures"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.failures.arn]
  }

  statement {
    sid       = "ReadOwnParameters"
    actions   = ["ssm:GetParameter"]
    resources = ["arn:${local.partition}:ssm:${local.region}:${local.account}:parameter/${var.name}/*"]
  }

  statement {
    sid       = "ReadOwnSecrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = ["arn:${local.partition}:secretsmanager:${local.region}:${local.account}:secret:${var.name}/*"]
  }

  # SendCommand is judged twice: for the document and for the server. The tag is a condition of the
  # second only; in one statement with the documents, which do not carry it, nothing would be allowed.
  statement {
    sid     = "SendTheseCommands"
    actions = ["ssm:SendCommand"]
    resources = concat(
      [aws_ssm_document.restart_service.arn, aws_ssm_document.run_script.arn],
      var.allow_run_shell_script ? ["arn:${local.partition}:ssm:${local.region}::document/AWS-RunShellScript"] : [],
    )
  }

  statement {
    sid       = "SendToTaggedServers"
    actions   = ["ssm:SendCommand"]
    resources = ["arn:${local.partition}:ec2:${local.region}:${local.account}:instance/*"]

    condition {
      test     = "StringEquals"
      variable = "ssm:resourceTag/${local.recovery_tag_key}"
      values   = [local.recovery_tag_value]
    }
  }

  # What did not end in time must not run beside the next step. No resource can be named.
  statement {
    sid       = "CancelCommands"
    actions   = ["ssm:CancelCommand"]
    resources = ["*"]
  }

  statement {
    sid       = "ActOnTaggedServers"
    actions   = ["ec2:RebootInstances", "ec2:StartInstances", "ec2:StopInstances"]
    resources = ["arn:${local.partition}:ec2:${local.region}:${local.account}:instance/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/${local.recovery_tag_key}"
      values   = [local.recovery_tag_value]
    }
  }

  statement {
    sid = "ActOnTaggedGroups"
    actions = [
      "autoscaling:EnterStandby",
      "autoscaling:SetDesiredCapacity",
      "autoscaling:SetInstanceHealth",
      "autoscaling:StartInstanceRefresh",
    ]
    resources = ["arn:${local.partition}:autoscaling:${local.region}:${local.account}:autoScalingGroup:*:autoScalingGroupName/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/${local.recovery_tag_key}"
      values   = [local.recovery_tag_value]
    }
  }

  # The hypervisor's recovery is an alarm's action, and these alarms may have no other.
  statement {
    sid       = "SetOffRecovery"
    actions   = ["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm", "cloudwatch:SetAlarmState"]
    resources = ["arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:lifeguard-recover-*"]

    condition {
      test     = "ForAllValues:StringEquals"
      variable = "cloudwatch:AlarmActions"
      values   = ["arn:${local.partition}:automate:${local.region}:ec2:recover"]
    }
  }

  # These have no resource that could be named (Service Authorization Reference).
  statement {
    sid = "LookOnly"
    actions = [
      "autoscaling:DescribeAutoScalingGroups",
      "autoscaling:DescribeAutoScalingInstances",
      "cloudwatch:DescribeAlarms",
      "cloudwatch:GetMetricData",
      "ec2:DescribeInstances",
      "ssm:GetCommandInvocation",
    ]
    resources = ["*"]
  }

  dynamic "statement" {
    for_each = length(var.invocable_function_arns) > 0 ? [1] : []
    content {
      sid       = "InvokeNamedFunctions"
      actions   = ["lambda:InvokeFunction"]
      resources = var.invocable_function_arns
    }
  }

  dynamic "statement" {
    for_each = local.uses_vpc ? [1] : []
    content {
      sid = "AttachToNetwork"
      actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
      ]
      resources = ["*"]
    }
  }
}

resource "aws_iam_role_policy" "function" {
  name   = "lifeguard"
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.function.json
}

# ---- servers ------------------------------------------------------------------------------------

data "aws_iam_policy_document" "server_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "server" {
  name               = "${var.name}-server-${local.region}"
  description        = "What a server may do: report, and take commands from Systems Manager."
  assume_role_policy = data.aws_iam_policy_document.server_trust.json
  tags               = local.tags
}

data "aws_iam_policy_document" "server" {
  statement {
    sid       = "PublishMetrics"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = [local.agent_namespace, local.namespace]
    }
  }

  statement {
    sid       = "WriteServersLog"
    actions   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.servers.arn}:*"]
  }

  statement {
    sid       = "KnowItself"
    actions   = ["ec2:DescribeTags", "ec2:DescribeVolumes"]
    resources = ["*"]
  }

  statement {
    sid       = "ReadAgentConfiguration"
    actions   = ["ssm:GetParameter"]
    resources = ["arn:${local.partition}:ssm:${local.region}:${local.account}:parameter/AmazonCloudWatch-${var.name}"]
  }

  # AmazonSSMManagedInstanceCore without its right to read every parameter of the account.
  statement {
    sid = "BeManaged"
    actions = [
      "ec2messages:AcknowledgeMessage",
      "ec2messages:DeleteMessage",
      "ec2messages:FailMessage",
      "ec2messages:GetEndpoint",
      "ec2messages:GetMessages",
      "ec2messages:SendReply",
      "ssm:DescribeAssociation",
      "ssm:DescribeDocument",
      "ssm:GetDeployablePatchSnapshotForInstance",
      "ssm:GetDocument",
      "ssm:GetManifest",
      "ssm:ListAssociations",
      "ssm:ListInstanceAssociations",
      "ssm:PutComplianceItems",
      "ssm:PutConfigurePackageResult",
      "ssm:PutInventory",
      "ssm:UpdateAssociationStatus",
      "ssm:UpdateInstanceAssociationStatus",
      "ssm:UpdateInstanceInformation",
      "ssmmessages:CreateControlChannel",
      "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel",
      "ssmmessages:OpenDataChannel",
    ]
    resources = ["*"]
  }

  dynamic "statement" {
    for_each = var.agent == "lifeguard" ? [1] : []
    content {
      sid       = "ReadAgentPackage"
      actions   = ["s3:GetObject"]
      resources = ["arn:${local.partition}:s3:::${var.agent_s3_bucket}/${var.agent_s3_key}"]
    }
  }

  # Lifeguard on a server tells people by itself, also when the function cannot be reached.
  dynamic "statement" {
    for_each = var.agent == "lifeguard" ? [1] : []
    content {
      sid       = "TellPeople"
      actions   = ["sns:Publish"]
      resources = [aws_sns_topic.alerts.arn]
    }
  }
}

resource "aws_iam_role_policy" "server" {
  name   = "lifeguard"
  role   = aws_iam_role.server.id
  policy = data.aws_iam_policy_document.server.json
}

resource "aws_iam_instance_profile" "server" {
  name = "${var.name}-server-${local.region}"
  role = aws_iam_role.server.name
  tags = local.tags
}
