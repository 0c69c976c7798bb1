/// Function calls.
extension Evaluator {
  mutating func evaluate(_ call: Call, _ steps: Steps) throws(QueryError) -> Matrix {
    switch call.function {
    case .time:
      try hold(steps.count)
      return Matrix(scalars: (0..<steps.count).map { Double(steps.time($0)) / 1000 })
    case .pi: return constant(.pi, steps)
    case .start: return constant(Double(start) / 1000, steps)
    case .end: return constant(Double(end) / 1000, steps)
    case .step: return constant(Double(step) / 1000, steps)
    case .range: return constant(Double(end - start) / 1000, steps)
    case .minOf, .maxOf:
      var left = try evaluate(call.arguments[0], steps)
      let right = try scalars(call.arguments[1], steps)
      for index in left.values.indices {
        left.values[index] =
          call.function == .minOf
          ? Math.minimum(left.values[index], right.values[index])
          : Math.maximum(left.values[index], right.values[index])
      }
      return left
    case .vector: return try evaluate(call.arguments[0], steps)
    case .scalar:
      try hold(steps.count)
      return scalar(try evaluate(call.arguments[0], steps))
    case .timestamp: return try timestamp(call, steps)
    case .absent: return try absent(call, steps)
    case .absentOverTime: return try absentOverTime(call, steps)
    case .labelReplace: return try labelReplace(call, steps)
    case .labelJoin: return try labelJoin(call, steps)
    case .sort, .sortDesc, .sortByLabel, .sortByLabelDesc: return try sort(call, steps)
    case .clamp, .clampMin, .clampMax: return try clamp(call, steps)
    case .round: return try round(call, steps)
    case .histogramQuantile, .histogramFraction, .histogramQuantiles:
      return try classicHistogram(call, steps)
    case .histogramAvg, .histogramCount, .histogramSum, .histogramStddev, .histogramStdvar:
      // They work on native histograms only, which are not stored here: nothing is left.
      _ = try evaluate(call.arguments[0], steps)
      return Matrix(steps: steps.count)
    case .info: throw .execution("function \"info\" is not supported")
    case .daysInMonth, .dayOfMonth, .dayOfWeek, .dayOfYear, .hour, .minute, .month, .year:
      return try calendar(call, steps)
    default: break
    }
    if call.function.signature.arguments.contains(.matrix) {
      return try overWindows(call, steps)
    }
    var matrix = try evaluate(call.arguments[0], steps)
    for index in matrix.rows.indices { matrix.rows[index].dropsName = true }
    ElementFunction.apply(call.function, to: &matrix)
    return matrix
  }

  private func constant(_ value: Double, _ steps: Steps) -> Matrix {
    Matrix(scalars: Array(repeating: value, count: steps.count))
  }

  // MARK: Scalars and times

  /// The only element's value, NaN when there is not exactly one.
  private func scalar(_ matrix: Matrix) -> Matrix {
    var values = Array(repeating: Double.nan, count: matrix.steps)
    var inputs = InputSpan.none
    for step in 0..<matrix.steps {
      var count = 0
      for row in matrix.rows.indices {
        let value = matrix.values[row * matrix.steps + step]
        if Matrix.isAbsent(value) { continue }
        count += 1
        values[step] = count == 1 ? value : .nan
      }
    }
    for row in matrix.rows { inputs.merge(row.inputs) }
    return Matrix(scalars: values, inputs: inputs)
  }

  /// Of a selector the samples' own times, of anything else the evaluation time.
  private mutating func timestamp(_ call: Call, _ steps: Steps) throws(QueryError) -> Matrix {
    var matrix: Matrix
    if case .vectorSelector(let selector) = call.arguments[0].unwrapped {
      matrix = try evaluate(selector, steps, wantsTimes: true)
    } else {
      matrix = try evaluate(call.arguments[0], steps)
      for row in matrix.rows.indices {
        for step in 0..<matrix.steps {
          let index = row * matrix.steps + step
          if Matrix.isAbsent(matrix.values[index]) { continue }
          matrix.values[index] = Double(steps.time(step)) / 1000
        }
      }
    }
    for index in matrix.rows.indices { matrix.rows[index].dropsName = true }
    return matrix
  }

  private mutating func calendar(_ call: Call, _ steps: Steps) throws(QueryError) -> Matrix {
    guard let argument = call.arguments.first else {
      try hold(steps.count)
      return Matrix(
        scalars: (0..<steps.count).map {
          CalendarTime(seconds: steps.time($0) / 1000).component(call.function)
        })
    }
    var matrix = try evaluate(argument, steps)
    for index in matrix.rows.indices { matrix.rows[index].dropsName = true }
    matrix.transform { value in
      guard value.magnitude < 9e15 else { return .nan }
      return CalendarTime(seconds: Int64(value)).component(call.function)
    }
    return matrix
  }

  // MARK: Absence

  private mutating func absent(_ call: Call, _ steps: Steps) throws(QueryError) -> Matrix {
    absentDepth += 1
    defer { absentDepth -= 1 }
    try hold(steps.count)
    let matrix = try evaluate(call.arguments[0], steps)
    var found = Array(repeating: false, count: steps.count)
    for (index, value) in matrix.values.enumerated() where !Matrix.isAbsent(value) {
      found[index % steps.count] = true
    }
    return absence(of: call.arguments[0], found)
  }

  private mutating func absentOverTime(
    _ call: Call, _ steps: Steps
  ) throws(QueryError) -> Matrix {
    absentDepth += 1
    defer { absentDepth -= 1 }
    try hold(steps.count)
    let present = try overWindows(call, steps)
    var found = Array(repeating: false, count: steps.count)
    for (index, value) in present.values.enumerated() where !Matrix.isAbsent(value) {
      found[index % steps.count] = true
    }
    return absence(of: call.arguments[0], found)
  }

  /// 1 where nothing was found, with the labels that the selector asks for by equality.
  private func absence(of expression: Expression, _ found: [Bool]) -> Matrix {
    var matrix = Matrix(steps: found.count)
    guard found.contains(false) else { return matrix }
    matrix.rows = [Matrix.Row(labels: Self.labels(askedForBy: expression.unwrapped))]
    matrix.values = found.map { $0 ? Matrix.absent : 1 }
    return matrix
  }

  private static func labels(askedForBy expression: Expression) -> Labels {
    let matchers: [Matcher]
    switch expression {
    case .vectorSelector(let selector): matchers = selector.matchers
    case .matrixSelector(let matrix): matchers = matrix.selector.matchers
    default: return Labels()
    }
    var labels = Labels()
    var seen: Set<String> = []
    for matcher in matchers where matcher.name != Labels.metricName {
      // A label asked for twice says nothing.
      let isFirst = matcher.kind == .equal && !seen.contains(matcher.name)
      labels[matcher.name] = isFirst ? matcher.value : nil
      if matcher.kind == .equal { seen.insert(matcher.name) }
    }
    return labels
  }

  // MARK: Numbers

  private mutating func clamp(_ call: Call, _ steps: Steps) throws(QueryError) -> Matrix {
    var matrix = try evaluate(call.arguments[0], steps)
    let first = try scalars(call.arguments[1], steps)
    var lower = Array(repeating: -Double.infinity, count: steps.count)
    var upper = Array(repeating: Double.infinity, count: steps.count)
    var inputs = first.inputs
    switch call.function {
    case .clampMin: lower = first.values
    case .clampMax: upper = first.values
    default:
      let second = try scalars(call.arguments[2], steps)
      (lower, upper) = (first.values, second.values)
      inputs.merge(second.inputs)
    }
    for row in matrix.rows.indices {
      matrix.rows[row].dropsName = true
      matrix.rows[row].inputs.merge(inputs)
      for step in 0..<steps.count {
        let index = row * steps.count + step
        let value = matrix.values[index]
        if Matrix.isAbsent(value) { continue }
        matrix.values[index] =
          upper[step] < lower[step]
          ? Matrix.absent : Math.maximum(lower[step], Math.minimum(upper[step], value))
      }
    }
    matrix.removeEmptyRows()
    return matrix
  }

  private mutating func round(_ call: Call, _ steps: Steps) throws(QueryError) -> Matrix {
    var matrix = try evaluate(call.arguments[0], steps)
    var nearest = Array(repeating: 1.0, count: steps.count)
    var inputs = InputSpan.none
    if call.arguments.count > 1 { (nearest, inputs) = try scalars(call.arguments[1], steps) }
    for row in matrix.rows.indices {
      matrix.rows[row].dropsName = true
      matrix.rows[row].inputs.merge(inputs)
      for step in 0..<steps.count {
        let index = row * steps.count + step
        if Matrix.isAbsent(matrix.values[index]) { continue }
        // Multiplying by the inverse rounds better than dividing, as Prometheus found.
        let inverse = 1 / nearest[step]
        matrix.values[index] =
          (matrix.values[index] * inverse + 0.5).rounded(.down) / inverse
      }
    }
    return matrix
  }

  // MARK: Order

  private mutating func sort(_ call: Call, _ steps: Steps) throws(QueryError) -> Matrix {
    let matrix = try evaluate(call.arguments[0], steps)
    guard steps.count == 1 else {
      annotate(.ineffectiveSort(at: call.position))
      return matrix
    }
    let isDescending = call.function == .sortDesc || call.function == .sortByLabelDesc
    let order: [Int]
    if call.function == .sort || call.function == .sortDesc {
      order = matrix.rows.indices.sorted { left, right in
        let (first, second) = (matrix.values[left], matrix.values[right])
        // NaN comes last in either direction.
        if first.isNaN || second.isNaN { return second.isNaN && !first.isNaN }
        return isDescending ? first > second : first < second
      }
    } else {
      var names: [String] = []
      for argument in call.arguments.dropFirst() { names.append(try string(argument)) }
      order = matrix.rows.indices.sorted { left, right in
        let labels = (matrix.rows[left].labels, matrix.rows[right].labels)
        for name in names {
          let values = (labels.0[name] ?? "", labels.1[name] ?? "")
          if values.0 == values.1 { continue }
          return NaturalOrder.precedes(values.0, values.1) != isDescending
        }
        return isDescending ? labels.1 < labels.0 : labels.0 < labels.1
      }
    }
    var result = Matrix(steps: 1)
    result.rows = order.map { matrix.rows[$0] }
    result.values = order.map { matrix.values[$0] }
    return result
  }

  // MARK: Labels

  func string(_ expression: Expression) throws(QueryError) -> String {
    guard case .string(let literal) = expression.unwrapped else {
      throw .execution("unexpected expression")
    }
    return literal.value
  }

  private func labelName(
    _ expression: Expression, _ role: String
  ) throws(QueryError) -> String {
    guard case .string(let literal) = expression.unwrapped else {
      throw .execution("unexpected expression")
    }
    guard literal.isValidUnicode, !literal.value.isEmpty else {
      throw .execution("invalid \(role): \(literal.value)")
    }
    return literal.value
  }

  private mutating func labelReplace(_ call: Call, _ steps: Steps) throws(QueryError) -> Matrix {
    let pattern = try string(call.arguments[4])
    let expression: RegularExpression
    do {
      expression = try RegularExpression(pattern)
    } catch {
      throw .execution("invalid regular expression in label_replace(): \(pattern)")
    }
    let target = try labelName(call.arguments[1], "destination label name in label_replace()")
    let replacement = try string(call.arguments[2])
    let from = try string(call.arguments[3])
    var matrix = try evaluate(call.arguments[0], steps)
    for index in matrix.rows.indices {
      let value = matrix.rows[index].labels[from] ?? ""
      guard let text = expression.expand(replacement, matching: value) else { continue }
      matrix.rows[index].labels[target] = text
      if target == Labels.metricName { matrix.rows[index].dropsName = false }
    }
    try matrix.mergeRowsWithSameLabels()
    return matrix
  }

  private mutating func labelJoin(_ call: Call, _ steps: Steps) throws(QueryError) -> Matrix {
    let separator = try string(call.arguments[2])
    var names: [String] = []
    for argument in call.arguments.dropFirst(3) {
      names.append(try labelName(argument, "source label name in label_join()"))
    }
    let target = try labelName(call.arguments[1], "destination label name in label_join()")
    var matrix = try evaluate(call.arguments[0], steps)
    for index in matrix.rows.indices {
      let labels = matrix.rows[index].labels
      let joined = names.map { labels[$0] ?? "" }.joined(separator: separator)
      matrix.rows[index].labels[target] = joined
      if target == Labels.metricName { matrix.rows[index].dropsName = false }
    }
    try matrix.mergeRowsWithSameLabels()
    return matrix
  }
}
