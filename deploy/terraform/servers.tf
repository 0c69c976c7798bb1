# What can be run on a server. Parameters are matched against a pattern by Systems Manager before a
# command is sent, and stand in quotes in the scripts.

resource "aws_ssm_document" "restart_service" {
  name            = "${var.name}-restart-service"
  document_type   = "Command"
  document_format = "JSON"
  target_type     = "/AWS::EC2::Instance"
  content         = file("${path.module}/../ssm/restart-service.json")
  tags            = local.tags
}

resource "aws_ssm_document" "run_script" {
  name            = "${var.name}-run-script"
  document_type   = "Command"
  document_format = "JSON"
  target_type     = "/AWS::EC2::Instance"
  content         = file("${path.module}/../ssm/run-script.json")
  tags            = local.tags
}

# ---- the agent, on every server that carries the tag --------------------------------------------

resource "aws_ssm_document" "install_agent" {
  count = var.agent == "none" ? 0 : 1

  name            = "${var.name}-install-agent"
  document_type   = "Command"
  document_format = "JSON"
  target_type     = "/AWS::EC2::Instance"
  content         = file("${path.module}/../ssm/install-${var.agent == "lifeguard" ? "lifeguard" : "cloudwatch-agent"}.json")
  tags            = local.tags
}

# The name must begin with AmazonCloudWatch-: Amazon's own policies allow no other.
resource "aws_ssm_parameter" "agent" {
  count = var.agent == "cloudwatch" ? 1 : 0

  name        = "AmazonCloudWatch-${var.name}"
  description = "Configuration of Amazon's CloudWatch agent on the servers of ${var.name}."
  type        = "String"
  value = jsonencode(jsondecode(replace(
    file("${path.module}/../cloudwatch-agent/amazon-cloudwatch-agent.json"), "ServerMetricsLogGroup", var.log_group_name
  )))
  tags = local.tags
}

resource "aws_ssm_association" "install_agent" {
  count = var.agent == "none" ? 0 : 1

  association_name    = "${var.name}-install-agent"
  name                = aws_ssm_document.install_agent[0].name
  document_version    = "$LATEST"
  schedule_expression = "rate(1 day)"
  max_concurrency     = "10%"
  max_errors          = "10%"
  compliance_severity = "MEDIUM"

  parameters = var.agent == "lifeguard" ? {
    package       = "https://${var.agent_s3_bucket}.s3.${local.region}.${data.aws_partition.current.dns_suffix}/${var.agent_s3_key}"
    checksum      = var.agent_package_checksum
    configuration = base64encode(var.agent_configuration)
    } : {
    configuration = aws_ssm_parameter.agent[0].name
  }

  targets {
    key    = "tag:${local.recovery_tag_key}"
    values = [local.recovery_tag_value]
  }
}
