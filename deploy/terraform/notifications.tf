resource "aws_sns_topic" "alerts" {
  name         = "${var.name}-alerts"
  display_name = "Lifeguard"
  tags         = local.tags
}

data "aws_iam_policy_document" "alerts" {
  # The function publishes by its role; alarms need to be let in here.
  statement {
    sid       = "AlarmsPublish"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alerts.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:${var.name}-*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }

  statement {
    sid       = "OnlyEncrypted"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alerts.arn]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sns_topic_policy" "alerts" {
  arn    = aws_sns_topic.alerts.arn
  policy = data.aws_iam_policy_document.alerts.json
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.notification_emails

  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = each.key
}

resource "aws_sns_topic_subscription" "url" {
  for_each = var.notification_urls

  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "https"
  endpoint  = each.key
}

# ---- Slack, through AWS Chatbot -----------------------------------------------------------------

data "aws_iam_policy_document" "chatbot_trust" {
  count = local.uses_slack ? 1 : 0

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["chatbot.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

# It shows alarms' graphs in the channel; nobody can act from there.
data "aws_iam_policy_document" "chatbot" {
  count = local.uses_slack ? 1 : 0

  statement {
    sid       = "ShowAlarms"
    actions   = ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics"]
    resources = ["*"]
  }
}

resource "aws_iam_role" "chatbot" {
  count = local.uses_slack ? 1 : 0

  name               = "${var.name}-chatbot-${local.region}"
  assume_role_policy = data.aws_iam_policy_document.chatbot_trust[0].json
  tags               = local.tags
}

resource "aws_iam_role_policy" "chatbot" {
  count = local.uses_slack ? 1 : 0

  name   = "chatbot"
  role   = aws_iam_role.chatbot[0].id
  policy = data.aws_iam_policy_document.chatbot[0].json
}

resource "aws_chatbot_slack_channel_configuration" "alerts" {
  count = local.uses_slack ? 1 : 0

  configuration_name    = "${var.name}-alerts"
  iam_role_arn          = aws_iam_role.chatbot[0].arn
  slack_team_id         = var.slack_workspace_id
  slack_channel_id      = var.slack_channel_id
  sns_topic_arns        = [aws_sns_topic.alerts.arn]
  guardrail_policy_arns = ["arn:${local.partition}:iam::aws:policy/ReadOnlyAccess"]
  logging_level         = "ERROR"
  tags                  = local.tags
}
