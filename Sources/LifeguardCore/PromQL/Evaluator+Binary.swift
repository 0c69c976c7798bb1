/// Binary operators.
extension Evaluator {
  mutating func evaluate(
    _ binary: BinaryExpression, _ steps: Steps
  ) throws(QueryError) -> Matrix {
    let left = try evaluate(binary.left, steps)
    let right = try evaluate(binary.right, steps)
    switch (binary.left.type == .scalar, binary.right.type == .scalar) {
    case (true, true): return combineScalars(binary.operation, left, right)
    case (false, true): return combine(binary, left, scalars: right, isScalarLeft: false)
    case (true, false): return combine(binary, right, scalars: left, isScalarLeft: true)
    case (false, false):
      if binary.operation.isSetOperator {
        return try combineSets(binary, left, right)
      }
      return try match(binary, left, right)
    }
  }

  private func combineScalars(
    _ operation: BinaryOperator, _ left: Matrix, _ right: Matrix
  ) -> Matrix {
    var result = left
    for index in result.values.indices {
      result.values[index] = Arithmetic.apply(
        operation, left.values[index], right.values[index])
    }
    result.rows[0].inputs.merge(right.rows[0].inputs)
    return result
  }

  private func combine(
    _ binary: BinaryExpression, _ vector: Matrix, scalars: Matrix, isScalarLeft: Bool
  ) -> Matrix {
    let operation = binary.operation
    var result = vector
    let filters = operation.isComparison && !binary.returnsBool
    let inputs = scalars.rows[0].inputs
    for row in result.rows.indices {
      result.rows[row].inputs.merge(inputs)
      if !filters { result.rows[row].dropsName = true }
      for step in 0..<result.steps {
        let index = row * result.steps + step
        let value = result.values[index]
        if Matrix.isAbsent(value) { continue }
        let scalar = scalars.values[step]
        let (first, second) = isScalarLeft ? (scalar, value) : (value, scalar)
        if !filters {
          result.values[index] = Arithmetic.apply(operation, first, second)
        } else if !Arithmetic.holds(operation, first, second) {
          result.values[index] = Matrix.absent
        }
      }
    }
    if filters { result.removeEmptyRows() }
    return result
  }

  // MARK: Signatures

  /// Numbers the groups of rows that match each other, across both sides.
  private struct Signatures {
    var left: [Int] = []
    var right: [Int] = []
    var count = 0

    init(_ matching: BinaryExpression.Matching, _ left: Matrix, _ right: Matrix) {
      var known: [Labels: Int] = [:]
      known.reserveCapacity(max(left.rows.count, right.rows.count))
      let ignored = matching.labels + [Labels.metricName]
      func number(_ labels: Labels) -> Int {
        let key = matching.isOn ? labels.keeping(matching.labels) : labels.without(ignored)
        if let number = known[key] { return number }
        known[key] = known.count
        return known.count - 1
      }
      self.left = left.rows.map { number($0.labels) }
      self.right = right.rows.map { number($0.labels) }
      count = known.count
    }
  }

  // MARK: Set operators

  private mutating func combineSets(
    _ binary: BinaryExpression, _ left: Matrix, _ right: Matrix
  ) throws(QueryError) -> Matrix {
    let signatures = Signatures(binary.matching, left, right)
    switch binary.operation {
    case .or:
      var result = left
      let present = presence(left, signatures.left, signatures.count)
      append(right, signatures.right, to: &result, unless: present, signatures.count)
      result.removeEmptyRows()
      // Both sides may have a series of the same labels, each at other steps.
      if result.steps > 1 { try result.mergeRowsWithSameLabels() }
      return result
    case .and:
      let present = presence(right, signatures.right, signatures.count)
      let isTainted = right.rows.contains { $0.inputs.isRemote }
      return filtered(
        left.tainted(isTainted), signatures.left, present, signatures.count, keeps: true)
    default:
      let present = presence(right, signatures.right, signatures.count)
      // What is not there decides here, so what was looked for counts.
      let isTainted = binary.right.selectorIndices.contains { cache.readsRemote($0) }
      return filtered(
        left.tainted(isTainted), signatures.left, present, signatures.count, keeps: false)
    }
  }

  /// For each step, which signatures have a value.
  private func presence(_ matrix: Matrix, _ signatures: [Int], _ count: Int) -> [Bool] {
    var present = Array(repeating: false, count: count * matrix.steps)
    for row in matrix.rows.indices {
      for step in 0..<matrix.steps
      where !Matrix.isAbsent(matrix.values[row * matrix.steps + step]) {
        present[step * count + signatures[row]] = true
      }
    }
    return present
  }

  private func filtered(
    _ matrix: Matrix, _ signatures: [Int], _ present: [Bool], _ count: Int, keeps: Bool
  ) -> Matrix {
    var result = matrix
    for row in matrix.rows.indices {
      for step in 0..<matrix.steps where present[step * count + signatures[row]] != keeps {
        result.values[row * matrix.steps + step] = Matrix.absent
      }
    }
    result.removeEmptyRows()
    return result
  }

  private func append(
    _ right: Matrix, _ signatures: [Int], to result: inout Matrix, unless present: [Bool],
    _ count: Int
  ) {
    for row in right.rows.indices {
      let offset = result.append(right.rows[row])
      for step in 0..<right.steps where !present[step * count + signatures[row]] {
        result.values[offset + step] = right.values[row * right.steps + step]
      }
    }
  }

  // MARK: Vector matching

  /// Pairs of rows that have met, as rows of the result.
  private struct Pairs {
    struct Key: Hashable {
      var many: Int
      var one: Int
    }

    struct Group: Hashable {
      var signature: Int
      var labels: Labels
    }

    var rows: [Key: Int] = [:]
    /// For each row of the "many" side the pair that it was in last: nearly always the next, too.
    var last: [(other: Int, target: Int)]
    /// For each row of the result, the number of its labels within its signature.
    var groups: [Int] = []
    var numbers: [Group: Int] = [:]
    /// The step at which a group was last given a value.
    var lastStep: [Int] = []

    init(many: Int) {
      last = Array(repeating: (-1, -1), count: many)
    }
  }

  private mutating func match(
    _ binary: BinaryExpression, _ left: Matrix, _ right: Matrix
  ) throws(QueryError) -> Matrix {
    let signatures = Signatures(binary.matching, left, right)
    let isSwapped = binary.matching.cardinality == .oneToMany
    let (many, one) = isSwapped ? (right, left) : (left, right)
    let manySignatures = isSwapped ? signatures.right : signatures.left
    let oneSignatures = isSwapped ? signatures.left : signatures.right
    var result = Matrix(steps: left.steps)
    reserve(many.rows.count, in: &result)
    var pairs = Pairs(many: many.rows.count)
    var partner = Array(repeating: -1, count: signatures.count)
    var matchedAt = Array(repeating: -1, count: signatures.count)
    var work = 0
    for step in 0..<left.steps {
      try interrupt(after: left.rows.count + right.rows.count, &work)
      guard hasValue(left, step), hasValue(right, step) else { continue }
      for index in partner.indices { partner[index] = -1 }
      try findPartners(binary, one, oneSignatures, step, &partner)
      for row in many.rows.indices {
        let value = many.values[row * many.steps + step]
        let signature = manySignatures[row]
        guard !Matrix.isAbsent(value), partner[signature] >= 0 else { continue }
        let other = partner[signature]
        let target = pair(binary, many, one, row, other, signature, &pairs, &result)
        try checkSize(result)
        try checkUnique(binary, signature, step, target, &matchedAt, &pairs)
        let opposite = one.values[other * one.steps + step]
        let (first, second) = isSwapped ? (opposite, value) : (value, opposite)
        result.values[target * result.steps + step] = outcome(binary, first, second)
      }
    }
    result.removeEmptyRows()
    // A series may have met others at other steps, and given the same labels with each.
    let repeats =
      binary.matching.cardinality != .oneToOne || pairs.numbers.count < pairs.groups.count
    if result.steps > 1, repeats { try result.mergeRowsWithSameLabels() }
    return result
  }

  private func hasValue(_ matrix: Matrix, _ step: Int) -> Bool {
    for row in matrix.rows.indices
    where !Matrix.isAbsent(matrix.values[row * matrix.steps + step]) { return true }
    return false
  }

  private func outcome(
    _ binary: BinaryExpression, _ first: Double, _ second: Double
  ) -> Double {
    guard binary.operation.isComparison else {
      return Arithmetic.apply(binary.operation, first, second)
    }
    let holds = Arithmetic.holds(binary.operation, first, second)
    if binary.returnsBool { return holds ? 1 : 0 }
    return holds ? first : Matrix.absent
  }

  private func findPartners(
    _ binary: BinaryExpression, _ one: Matrix, _ signatures: [Int], _ step: Int,
    _ partner: inout [Int]
  ) throws(QueryError) {
    for row in one.rows.indices where !Matrix.isAbsent(one.values[row * one.steps + step]) {
      let signature = signatures[row]
      if partner[signature] >= 0 {
        let matching = binary.matching
        let labels = one.rows[row].labels
        let group =
          matching.isOn
          ? labels.keeping(matching.labels)
          : labels.without(matching.labels + [Labels.metricName])
        let side = matching.cardinality == .oneToMany ? "left" : "right"
        let duplicate = one.rows[partner[signature]].labels
        throw .execution(
          "found duplicate series for the match group \(group) on the \(side) hand-side of the"
            + " operation: [\(labels), \(duplicate)];many-to-many matching not allowed: matching"
            + " labels must be unique on one side")
      }
      partner[signature] = row
    }
  }

  private func pair(
    _ binary: BinaryExpression, _ many: Matrix, _ one: Matrix, _ row: Int, _ other: Int,
    _ signature: Int, _ pairs: inout Pairs, _ result: inout Matrix
  ) -> Int {
    if pairs.last[row].other == other { return pairs.last[row].target }
    let key = Pairs.Key(many: row, one: other)
    if let known = pairs.rows[key] {
      pairs.last[row] = (other, known)
      return known
    }
    let labels = resultLabels(binary, many.rows[row].labels, one.rows[other].labels)
    _ = result.append(
      Matrix.Row(
        labels: labels, dropsName: binary.returnsBool || many.rows[row].dropsName,
        inputs: many.rows[row].inputs.merged(one.rows[other].inputs)))
    let target = result.rows.count - 1
    pairs.rows[key] = target
    pairs.last[row] = (other, target)
    let group = Pairs.Group(signature: signature, labels: labels)
    let number = pairs.numbers[group] ?? pairs.numbers.count
    pairs.numbers[group] = number
    if number == pairs.lastStep.count { pairs.lastStep.append(-1) }
    pairs.groups.append(number)
    return target
  }

  private func checkUnique(
    _ binary: BinaryExpression, _ signature: Int, _ step: Int, _ target: Int,
    _ matchedAt: inout [Int], _ pairs: inout Pairs
  ) throws(QueryError) {
    if binary.matching.cardinality == .oneToOne {
      guard matchedAt[signature] != step else {
        throw .execution(
          "multiple matches for labels: many-to-one matching must be explicit"
            + " (group_left/group_right)")
      }
      matchedAt[signature] = step
      return
    }
    let group = pairs.groups[target]
    guard pairs.lastStep[group] != step else {
      throw .execution(
        "multiple matches for labels: grouping labels must ensure unique matches")
    }
    pairs.lastStep[group] = step
  }

  private func resultLabels(
    _ binary: BinaryExpression, _ many: Labels, _ one: Labels
  ) -> Labels {
    var labels = binary.operation.isComparison ? many : many.withoutMetadata()
    if binary.matching.cardinality == .oneToOne {
      labels =
        binary.matching.isOn
        ? labels.keeping(binary.matching.labels) : labels.without(binary.matching.labels)
    }
    for name in binary.matching.include { labels[name] = one[name] ?? "" }
    return labels
  }
}
