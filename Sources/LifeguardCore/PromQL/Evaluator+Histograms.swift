/// Functions over classic histograms, whose buckets are series with a label `le`.
extension Evaluator {
  private struct Histogram {
    var row: Matrix.Row
    var bounds: [Double] = []
    /// The rows of the buckets, in the order of `bounds`.
    var rows: [Int] = []
  }

  mutating func classicHistogram(
    _ call: Call, _ steps: Steps
  ) throws(QueryError) -> Matrix {
    let vector: Expression
    var parameters: [[Double]] = []
    var inputs = InputSpan.none
    switch call.function {
    case .histogramQuantiles:
      vector = call.arguments[0]
    default: vector = call.arguments[call.arguments.count - 1]
    }
    for argument in call.arguments where argument.type == .scalar {
      let scalar = try scalars(argument, steps)
      parameters.append(scalar.values)
      inputs.merge(scalar.inputs)
    }
    let input = try evaluate(vector, steps)
    if call.function != .histogramFraction { checkQuantiles(call, parameters) }
    let histograms = group(input, vector.unwrapped.position)
    var output = Matrix(steps: steps.count)
    var work = 0
    let rounds = call.function == .histogramQuantiles ? parameters.count : 1
    for round in 0..<rounds {
      for histogram in histograms {
        var row = histogram.row
        row.inputs.merge(inputs)
        if call.function == .histogramQuantiles {
          let name = try string(call.arguments[1])
          row.labels[name] = Self.openMetrics(parameters[round][0])
        }
        let offset = output.append(row)
        try checkSize(output)
        for step in 0..<steps.count {
          try interrupt(after: histogram.rows.count, &work)
          let buckets = buckets(of: histogram, input, step)
          guard !buckets.isEmpty else { continue }
          let (value, forced) = Self.value(
            call, buckets, parameters, round, step, at: steps.time(step))
          output.values[offset + step] = value
          if let forced { note(forced, row.labels.metric, vector.unwrapped.position) }
        }
      }
    }
    output.removeEmptyRows()
    return output
  }

  /// As labels of OpenMetrics: a whole number gets `.0`.
  private static func openMetrics(_ value: Double) -> String {
    let text = NumberText.general(value)
    return text.utf8.allSatisfy { Lexer.isDigit($0) || $0 == UInt8(ascii: "-") }
      ? text + ".0" : text
  }

  private mutating func checkQuantiles(_ call: Call, _ parameters: [[Double]]) {
    let arguments = call.arguments.filter { $0.type == .scalar }
    for (argument, values) in zip(arguments, parameters) {
      for value in values where !(value >= 0 && value <= 1) {
        annotate(.invalidQuantile(value, at: argument.position))
      }
    }
  }

  private static func value(
    _ call: Call, _ buckets: [ClassicBuckets.Bucket], _ parameters: [[Double]], _ round: Int,
    _ step: Int, at time: Int64
  ) -> (Double, forced: ForcedMonotonicity?) {
    if call.function == .histogramFraction {
      return (
        ClassicBuckets.fraction(buckets, from: parameters[0][step], to: parameters[1][step]), nil
      )
    }
    return ClassicBuckets.quantile(buckets, parameters[round][step], at: time)
  }

  private mutating func note(
    _ change: ForcedMonotonicity, _ metric: String, _ position: PositionRange
  ) {
    let remark = Annotation.forcedMonotonicity(metric, at: position)
    annotate(remark)
    if forced[remark] == nil {
      forced[remark] = change
    } else {
      forced[remark]?.merge(change)
    }
  }

  /// The buckets by what they have in common, the metric's name included.
  private mutating func group(_ input: Matrix, _ position: PositionRange) -> [Histogram] {
    var histograms: [Histogram] = []
    var known: [Labels: Int] = [:]
    for (index, row) in input.rows.enumerated() {
      let text = row.labels["le"] ?? ""
      guard let bound = NumberSyntax.decimal(text) else {
        annotate(.badBucketLabel(row.labels.metric, text, at: position))
        continue
      }
      let labels = row.labels.without(["le"])
      let target = known[labels] ?? histograms.count
      if target == histograms.count {
        known[labels] = target
        histograms.append(Histogram(row: Matrix.Row(labels: labels, dropsName: true)))
      }
      histograms[target].bounds.append(bound)
      histograms[target].rows.append(index)
      histograms[target].row.inputs.merge(row.inputs)
    }
    return histograms
  }

  private func buckets(
    of histogram: Histogram, _ input: Matrix, _ step: Int
  ) -> [ClassicBuckets.Bucket] {
    var buckets: [ClassicBuckets.Bucket] = []
    for (bound, row) in zip(histogram.bounds, histogram.rows) {
      let count = input.values[row * input.steps + step]
      if !Matrix.isAbsent(count) { buckets.append(.init(upperBound: bound, count: count)) }
    }
    return buckets
  }
}
