# Servers write JSON lines here: {"CPUUtilization": 91.2}, one stream a server, named by its id.
resource "aws_cloudwatch_log_group" "servers" {
  name              = var.log_group_name
  retention_in_days = var.log_retention_days
  tags              = local.tags
}

resource "aws_cloudwatch_log_subscription_filter" "lifeguard" {
  name            = var.name
  log_group_name  = aws_cloudwatch_log_group.servers.name
  filter_pattern  = var.subscription_filter_pattern
  destination_arn = aws_lambda_function.lifeguard.arn

  depends_on = [aws_lambda_permission.logs]
}

# The same lines as metrics without a dimension: their maximum is the worst server's value.
resource "aws_cloudwatch_log_metric_filter" "fleet" {
  for_each = toset(["CPUUtilization", "MemoryUtilization", "DiskUtilization", "NetworkIn", "NetworkOut"])

  name           = "${var.name}-${each.key}"
  log_group_name = aws_cloudwatch_log_group.servers.name
  pattern        = "{ $.${each.key} = * }"

  metric_transformation {
    namespace = "${local.namespace}/Fleet"
    name      = each.key
    value     = "$.${each.key}"
  }
}
