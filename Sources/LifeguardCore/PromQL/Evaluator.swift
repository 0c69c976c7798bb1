/// Evaluates one query over one source: a walk over the tree, a whole series at a time.
///
/// The model is Prometheus': every expression becomes a matrix over all steps; parts that do not
/// depend on the step are evaluated once; metric names are dropped at the very end.
struct Evaluator<Source: SeriesSource> {
  let query: Query
  let source: Source
  let options: QueryOptions
  /// The query's own, for `start()`, `end()`, `step()` and `range()`.
  let start: Int64
  let end: Int64
  let step: Int64
  let lookback: Int64
  var cache: SelectionCache
  var annotations: [Annotation] = []
  private var seen: Set<Annotation> = []
  /// The numbers that belong to remarks on histograms, known when the query ends.
  var forced: [Annotation: ForcedMonotonicity] = [:]
  var samples = 0
  var newestInput: Int64?
  /// Above zero inside `absent()`, whose selectors say nothing about freshness.
  var absentDepth = 0
  var scratch: [Sample] = []

  init(
    query: Query, source: Source, options: QueryOptions, start: Timestamp, end: Timestamp,
    step: Int64
  ) {
    self.query = query
    self.source = source
    self.options = options
    self.start = start.milliseconds
    self.end = end.milliseconds
    self.step = step
    lookback = options.lookback.milliseconds
    cache = SelectionCache(count: query.selectorCount)
  }

  // MARK: Queries

  mutating func instant(at time: Timestamp) throws(QueryError) -> QueryResult {
    let expression = query.expression.unwrapped
    let steps = Steps(at: time.milliseconds)
    switch expression {
    case .string(let literal): return result(.string(literal.value))
    case .matrixSelector(let matrix): return result(.matrix(try windows(matrix, steps)))
    case .subquery(let subquery):
      var matrix = try evaluate(subquery, steps)
      try cleanUp(&matrix.values)
      return result(.matrix(series(matrix.values, matrix.steps)))
    default: break
    }
    var matrix = try evaluate(expression, steps)
    if expression.type == .scalar { return result(.scalar(matrix.values[0])) }
    try cleanUp(&matrix)
    var elements: [VectorElement] = []
    elements.reserveCapacity(matrix.rows.count)
    for (index, row) in matrix.rows.enumerated() where !Matrix.isAbsent(matrix.values[index]) {
      elements.append(
        VectorElement(
          labels: row.labels, value: matrix.values[index], inputs: row.inputs.range,
          isRemote: row.inputs.isRemote))
    }
    return result(.vector(elements))
  }

  mutating func range() throws(QueryError) -> QueryResult {
    let steps = Steps(from: start, through: end, interval: step)
    var matrix = try evaluate(query.expression, steps)
    try cleanUp(&matrix)
    return result(.matrix(series(matrix, steps).sorted { $0.labels < $1.labels }))
  }

  private func series(_ matrix: Matrix, _ steps: Steps) -> [MatrixSeries] {
    var result: [MatrixSeries] = []
    for (index, row) in matrix.rows.enumerated() {
      var samples: [Sample] = []
      for step in 0..<matrix.steps {
        let value = matrix.values[index * matrix.steps + step]
        if Matrix.isAbsent(value) { continue }
        samples.append(
          Sample(timestamp: Timestamp(milliseconds: steps.time(step)), value: value))
      }
      if !samples.isEmpty { result.append(MatrixSeries(labels: row.labels, samples: samples)) }
    }
    return result
  }

  private func result(_ value: QueryValue) -> QueryResult {
    let placed = annotations.map { annotation in
      var complete = annotation
      if let numbers = forced[annotation] { complete.message += numbers.text }
      return complete.placed(in: query.text)
    }
    return QueryResult(
      value: value, warnings: placed.filter { $0.kind == .warning },
      infos: placed.filter { $0.kind == .info },
      newestInput: newestInput.map { Timestamp(milliseconds: $0) },
      readsRemote: cache.readsRemote)
  }

  /// Drops the names that were only kept for the operators in between, after which series that
  /// differed may be one: always looked for, since an answer with a series twice is none.
  private mutating func cleanUp(_ matrix: inout Matrix) throws(QueryError) {
    for index in matrix.rows.indices where matrix.rows[index].dropsName {
      matrix.rows[index].labels = matrix.rows[index].labels.withoutMetadata()
      matrix.rows[index].dropsName = false
    }
    try matrix.mergeRowsWithSameLabels()
  }

  // MARK: Limits

  mutating func annotate(_ annotation: Annotation) {
    if seen.insert(annotation).inserted { annotations.append(annotation) }
  }

  func checkInterruption() throws(QueryError) {
    if let interruption = options.interruption?() { throw .interrupted(interruption) }
  }

  /// Asks for an interruption after every few ten thousand samples looked at.
  @inline(__always)
  func interrupt(after count: Int, _ work: inout Int) throws(QueryError) {
    work += count
    guard work > 65_536 else { return }
    work = 0
    try checkInterruption()
  }

  /// Refuses a result that grows beyond the limit while it is made.
  @inline(__always)
  func checkSize(_ matrix: Matrix) throws(QueryError) {
    guard samples + matrix.values.count <= options.samplesMax else { throw .tooManySamples }
  }

  /// Makes room for a result of as many rows, as far as the limit lets it grow.
  func reserve(_ rows: Int, in matrix: inout Matrix) {
    matrix.reserve(rows: rows, valuesMax: max(options.samplesMax - samples, 0))
  }

  /// Counts samples that are held until the end of the query.
  mutating func hold(_ count: Int) throws(QueryError) {
    samples += count
    guard samples <= options.samplesMax else { throw .tooManySamples }
  }

  // MARK: Expressions

  mutating func evaluate(
    _ expression: Expression, _ steps: Steps
  ) throws(QueryError) -> Matrix {
    guard steps.count > 0 else { return Matrix(steps: 0) }
    if steps.count > 1, expression.isStepInvariant {
      if case .number(let literal) = expression {
        try hold(steps.count)
        return Matrix(scalars: Array(repeating: literal.value, count: steps.count))
      }
      let once = try evaluateNode(expression, steps.first)
      try hold(once.values.count * (steps.count - 1))
      return once.repeated(steps.count)
    }
    return try evaluateNode(expression, steps)
  }

  private mutating func evaluateNode(
    _ expression: Expression, _ steps: Steps
  ) throws(QueryError) -> Matrix {
    switch expression {
    case .number(let literal):
      return Matrix(scalars: Array(repeating: literal.value, count: steps.count))
    case .parentheses(let inner, _): return try evaluate(inner, steps)
    case .vectorSelector(let selector): return try evaluate(selector, steps)
    case .call(let call): return try evaluate(call, steps)
    case .aggregation(let aggregation): return try evaluate(aggregation, steps)
    case .binary(let binary): return try evaluate(binary, steps)
    case .unary(let unary):
      var matrix = try evaluate(unary.operand, steps)
      guard unary.isNegation else { return matrix }
      for index in matrix.rows.indices { matrix.rows[index].dropsName = true }
      matrix.transform { -$0 }
      return matrix
    case .string, .matrixSelector, .subquery:
      // The type checker lets none of them stand where a vector or a scalar is wanted.
      throw .execution("unexpected expression")
    }
  }

  /// The one value of a scalar at each step, and what it was made from.
  mutating func scalars(
    _ expression: Expression, _ steps: Steps
  ) throws(QueryError) -> (values: [Double], inputs: InputSpan) {
    let matrix = try evaluate(expression, steps)
    return (matrix.values, matrix.rows.first?.inputs ?? .none)
  }
}

extension Matrix {
  /// Applies `change` to every value that is there.
  @inline(__always)
  mutating func transform(_ change: (Double) -> Double) {
    for index in values.indices where !Self.isAbsent(values[index]) {
      values[index] = change(values[index])
    }
  }
}
