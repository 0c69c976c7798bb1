# ---- what everything is called ------------------------------------------------------------------

variable "name" {
  description = "Prefix of every name: function, topic, table, queue, alarms, documents, roles."
  type        = string
  default     = "lifeguard"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,23}$", var.name))
    error_message = "name: write 2 to 24 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "tags" {
  description = "Tags of every resource, beside `Project`."
  type        = map(string)
  default     = {}
}

# ---- the function -------------------------------------------------------------------------------

variable "function_zip" {
  description = "Path of the function's zip, as `make package` writes it; or use `function_s3_bucket`."
  type        = string
  default     = null

  validation {
    condition     = (var.function_zip == null) != (var.function_s3_bucket == null)
    error_message = "function_zip: name either function_zip or function_s3_bucket with function_s3_key."
  }

  validation {
    condition     = var.function_zip == null ? true : fileexists(var.function_zip)
    error_message = "function_zip: there is no such file; make it with `make package`."
  }
}

variable "function_s3_bucket" {
  description = "Bucket of the function's zip, instead of `function_zip`."
  type        = string
  default     = null
}

variable "function_s3_key" {
  description = "Key of the function's zip in `function_s3_bucket`."
  type        = string
  default     = null

  validation {
    condition     = (var.function_s3_bucket == null) == (var.function_s3_key == null)
    error_message = "function_s3_key: name the bucket and the key, or neither."
  }
}

variable "layer_zip" {
  description = "Path of a zip with recovery scripts that run inside the function, below /opt."
  type        = string
  default     = null

  validation {
    condition     = var.layer_zip == null ? true : fileexists(var.layer_zip)
    error_message = "layer_zip: there is no such file; make it with `make package`."
  }
}

variable "architecture" {
  description = "Processor that the zip was built for: `x86_64` or `arm64`."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture: choose x86_64 or arm64."
  }
}

variable "memory_size" {
  description = "Memory of the function in MB; processor time grows with it."
  type        = number
  default     = 128

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240 && floor(var.memory_size) == var.memory_size
    error_message = "memory_size: write a whole number of MB from 128 to 10240."
  }
}

variable "timeout" {
  description = "Seconds that one invocation may take; a step that takes longer is given up, and `stop_start` needs 92."
  type        = number
  default     = 180

  validation {
    condition     = var.timeout >= 10 && var.timeout <= 900 && floor(var.timeout) == var.timeout
    error_message = "timeout: write a whole number of seconds from 10 to 900."
  }
}

variable "reserved_concurrency" {
  description = "Most invocations at the same time; -1 reserves none, which new accounts need (their quota is 10)."
  type        = number
  default     = -1

  validation {
    condition     = var.reserved_concurrency == -1 || (var.reserved_concurrency >= 1 && var.reserved_concurrency <= 100)
    error_message = "reserved_concurrency: write 1 to 100, or -1 for none; 0 would send every event to the failure queue."
  }
}

variable "vpc_subnet_ids" {
  description = "Subnets for a function inside a VPC; they need a way to the AWS APIs (NAT or endpoints)."
  type        = list(string)
  default     = []
}

variable "vpc_security_group_ids" {
  description = "Security groups for a function inside a VPC."
  type        = list(string)
  default     = []

  validation {
    condition     = (length(var.vpc_subnet_ids) == 0) == (length(var.vpc_security_group_ids) == 0)
    error_message = "vpc_security_group_ids: name subnets and security groups, or neither."
  }
}

variable "log_level" {
  description = "Least level of the function's log lines: `DEBUG`, `INFO`, `WARN` or `ERROR`."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARN", "ERROR"], var.log_level)
    error_message = "log_level: choose DEBUG, INFO, WARN or ERROR."
  }
}

variable "extra_environment" {
  description = "More environment variables of the function, such as `ALARM_THRESHOLD_MEMORYUTILIZATION`."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.extra_environment) : can(regex("^[A-Z][A-Z0-9_]*$", name))])
    error_message = "extra_environment: names are upper-case letters, digits and underscores."
  }
}

# ---- what it watches, and what it does ----------------------------------------------------------

variable "metric_name" {
  description = "`METRIC_NAME_TO_MONITOR`: the key of a JSON log line whose value is compared."
  type        = string
  default     = "CPUUtilization"

  validation {
    condition     = can(regex("^[A-Za-z_][A-Za-z0-9_.]{0,254}$", var.metric_name))
    error_message = "metric_name: write a metric's name, such as CPUUtilization."
  }
}

variable "metric_threshold" {
  description = "`ALARM_THRESHOLD_CPU`: a value of the metric at or above it breaches; `cpu_threshold` when null."
  type        = number
  default     = null
}

variable "recovery_script_path" {
  description = "`RECOVERY_SCRIPT_PATH`: a script in a layer that the function runs inside itself."
  type        = string
  default     = "/opt/restart_service.sh"

  validation {
    condition     = startswith(var.recovery_script_path, "/")
    error_message = "recovery_script_path: write an absolute path; what a layer holds is below /opt."
  }
}

variable "notification_subject" {
  description = "`NOTIFICATION_SUBJECT`: subject of notifications."
  type        = string
  default     = "[Warning] High Server Metric Alert"

  validation {
    condition     = length(var.notification_subject) <= 100 && can(regex("^[ -&(-~]+$", var.notification_subject))
    error_message = "notification_subject: at most 100 printable ASCII characters (a rule of SNS), without an apostrophe."
  }
}

variable "notification_message_prefix" {
  description = "`NOTIFICATION_MESSAGE_PREFIX`: how messages begin."
  type        = string
  default     = "Server Metric Alert: "

  validation {
    condition     = can(regex("^[ -&(-~]{0,200}$", var.notification_message_prefix))
    error_message = "notification_message_prefix: at most 200 printable ASCII characters, without an apostrophe."
  }
}

variable "service" {
  description = "systemd unit that a server in trouble restarts through SSM; empty: people are told, nothing is restarted."
  type        = string
  default     = ""

  validation {
    condition     = var.service == "" || can(regex("^[A-Za-z0-9][A-Za-z0-9@._-]{0,63}$", var.service))
    error_message = "service: write the name of a systemd unit, such as nginx.service."
  }
}

variable "configuration" {
  description = "A whole lifeguard.yaml for the function, instead of the one made from `service`."
  type        = string
  default     = ""

  validation {
    condition     = length(var.configuration) <= 8192
    error_message = "configuration: at most 8192 characters fit into a parameter; use a layer and extra_environment.LIFEGUARD_CONFIG."
  }
}

variable "allow_run_shell_script" {
  description = "Whether the function may send any shell command to tagged servers (`AWS-RunShellScript`), beside the documents of this module."
  type        = bool
  default     = false
}

variable "invocable_function_arns" {
  description = "Other functions that a recovery plan may invoke."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.invocable_function_arns : can(regex("^arn:[^:]+:lambda:[^:]+:[0-9]{12}:function:", arn))])
    error_message = "invocable_function_arns: write ARNs, arn:aws:lambda:REGION:ACCOUNT:function:NAME."
  }
}

variable "sweep_schedule" {
  description = "How often the function looks for alarms that stay in ALARM, verifies steps and takes the next ones."
  type        = string
  default     = "rate(1 minute)"

  validation {
    condition     = can(regex("^(rate|cron)\\(.+\\)$", var.sweep_schedule))
    error_message = "sweep_schedule: write an EventBridge schedule, such as rate(1 minute)."
  }
}

# ---- servers ------------------------------------------------------------------------------------

variable "log_group_name" {
  description = "`LOG_GROUP_NAME`: the group that servers write their metrics into as JSON lines."
  type        = string
  default     = "ServerMetricsLogGroup"

  validation {
    condition     = can(regex("^[A-Za-z0-9._/#-]{1,512}$", var.log_group_name)) && !startswith(var.log_group_name, "/aws/lambda/")
    error_message = "log_group_name: letters, digits and . _ / # -; not below /aws/lambda/, where the function would read its own log."
  }
}

variable "log_retention_days" {
  description = "Days that both log groups keep their events."
  type        = number
  default     = 14

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days: CloudWatch Logs keeps 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}

variable "subscription_filter_pattern" {
  description = "Which log events reach the function; empty: all, which rules with a window or hysteresis need."
  type        = string
  default     = ""
}

variable "agent" {
  description = "What is installed on tagged servers: `cloudwatch` (Amazon's agent), `lifeguard`, or `none`."
  type        = string
  default     = "cloudwatch"

  validation {
    condition     = contains(["cloudwatch", "lifeguard", "none"], var.agent)
    error_message = "agent: choose cloudwatch, lifeguard or none."
  }
}

variable "agent_s3_bucket" {
  description = "For `agent = \"lifeguard\"`: bucket of the agent's package, in this region."
  type        = string
  default     = ""

  validation {
    condition     = var.agent != "lifeguard" || can(regex("^[a-z0-9.-]{3,63}$", var.agent_s3_bucket))
    error_message = "agent_s3_bucket: agent = \"lifeguard\" needs the bucket that holds its package."
  }
}

variable "agent_s3_key" {
  description = "For `agent = \"lifeguard\"`: key of lifeguard-VERSION-ARCH.tar.gz in that bucket."
  type        = string
  default     = ""

  validation {
    condition     = var.agent != "lifeguard" || can(regex("^[A-Za-z0-9._/-]{1,512}\\.tar\\.gz$", var.agent_s3_key))
    error_message = "agent_s3_key: agent = \"lifeguard\" needs the key of its package, which ends with .tar.gz."
  }
}

variable "agent_package_checksum" {
  description = "For `agent = \"lifeguard\"`: the package's SHA-256, as in its .sha256 file."
  type        = string
  default     = ""

  validation {
    condition     = var.agent != "lifeguard" || can(regex("^[0-9a-f]{64}$", var.agent_package_checksum))
    error_message = "agent_package_checksum: agent = \"lifeguard\" needs the checksum of its package: 64 hexadecimal digits in lower case."
  }
}

variable "agent_configuration" {
  description = "For `agent = \"lifeguard\"`: lifeguard.yaml of the servers; empty leaves theirs alone, and a server without one gets one that publishes its metrics."
  type        = string
  default     = ""

  validation {
    condition     = length(var.agent_configuration) <= 6000
    error_message = "agent_configuration: at most 6000 characters; put more into rule files on the servers."
  }
}

variable "instance_ids" {
  description = "Servers that get alarms of their own, which invoke the function."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.instance_ids : can(regex("^i-[0-9a-f]{8,17}$", id))])
    error_message = "instance_ids: write ids of EC2 instances, such as i-0123456789abcdef0."
  }
}

variable "detailed_monitoring" {
  description = "Whether the instances report to AWS/EC2 each minute; otherwise each five minutes."
  type        = bool
  default     = false
}

variable "cpu_threshold" {
  description = "Percent of CPU at or above which an alarm fires."
  type        = number
  default     = 80

  validation {
    condition     = var.cpu_threshold > 0 && var.cpu_threshold <= 100
    error_message = "cpu_threshold: write percent, above 0 and at most 100."
  }
}

variable "memory_threshold" {
  description = "Percent of memory in use at or above which an alarm fires."
  type        = number
  default     = 90

  validation {
    condition     = var.memory_threshold > 0 && var.memory_threshold <= 100
    error_message = "memory_threshold: write percent, above 0 and at most 100."
  }
}

variable "disk_threshold" {
  description = "Percent of the fullest file system at or above which an alarm fires."
  type        = number
  default     = 90

  validation {
    condition     = var.disk_threshold > 0 && var.disk_threshold <= 100
    error_message = "disk_threshold: write percent, above 0 and at most 100."
  }
}

variable "network_threshold" {
  description = "Bytes a second, in and out together, at or above which an alarm fires."
  type        = number
  default     = 100000000

  validation {
    condition     = var.network_threshold > 0
    error_message = "network_threshold: write bytes a second, above 0."
  }
}

# ---- people and other sources -------------------------------------------------------------------

variable "notification_emails" {
  description = "Addresses that get notifications; each has to confirm a first message."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.notification_emails : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "notification_emails: write addresses such as ops@example.com."
  }
}

variable "notification_urls" {
  description = "HTTPS endpoints that get notifications; each has to confirm a first message."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for url in var.notification_urls : startswith(url, "https://")])
    error_message = "notification_urls: write addresses that begin with https://."
  }
}

variable "slack_workspace_id" {
  description = "Slack workspace, authorised once for AWS Chatbot (Amazon Q Developer) in the console."
  type        = string
  default     = ""
}

variable "slack_channel_id" {
  description = "Slack channel for notifications."
  type        = string
  default     = ""

  validation {
    condition     = (var.slack_workspace_id == "") == (var.slack_channel_id == "")
    error_message = "slack_channel_id: name the workspace and the channel, or neither."
  }
}

variable "alarms_notify" {
  description = "Whether servers' alarms also go straight to the topic; the function tells people anyway."
  type        = bool
  default     = false
}

variable "alarm_event_prefix" {
  description = "Alarms whose names begin so reach the function through EventBridge; empty: none."
  type        = string
  default     = ""
}

variable "alarm_topic_arn" {
  description = "A topic that other alarms publish to, for the function to listen to; never its own."
  type        = string
  default     = ""

  validation {
    condition     = var.alarm_topic_arn == "" || can(regex("^arn:[^:]+:sns:[^:]+:[0-9]{12}:.+$", var.alarm_topic_arn))
    error_message = "alarm_topic_arn: write an ARN, arn:aws:sns:REGION:ACCOUNT:NAME."
  }

  validation {
    condition     = !endswith(var.alarm_topic_arn, ":${var.name}-alerts")
    error_message = "alarm_topic_arn: the function publishes to this topic; listening to it would make a loop."
  }
}
