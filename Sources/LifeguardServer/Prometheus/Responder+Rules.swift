import LifeguardAgent
import LifeguardCore

/// `/api/v1/rules`, `/api/v1/alerts`.
extension Responder {
  func alerts() async -> Reply {
    .data(["alerts": .array(await agent.alerts.map(Self.json))])
  }

  func rules(_ call: PrometheusCall) async throws(APIFailure) -> Reply {
    let filter = try RuleFilter(call)
    let groups = await agent.ruleGroups.compactMap { group -> JSON? in
      guard filter.takes(group) else { return nil }
      let rules = group.rules.filter(filter.takes)
      // Without a filter an empty group is shown, as it was written.
      guard !rules.isEmpty || !filter.choosesRules else { return nil }
      return [
        "name": .string(group.name), "file": .string(group.file),
        "rules": .array(rules.map { Self.json($0, withAlerts: !filter.excludesAlerts) }),
        "interval": .number(group.interval.seconds), "limit": .integer(Int64(group.limit)),
        "evaluationTime": .number(group.evaluationDuration.seconds),
        "lastEvaluation": .string(group.lastEvaluation.map(\.text) ?? Self.never),
      ]
    }
    return .data(["groups": .array(groups)])
  }

  private static func json(_ report: RuleReport, withAlerts: Bool) -> JSON {
    var members: [(String, JSON)] = []
    switch report.rule {
    case .alert(let rule):
      members = [
        ("state", .string(report.state)), ("name", .string(rule.name)),
        ("query", .string(rule.expression.text)), ("duration", .number(rule.hold.seconds)),
        ("keepFiringFor", .number(rule.keepFiringFor.seconds)),
        ("labels", json(rule.labels)), ("annotations", json(rule.annotations)),
      ]
      if withAlerts { members.append(("alerts", .array(report.alerts.map(json)))) }
    case .recording(let rule):
      members = [("name", .string(rule.name)), ("query", .string(rule.expression.text))]
      if !rule.labels.isEmpty { members.append(("labels", json(rule.labels))) }
    }
    members.append(("health", .string(report.health)))
    if let error = report.lastError { members.append(("lastError", .string(error))) }
    members += [
      ("evaluationTime", .number(report.evaluationDuration.seconds)),
      ("lastEvaluation", .string(report.lastEvaluation.map(\.text) ?? never)),
      ("type", .string(report.kind)),
    ]
    return .object(JSONObject(members))
  }

  private static func json(_ templates: [String: Template]) -> JSON {
    json(templates.mapValues(\.text))
  }

  private static func json(_ texts: [String: String]) -> JSON {
    .object(
      JSONObject(texts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
  }

  private static func json(_ alert: AlertStatus) -> JSON {
    var members: [(String, JSON)] = [
      ("labels", json(alert.labels)), ("annotations", json(alert.annotations)),
      ("state", .string(alert.state)), ("activeAt", .string(alert.since.text)),
    ]
    if let since = alert.keepFiringSince {
      members.append(("keepFiringSince", .string(since.text)))
    }
    members.append(("value", .string(SampleText.alert(alert.value))))
    return .object(JSONObject(members))
  }
}

/// The filters of `/api/v1/rules`.
private struct RuleFilter {
  private let kind: String?
  private let names: Set<String>
  private let groups: Set<String>
  private let files: Set<String>
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

  var choosesRules: Bool { kind != nil || !names.isEmpty }

  func takes(_ group: RuleGroupReport) -> Bool {
    (groups.isEmpty || groups.contains(group.name)) && (files.isEmpty || files.contains(group.file))
  }

  func takes(_ rule: RuleReport) -> Bool {
    (kind == nil || kind == rule.kind) && (names.isEmpty || names.contains(rule.name))
  }
}
