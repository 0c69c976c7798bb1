import LifeguardAgent
import LifeguardCore

/// `/api/v1/rules`, `/api/v1/alerts`.
extension Responder {
  func alerts() async -> Reply {
    .data(["alerts": .array(await agent.alerts.map(Self.json))])
  }

  func rules(_ call: PrometheusCall) async throws(APIFailure) -> Reply {
    let filter = try RuleFilter(call)
    var page = try RulePage(call)
    var groups: [JSON] = []
    for group in await agent.ruleGroups where page.reaches(group) && filter.takes(group) {
      let rules = group.rules.filter(filter.takes)
      // Without a filter an empty group is shown, as it was written.
      guard !rules.isEmpty || !filter.choosesRules else { continue }
      guard page.hasRoom(for: group, after: groups.count) else { break }
      groups.append([
        "name": .string(group.name), "file": .string(group.file),
        "rules": .array(rules.map { Self.json($0, withAlerts: !filter.excludesAlerts) }),
        "interval": .number(group.interval.seconds), "limit": .integer(Int64(group.limit)),
        "evaluationTime": .number(group.evaluationDuration.seconds),
        "lastEvaluation": .string(group.lastEvaluation.map(\.text) ?? Self.never),
      ])
    }
    try page.finish()
    var members: [(String, JSON)] = [("groups", .array(groups))]
    if let next = page.next { members.append(("groupNextToken", .string(next))) }
    return .data(.object(JSONObject(members)))
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
