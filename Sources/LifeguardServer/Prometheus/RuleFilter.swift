import LifeguardAgent
import LifeguardCore

/// The filters of `/api/v1/rules`.
struct RuleFilter {
  private let kind: String?
  private let names: Set<String>
  private let groups: Set<String>
  private let files: Set<String>
  /// One of them must hold for the labels that the rule was given; templates count as written.
  private let selectors: [[Matcher]]
  let excludesAlerts: Bool

  init(_ call: PrometheusCall) throws(APIFailure) {
    switch call.form.text("type").lowercased() {
    case "": kind = nil
    case "alert": kind = "alerting"
    case "record": kind = "recording"
    case let other:
      throw .invalid("type", "not supported value \(PrometheusCall.quoted(other))")
    }
    names = Set(call.form.texts("rule_name[]"))
    groups = Set(call.form.texts("rule_group[]"))
    files = Set(call.form.texts("file[]"))
    selectors = try call.selectors()
    // The words of Go's strconv.ParseBool.
    switch call.form.text("exclude_alerts") {
    case "", "0", "f", "F", "false", "FALSE", "False": excludesAlerts = false
    case "1", "t", "T", "true", "TRUE", "True": excludesAlerts = true
    case let other:
      throw .invalid(
        "exclude_alerts",
        "error converting exclude_alerts: strconv.ParseBool: parsing "
          + "\(PrometheusCall.quoted(other)): invalid syntax")
    }
  }

  var choosesRules: Bool { kind != nil || !names.isEmpty || !selectors.isEmpty }

  func takes(_ group: RuleGroupReport) -> Bool {
    (groups.isEmpty || groups.contains(group.name)) && (files.isEmpty || files.contains(group.file))
  }

  func takes(_ rule: RuleReport) -> Bool {
    (kind == nil || kind == rule.kind) && (names.isEmpty || names.contains(rule.name))
      && (selectors.isEmpty || selectors.contains { $0.allSatisfy { $0.matches(rule.labels) } })
  }
}
