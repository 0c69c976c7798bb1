locals {
  dashboard_graphs = [
    {
      title = "Worst server: CPU, memory, disk (percent)"
      stat  = "Maximum"
      lines = [for name in ["CPUUtilization", "MemoryUtilization", "DiskUtilization"] : ["${local.namespace}/Fleet", name]]
    },
    {
      title = "Busiest server: network (bytes a second)"
      stat  = "Maximum"
      lines = [for name in ["NetworkIn", "NetworkOut"] : ["${local.namespace}/Fleet", name]]
    },
    {
      title = "Function: invocations, errors, throttles"
      stat  = "Sum"
      lines = [for name in ["Invocations", "Errors", "Throttles"] : ["AWS/Lambda", name, "FunctionName", var.name]]
    },
    {
      title = "Function: milliseconds"
      stat  = "p95"
      lines = [["AWS/Lambda", "Duration", "FunctionName", var.name], ["AWS/Lambda", "AsyncEventAge", "FunctionName", var.name]]
    },
    {
      title = "Events given up"
      stat  = "Maximum"
      lines = [["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${var.name}-failures"]]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "lifeguard" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    widgets = concat(
      [for index, graph in local.dashboard_graphs : {
        type   = "metric"
        x      = 8 * (index % 3)
        y      = 6 * floor(index / 3)
        width  = 8
        height = 6
        properties = {
          title   = graph.title
          region  = local.region
          view    = "timeSeries"
          period  = 60
          stat    = graph.stat
          metrics = graph.lines
        }
      }],
      [{
        type   = "log"
        x      = 16
        y      = 6
        width  = 8
        height = 6
        properties = {
          title  = "What the function decided"
          region = local.region
          view   = "table"
          query  = "SOURCE '/aws/lambda/${var.name}' | fields @timestamp, level, message | filter ispresent(level) | sort @timestamp desc | limit 50"
        }
      }],
    )
  })
}
