import LifeguardCore

/// What fills the memory: for `/api/v1/status/tsdb`.
struct HeadStatistics {
  private var series = 0
  /// The samples of a series that are not sealed yet count as one.
  private var chunks = 0
  private var newest = Int64.min
  private var oldest = Int64.max
  private var byMetric: [String: Int] = [:]
  private var byPair: [Label: Int] = [:]

  /// Looks at every series, for at most as long as the request may take.
  init(_ snapshot: Snapshot, _ interruption: () -> QueryInterruption?) throws(APIFailure) {
    let references: [SeriesReference]
    do throws(SeriesSourceError) {
      references = try snapshot.select(
        [], after: .earliest, through: .latest)
    } catch {
      throw APIFailure(.source(error))
    }
    series = references.count
    for (index, reference) in references.enumerated() {
      if index & 0xFF == 0, let why = interruption() { throw APIFailure(.interrupted(why)) }
      let labels = snapshot.labels(of: reference)
      byMetric[labels.metric, default: 0] += 1
      for label in labels { byPair[label, default: 0] += 1 }
      guard let (sealed, open) = snapshot.contents(of: reference) else { continue }
      chunks += sealed.count + (open.isEmpty ? 0 : 1)
      if let first = sealed.first?.start ?? open.first?.timestamp {
        oldest = min(oldest, first.milliseconds)
      }
      if let last = open.last?.timestamp ?? sealed.last?.end {
        newest = max(newest, last.milliseconds)
      }
    }
  }

  func json(limit: Int) -> JSON {
    var values: [String: Int] = [:]
    var memory: [String: Int] = [:]
    for label in byPair.keys {
      values[label.name, default: 0] += 1
      memory[label.name, default: 0] += label.value.utf8.count
    }
    let hasSamples = newest >= oldest
    return [
      "headStats": [
        "numSeries": .integer(Int64(series)), "numLabelPairs": .integer(Int64(byPair.count)),
        "chunkCount": .integer(Int64(chunks)), "minTime": .integer(hasSamples ? oldest : 0),
        "maxTime": .integer(hasSamples ? newest : 0),
      ],
      "seriesCountByMetricName": Self.top(byMetric, limit),
      "labelValueCountByLabelName": Self.top(values, limit),
      "memoryInBytesByLabelName": Self.top(memory, limit),
      "seriesCountByLabelValuePair": Self.top(
        Dictionary(uniqueKeysWithValues: byPair.map { ("\($0.name)=\($0.value)", $1) }), limit),
    ]
  }

  private static func top(_ counts: [String: Int], _ limit: Int) -> JSON {
    let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    return .array(
      sorted.prefix(limit).map {
        ["name": .string($0.key), "value": .integer(Int64($0.value))]
      })
  }
}
