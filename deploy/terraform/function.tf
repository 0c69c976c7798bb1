resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  tags              = local.tags
}

resource "aws_lambda_layer_version" "scripts" {
  count = var.layer_zip == null ? 0 : 1

  layer_name          = "${var.name}-scripts"
  filename            = var.layer_zip
  source_code_hash    = filebase64sha256(var.layer_zip)
  compatible_runtimes = ["provided.al2023"]
}

resource "aws_lambda_function" "lifeguard" {
  function_name = var.name
  description   = "Watches servers' metrics, starts recovery, verifies it and tells people."
  role          = aws_iam_role.function.arn

  runtime       = "provided.al2023"
  handler       = "bootstrap"
  architectures = [var.architecture]

  filename         = var.function_zip
  source_code_hash = var.function_zip == null ? null : filebase64sha256(var.function_zip)
  s3_bucket        = var.function_s3_bucket
  s3_key           = var.function_s3_key
  layers           = aws_lambda_layer_version.scripts[*].arn

  memory_size                    = var.memory_size
  timeout                        = var.timeout
  reserved_concurrent_executions = var.reserved_concurrency

  environment {
    variables = merge(
      {
        METRIC_NAME_TO_MONITOR      = var.metric_name
        ALARM_THRESHOLD_CPU         = tostring(local.metric_threshold)
        RECOVERY_SCRIPT_PATH        = var.recovery_script_path
        SNS_TOPIC_ARN               = aws_sns_topic.alerts.arn
        LOG_GROUP_NAME              = aws_cloudwatch_log_group.servers.name
        NOTIFICATION_SUBJECT        = var.notification_subject
        NOTIFICATION_MESSAGE_PREFIX = var.notification_message_prefix
        LIFEGUARD_STATE_TABLE       = aws_dynamodb_table.state.name
        # What waited longer than Lambda itself lets an event wait is not acted on either.
        LIFEGUARD_EVENT_AGE_MAX = "5m"
      },
      local.has_configuration ? { LIFEGUARD_CONFIG = "ssm:${aws_ssm_parameter.configuration[0].name}" } : {},
      length(local.other_alarms) > 0 ? { LIFEGUARD_ALARMS = join(",", local.other_alarms) } : {},
      var.extra_environment,
    )
  }

  # The function writes JSON lines of its own; this makes the service's own lines JSON as well.
  logging_config {
    log_format            = "JSON"
    application_log_level = var.log_level
    system_log_level      = "INFO"
    log_group             = aws_cloudwatch_log_group.function.name
  }

  dynamic "vpc_config" {
    for_each = local.uses_vpc ? [1] : []
    content {
      subnet_ids         = var.vpc_subnet_ids
      security_group_ids = var.vpc_security_group_ids
    }
  }

  tags = local.tags

  # Without its rights the first invocations would fail, and their events be retried.
  depends_on = [aws_iam_role_policy.function]
}

# An hour-old "reboot" must not run: what cannot start within five minutes goes to the failure queue.
resource "aws_lambda_function_event_invoke_config" "lifeguard" {
  function_name                = aws_lambda_function.lifeguard.function_name
  maximum_event_age_in_seconds = 300
  maximum_retry_attempts       = 2

  destination_config {
    on_failure {
      destination = aws_sqs_queue.failures.arn
    }
  }

  depends_on = [aws_iam_role_policy.function]
}

resource "aws_ssm_parameter" "configuration" {
  count = local.has_configuration ? 1 : 0

  name        = "/${var.name}/config"
  description = "lifeguard.yaml of the function ${var.name}; read at its start."
  type        = "String"
  tier        = length(local.configuration) > 4096 ? "Advanced" : "Standard"
  value       = local.configuration
  tags        = local.tags
}
