/// A query with what it found out about its source kept between evaluations.
///
/// The series that a selector matches are looked up again only when the source's `generation` has
/// changed, so that a rule evaluated each second costs little more than reading its samples. Keep
/// one for each rule, and use it with one source only, or with snapshots of one.
public struct PreparedQuery: Sendable {
  public let query: Query
  private var cache: SelectionCache

  public init(_ query: Query) {
    self.query = query
    cache = SelectionCache(count: query.selectorCount)
  }

  /// The value at one time, as `Query.instant(over:at:options:)`.
  ///
  /// - Throws: `QueryError` with Prometheus' text.
  public mutating func instant(
    over source: some SeriesSource, at time: Timestamp, options: QueryOptions = QueryOptions()
  ) throws(QueryError) -> QueryResult {
    if query.comparison != nil, options.interruption == nil {
      return try compare(over: source, at: time, options: options)
    }
    var evaluator = Evaluator(
      query: query, source: source, options: options, start: time, end: time, step: 0)
    cache.prepare(for: source.generation)
    swap(&evaluator.cache, &cache)
    defer { swap(&evaluator.cache, &cache) }
    return try evaluator.instant(at: time)
  }

  /// The short way for `selector > 80`: no tree, no matrix.
  mutating func compare(
    over source: some SeriesSource, at time: Timestamp, options: QueryOptions
  ) throws(QueryError) -> QueryResult {
    guard let comparison = query.comparison else {
      return try query.instant(over: source, at: time, options: options)
    }
    let reference = Timestamp(milliseconds: time.milliseconds - comparison.offset)
    let after = reference - options.lookback
    cache.prepare(for: source.generation)
    let selection = try cache.selection(
      comparison.selector, in: source, after: after, through: reference)
    var elements: [VectorElement] = []
    var newest: Int64?
    for (position, series) in selection.references.enumerated() {
      guard let sample = source.lastSample(of: series, after: after, through: reference),
        !sample.isStaleMarker
      else { continue }
      let instant = sample.timestamp.milliseconds
      if instant > newest ?? .min { newest = instant }
      let value = Matrix.admitted(sample.value)
      let left = comparison.isNumberLeft ? comparison.number : value
      let right = comparison.isNumberLeft ? value : comparison.number
      guard Arithmetic.holds(comparison.operation, left, right) else { continue }
      elements.append(
        VectorElement(
          labels: selection.labels[position], value: value,
          inputs: sample.timestamp...sample.timestamp, isRemote: selection.isRemote(position)))
    }
    return QueryResult(
      value: .vector(elements), warnings: [], infos: [],
      newestInput: newest.map { Timestamp(milliseconds: $0 + comparison.offset) },
      readsRemote: !selection.remote.isEmpty)
  }
}

/// The series that a query's selectors matched, by the selectors' `index`.
struct SelectionCache: Sendable {
  struct Selection: Sendable {
    var references: [SeriesReference]
    var labels: [Labels]
    /// For each series whether it is remote; empty when none is.
    var remote: [Bool]

    func isRemote(_ index: Int) -> Bool { !remote.isEmpty && remote[index] }
  }

  private var selections: [Selection?]
  private var generation: UInt64?

  init(count: Int) {
    selections = Array(repeating: nil, count: count)
  }

  /// Forgets everything unless the source is known to be as it was.
  mutating func prepare(for current: UInt64?) {
    if let current, generation == current { return }
    for index in selections.indices { selections[index] = nil }
    generation = current
  }

  /// Whether any selector matched a series that was not collected on this host.
  var readsRemote: Bool { selections.contains { $0?.remote.isEmpty == false } }

  /// The same of the selector with this index.
  func readsRemote(_ index: Int) -> Bool { selections[index]?.remote.isEmpty == false }

  mutating func selection(
    _ selector: VectorSelector, in source: some SeriesSource, after: Timestamp,
    through: Timestamp
  ) throws(QueryError) -> Selection {
    if let known = selections[selector.index] { return known }
    let references: [SeriesReference]
    do {
      references = try source.select(
        selector.matchers, after: after, through: through, use: selector.use)
    } catch {
      throw .source(error)
    }
    var remote = references.map { source.isRemote($0) }
    if !remote.contains(true) { remote = [] }
    let found = Selection(
      references: references, labels: references.map { source.labels(of: $0) }, remote: remote)
    selections[selector.index] = found
    return found
  }
}
