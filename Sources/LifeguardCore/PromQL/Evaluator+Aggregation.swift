/// Aggregations.
extension Evaluator {
  mutating func evaluate(
    _ aggregation: Aggregation, _ steps: Steps
  ) throws(QueryError) -> Matrix {
    if aggregation.aggregator == .countValues {
      return try countValues(aggregation, steps)
    }
    var parameters: [Double] = []
    if let parameter = aggregation.parameter {
      parameters = try scalars(parameter.unwrapped, steps).values
    }
    let input = try evaluate(aggregation.expression, steps)
    switch aggregation.aggregator {
    case .topk, .bottomk: return try select(aggregation, parameters, input, steps)
    case .quantile: return try quantile(aggregation, parameters, input)
    default: return try accumulate(aggregation, input)
    }
  }

  // MARK: Groups

  private struct Groups {
    var labels: [Labels] = []
    /// For each row of the input, its group.
    var ofRow: [Int] = []

    init(_ aggregation: Aggregation, _ input: Matrix) {
      ofRow.reserveCapacity(input.rows.count)
      if !aggregation.isWithout, aggregation.grouping.isEmpty {
        ofRow = Array(repeating: 0, count: input.rows.count)
        if !input.rows.isEmpty { labels = [Labels()] }
        return
      }
      var known: [Labels: Int] = [:]
      for row in input.rows {
        let key = Self.key(row.labels, aggregation.grouping, aggregation.isWithout)
        if let group = known[key] {
          ofRow.append(group)
        } else {
          known[key] = labels.count
          ofRow.append(labels.count)
          labels.append(key)
        }
      }
    }

    /// The rows of each group, in their order.
    var members: [[Int]] {
      var members: [[Int]] = Array(repeating: [], count: labels.count)
      for (row, group) in ofRow.enumerated() { members[group].append(row) }
      return members
    }

    static func key(_ labels: Labels, _ grouping: [String], _ isWithout: Bool) -> Labels {
      isWithout ? labels.without(grouping + [Labels.metricName]) : labels.keeping(grouping)
    }
  }

  private func output(_ groups: Groups, _ input: Matrix) -> Matrix {
    var output = Matrix(steps: input.steps)
    reserve(groups.labels.count, in: &output)
    for labels in groups.labels { _ = output.append(Matrix.Row(labels: labels)) }
    for row in input.rows.indices {
      let group = groups.ofRow[row]
      output.rows[group].inputs.merge(input.rows[row].inputs)
      if input.rows[row].dropsName { output.rows[group].dropsName = true }
    }
    return output
  }

  // MARK: Sums and the like

  private func accumulate(
    _ aggregation: Aggregation, _ input: Matrix
  ) throws(QueryError) -> Matrix {
    let groups = Groups(aggregation, input)
    var output = output(groups, input)
    switch aggregation.aggregator {
    case .sum: sum(groups, input, into: &output)
    case .avg: try average(groups, input, into: &output)
    default: try fold(aggregation.aggregator, groups, input, into: &output)
    }
    output.removeEmptyRows()
    return output
  }

  /// One group after the other and a few steps at a time: a state is ten times as large as a value,
  /// so that one for every group and step would be far more memory than the samples' limit allows.
  private func fold(
    _ aggregator: Aggregator, _ groups: Groups, _ input: Matrix, into output: inout Matrix
  ) throws(QueryError) {
    let steps = input.steps
    let atOnce = min(steps, 1024)
    let fresh = Array(repeating: Accumulator(aggregator), count: atOnce)
    var work = 0
    for (group, rows) in groups.members.enumerated() {
      for start in stride(from: 0, to: steps, by: max(atOnce, 1)) {
        let count = min(atOnce, steps - start)
        var states = fresh
        for row in rows {
          try interrupt(after: count, &work)
          for step in 0..<count {
            let value = input.values[row * steps + start + step]
            if !Matrix.isAbsent(value) { states[step].add(value) }
          }
        }
        for step in 0..<count {
          if let value = states[step].result { output.values[group * steps + start + step] = value }
        }
      }
    }
  }

  /// Calls `body` with every value that is there, its place among the input's values, and that of
  /// its group among the output's.
  @inline(__always)
  private func forEach(
    _ groups: Groups, _ input: Matrix, _ body: (Double, Int) -> Void
  ) {
    let steps = input.steps
    input.values.withUnsafeBufferPointer { values in
      for row in input.rows.indices {
        let offset = groups.ofRow[row] * steps
        let start = row * steps
        for step in 0..<steps {
          let value = values[start + step]
          if !Matrix.isAbsent(value) { body(value, offset + step) }
        }
      }
    }
  }

  /// The sums stand in the output itself and what they lack beside it: a state of its own for each
  /// group and step would be an order of magnitude more memory to go through.
  private func sum(_ groups: Groups, _ input: Matrix, into output: inout Matrix) {
    var compensations = Array(repeating: 0.0, count: output.values.count)
    output.values.withUnsafeMutableBufferPointer { sums in
      compensations.withUnsafeMutableBufferPointer { compensations in
        forEach(groups, input) { value, place in
          // The first value is taken as it is, so that the sum of one -0 is -0.
          if Matrix.isAbsent(sums[place]) {
            sums[place] = value
            return
          }
          var sum = CompensatedSum(sum: sums[place], compensation: compensations[place])
          sum.add(value)
          sums[place] = sum.sum
          compensations[place] = sum.compensation
        }
        for place in sums.indices where !Matrix.isAbsent(sums[place]) {
          sums[place] += compensations[place]
        }
      }
    }
  }

  private func average(
    _ groups: Groups, _ input: Matrix, into output: inout Matrix
  ) throws(QueryError) {
    var compensations = Array(repeating: 0.0, count: output.values.count)
    var counts = Array(repeating: 0.0, count: output.values.count)
    var overflows = false
    output.values.withUnsafeMutableBufferPointer { sums in
      compensations.withUnsafeMutableBufferPointer { compensations in
        counts.withUnsafeMutableBufferPointer { counts in
          forEach(groups, input) { value, place in
            counts[place] += 1
            if counts[place] == 1 {
              sums[place] = value
              return
            }
            var sum = CompensatedSum(sum: sums[place], compensation: compensations[place])
            sum.add(value)
            if sum.sum.isInfinite { overflows = true }
            sums[place] = sum.sum
            compensations[place] = sum.compensation
          }
          for place in sums.indices where counts[place] > 0 {
            sums[place] = sums[place] / counts[place] + compensations[place] / counts[place]
          }
        }
      }
    }
    // From an infinite sum on, the mean is formed differently: from the beginning once more.
    guard overflows else { return }
    for place in output.values.indices { output.values[place] = Matrix.absent }
    try fold(.avg, groups, input, into: &output)
  }

  private mutating func quantile(
    _ aggregation: Aggregation, _ parameters: [Double], _ input: Matrix
  ) throws(QueryError) -> Matrix {
    let position = aggregation.parameter?.position ?? aggregation.position
    if parameters.contains(where: \.isNaN) {
      annotate(.invalidQuantile(.nan, at: position))
    }
    if let largest = parameters.filter({ $0 > 1 }).max() {
      annotate(.invalidQuantile(largest, at: position))
    }
    if let smallest = parameters.filter({ $0 < 0 }).min() {
      annotate(.invalidQuantile(smallest, at: position))
    }
    let groups = Groups(aggregation, input)
    var output = output(groups, input)
    let steps = input.steps
    var values: [Double] = []
    var work = 0
    for (group, rows) in groups.members.enumerated() {
      for step in 0..<steps {
        try interrupt(after: rows.count, &work)
        values.removeAll(keepingCapacity: true)
        for row in rows {
          let value = input.values[row * steps + step]
          if !Matrix.isAbsent(value) { values.append(value) }
        }
        if values.isEmpty { continue }
        output.values[group * steps + step] = Quantile.of(values, parameters[step])
      }
    }
    output.removeEmptyRows()
    return output
  }

  // MARK: topk, bottomk

  private mutating func select(
    _ aggregation: Aggregation, _ parameters: [Double], _ input: Matrix, _ steps: Steps
  ) throws(QueryError) -> Matrix {
    let largest = parameters.filter { !$0.isNaN }.max()
    let smallest = parameters.filter { !$0.isNaN }.min()
    if let largest, largest < 1, !parameters.contains(where: \.isNaN) {
      return Matrix(steps: input.steps)
    }
    if parameters.contains(where: \.isNaN) { throw .execution("Parameter value is NaN") }
    if let smallest, smallest <= -0x1p63 {
      throw .execution("Scalar value \(NumberText.general(smallest)) underflows int64")
    }
    if let largest, largest >= 0x1p63 {
      throw .execution("Scalar value \(NumberText.general(largest)) overflows int64")
    }
    let members = Groups(aggregation, input).members
    let isTop = aggregation.aggregator == .topk
    var output = input
    var order: [Int] = []
    for index in output.values.indices { output.values[index] = Matrix.absent }
    var work = 0
    for step in 0..<input.steps {
      try interrupt(after: input.rows.count, &work)
      let count = Int(min(parameters[step], Double(input.rows.count)))
      guard count >= 1 else { continue }
      for group in members {
        let chosen = Self.chosen(group, input, step, count, isTop)
        for row in chosen {
          output.values[row * input.steps + step] = input.values[row * input.steps + step]
        }
        order += chosen
      }
    }
    // An instant query keeps the order of rank.
    if input.steps == 1 { return Self.reordered(output, order) }
    output.removeEmptyRows()
    return output
  }

  /// The rows with the largest or smallest values, best first; NaN is worse than any number.
  private static func chosen(
    _ group: [Int], _ input: Matrix, _ step: Int, _ count: Int, _ isTop: Bool
  ) -> [Int] {
    let present = group.filter { !Matrix.isAbsent(input.values[$0 * input.steps + step]) }
    let sorted = present.sorted { left, right in
      let first = input.values[left * input.steps + step]
      let second = input.values[right * input.steps + step]
      if first.isNaN || second.isNaN {
        return second.isNaN && !first.isNaN || (first.isNaN == second.isNaN && left < right)
      }
      if first == second { return left < right }
      return isTop ? first > second : first < second
    }
    return Array(sorted.prefix(count))
  }

  private static func reordered(_ matrix: Matrix, _ order: [Int]) -> Matrix {
    var result = Matrix(steps: 1)
    result.rows = order.map { matrix.rows[$0] }
    result.values = order.map { matrix.values[$0] }
    return result
  }

  // MARK: count_values

  private mutating func countValues(
    _ aggregation: Aggregation, _ steps: Steps
  ) throws(QueryError) -> Matrix {
    guard case .string(let label)? = aggregation.parameter?.unwrapped else {
      throw .execution("unexpected expression")
    }
    guard label.isValidUnicode, !label.value.isEmpty else {
      throw .execution("invalid label name \(label.source)")
    }
    var grouping = aggregation.grouping
    if !aggregation.isWithout { grouping.append(label.value) }
    let input = try evaluate(aggregation.expression, steps)
    var output = Matrix(steps: input.steps)
    var known: [Labels: Int] = [:]
    for row in input.rows.indices {
      for step in 0..<input.steps {
        let value = input.values[row * input.steps + step]
        if Matrix.isAbsent(value) { continue }
        var labels = input.rows[row].labels
        labels[label.value] = NumberText.fixed(value)
        let key = Groups.key(labels, grouping, aggregation.isWithout)
        let target = known[key] ?? output.rows.count
        if target == output.rows.count {
          known[key] = target
          _ = output.append(Matrix.Row(labels: key))
          try checkSize(output)
        }
        output.rows[target].inputs.merge(input.rows[row].inputs)
        let index = target * output.steps + step
        let before = Matrix.isAbsent(output.values[index]) ? 0 : output.values[index]
        output.values[index] = before + 1
      }
    }
    try hold(output.values.count)
    return output
  }
}
