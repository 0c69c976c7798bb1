locals {
  # Basic monitoring of EC2 reports every five minutes.
  ec2_period = var.detailed_monitoring ? 60 : 300

  # Which metrics hold memory and disk depends on who reports them; both agents give them under the
  # dimension InstanceId alone.
  server_metrics = {
    cloudwatch = { namespace = local.agent_namespace, memory = "mem_used_percent", disk = "disk_used_percent" }
    lifeguard  = { namespace = local.namespace, memory = "MemoryUtilization", disk = "DiskUtilization" }
  }[var.agent == "lifeguard" ? "lifeguard" : "cloudwatch"]

  # One row a kind of alarm. `metrics` of more than one entry, or with an expression, make an alarm
  # on a calculation.
  server_alarms = {
    cpu = {
      description = "CPU of the server is at or above ${var.cpu_threshold} %."
      threshold   = var.cpu_threshold
      namespace   = "AWS/EC2"
      metric      = "CPUUtilization"
      statistic   = "Average"
      period      = local.ec2_period
      periods     = 3
      datapoints  = 2
    }
    memory = {
      description = "Memory of the server is in use to ${var.memory_threshold} % or more."
      threshold   = var.memory_threshold
      namespace   = local.server_metrics.namespace
      metric      = local.server_metrics.memory
      statistic   = "Average"
      period      = 60
      periods     = 5
      datapoints  = 3
    }
    disk = {
      description = "The server's fullest file system is full to ${var.disk_threshold} % or more."
      threshold   = var.disk_threshold
      namespace   = local.server_metrics.namespace
      metric      = local.server_metrics.disk
      statistic   = "Maximum"
      period      = 60
      periods     = 5
      datapoints  = 3
    }
    status = {
      description = "A status check of the server or of its host fails."
      threshold   = 1
      namespace   = "AWS/EC2"
      metric      = "StatusCheckFailed"
      statistic   = "Maximum"
      period      = 60
      periods     = 3
      datapoints  = 3
    }
  }

  alarms_of_servers = merge([
    for id in var.instance_ids : {
      for kind, alarm in local.server_alarms : "${id}-${kind}" => merge(alarm, { instance = id })
    }
  ]...)

  server_alarm_actions = concat(
    [aws_lambda_function.lifeguard.arn],
    var.alarms_notify ? [aws_sns_topic.alerts.arn] : [],
  )
}

# ---- one server each: these invoke the function, which recovers it ------------------------------

resource "aws_cloudwatch_metric_alarm" "server" {
  for_each = local.alarms_of_servers

  alarm_name          = "${var.name}-server-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = { InstanceId = each.value.instance }
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.datapoints
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  # Neither health nor a fault: a server that is being restarted reports nothing for a while.
  treat_missing_data = "missing"
  alarm_actions      = local.server_alarm_actions
  ok_actions         = local.server_alarm_actions
  tags               = local.tags

  # An alarm may fire as soon as it exists.
  depends_on = [aws_lambda_permission.alarms]
}

# EC2 reports bytes in a period, so the alarm divides by it.
resource "aws_cloudwatch_metric_alarm" "server_network" {
  for_each = var.instance_ids

  alarm_name          = "${var.name}-server-${each.key}-network"
  alarm_description   = "The server moves ${var.network_threshold} bytes a second or more."
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = var.network_threshold
  treat_missing_data  = "missing"
  alarm_actions       = local.server_alarm_actions
  ok_actions          = local.server_alarm_actions
  tags                = local.tags

  metric_query {
    id          = "rate"
    expression  = "(received + sent) / PERIOD(received)"
    label       = "NetworkBytesPerSecond"
    return_data = true
  }

  metric_query {
    id = "received"
    metric {
      namespace   = "AWS/EC2"
      metric_name = "NetworkIn"
      dimensions  = { InstanceId = each.key }
      stat        = "Sum"
      period      = local.ec2_period
    }
  }

  metric_query {
    id = "sent"
    metric {
      namespace   = "AWS/EC2"
      metric_name = "NetworkOut"
      dimensions  = { InstanceId = each.key }
      stat        = "Sum"
      period      = local.ec2_period
    }
  }

  depends_on = [aws_lambda_permission.alarms]
}

# ---- the worst of all servers: the net below the function, for people ---------------------------
# Ten bad minutes of ten mean that recovery had its time and did not help.

locals {
  fleet_alarms = {
    cpu    = { metric = "CPUUtilization", threshold = var.cpu_threshold, unit = "%" }
    memory = { metric = "MemoryUtilization", threshold = var.memory_threshold, unit = "%" }
    disk   = { metric = "DiskUtilization", threshold = var.disk_threshold, unit = "%" }
  }
}

resource "aws_cloudwatch_metric_alarm" "fleet" {
  for_each = local.fleet_alarms

  alarm_name          = "${var.name}-fleet-${each.key}"
  alarm_description   = "For ten minutes some server's ${each.value.metric} has been at or above ${each.value.threshold} ${each.value.unit}: recovery has not helped."
  namespace           = "${local.namespace}/Fleet"
  metric_name         = each.value.metric
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 10
  datapoints_to_alarm = 10
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
  tags                = local.tags

  depends_on = [aws_cloudwatch_log_metric_filter.fleet]
}

resource "aws_cloudwatch_metric_alarm" "fleet_network" {
  alarm_name          = "${var.name}-fleet-network"
  alarm_description   = "For ten minutes some server has moved ${var.network_threshold} bytes a second or more."
  evaluation_periods  = 10
  datapoints_to_alarm = 10
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = var.network_threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
  tags                = local.tags

  metric_query {
    id          = "rate"
    expression  = "received + sent"
    label       = "NetworkBytesPerSecond"
    return_data = true
  }

  metric_query {
    id = "received"
    metric {
      namespace   = "${local.namespace}/Fleet"
      metric_name = "NetworkIn"
      stat        = "Maximum"
      period      = 60
    }
  }

  metric_query {
    id = "sent"
    metric {
      namespace   = "${local.namespace}/Fleet"
      metric_name = "NetworkOut"
      stat        = "Maximum"
      period      = 60
    }
  }

  depends_on = [aws_cloudwatch_log_metric_filter.fleet]
}

resource "aws_cloudwatch_metric_alarm" "fleet_status" {
  alarm_name          = "${var.name}-fleet-status"
  alarm_description   = "For ten minutes a status check of some instance in this region has failed."
  evaluation_periods  = 2
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
  tags                = local.tags

  metric_query {
    id          = "worst"
    expression  = "SELECT MAX(StatusCheckFailed) FROM SCHEMA(\"AWS/EC2\", InstanceId)"
    label       = "StatusCheckFailed"
    period      = 300
    return_data = true
  }
}

# ---- who watches the watchman -------------------------------------------------------------------

locals {
  own_alarms = {
    errors = {
      description = "The function failed; its log says why: /aws/lambda/${var.name}."
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = { FunctionName = aws_lambda_function.lifeguard.function_name }
      statistic   = "Sum"
      periods     = 1
      comparison  = "GreaterThanOrEqualToThreshold"
      missing     = "notBreaching"
    }
    throttles = {
      description = "The function was not let run: the account's or its reserved concurrency is used up."
      namespace   = "AWS/Lambda"
      metric      = "Throttles"
      dimensions  = { FunctionName = aws_lambda_function.lifeguard.function_name }
      statistic   = "Sum"
      periods     = 1
      comparison  = "GreaterThanOrEqualToThreshold"
      missing     = "notBreaching"
    }
    failures = {
      description = "Events were given up: see the queue ${var.name}-failures."
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = aws_sqs_queue.failures.name }
      statistic   = "Maximum"
      periods     = 1
      comparison  = "GreaterThanOrEqualToThreshold"
      missing     = "notBreaching"
    }
    # The sweep runs by the clock: silence means that nobody is watching.
    silent = {
      description = "The function has not run for fifteen minutes although its schedule should start it."
      namespace   = "AWS/Lambda"
      metric      = "Invocations"
      dimensions  = { FunctionName = aws_lambda_function.lifeguard.function_name }
      statistic   = "Sum"
      periods     = 3
      comparison  = "LessThanThreshold"
      missing     = "breaching"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "own" {
  for_each = local.own_alarms

  alarm_name          = "${var.name}-function-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = 300
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.periods
  comparison_operator = each.value.comparison
  threshold           = 1
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
  tags                = local.tags
}
