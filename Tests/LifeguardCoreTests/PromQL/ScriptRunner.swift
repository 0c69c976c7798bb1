@testable import LifeguardCore

/// Runs the cases of a script and says what differs.
struct ScriptRunner {
  var allowsExperimental = false

  /// Why a case says nothing about this implementation.
  enum Reason: Equatable {
    case nativeHistograms
    case experimental
  }

  enum Outcome: Equatable {
    case passed
    case excluded(Reason)
    case failed(String)
  }

  private static let options = QueryOptions()

  func run(_ one: Script.Case) -> Outcome {
    let query: Query
    do {
      query = try Query(parsing: one.query, allowsExperimental: allowsExperimental)
    } catch {
      if error.message.contains("experimental") || error.message.contains("is not enabled")
        || error.message.contains("unknown function")
      {
        return .excluded(.experimental)
      }
      return verdict(one, failure: error.description)
    }
    if one.hasHistogram || readsHistograms(query, one) { return .excluded(.nativeHistograms) }
    do {
      switch one.kind {
      case .instant(let time): return try instant(one, query, time)
      case .range(let from, let to, let step):
        let result = try query.range(
          over: one.series, from: Self.time(from), to: Self.time(to),
          step: .milliseconds(step), options: Self.options)
        if one.fails { return .failed("did not fail") }
        return compare(one, result, from: from, step: step)
      }
    } catch {
      return verdict(one, failure: error.description)
    }
  }

  private func verdict(_ one: Script.Case, failure: String) -> Outcome {
    guard one.fails else { return .failed("failed: \(failure)") }
    if let message = one.failure?.message, !failure.hasSuffix(message) {
      return .failed("failed with \(failure)")
    }
    if let pattern = one.failure?.pattern, !Self.contains(failure, pattern) {
      return .failed("failed with \(failure)")
    }
    return .passed
  }

  private static func time(_ milliseconds: Int64) -> Timestamp {
    Timestamp(milliseconds: milliseconds)
  }

  private func readsHistograms(_ query: Query, _ one: Script.Case) -> Bool {
    var found = false
    query.expression.visit { expression in
      guard case .vectorSelector(let selector) = expression else { return }
      if one.histograms.contains(where: { labels in
        selector.matchers.allSatisfy { $0.matches(labels) }
      }) {
        found = true
      }
    }
    return found
  }

  // MARK: Instant

  private func instant(
    _ one: Script.Case, _ query: Query, _ time: Int64
  ) throws(QueryError) -> Outcome {
    let result = try query.instant(
      over: one.series, at: Self.time(time), options: Self.options)
    if one.fails { return .failed("did not fail") }
    let outcome = compare(one, result, from: time, step: 1)
    guard outcome == .passed else { return outcome }
    if case .matrix = result.value { return .passed }
    if case .string = result.value { return .passed }
    if let failure = try asRange(one, query, time, result) { return failure }
    if let failure = try fixed(one, query, time, result) { return failure }
    return .passed
  }

  /// The same query as the middle step of a range query.
  private func asRange(
    _ one: Script.Case, _ query: Query, _ time: Int64, _ instant: QueryResult
  ) throws(QueryError) -> Outcome? {
    // The query's own start, end, step and range are then others; sorting has no effect.
    let own = ["step()", "range()", "start()", "end()", "sort"]
    if own.contains(where: { one.query.lowercased().contains($0) }) { return nil }
    let result = try query.range(
      over: one.series, from: Self.time(time - 60_000), to: Self.time(time + 60_000),
      step: .seconds(60), options: Self.options)
    guard case .matrix(let series) = result.value else { return .failed("range: no matrix") }
    let middle = series.compactMap { series -> VectorElement? in
      guard let sample = series.samples.first(where: { $0.timestamp == Self.time(time) })
      else { return nil }
      return VectorElement(labels: series.labels, value: sample.value)
    }
    if let difference = Self.difference(middle, Self.elements(instant.value)) {
      return .failed("as a range query: \(difference)")
    }
    return nil
  }

  /// The same query with `@ time` on every selector, at other times.
  private func fixed(
    _ one: Script.Case, _ query: Query, _ time: Int64, _ instant: QueryResult
  ) throws(QueryError) -> Outcome? {
    guard let fixed = Self.fixing(query.expression, at: time) else { return nil }
    let other = Query(text: query.text, expression: fixed)
    for shift: Int64 in [-3_600_000, -60_000, 1, 60_000, 7_200_000] {
      let result = try other.instant(
        over: one.series, at: Self.time(time + shift), options: Self.options)
      let elements = (Self.elements(result.value), Self.elements(instant.value))
      if let difference = Self.difference(elements.0, elements.1) {
        return .failed("with @ at \(shift) ms: \(difference)")
      }
    }
    return nil
  }

  /// `nil` when the query depends on the evaluation time in another way.
  private static func fixing(_ expression: Expression, at time: Int64) -> Expression? {
    let fixedTime = FixedTime.at(Timestamp(milliseconds: time))
    switch expression {
    case .number, .string: return expression
    case .vectorSelector(var selector):
      if selector.fixedTime == nil { selector.fixedTime = fixedTime }
      return .vectorSelector(selector)
    case .matrixSelector(var matrix):
      if matrix.selector.fixedTime == nil { matrix.selector.fixedTime = fixedTime }
      return .matrixSelector(matrix)
    case .subquery(var subquery):
      if subquery.fixedTime == nil { subquery.fixedTime = fixedTime }
      return .subquery(subquery)
    case .call(var call):
      if call.function.dependsOnTime || call.function.isExperimental { return nil }
      for index in call.arguments.indices {
        guard let inner = fixing(call.arguments[index], at: time) else { return nil }
        call.arguments[index] = inner
      }
      return .call(call)
    case .aggregation(var aggregation):
      guard let inner = fixing(aggregation.expression, at: time) else { return nil }
      aggregation.expression = inner
      if let parameter = aggregation.parameter {
        guard let inner = fixing(parameter, at: time) else { return nil }
        aggregation.parameter = inner
      }
      return .aggregation(aggregation)
    case .binary(var binary):
      guard let left = fixing(binary.left, at: time), let right = fixing(binary.right, at: time)
      else { return nil }
      (binary.left, binary.right) = (left, right)
      return .binary(binary)
    case .unary(var unary):
      guard let inner = fixing(unary.operand, at: time) else { return nil }
      unary.operand = inner
      return .unary(unary)
    case .parentheses(let inner, let position):
      return fixing(inner, at: time).map { .parentheses($0, position: position) }
    }
  }

  // MARK: Comparison

  private func compare(
    _ one: Script.Case, _ result: QueryResult, from: Int64, step: Int64
  ) -> Outcome {
    if let difference = notes(one, result) { return .failed(difference) }
    switch result.value {
    case .string(let text):
      return text == one.string ? .passed : .failed("string \(text)")
    case .scalar(let value):
      guard let scalar = one.scalar else { return .failed("unexpected scalar \(value)") }
      return Self.isClose(value, scalar) ? .passed : .failed("scalar \(value), not \(scalar)")
    case .vector(let elements):
      let expected = one.expected.map {
        VectorElement(labels: $0.labels, value: ($0.points.first ?? nil) ?? .nan)
      }
      if one.isOrdered {
        // A limit above the number of series shows fewer lines than asked for.
        guard elements.map(\.labels) == expected.map(\.labels) else {
          return .failed("order \(elements.map { "\($0.labels)" })")
        }
      }
      let difference = Self.difference(elements, expected)
      return difference.map { .failed($0) } ?? .passed
    case .matrix(let series):
      let start = one.window?.from ?? from
      let width = one.window?.step ?? step
      let difference = Self.difference(series, one.expected, start, width)
      return difference.map { .failed($0) } ?? .passed
    }
  }

  /// Every remark that is asked for must be there, and where any is asked for, every remark of its
  /// kind must be one of those.
  private func notes(_ one: Script.Case, _ result: QueryResult) -> String? {
    for kind in ["warn", "info"] {
      let found = (kind == "warn" ? result.warnings : result.infos).map(\.text)
      if one.notes.contains(where: { $0.kind == "no_\(kind)" }), !found.isEmpty {
        return "unexpected \(found)"
      }
      let wanted = one.notes.filter { $0.kind == kind }
      for note in wanted where !found.contains(where: { Self.matches($0, note) }) {
        return "\(found), not \(note.message ?? note.pattern ?? "any \(kind)")"
      }
      if wanted.isEmpty { continue }
      for text in found where !wanted.contains(where: { Self.matches(text, $0) }) {
        return "unexpected \(text)"
      }
    }
    return nil
  }

  private static func matches(_ text: String, _ note: Script.Note) -> Bool {
    if let message = note.message { return text == message }
    if let pattern = note.pattern { return contains(text, pattern) }
    return true
  }

  private static func contains(_ text: String, _ pattern: String) -> Bool {
    // why try?: a pattern that cannot be read matches nothing, and the case fails.
    (try? RegularExpression(".*(?:\(pattern)).*"))?.matches(text) == true
  }

  private static func elements(_ value: QueryValue) -> [VectorElement] {
    switch value {
    case .scalar(let number): [VectorElement(labels: Labels(), value: number)]
    case .vector(let elements): elements
    case .string, .matrix: []
    }
  }

  private static func difference(
    _ found: [VectorElement], _ expected: [VectorElement]
  ) -> String? {
    guard found.count == expected.count else {
      return "\(found.map { "\($0.labels) \($0.value)" }) instead of \(expected.count)"
    }
    for element in expected {
      guard let match = found.first(where: { $0.labels == element.labels }) else {
        return "\(element.labels) is missing in \(found.map { "\($0.labels)" })"
      }
      if !isClose(match.value, element.value) {
        return "\(element.labels) is \(match.value), not \(element.value)"
      }
    }
    return nil
  }

  private static func difference(
    _ found: [MatrixSeries], _ expected: [(labels: Labels, points: [Double?])], _ start: Int64,
    _ step: Int64
  ) -> String? {
    guard found.count == expected.count else {
      return "\(found.map { "\($0.labels)" }) instead of \(expected.count)"
    }
    for (labels, points) in expected {
      guard let match = found.first(where: { $0.labels == labels }) else {
        return "\(labels) is missing in \(found.map { "\($0.labels)" })"
      }
      var wanted: [Sample] = []
      for (index, point) in points.enumerated() {
        guard let point else { continue }
        wanted.append(
          Sample(
            timestamp: Timestamp(milliseconds: start + Int64(index) * step), value: point))
      }
      let same =
        wanted.count == match.samples.count
        && zip(wanted, match.samples).allSatisfy {
          $0.timestamp == $1.timestamp && isClose($0.value, $1.value)
        }
      if !same { return "\(labels) is \(match.samples.map(\.value)), not \(wanted.map(\.value))" }
    }
    return nil
  }

  /// Equal but for rounding; Prometheus' suite allows the same.
  static func isClose(_ left: Double, _ right: Double) -> Bool {
    if left.isNaN || right.isNaN { return left.isNaN && right.isNaN }
    if left == right { return true }
    let size = left.magnitude + right.magnitude
    return (left - right).magnitude / min(size, .greatestFiniteMagnitude) < 1e-6
  }
}
