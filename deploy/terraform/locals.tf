data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name

  tags = merge({ Project = var.name }, var.tags)

  # Only what carries this tag is ever acted on; the roles hold it, not the function.
  recovery_tag_key   = "AutoRecovery"
  recovery_tag_value = "enabled"

  # What functions and servers may publish metrics as.
  namespace       = "Lifeguard"
  agent_namespace = "CWAgent"

  has_configuration = var.configuration != "" || var.service != ""
  configuration = var.configuration != "" ? var.configuration : templatefile("${path.module}/lifeguard.yaml.tftpl", {
    name      = var.name
    metric    = var.metric_name
    threshold = local.metric_threshold
    document  = aws_ssm_document.restart_service.name
    service   = var.service
    topic     = aws_sns_topic.alerts.arn
    subject   = var.notification_subject
    prefix    = var.notification_message_prefix
  })

  # What the sweep looks at beside the alarms that invoke the function.
  other_alarms = compact([var.alarm_event_prefix, var.alarm_topic_arn])

  metric_threshold = coalesce(var.metric_threshold, var.cpu_threshold)
  uses_slack       = var.slack_workspace_id != ""
  uses_vpc         = length(var.vpc_subnet_ids) > 0
}
