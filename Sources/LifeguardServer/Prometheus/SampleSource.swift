import LifeguardAgent
import LifeguardCore
import LifeguardStore

/// What a query reads: the samples in memory as they were when it came, and those on the disk
/// before them when it reaches further back.
enum SampleSource: Sendable {
  case memory(Snapshot)
  case withArchive(MergedSource)

  func instant(
    _ query: Query, at time: Timestamp, _ options: QueryOptions
  ) throws(QueryError) -> QueryResult {
    switch self {
    case .memory(let memory): return try query.instant(over: memory, at: time, options: options)
    case .withArchive(let merged):
      var result = try query.instant(over: merged, at: time, options: options)
      result.warnings += merged.warnings
      result.infos += merged.infos
      return result
    }
  }

  func range(
    _ query: Query, from start: Timestamp, to end: Timestamp, step: Duration,
    _ options: QueryOptions
  ) throws(QueryError) -> QueryResult {
    switch self {
    case .memory(let memory):
      return try query.range(over: memory, from: start, to: end, step: step, options: options)
    case .withArchive(let merged):
      var result = try query.range(
        over: merged, from: start, to: end, step: step, options: options)
      result.warnings += merged.warnings
      result.infos += merged.infos
      return result
    }
  }
}

extension Snapshot {
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
        for (index, reference) in try select(matchers, after: after, through: end).enumerated() {
          if index & 0xFF == 0, interruption() != nil { break }
          guard lastSample(of: reference, after: after, through: end) != nil else { continue }
          found.insert(labels(of: reference))
        }
      }
    } catch {
      throw APIFailure(.source(error))
    }
    if let why = interruption() { throw APIFailure(.interrupted(why)) }
    return found
  }
}
