# Everything switched on: alarms for each tagged server, the Lifeguard agent on them, people told by
# mail, webhook and Slack, other alarms listened to.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 6.0"
    }
  }
}

variable "region" {
  description = "Where everything is made."
  type        = string
  default     = "eu-west-1"
}

variable "artifacts_bucket" {
  description = "Bucket that holds the packages which `make package` wrote."
  type        = string
}

variable "lifeguard_version" {
  description = "Version of the packages in the bucket."
  type        = string
}

variable "agent_package_checksum" {
  description = "SHA-256 of the agent's package, as in its .sha256 file."
  type        = string
}

variable "email" {
  description = "Who is told."
  type        = string
}

variable "webhook" {
  description = "HTTPS address that is told as well; empty: none."
  type        = string
  default     = ""
}

variable "slack_workspace_id" {
  description = "Slack workspace; empty: none."
  type        = string
  default     = ""
}

variable "slack_channel_id" {
  description = "Slack channel; empty: none."
  type        = string
  default     = ""
}

provider "aws" {
  region = var.region
}

# Every server that carries the tag when this is applied; apply again when servers come or go.
data "aws_instances" "tagged" {
  instance_tags        = { AutoRecovery = "enabled" }
  instance_state_names = ["running", "stopped"]
}

module "lifeguard" {
  source = "../.."

  function_s3_bucket   = var.artifacts_bucket
  function_s3_key      = "lifeguard-lambda-${var.lifeguard_version}-aarch64.zip"
  architecture         = "arm64"
  reserved_concurrency = 5

  instance_ids  = toset(data.aws_instances.tagged.ids)
  configuration = file("${path.module}/lifeguard.yaml")

  agent                  = "lifeguard"
  agent_s3_bucket        = var.artifacts_bucket
  agent_s3_key           = "lifeguard-${var.lifeguard_version}-x86_64.tar.gz"
  agent_package_checksum = var.agent_package_checksum
  agent_configuration    = file("${path.module}/agent.yaml")

  notification_emails = [var.email]
  notification_urls   = var.webhook == "" ? [] : [var.webhook]
  slack_workspace_id  = var.slack_workspace_id
  slack_channel_id    = var.slack_channel_id

  alarm_event_prefix = "prod-"
}

output "lifeguard" {
  description = "Names of what was made."
  value       = module.lifeguard
}

output "instances" {
  description = "Servers that have alarms of their own, separated by commas."
  value       = join(",", sort(data.aws_instances.tagged.ids))
}
