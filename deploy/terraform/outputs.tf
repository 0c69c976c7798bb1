output "function_name" {
  description = "The function."
  value       = aws_lambda_function.lifeguard.function_name
}

output "function_arn" {
  description = "For alarms of your own: name them `NAME-server-…`, so that they may invoke it."
  value       = aws_lambda_function.lifeguard.arn
}

output "function_role_arn" {
  description = "The function's role."
  value       = aws_iam_role.function.arn
}

output "topic_arn" {
  description = "The topic that notifications go to."
  value       = aws_sns_topic.alerts.arn
}

output "table_name" {
  description = "The state table."
  value       = aws_dynamodb_table.state.name
}

output "failure_queue_url" {
  description = "The queue of events that were given up."
  value       = aws_sqs_queue.failures.url
}

output "log_group_name" {
  description = "The group that servers write their metrics into."
  value       = aws_cloudwatch_log_group.servers.name
}

output "instance_profile_name" {
  description = "The instance profile for servers."
  value       = aws_iam_instance_profile.server.name
}

output "restart_document_name" {
  description = "The document that restarts a service; its parameter is `service`."
  value       = aws_ssm_document.restart_service.name
}

output "script_document_name" {
  description = "The document that runs a script from /opt/lifeguard/recovery; its parameters are `script`, `argument` and `seconds`."
  value       = aws_ssm_document.run_script.name
}

output "recovery_tag" {
  description = "Servers and Auto Scaling groups that carry this tag may be acted on; others never are."
  value       = "${local.recovery_tag_key}=${local.recovery_tag_value}"
}

output "dashboard_name" {
  description = "The dashboard."
  value       = aws_cloudwatch_dashboard.lifeguard.dashboard_name
}
