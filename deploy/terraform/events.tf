locals {
  rules = merge(
    {
      # Alarm actions come once, when the state changes: what stays in ALARM is found by looking.
      sweep = {
        description = "Looks for alarms that stay in ALARM."
        schedule    = var.sweep_schedule
        pattern     = null
      }
      instance-state = {
        description = "Instances that start, stop or are terminated."
        schedule    = null
        pattern = {
          source      = ["aws.ec2"]
          detail-type = ["EC2 Instance State-change Notification"]
          detail      = { state = ["running", "shutting-down", "stopped", "stopping", "terminated"] }
        }
      }
    },
    var.alarm_event_prefix == "" ? {} : {
      alarm-state = {
        description = "Alarms whose names begin with ${var.alarm_event_prefix}."
        schedule    = null
        pattern = {
          source      = ["aws.cloudwatch"]
          detail-type = ["CloudWatch Alarm State Change"]
          detail      = { alarmName = [{ prefix = var.alarm_event_prefix }] }
        }
      }
    },
  )
}

resource "aws_cloudwatch_event_rule" "lifeguard" {
  for_each = local.rules

  name                = "${var.name}-${each.key}"
  description         = each.value.description
  schedule_expression = each.value.schedule
  event_pattern       = each.value.pattern == null ? null : jsonencode(each.value.pattern)
  tags                = local.tags
}

resource "aws_cloudwatch_event_target" "lifeguard" {
  for_each = local.rules

  rule      = aws_cloudwatch_event_rule.lifeguard[each.key].name
  target_id = "lifeguard"
  arn       = aws_lambda_function.lifeguard.arn

  retry_policy {
    maximum_event_age_in_seconds = 300
    maximum_retry_attempts       = 5
  }

  dead_letter_config {
    arn = aws_sqs_queue.failures.arn
  }

  depends_on = [aws_lambda_permission.events, aws_sqs_queue_policy.failures]
}

# Alarms that publish to a topic of their own.
resource "aws_sns_topic_subscription" "alarms" {
  count = var.alarm_topic_arn == "" ? 0 : 1

  topic_arn = var.alarm_topic_arn
  protocol  = "lambda"
  endpoint  = aws_lambda_function.lifeguard.arn

  depends_on = [aws_lambda_permission.topic]
}

# ---- who may invoke the function ----------------------------------------------------------------
# Each names account and source, so that no other account's log group or alarm can.

resource "aws_lambda_permission" "logs" {
  statement_id   = "logs"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.lifeguard.function_name
  principal      = "logs.amazonaws.com"
  source_account = local.account
  source_arn     = "${aws_cloudwatch_log_group.servers.arn}:*"
}

# One for all alarms: a permission each would soon be too many for the function's policy.
resource "aws_lambda_permission" "alarms" {
  statement_id   = "alarms"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.lifeguard.function_name
  principal      = "lambda.alarms.cloudwatch.amazonaws.com"
  source_account = local.account
  source_arn     = "arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:${var.name}-server-*"
}

resource "aws_lambda_permission" "events" {
  statement_id   = "events"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.lifeguard.function_name
  principal      = "events.amazonaws.com"
  source_account = local.account
  source_arn     = "arn:${local.partition}:events:${local.region}:${local.account}:rule/${var.name}-*"
}

resource "aws_lambda_permission" "topic" {
  count = var.alarm_topic_arn == "" ? 0 : 1

  statement_id  = "topic"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.lifeguard.function_name
  principal     = "sns.amazonaws.com"
  source_arn    = var.alarm_topic_arn
}
