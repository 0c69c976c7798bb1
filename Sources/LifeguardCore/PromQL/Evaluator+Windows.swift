/// Functions over range vectors.
extension Evaluator {
  mutating func overWindows(_ call: Call, _ steps: Steps) throws(QueryError) -> Matrix {
    var windowArgument = call.arguments[0]
    var parameters: [[Double]] = []
    var inputs = InputSpan.none
    for argument in call.arguments {
      if argument.type == .matrix {
        windowArgument = argument
      } else {
        let scalar = try scalars(argument, steps)
        parameters.append(scalar.values)
        inputs.merge(scalar.inputs)
      }
    }
    let windows = try windows(of: windowArgument, steps)
    var matrix = Matrix(steps: steps.count)
    reserve(windows.labels.count, in: &matrix)
    var buffer = scratch
    scratch = []
    defer { scratch = buffer }
    for index in windows.labels.indices {
      try checkInterruption()
      let span = samples(of: index, in: windows, steps, into: &buffer)
      try hold(buffer.count)
      defer { samples -= buffer.count }
      guard !buffer.isEmpty else { continue }
      try hold(steps.count)
      let offset = matrix.append(
        Matrix.Row(
          labels: windows.labels[index],
          dropsName: call.function.dropsName || windows.calculated?.rows[index].dropsName == true,
          inputs: span.merged(inputs)))
      let hasValue = try buffer.withUnsafeBufferPointer { buffer throws(QueryError) in
        if call.function.isExtrapolated {
          return fillExtrapolated(&matrix, at: offset, call.function, windows, buffer, steps)
        }
        return try fill(&matrix, at: offset, call, windows, parameters, buffer, steps)
      }
      guard hasValue else {
        matrix.removeLastRow()
        samples -= steps.count
        continue
      }
      noteCounter(call, windows.labels[index], windowArgument)
    }
    return matrix
  }

  /// The windows of successive steps overlap: both ends only move forward.
  private mutating func fill(
    _ matrix: inout Matrix, at offset: Int, _ call: Call, _ windows: Windows,
    _ parameters: [[Double]], _ buffer: UnsafeBufferPointer<Sample>, _ steps: Steps
  ) throws(QueryError) -> Bool {
    var hasValue = false
    var low = 0
    var high = 0
    var work = 0
    for step in 0..<steps.count {
      let end = windows.reference.resolved(steps.time(step))
      let start = end - windows.length
      while high < buffer.count, buffer[high].timestamp.milliseconds <= end { high += 1 }
      while low < high, buffer[low].timestamp.milliseconds <= start { low += 1 }
      guard low < high else { continue }
      try interrupt(after: high - low, &work)
      let window = RangeWindow(
        samples: UnsafeBufferPointer(rebasing: buffer[low..<high]),
        evaluationTime: steps.time(step))
      let first = parameters.isEmpty ? 0 : parameters[0][step]
      let second = parameters.count < 2 ? 0 : parameters[1][step]
      if call.function == .quantileOverTime, !(first >= 0 && first <= 1) {
        annotate(.invalidQuantile(first, at: call.arguments[0].position))
      }
      if call.function == .doubleExponentialSmoothing {
        try checkFactors(first, second)
      }
      guard let value = window.apply(call.function, first, second) else { continue }
      matrix.values[offset + step] = value
      hasValue = true
    }
    return hasValue
  }

  /// `rate`, `increase` and `delta` over every window: what most queries spend their time on.
  private func fillExtrapolated(
    _ matrix: inout Matrix, at offset: Int, _ function: Function, _ windows: Windows,
    _ buffer: UnsafeBufferPointer<Sample>, _ steps: Steps
  ) -> Bool {
    let increase = ExtrapolatedIncrease(function, buffer, isRepeated: steps.count > 1)
    let reference = windows.reference
    return matrix.values.withUnsafeMutableBufferPointer { values in
      var hasValue = false
      var low = 0
      var high = 0
      for step in 0..<steps.count {
        let end = reference.resolved(steps.time(step))
        let start = end - windows.length
        while high < buffer.count, buffer[high].timestamp.milliseconds <= end { high += 1 }
        while low < high, buffer[low].timestamp.milliseconds <= start { low += 1 }
        guard high - low > 1 else { continue }
        values[offset + step] = increase.value(low, high, start: start, end: end)
        hasValue = true
      }
      return hasValue
    }
  }

  private func checkFactors(_ smoothing: Double, _ trend: Double) throws(QueryError) {
    for (name, value) in [("smoothing", smoothing), ("trend", trend)]
    where !(value > 0 && value < 1) {
      let short = name == "smoothing" ? "sf" : "tf"
      throw .execution(
        "invalid \(name) factor. Expected: 0 < \(short) < 1, got: \(NumberText.fixed(value))")
    }
  }

  private mutating func noteCounter(
    _ call: Call, _ labels: Labels, _ argument: Expression
  ) {
    guard call.function.isCounterRate else { return }
    let name = labels.metric
    guard !name.isEmpty else { return }
    for suffix in ["_total", "_sum", "_count", "_bucket"]
    where name.utf8.count >= suffix.utf8.count
      && name.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    { return }
    annotate(.possibleNonCounter(name, at: argument.unwrapped.position))
  }
}

extension Function {
  /// The functions that pick a sample keep the metric's name.
  fileprivate var dropsName: Bool { self != .lastOverTime && self != .firstOverTime }

  fileprivate var isCounterRate: Bool { self == .rate || self == .increase }

  fileprivate var isExtrapolated: Bool { isCounterRate || self == .delta }
}
