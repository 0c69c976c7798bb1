@testable import LifeguardCore

/// Asks Prometheus and our evaluator the same, and makes a difference as small as it can.
struct Differential {
  /// A query with when it is asked.
  struct Question {
    var query: RandomQuery
    var start: Timestamp
    /// nil for an instant query.
    var range: (end: Timestamp, step: Int64)?

    func text(variant: Int) -> String {
      query.text.replacing("$v", with: "v=\"\(variant)\"")
    }
  }

  let server: PrometheusServer
  private(set) var asked = 0
  private(set) var known: [String: Int] = [:]
  private var nextVariant = 1

  init(_ server: PrometheusServer) {
    self.server = server
  }

  /// Data that both sides have, under a number of their own.
  struct Loaded {
    var variant: Int
    var data: RandomData
    var head: Head
  }

  mutating func load(_ data: RandomData) throws -> Loaded {
    let variant = nextVariant
    nextVariant += 1
    let numbered = data.renumbered(variant)
    try server.write(numbered)
    return Loaded(variant: variant, data: numbered, head: try numbered.head())
  }

  static func question(_ random: inout RandomSource, _ query: RandomQuery) -> Question {
    // Half a second off the grid of subqueries, and off every sample.
    let start = Timestamp(
      milliseconds: RandomData.start + Int64(random.integer(700...2700)) * 1000 + 500)
    guard random.chance(60) else { return Question(query: query, start: start, range: nil) }
    let step = random.pick([15, 30, 47, 60, 13]) * 1000
    let end = start + .milliseconds(step * random.integer(1...8))
    return Question(query: query, start: start, range: (end, Int64(step)))
  }

  /// nil when both sides agree, or differ for a reason that is known.
  mutating func difference(_ question: Question, _ loaded: Loaded) throws -> String? {
    asked += 1
    let text = question.text(variant: loaded.variant)
    let theirs = try ask(question, text)
    let ours = answer(question, text, loaded.head)
    guard let difference = ours.difference(from: theirs) else { return nil }
    if let reason = KnownDifference.reason(text, ours, theirs) {
      known[reason, default: 0] += 1
      return nil
    }
    if try isRounding(question, text, loaded, ours, theirs) {
      known["rounding decides", default: 0] += 1
      return nil
    }
    return difference
  }

  /// Whether rounding in another order explains it: every point in dispute is in dispute among our
  /// own answers, too, once each series is made larger or smaller in the 13th digit.
  ///
  /// A comparison, a remainder, `floor`, or a difference of two large sums turns the last digit of
  /// a sum into another answer.
  private func isRounding(
    _ question: Question, _ text: String, _ loaded: Loaded, _ ours: QueryOutcome,
    _ theirs: QueryOutcome
  ) throws -> Bool {
    guard let disputed = ours.disputed(with: theirs) else { return false }
    var unstable: Set<QueryOutcome.Point> = []
    for seed: UInt64 in 1...8 {
      let nudged = answer(question, text, try loaded.data.nudged(seed: seed).head())
      guard let moved = ours.disputed(with: nudged) else { continue }
      unstable.formUnion(moved)
      if disputed.isSubset(of: unstable) { return true }
    }
    return false
  }

  private func ask(_ question: Question, _ text: String) throws -> QueryOutcome {
    guard let range = question.range else {
      return QueryOutcome(
        try server.ask(
          "/api/v1/query", [("query", text), ("time", "\(question.start.seconds)")]))
    }
    return QueryOutcome(
      try server.ask(
        "/api/v1/query_range",
        [
          ("query", text), ("start", "\(question.start.seconds)"), ("end", "\(range.end.seconds)"),
          ("step", "\(Double(range.step) / 1000)"),
        ]))
  }

  private func answer(_ question: Question, _ text: String, _ head: Head) -> QueryOutcome {
    do {
      // Its name since 3.0, where it counts as experimental.
      let renamed = text.replacing("holt_winters", with: "double_exponential_smoothing")
      let query = try Query(parsing: renamed, allowsExperimental: true)
      guard let range = question.range else {
        return QueryOutcome(
          try query.instant(over: head, at: question.start), at: question.start)
      }
      return QueryOutcome(
        try query.range(
          over: head, from: question.start, to: range.end, step: .milliseconds(range.step)),
        at: question.start)
    } catch {
      return .failed("\(error)")
    }
  }

  // MARK: Making it small

  /// The smallest question and data that still show a difference.
  mutating func shrunk(_ question: Question, _ loaded: Loaded) throws -> String {
    var question = question
    var loaded = loaded
    var isSmaller = true
    while isSmaller {
      isSmaller = false
      for smaller in question.query.reductions.prefix(40) {
        var candidate = question
        candidate.query = smaller
        if try difference(candidate, loaded) != nil {
          question = candidate
          isSmaller = true
          break
        }
      }
    }
    if question.range != nil {
      var instant = question
      instant.range = nil
      if try difference(instant, loaded) != nil { question = instant }
    }
    loaded = try shrunkData(question, loaded)
    let remaining = try difference(question, loaded) ?? "gone"
    let when =
      question.range.map {
        "from \(question.start.milliseconds) to \($0.end.milliseconds) step \($0.step)"
      } ?? "at \(question.start.milliseconds)"
    let series = loaded.data.series.map { one in
      "\(one.labels) "
        + one.samples.map { "\(SampleText.value($0.value))@\($0.timestamp.milliseconds)" }
        .joined(separator: " ")
    }.joined(separator: "\n")
    return "\(question.text(variant: loaded.variant))\n\(when)\n\(remaining)\n\(series)"
  }

  /// Halves away series, then samples, while the difference stays.
  private mutating func shrunkData(
    _ question: Question, _ loaded: Loaded
  ) throws -> Loaded {
    var best = loaded
    var attempts = 0
    func parts(_ count: Int) -> [Range<Int>] {
      var result: [Range<Int>] = []
      var length = count / 2
      while length >= 1, result.count < 24 {
        for start in stride(from: 0, to: count, by: length) {
          result.append(start..<min(count, start + length))
        }
        length /= 2
      }
      return result
    }
    var isSmaller = true
    while isSmaller, attempts < 80 {
      isSmaller = false
      for part in parts(best.data.series.count) where attempts < 80 {
        var data = best.data
        data.series.removeSubrange(part)
        attempts += 1
        let candidate = try load(data)
        if try difference(question, candidate) != nil {
          best = candidate
          isSmaller = true
          break
        }
      }
    }
    let longest = best.data.series.map(\.samples.count).max() ?? 0
    for part in parts(longest) where attempts < 120 {
      var data = best.data
      for index in data.series.indices {
        let count = data.series[index].samples.count
        data.series[index].samples.removeSubrange(
          min(part.lowerBound, count)..<min(part.upperBound, count))
      }
      attempts += 1
      let candidate = try load(data)
      if try difference(question, candidate) != nil { best = candidate }
    }
    return best
  }
}

/// Where Prometheus 2.42 and 3.14, whose semantics are ours, answer differently on purpose.
enum KnownDifference {
  static func reason(_ text: String, _ ours: QueryOutcome, _ theirs: QueryOutcome) -> String? {
    if case .failed(let why) = ours, why.hasPrefix("multiple matches for labels"), filters(text) {
      return "matches that a comparison filters away were not counted"
    }
    if shiftsFixedTimestamp(text) {
      return "timestamp() of a selector with @ looks from before its offset"
    }
    return nil
  }

  /// Whether `timestamp` has a selector with both `@` and `offset`: Prometheus reads samples up to
  /// where the offset leads and then looks for one from where it is not applied, in every version.
  private static func shiftsFixedTimestamp(_ text: String) -> Bool {
    let plain = text.replacing("start()", with: "start").replacing("end()", with: "end")
    return plain.split(separator: "timestamp(", omittingEmptySubsequences: false).dropFirst()
      .contains { rest in
        let argument = rest.prefix { $0 != ")" }
        return argument.contains(" @ ") && argument.contains(" offset ")
      }
  }

  /// Whether the query has a comparison that leaves elements out.
  private static func filters(_ text: String) -> Bool {
    [" == ", " != ", " > ", " < ", " >= ", " <= "].contains { operation in
      text.split(separator: operation, omittingEmptySubsequences: false).dropFirst()
        .contains { !$0.hasPrefix("bool ") }
    }
  }
}
