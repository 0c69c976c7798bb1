# One `terraform apply`: notifications of servers in trouble, and the restart of a service on them.
#
#   make package
#   cd deploy/terraform/examples/minimal
#   terraform init
#   terraform apply -var email=you@example.com -var service=nginx.service

terraform {
  required_version = ">= 1.9"
}

variable "region" {
  description = "Where everything is made."
  type        = string
  default     = "eu-west-1"
}

variable "email" {
  description = "Who is told; empty: nobody."
  type        = string
  default     = ""
}

variable "service" {
  description = "systemd unit to restart on a server in trouble; empty: none, people are told only."
  type        = string
  default     = ""
}

variable "function_zip" {
  description = "The function's zip; null: the one that `make package` wrote."
  type        = string
  default     = null
}

provider "aws" {
  region = var.region
}

locals {
  packages = sort(fileset("${path.module}/../../../../dist", "lifeguard-lambda-*-x86_64.zip"))
}

module "lifeguard" {
  source = "../.."

  function_zip = coalesce(
    var.function_zip,
    try("${path.module}/../../../../dist/${local.packages[length(local.packages) - 1]}", null),
    "run `make package` first",
  )
  service             = var.service
  notification_emails = var.email == "" ? [] : [var.email]
}

output "lifeguard" {
  description = "Names of what was made."
  value       = module.lifeguard
}
