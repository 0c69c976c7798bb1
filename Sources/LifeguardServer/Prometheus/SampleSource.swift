import LifeguardAgent
import LifeguardCore

/// What a query reads: the samples in memory as they were when it came.
struct SampleSource: Sendable {
  let memory: Snapshot

  func instant(
    _ query: Query, at time: Timestamp, _ options: QueryOptions
  ) throws(QueryError) -> QueryResult {
    try query.instant(over: memory, at: time, options: options)
  }

  func range(
    _ query: Query, from start: Timestamp, to end: Timestamp, step: Duration,
    _ options: QueryOptions
  ) throws(QueryError) -> QueryResult {
    try query.range(over: memory, from: start, to: end, step: step, options: options)
  }

  /// The label sets of the series that match one of the selectors and have samples between the two
  /// times; all series when there is no selector.
  func series(
    _ selectors: [[Matcher]], from start: Timestamp, to end: Timestamp,
    _ interruption: () -> QueryInterruption?
  ) throws(APIFailure) -> Set<Labels> {
    var found: Set<Labels> = []
    let after = start - .milliseconds(1)
    do throws(SeriesSourceError) {
      for matchers in selectors.isEmpty ? [[]] : selectors {
        let references = try memory.select(matchers, after: after, through: end)
        for (index, reference) in references.enumerated() {
          if index & 0xFF == 0, interruption() != nil { break }
          guard memory.lastSample(of: reference, after: after, through: end) != nil else {
            continue
          }
          found.insert(memory.labels(of: reference))
        }
      }
    } catch {
      throw APIFailure(.source(error))
    }
    if let why = interruption() { throw APIFailure(.interrupted(why)) }
    return found
  }
}
