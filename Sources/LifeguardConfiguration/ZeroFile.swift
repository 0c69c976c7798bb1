import LifeguardCore

/// What the environment variables of the zero-file use say: one rule, its notification and its
/// recovery, without any file.
public struct ZeroFile: Hashable, Sendable {
  /// `METRIC_NAME_TO_MONITOR`.
  public var metric = "CPUUtilization"
  /// `ALARM_THRESHOLD_<METRIC>`, else `ALARM_THRESHOLD_CPU`: a value at or above it breaches.
  public var threshold = 80.0
  /// `RECOVERY_SCRIPT_PATH`.
  public var script = "/opt/restart_service.sh"
  /// Whether the script was named; on a host nothing acts unless it was.
  public var namesScript = false
  /// `SNS_TOPIC_ARN`.
  public var topicARN: String?
  /// `LOG_GROUP_NAME`.
  public var logGroup = "ServerMetricsLogGroup"
  /// `NOTIFICATION_SUBJECT`.
  public var subject = "[Warning] High Server Metric Alert"
  /// `NOTIFICATION_MESSAGE_PREFIX`.
  public var prefix = "Server Metric Alert: "

  public init() {}

  /// Reads the variables.
  ///
  /// - Parameter takesAnyKey: whether the metric may be any key of a log line, as for the function;
  ///   on a host only series have values, and their names are of one form.
  /// - Returns: nil when none of those that ask for something is set, and what is wrong with those
  ///   that are.
  public static func read(
    _ environment: (_ name: String) -> String?, takesAnyKey: Bool = false
  ) -> (settings: ZeroFile?, problems: [ConfigurationProblem]) {
    var settings = ZeroFile()
    var problems: [ConfigurationProblem] = []
    func report(_ message: String) {
      problems.append(ConfigurationProblem(location: nil, message: message))
    }
    var asks = false
    func value(_ name: String) -> String? {
      guard let value = environment(name) else { return nil }
      asks = true
      return value
    }
    if let metric = value("METRIC_NAME_TO_MONITOR") {
      // A dotted path into nested objects; series have no dots in their names.
      settings.metric =
        takesAnyKey ? key(metric) : String(metric.map { $0 == "." ? "_" : $0 })
      if takesAnyKey ? metric.isEmpty : !isMetricName(settings.metric) {
        report(
          "METRIC_NAME_TO_MONITOR: \(quoted(metric)) is not a metric name; write CPUUtilization")
      }
    }
    let own = "ALARM_THRESHOLD_\(settings.metric.uppercased())"
    for name in own == "ALARM_THRESHOLD_CPU" ? [own] : ["ALARM_THRESHOLD_CPU", own] {
      guard let text = value(name) else { continue }
      guard let number = Double(text.trimmed), number.isFinite else {
        report("\(name): the threshold \(quoted(text)) is not a number; write 80")
        continue
      }
      settings.threshold = number
    }
    if let script = value("RECOVERY_SCRIPT_PATH") {
      settings.script = script
      settings.namesScript = true
      if !script.hasPrefix("/") {
        report("RECOVERY_SCRIPT_PATH: \(quoted(script)) is not an absolute path")
      }
    }
    if let topic = value("SNS_TOPIC_ARN") {
      settings.topicARN = topic
      if !LoadSession.isTopic(topic) {
        report(
          "SNS_TOPIC_ARN: \(quoted(topic)) is not the ARN of a topic; write"
            + " arn:aws:sns:REGION:ACCOUNT:NAME")
      }
    }
    // These alone say how to tell, and ask for nothing.
    if let group = environment("LOG_GROUP_NAME") {
      settings.logGroup = group
      if group.isEmpty { report("LOG_GROUP_NAME is empty; unset it or write a log group's name") }
    }
    settings.subject = environment("NOTIFICATION_SUBJECT") ?? settings.subject
    settings.prefix = environment("NOTIFICATION_MESSAGE_PREFIX") ?? settings.prefix
    return (asks ? settings : nil, problems)
  }

  /// A key as the function reads it: every byte that cannot stand in a series' name is `_`.
  private static func key(_ text: String) -> String {
    let bytes = text.utf8.map { byte -> UInt8 in
      switch byte {
      case 0x30...0x3A, 0x41...0x5A, 0x61...0x7A: byte
      default: UInt8(ascii: "_")
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The rule's selector; a name that begins with a digit is none of the language's words.
  var selector: String {
    metric.first?.isNumber == true ? "{__name__=\"\(metric)\"}" : metric
  }

  /// The Prometheus data model's classic form, `[a-zA-Z_:][a-zA-Z0-9_:]*`.
  private static func isMetricName(_ text: String) -> Bool {
    guard let first = text.first, !(first.isASCII && first.isNumber) else { return false }
    return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_:".contains($0)) }
  }
}

extension LoadSession {
  /// Makes the configuration of the zero-file use; without variables everything stays as it is.
  func readZeroFile() {
    let (found, problems) = ZeroFile.read(
      loader.environment, takesAnyKey: loader.isFunction)
    for problem in problems { log.error(nil, problem.message) }
    guard problems.isEmpty, let settings = found ?? (loader.isFunction ? ZeroFile() : nil)
    else { return }
    configuration.zeroFile = settings
    do {
      try addZeroFile(settings)
    } catch {
      log.error(nil, "METRIC_NAME_TO_MONITOR: \(printable(error.message))")
    }
  }

  private func addZeroFile(_ settings: ZeroFile) throws(ParseError) {
    let threshold = ZeroFile.text(settings.threshold)
    var rule = AlertRule(
      name: "\(settings.metric)High",
      expression: try Query(parsing: "\(settings.selector) >= \(threshold)"),
      // Three samples a second apart are two seconds of trouble; a spike is none. A function is
      // handed minutes, and acts on the first.
      samples: loader.isFunction ? nil : SampleWindow(needed: 3, window: 3), origin: .inline)
    if let severity = template("warning") { rule.labels["severity"] = severity }
    if let summary = template(
      "\(settings.metric) of {{ $labels.instance }} is {{ $value }}, threshold \(threshold)")
    {
      rule.annotations["summary"] = summary
    }
    if loader.isFunction {
      configuration.mode = .auto
      configuration.plans[ZeroFile.planName] = functionPlan(settings)
      rule.recovery = .plan(ZeroFile.planName)
    } else if settings.namesScript {
      configuration.mode = .auto
      let location = SourceLocation(file: "RECOVERY_SCRIPT_PATH", line: 1, column: 1)
      let path = program(settings.script, at: location)
      let plan = Plan(
        name: ZeroFile.planName, target: template("host"),
        steps: [.run(Command(arguments: [path])), .page(receiver: nil)])
      configuration.plans[plan.name] = plan
      rule.recovery = .plan(plan.name)
    }
    configuration.rules = [rule]
    guard let topic = settings.topicARN else { return }
    if !loader.supportsSNS {
      log.warning(
        nil, "SNS_TOPIC_ARN needs the AWS build; this one sends nothing to Amazon SNS")
    }
    let templates = MessageTemplates(
      subject: template(settings.subject), prefix: settings.prefix)
    configuration.receivers["sns"] = Receiver(
      name: "sns", channels: [.sns(SNSChannel(topicARN: topic, templates: templates))])
    configuration.routes = [Route(matchers: [], receivers: ["sns", "log"])]
  }

  /// One use of the script for each server, verified by the values that come after it.
  private func functionPlan(_ settings: ZeroFile) -> Plan {
    Plan(
      name: ZeroFile.planName, target: template("instance:{{ $labels.instance }}"),
      steps: [
        .run(Command(arguments: [settings.script], timeout: ZeroFile.functionScriptTimeout)),
        .page(receiver: nil),
      ],
      verify: VerificationPolicy(
        settle: .zero, hold: .seconds(60), deadline: .seconds(600)))
  }

  private func template(_ text: String) -> Template? {
    do {
      return try Template(parsing: text)
    } catch {
      log.error(nil, "NOTIFICATION_SUBJECT: \(printable(error.message))")
      return nil
    }
  }
}

extension ZeroFile {
  /// What the plan of the zero-file use is called.
  public static let planName = "zero-file"
  /// The original function's limit for its script.
  static let functionScriptTimeout: Duration = .seconds(15)

  /// A number as PromQL reads it, without `.0`.
  static func text(_ number: Double) -> String {
    number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : String(number)
  }
}
