/// Selectors and subqueries.
extension Evaluator {
  /// Where a selector looks: `time(step) - shift`, or one fixed time.
  struct Reference {
    var shift: Int64
    var fixed: Int64?

    /// The time that stands for the evaluation time `time`.
    func resolved(_ time: Int64) -> Int64 { fixed ?? time - shift }
  }

  func milliseconds(
    _ duration: DurationExpression?, mustBePositive: Bool = false
  ) throws(QueryError) -> Int64 {
    guard let duration else { return 0 }
    return try duration.evaluate(
      step: step, range: end - start, mustBePositive: mustBePositive)
  }

  func reference(
    _ fixedTime: FixedTime?, _ offset: DurationExpression?
  ) throws(QueryError) -> Reference {
    let shift = try milliseconds(offset)
    switch fixedTime {
    case .none: return Reference(shift: shift, fixed: nil)
    case .at(let time): return Reference(shift: shift, fixed: time.milliseconds - shift)
    case .start: return Reference(shift: shift, fixed: start - shift)
    case .end: return Reference(shift: shift, fixed: end - shift)
    }
  }

  func reference(_ selector: VectorSelector) throws(QueryError) -> Reference {
    try reference(selector.fixedTime, selector.offset)
  }

  private mutating func select(
    _ selector: VectorSelector, after: Int64, through: Int64
  ) throws(QueryError) -> SelectionCache.Selection {
    try cache.selection(
      selector, in: source, after: Timestamp(milliseconds: after),
      through: Timestamp(milliseconds: through))
  }

  private mutating func noteInput(_ time: Int64, shift: Int64) {
    if absentDepth == 0, time + shift > newestInput ?? .min { newestInput = time + shift }
  }

  // MARK: Instant vectors

  mutating func evaluate(
    _ selector: VectorSelector, _ steps: Steps
  ) throws(QueryError) -> Matrix {
    try evaluate(selector, steps, wantsTimes: false)
  }

  /// `wantsTimes` gives the samples' times in seconds instead of their values.
  mutating func evaluate(
    _ selector: VectorSelector, _ steps: Steps, wantsTimes: Bool
  ) throws(QueryError) -> Matrix {
    try checkInterruption()
    let reference = try reference(selector)
    let first = reference.resolved(steps.start)
    let last = reference.resolved(steps.last)
    let selection = try select(selector, after: first - lookback, through: last)
    var matrix = Matrix(steps: steps.count)
    reserve(selection.references.count, in: &matrix)
    if steps.count > 1, reference.fixed == nil {
      try fill(&matrix, selection, steps, reference, wantsTimes)
      return matrix
    }
    let after = Timestamp(milliseconds: first - lookback)
    let through = Timestamp(milliseconds: first)
    var work = 0
    for (index, series) in selection.references.enumerated() {
      try interrupt(after: 16, &work)
      guard let sample = source.lastSample(of: series, after: after, through: through),
        !sample.isStaleMarker
      else { continue }
      let time = sample.timestamp.milliseconds
      noteInput(time, shift: reference.shift)
      matrix.rows.append(
        Matrix.Row(
          labels: selection.labels[index],
          inputs: InputSpan(time, isRemote: selection.isRemote(index))))
      let value = wantsTimes ? Double(time) / 1000 : Matrix.admitted(sample.value)
      for _ in 0..<steps.count { matrix.values.append(value) }
      try checkSize(matrix)
    }
    try hold(matrix.values.count)
    return matrix
  }

  /// Each step takes the newest sample of its own lookback.
  private mutating func fill(
    _ matrix: inout Matrix, _ selection: SelectionCache.Selection, _ steps: Steps,
    _ reference: Reference, _ wantsTimes: Bool
  ) throws(QueryError) {
    let after = Timestamp(milliseconds: reference.resolved(steps.start) - lookback)
    let through = Timestamp(milliseconds: reference.resolved(steps.last))
    var samples = scratch
    scratch = []
    defer { scratch = samples }
    for (index, series) in selection.references.enumerated() {
      try checkInterruption()
      samples.removeAll(keepingCapacity: true)
      source.collect(series, after: after, through: through, into: &samples)
      guard !samples.isEmpty else { continue }
      var row = Matrix.Row(labels: selection.labels[index])
      try hold(steps.count)
      let offset = matrix.append(row)
      var next = 0
      for step in 0..<steps.count {
        let time = reference.resolved(steps.time(step))
        while next < samples.count, samples[next].timestamp.milliseconds <= time { next += 1 }
        guard next > 0 else { continue }
        let sample = samples[next - 1]
        let instant = sample.timestamp.milliseconds
        if instant <= time - lookback || sample.isStaleMarker { continue }
        row.inputs.merge(InputSpan(instant))
        matrix.values[offset + step] =
          wantsTimes ? Double(instant) / 1000 : Matrix.admitted(sample.value)
      }
      guard row.inputs != .none else {
        matrix.removeLastRow()
        self.samples -= steps.count
        continue
      }
      row.inputs.isRemote = selection.isRemote(index)
      noteInput(row.inputs.newest, shift: reference.shift)
      matrix.rows[matrix.rows.count - 1].inputs = row.inputs
    }
  }

  // MARK: Range vectors

  /// One series' samples for a range selector or subquery, over all steps at once.
  struct Windows {
    var labels: [Labels] = []
    var references: [SeriesReference] = []
    /// Set for a subquery, whose samples are values already calculated.
    var calculated: Matrix?
    var calculatedSteps = Steps(at: 0)
    var reference: Reference
    /// Milliseconds.
    var length: Int64
  }

  mutating func windows(
    of expression: Expression, _ steps: Steps
  ) throws(QueryError) -> Windows {
    switch expression.unwrapped {
    case .matrixSelector(let matrix):
      let reference = try reference(matrix.selector)
      let length = try milliseconds(matrix.range, mustBePositive: true)
      let selection = try select(
        matrix.selector, after: reference.resolved(steps.start) - length,
        through: reference.resolved(steps.last))
      return Windows(
        labels: selection.labels, references: selection.references, reference: reference,
        length: length)
    case .subquery(let subquery):
      let (matrix, inner) = try evaluate(subquery, steps)
      return Windows(
        labels: matrix.rows.map(\.labels), calculated: matrix, calculatedSteps: inner,
        reference: try reference(subquery.fixedTime, subquery.offset),
        length: try milliseconds(subquery.range, mustBePositive: true))
    default: throw .execution("unexpected expression")
    }
  }

  /// The samples of one series for all steps, staleness markers left out.
  mutating func samples(
    of index: Int, in windows: Windows, _ steps: Steps, into samples: inout [Sample]
  ) -> InputSpan {
    samples.removeAll(keepingCapacity: true)
    if let matrix = windows.calculated {
      for step in 0..<matrix.steps {
        let value = matrix.values[index * matrix.steps + step]
        if Matrix.isAbsent(value) { continue }
        let time = Timestamp(milliseconds: windows.calculatedSteps.time(step))
        samples.append(Sample(timestamp: time, value: value))
      }
      return matrix.rows[index].inputs
    }
    let reference = windows.reference
    source.collect(
      windows.references[index],
      after: Timestamp(milliseconds: reference.resolved(steps.start) - windows.length),
      through: Timestamp(milliseconds: reference.resolved(steps.last)), into: &samples)
    // Without an early end, so that it takes several samples at once.
    var needsCare = false
    for sample in samples { needsCare = needsCare || sample.value.isNaN }
    if needsCare {
      samples.removeAll { $0.isStaleMarker }
      for index in samples.indices { samples[index].value = Matrix.admitted(samples[index].value) }
    }
    guard let oldest = samples.first, let newest = samples.last else { return .none }
    noteInput(newest.timestamp.milliseconds, shift: reference.shift)
    var span = InputSpan(
      oldest: oldest.timestamp.milliseconds, newest: newest.timestamp.milliseconds)
    span.isRemote = source.isRemote(windows.references[index])
    return span
  }

  /// A range selector as the whole of an instant query.
  mutating func windows(
    _ matrix: MatrixSelector, _ steps: Steps
  ) throws(QueryError) -> [MatrixSeries] {
    let windows = try windows(of: .matrixSelector(matrix), steps)
    var result: [MatrixSeries] = []
    for (index, labels) in windows.labels.enumerated() {
      try checkInterruption()
      var found: [Sample] = []
      _ = samples(of: index, in: windows, steps, into: &found)
      try hold(found.count)
      if !found.isEmpty { result.append(MatrixSeries(labels: labels, samples: found)) }
    }
    return result
  }

  /// The inner expression at its own steps, which are multiples of the step and not counted from
  /// the evaluation time.
  mutating func evaluate(
    _ subquery: Subquery, _ steps: Steps
  ) throws(QueryError) -> (values: Matrix, steps: Steps) {
    let reference = try reference(subquery.fixedTime, subquery.offset)
    let length = try milliseconds(subquery.range, mustBePositive: true)
    let interval =
      subquery.step == nil
      ? options.subqueryStep.milliseconds
      : try milliseconds(subquery.step, mustBePositive: true)
    guard interval > 0 else { throw .execution("duration must be greater than 0") }
    let before = reference.resolved(steps.start) - length
    var first = interval * (before / interval)
    if first <= before { first += interval }
    let inner = Steps(
      from: first, through: reference.resolved(steps.last), interval: interval)
    guard inner.count <= options.samplesMax else { throw .tooManySamples }
    return (try evaluate(subquery.expression, inner), inner)
  }
}
