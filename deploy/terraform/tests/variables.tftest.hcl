# `terraform init -backend=false && terraform test`: the module's own checks, without an account.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }

  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  function_s3_bucket = "artifacts"
  function_s3_key    = "lifeguard-lambda.zip"
}

run "defaults_are_enough" {
  command = plan

  assert {
    condition     = aws_lambda_function.lifeguard.architectures == tolist(["x86_64"])
    error_message = "the function is for x86_64 unless said otherwise"
  }

  assert {
    condition     = aws_lambda_function_event_invoke_config.lifeguard.maximum_event_age_in_seconds == 300
    error_message = "an event that waited longer than five minutes must not start anything"
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.server) == 0 && length(aws_ssm_parameter.configuration) == 0
    error_message = "without servers and a service there is nothing to act on"
  }

  assert {
    condition     = length(aws_chatbot_slack_channel_configuration.alerts) == 0
    error_message = "Slack is made only when it is asked for"
  }
}

run "everything_at_once" {
  command = plan

  variables {
    architecture            = "arm64"
    reserved_concurrency    = 5
    vpc_subnet_ids          = ["subnet-0123456789abcdef0"]
    vpc_security_group_ids  = ["sg-0123456789abcdef0"]
    service                 = "nginx.service"
    instance_ids            = ["i-0123456789abcdef0", "i-0123456789abcdef1"]
    agent                   = "lifeguard"
    agent_s3_bucket         = "artifacts"
    agent_s3_key            = "lifeguard-1.0.0-x86_64.tar.gz"
    agent_package_checksum  = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    notification_emails     = ["ops@example.com", "dev@example.com"]
    notification_urls       = ["https://example.com/hook"]
    slack_workspace_id      = "T0000000000"
    slack_channel_id        = "C0000000000"
    alarm_event_prefix      = "prod-"
    alarm_topic_arn         = "arn:aws:sns:eu-west-1:123456789012:others"
    invocable_function_arns = ["arn:aws:lambda:eu-west-1:123456789012:function:other"]
    allow_run_shell_script  = true
    alarms_notify           = true
    extra_environment       = { LIFEGUARD_FLEET = "web" }
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.server) == 8 && length(aws_cloudwatch_metric_alarm.server_network) == 2
    error_message = "five alarms for each of two servers"
  }

  assert {
    condition     = length(aws_sns_topic_subscription.email) == 2 && length(aws_sns_topic_subscription.url) == 1
    error_message = "every address is subscribed"
  }

  assert {
    condition     = length(aws_lambda_function.lifeguard.vpc_config) == 1
    error_message = "the function is in the VPC"
  }

  assert {
    condition     = length(aws_chatbot_slack_channel_configuration.alerts) == 1 && length(aws_cloudwatch_event_rule.lifeguard) == 3
    error_message = "Slack and the rule for other alarms are made"
  }
}

run "no_package" {
  command = plan
  variables {
    function_s3_bucket = null
    function_s3_key    = null
  }
  expect_failures = [var.function_zip]
}

run "a_package_that_is_not_there" {
  command = plan
  variables {
    function_zip       = "nowhere.zip"
    function_s3_bucket = null
    function_s3_key    = null
  }
  expect_failures = [var.function_zip]
}

run "a_bucket_without_a_key" {
  command = plan
  variables {
    function_s3_key = null
  }
  expect_failures = [var.function_s3_key]
}

run "values_that_make_no_sense" {
  command = plan
  variables {
    name                    = "Life_Guard"
    architecture            = "arm"
    memory_size             = 64
    timeout                 = 1000
    reserved_concurrency    = 0
    log_level               = "LOUD"
    metric_name             = "CPU Utilization"
    recovery_script_path    = "restart.sh"
    notification_subject    = "line\nbreak"
    service                 = "nginx; reboot"
    invocable_function_arns = ["other"]
    sweep_schedule          = "every five minutes"
    log_group_name          = "/aws/lambda/lifeguard"
    log_retention_days      = 15
    agent                   = "datadog"
    instance_ids            = ["web-1"]
    cpu_threshold           = 101
    memory_threshold        = 0
    disk_threshold          = -1
    network_threshold       = 0
    notification_emails     = ["ops"]
    notification_urls       = ["http://example.com/"]
    slack_workspace_id      = "T0000000000"
    extra_environment       = { "a-b" = "c" }
    vpc_subnet_ids          = ["subnet-0123456789abcdef0"]
  }
  expect_failures = [
    var.name, var.architecture, var.memory_size, var.timeout, var.reserved_concurrency,
    var.log_level, var.metric_name, var.recovery_script_path, var.notification_subject,
    var.service, var.invocable_function_arns, var.sweep_schedule, var.log_group_name,
    var.log_retention_days, var.agent, var.instance_ids, var.cpu_threshold,
    var.memory_threshold, var.disk_threshold, var.network_threshold, var.notification_emails,
    var.notification_urls, var.slack_channel_id, var.extra_environment,
    var.vpc_security_group_ids,
  ]
}

run "an_agent_without_its_package" {
  command = plan
  variables {
    agent = "lifeguard"
  }
  expect_failures = [var.agent_s3_bucket, var.agent_s3_key, var.agent_package_checksum]
}

run "a_topic_that_is_none" {
  command = plan
  variables {
    alarm_topic_arn = "others"
  }
  expect_failures = [var.alarm_topic_arn]
}

run "a_loop_through_its_own_topic" {
  command = plan
  variables {
    alarm_topic_arn = "arn:aws:sns:eu-west-1:123456789012:lifeguard-alerts"
  }
  expect_failures = [var.alarm_topic_arn]
}
