import HTTPTypes

/// The places of Prometheus' HTTP API (prometheus.io, "HTTP API"), with its methods.
enum PrometheusPlace: Equatable {
  case query, queryRange, queryExemplars, series, labels, metadata
  /// As it stands in the path, still escaped.
  case labelValues(String)
  case rules, alerts, targets, buildInfo, headStatistics
  case federate, write

  private static let fixed: [String: PrometheusPlace] = [
    "/api/v1/query": .query, "/api/v1/query_range": .queryRange,
    "/api/v1/query_exemplars": .queryExemplars, "/api/v1/series": .series,
    "/api/v1/labels": .labels, "/api/v1/metadata": .metadata, "/api/v1/rules": .rules,
    "/api/v1/alerts": .alerts, "/api/v1/targets": .targets,
    "/api/v1/status/buildinfo": .buildInfo, "/api/v1/status/tsdb": .headStatistics,
    "/federate": .federate, "/api/v1/write": .write,
  ]

  init?(path: String) {
    if let place = PrometheusPlace.fixed[path] {
      self = place
      return
    }
    let prefix = "/api/v1/label/"
    guard path.hasPrefix(prefix), path.hasSuffix("/values"),
      path.utf8.count > prefix.utf8.count + "/values".utf8.count
    else { return nil }
    let name = path.dropFirst(prefix.count).dropLast("/values".count)
    guard !name.contains("/") else { return nil }
    self = .labelValues(String(name))
  }

  var methods: [HTTPRequest.Method] {
    switch self {
    case .query, .queryRange, .queryExemplars, .series, .labels: [.get, .head, .post]
    case .labelValues, .metadata, .rules, .alerts, .targets, .buildInfo, .headStatistics, .federate:
      [.get, .head]
    case .write: [.post]
    }
  }

  var right: Caller.Right { self == .write ? .write : .read }

  /// Bytes of a request's body: a form with an expression, or samples.
  var bodyMax: Int { self == .write ? PrometheusPlace.writeMax : 1 << 20 }

  /// As large as the largest requests of common senders, compressed.
  static let writeMax = 10 << 20
}
