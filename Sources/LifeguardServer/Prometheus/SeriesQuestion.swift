import LifeguardCore

/// What `series`, `labels` and `label/NAME/values` have in common.
struct SeriesQuestion: Sendable {
  var selectors: [[Matcher]]
  var start: Timestamp
  var end: Timestamp
  var limit: Int

  init(_ call: PrometheusCall) throws(APIFailure) {
    start = try call.time("start", missing: .earliest)
    end = try call.time("end", missing: .latest)
    selectors = try call.selectors()
    limit = try call.limit()
    for matchers in selectors where matchers.allSatisfy(\.matchesEmpty) {
      throw .invalid("match[]", "match[] must contain at least one non-empty matcher")
    }
  }

  /// The label sets in memory that it asks for.
  func found(in memory: Snapshot, _ ticket: QueryTicket) throws(APIFailure) -> Set<Labels> {
    try memory.series(selectors, from: start, to: end) { ticket.interruption }
  }
}
