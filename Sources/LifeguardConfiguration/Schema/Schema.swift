/// Every key that a configuration may hold, in one place: the loader refuses what is not here,
/// suggestions come from here, and the reference is compared with it.
enum Schema {
  /// One kind of mapping: what the reference calls it, and its keys in the reference's order.
  struct Section: Sendable {
    var path: String
    var keys: [String]

    init(_ path: String, _ keys: String...) {
      self.path = path
      self.keys = keys
    }
  }

  static let root = Section(
    "lifeguard.yaml",
    "mode", "interval", "evaluation_interval", "listen", "external_labels", "data_dir",
    "default_rules", "services", "rules", "rule_files", "recoveries", "plans", "notify", "http",
    "collect", "remote_write", "aws", "guard_rails")

  static let service = Section(
    "services[]",
    "name", "unit", "pidfile", "process", "command", "user", "working_directory", "environment",
    "probe", "config_test", "depends_on", "recover", "mode", "labels")
  static let serviceProcess = Section("services[].process", "exe", "user")
  static let probe = Section(
    "services[].probe",
    "http", "status", "body", "tcp", "exec", "interval", "timeout", "failures")

  static let rule = Section(
    "rules[]",
    "alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations", "clear",
    "samples", "alarm", "on_no_data", "mode", "recover")
  static let alarm = Section(
    "rules[].alarm", "period", "statistic", "datapoints", "missing")

  static let ruleFile = Section("rule file", "groups")
  static let ruleGroup = Section(
    "groups[]", "name", "interval", "query_offset", "limit", "labels", "rules")
  static let fileRule = Section(
    "groups[].rules[]",
    "record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations")

  static let recovery = Section("recoveries[]", "matchers", "plan")

  static let plan = Section(
    "plans.NAME",
    "target", "steps", "verify", "limit", "cooldown", "mode", "accept_origin", "required_mounts")
  static let verify = Section("plans.NAME.verify", "expr", "settle", "hold", "deadline")
  static let step = Section(
    "plans.NAME.steps[]",
    "run", "reload", "nudge", "start", "stop", "restart", "stop_clean_start", "signal", "http",
    "ssm", "ec2", "autoscaling", "lambda", "page")
  static let run = Section(
    "plans.NAME.steps[].run",
    "command", "script", "user", "working_directory", "environment", "timeout", "disruptive")
  static let signal = Section("plans.NAME.steps[].signal", "name")
  static let httpStep = Section(
    "plans.NAME.steps[].http", "url", "method", "headers", "body", "timeout", "disruptive")
  static let ssmStep = Section(
    "plans.NAME.steps[].ssm", "document", "parameters", "commands", "timeout", "disruptive")
  static let ec2Step = Section("plans.NAME.steps[].ec2", "action", "force", "timeout")
  static let autoscalingStep = Section(
    "plans.NAME.steps[].autoscaling",
    "action", "group", "by", "minimum", "maximum", "minimum_healthy", "timeout")
  static let lambdaStep = Section(
    "plans.NAME.steps[].lambda", "function", "wait", "timeout", "disruptive")
  static let page = Section("plans.NAME.steps[].page", "receiver")

  static let notify = Section("notify", "receivers", "routes")
  static let receiver = Section(
    "notify.receivers.NAME",
    "log", "webhook", "slack", "email", "alertmanager", "sns", "cap")
  static let webhook = Section(
    "notify.receivers.NAME.webhook", "url", "headers", "subject", "prefix", "text")
  static let slack = Section(
    "notify.receivers.NAME.slack", "webhook", "subject", "prefix", "text")
  static let email = Section(
    "notify.receivers.NAME.email",
    "to", "from", "smtp", "username", "password", "certificate_authority", "subject", "prefix",
    "text")
  static let alertmanager = Section("notify.receivers.NAME.alertmanager", "url")
  static let sns = Section(
    "notify.receivers.NAME.sns", "topic_arn", "subject", "prefix", "text")
  static let route = Section("notify.routes[]", "matchers", "to", "repeat", "continue")

  static let http = Section(
    "http", "anonymous_read", "tls", "users", "cors", "allowed_hosts", "remote_write", "query")
  static let httpUser = Section("http.users[]", "username", "password", "may")
  static let httpQuery = Section(
    "http.query", "concurrency", "timeout", "samples_max", "points_max", "lookback")
  static let tls = Section("http.tls", "certificate", "key")

  static let collect = Section(
    "collect",
    "disabled", "intervals", "process_groups", "scrape", "series_max", "memory_retention",
    "disk_retention", "minute_retention", "hour_retention", "disk_max")
  static let processGroup = Section("collect.process_groups[]", "name", "exe", "user")

  static let scrape = Section(
    "collect.scrape[]",
    "job", "targets", "interval", "timeout", "scheme", "metrics_path", "params", "labels",
    "honor_labels", "honor_timestamps", "basic_auth", "bearer_token", "tls_config",
    "relabel_configs", "metric_relabel_configs", "sample_limit", "body_size_limit", "label_limit",
    "label_name_length_limit", "label_value_length_limit", "fallback_scrape_protocol")
  static let relabel = Section(
    "relabel_configs[]",
    "source_labels", "separator", "regex", "modulus", "target_label", "replacement", "action")
  static let basicAuth = Section("basic_auth", "username", "password")
  static let tlsClient = Section("tls_config", "ca_file", "insecure_skip_verify")

  static let remoteWrite = Section(
    "remote_write[]",
    "url", "name", "headers", "basic_auth", "bearer_token", "tls_config", "remote_timeout",
    "write_relabel_configs", "queue_config", "spool_max")
  static let remoteWriteQueue = Section(
    "remote_write[].queue_config",
    "capacity", "max_samples_per_send", "batch_send_deadline", "min_backoff", "max_backoff",
    "retry_on_http_429")

  static let aws = Section("aws", "cloudwatch", "logs", "termination")
  static let cloudWatch = Section(
    "aws.cloudwatch",
    "namespace", "resolution", "send_every", "metrics", "dimensions", "spool")
  static let cloudMetric = Section(
    "aws.cloudwatch.metrics[]", "series", "name", "unit", "per", "fold")
  static let cloudLogs = Section("aws.logs", "group", "stream", "format", "every")
  static let termination = Section("aws.termination", "watch", "plan")

  static let guardRails = Section(
    "guard_rails",
    "cooldown", "cooldown_cap", "cooldown_halving", "target_budget", "action_budget",
    "reboot_budget", "reboot_day_budget", "breaker_passes", "breaker_open", "breaker_open_cap",
    "position_kept", "minimum_uptime", "minimum_free_bytes", "targets_max", "pressure_some",
    "pressure_full", "pressure_timeout_factor", "approval_expiry", "startup_evaluations")

  /// A rule file with the keys that only the default pack may use.
  static let pack = Section("rule pack", "groups", "recoveries", "plans")
  static let packRule = Section(
    "rule pack rule",
    "record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations", "clear",
    "samples", "on_no_data")

  /// What the reference documents: all that a user can write.
  static let documented = [
    root, service, serviceProcess, probe, rule, alarm, ruleGroup, fileRule, recovery, plan, verify,
    step,
    run, signal, httpStep, ssmStep, ec2Step, autoscalingStep, lambdaStep, page, notify, receiver,
    webhook, slack, email, alertmanager, sns, route, http, httpUser, httpQuery, tls, collect,
    processGroup, scrape, relabel, basicAuth, tlsClient, remoteWrite, remoteWriteQueue, aws,
    cloudWatch, cloudMetric, cloudLogs, termination, guardRails,
  ]
}

/// The keys that the loader knows, for whoever compares them with a document.
public enum ConfigurationReference {
  /// The path of each kind of mapping, such as `services[].probe`, and its keys.
  public static var sections: [(path: String, keys: [String])] {
    Schema.documented.map { ($0.path, $0.keys) }
  }
}
