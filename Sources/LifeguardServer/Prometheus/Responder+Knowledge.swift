import LifeguardAgent
import LifeguardCore

/// `/api/v1/metadata`, `/api/v1/targets`, `/api/v1/status/buildinfo`.
extension Responder {
  /// What the metrics known here mean, by name.
  func metadata(_ call: PrometheusCall) async throws(APIFailure) -> Reply {
    let limit = try Self.number("limit", call)
    let perMetric = try Self.number("limit_per_metric", call)
    let wanted = call.form.text("metric")
    var members: [(String, JSON)] = []
    for family in await agent.describedFamilies() {
      guard wanted.isEmpty || family.name == wanted else { continue }
      if let limit, limit >= 0, members.count >= limit { break }
      let entry: JSON = [
        "type": .string(family.type == .untyped ? "unknown" : family.type.rawValue),
        "help": .string(family.help), "unit": .string(family.unit ?? ""),
      ]
      members.append((family.name, .array(perMetric == 0 ? [] : [entry])))
    }
    return .data(.object(JSONObject(members)))
  }

  private static func number(_ name: String, _ call: PrometheusCall) throws(APIFailure) -> Int? {
    let text = call.form.text(name)
    if text.isEmpty { return nil }
    guard let number = Int(text) else { throw APIFailure(.badData, "\(name) must be a number") }
    return number
  }

  /// This host, and what is scraped.
  func targets(_ call: PrometheusCall) async -> Reply {
    let state = call.form.text("state").lowercased()
    let showsActive = ["", "any", "active"].contains(state)
    let showsDropped = ["", "any", "dropped"].contains(state)
    let pool = call.form.text("scrapePool")
    let all = await agent.targets(listening: listening(), scheme: gate.usesTLS ? "https" : "http")
      .filter { pool.isEmpty || $0.job == pool }
    let dropped = all.filter(\.isDropped)
    let active = showsActive ? all.filter { !$0.isDropped }.map(Self.json) : []
    var counts: [String: Int64] = [:]
    for target in dropped { counts[target.job, default: 0] += 1 }
    return .data([
      "activeTargets": .array(active),
      "droppedTargets": .array(
        (showsDropped ? dropped : []).map {
          ["discoveredLabels": Self.json($0.discoveredLabels), "scrapePool": .string($0.job)]
        }),
      "droppedTargetCounts": .object(
        JSONObject(counts.sorted { $0.key < $1.key }.map { ($0.key, .integer($0.value)) })),
    ])
  }

  private static func json(_ target: ScrapeTargetStatus) -> JSON {
    [
      "discoveredLabels": json(target.discoveredLabels), "labels": json(target.labels),
      "scrapePool": .string(target.job), "scrapeUrl": .string(target.url),
      "globalUrl": .string(target.url), "lastError": .string(target.lastError),
      "lastScrape": .string(target.lastScrape.map(\.text) ?? Self.never),
      "lastScrapeDuration": .number(target.lastScrapeDuration.seconds),
      "health": .string(target.health.rawValue), "scrapeInterval": .string(target.interval.text),
      "scrapeTimeout": .string(target.timeout.text),
    ]
  }

  static func json(_ labels: Labels) -> JSON {
    .object(JSONObject(labels.map { ($0.name, .string($0.value)) }))
  }

  /// Go's zero time, which Prometheus shows for what has not happened yet.
  static var never: String { "0001-01-01T00:00:00Z" }

  /// Clients decide by the version which parts of the language and of the API they may use, so it
  /// is that of the Prometheus whose semantics these are; `revision` tells who answers.
  ///
  /// There must be no `features`: Grafana would take us for Mimir.
  func buildInfo() -> Reply {
    .data([
      "version": "3.14.0", "revision": .string("lifeguard-\(agent.version)"), "branch": "",
      "buildUser": "lifeguard", "buildDate": "", "goVersion": "",
    ])
  }
}
