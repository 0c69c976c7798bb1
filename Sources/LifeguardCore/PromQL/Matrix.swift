/// The times of the oldest and newest sample that a value was made from, in milliseconds.
struct InputSpan: Hashable, Sendable {
  var oldest: Int64
  var newest: Int64
  /// Whether any of the samples was not collected on this host.
  var isRemote = false

  /// Of a value that no sample went into.
  static let none = InputSpan(oldest: .max, newest: .min)

  init(oldest: Int64, newest: Int64) {
    self.oldest = oldest
    self.newest = newest
  }

  init(_ time: Int64, isRemote: Bool = false) {
    self.init(oldest: time, newest: time)
    self.isRemote = isRemote
  }

  mutating func merge(_ other: InputSpan) {
    oldest = min(oldest, other.oldest)
    newest = max(newest, other.newest)
    isRemote = isRemote || other.isRemote
  }

  func merged(_ other: InputSpan) -> InputSpan {
    var result = self
    result.merge(other)
    return result
  }

  var range: ClosedRange<Timestamp>? {
    guard oldest <= newest else { return nil }
    return Timestamp(milliseconds: oldest)...Timestamp(milliseconds: newest)
  }
}

/// What every expression but a string evaluates to: series of values, one for each step or none.
///
/// The values stand in one array, a row for each series; a step without a value holds `absent`. One
/// allocation instead of one for each series is most of the speed of queries over many series.
struct Matrix {
  struct Row {
    var labels: Labels
    /// The metric's name goes at the very end, so that it is still there for `by (__name__)`.
    var dropsName = false
    var inputs = InputSpan.none
  }

  /// A NaN that no calculation gives and no selector lets through.
  static let absent = Double(bitPattern: 0x7FF8_4C46_4742_5354)
  private static let absentBits: UInt64 = 0x7FF8_4C46_4742_5354

  let steps: Int
  var rows: [Row] = []
  var values: [Double] = []

  init(steps: Int) {
    self.steps = steps
  }

  /// A scalar, or a vector of one element without labels.
  init(scalars: [Double], inputs: InputSpan = .none) {
    steps = scalars.count
    rows = [Row(labels: Labels(), inputs: inputs)]
    values = scalars
  }

  @inline(__always)
  static func isAbsent(_ value: Double) -> Bool { value.bitPattern == absentBits }

  /// A value from outside, made distinguishable from `absent`.
  @inline(__always)
  static func admitted(_ value: Double) -> Double { value.isNaN ? .nan : value }

  /// Makes room for `count` rows, though for no more than `valuesMax` values: a subquery with many
  /// steps over many series would ask for more memory than there is before any limit is looked at.
  mutating func reserve(rows count: Int, valuesMax: Int) {
    rows.reserveCapacity(count)
    let (wanted, overflows) = count.multipliedReportingOverflow(by: steps)
    values.reserveCapacity(overflows ? valuesMax : min(wanted, valuesMax))
  }

  /// Adds a row without values and says where they begin.
  mutating func append(_ row: Row) -> Int {
    rows.append(row)
    values.append(contentsOf: repeatElement(Self.absent, count: steps))
    return values.count - steps
  }

  /// Takes back the row added last.
  mutating func removeLastRow() {
    rows.removeLast()
    values.removeLast(steps)
  }

  func isEmpty(_ row: Int) -> Bool {
    for index in row * steps..<(row + 1) * steps where !Self.isAbsent(values[index]) {
      return false
    }
    return true
  }

  /// Without the rows that have no value at any step.
  mutating func removeEmptyRows() {
    var kept = 0
    for row in rows.indices where !isEmpty(row) {
      if kept != row {
        rows[kept] = rows[row]
        for step in 0..<steps { values[kept * steps + step] = values[row * steps + step] }
      }
      kept += 1
    }
    rows.removeLast(rows.count - kept)
    values.removeLast(values.count - kept * steps)
  }

  /// With every row remote when `isTainted`: for operators whose right side decides which rows of
  /// the left stay.
  func tainted(_ isTainted: Bool) -> Matrix {
    guard isTainted else { return self }
    var result = self
    for row in result.rows.indices { result.rows[row].inputs.isRemote = true }
    return result
  }

  /// One step's values repeated for `count` steps.
  func repeated(_ count: Int) -> Matrix {
    var result = Matrix(steps: count)
    result.rows = rows
    result.values.reserveCapacity(rows.count * count)
    for value in values { result.values.append(contentsOf: repeatElement(value, count: count)) }
    return result
  }

  /// Makes one row of those with the same labels; one that is still to lose its name differs from
  /// one that keeps it, unless there is nothing to lose.
  ///
  /// - Throws: when two of them have a value at the same step.
  mutating func mergeRowsWithSameLabels() throws(QueryError) {
    guard rows.count > 1 else { return }
    var known: [Labels: Int] = [:]
    var nameless: [Labels: Int] = [:]
    known.reserveCapacity(rows.count)
    var hasMerged = false
    for row in rows.indices {
      let labels = rows[row].labels
      let losesName = rows[row].dropsName && labels.hasMetadata
      let target = losesName ? nameless[labels] : known[labels]
      guard let target else {
        if losesName { nameless[labels] = row } else { known[labels] = row }
        continue
      }
      hasMerged = true
      for step in 0..<steps {
        let value = values[row * steps + step]
        if Self.isAbsent(value) { continue }
        guard Self.isAbsent(values[target * steps + step]) else {
          throw .execution("vector cannot contain metrics with the same labelset")
        }
        values[target * steps + step] = value
        values[row * steps + step] = Self.absent
      }
      rows[target].inputs.merge(rows[row].inputs)
    }
    if hasMerged { removeEmptyRows() }
  }
}
