import LifeguardCore

/// What a query gave, in a form that can be compared: series of points, or that it failed.
enum QueryOutcome: CustomStringConvertible {
  /// One value of one series.
  struct Point: Hashable {
    var labels: Labels
    var time: Int64
  }

  case failed(String)
  case series([Labels: [Int64: Double]])

  /// From an answer of the HTTP API.
  init(_ answer: JSON) {
    guard answer["status"]?.string == "success", let data = answer["data"] else {
      self = .failed(answer["error"]?.string ?? "no answer")
      return
    }
    var series: [Labels: [Int64: Double]] = [:]
    var rows = 0
    let items = data["result"]?.array ?? []
    switch data["resultType"]?.string {
    case "scalar":
      series[Labels()] = Self.points([.array(items)])
      rows = 1
    case "vector":
      for item in items { series[Self.labels(item)] = Self.points([item["value"] ?? .null]) }
      rows = items.count
    default:
      for item in items { series[Self.labels(item)] = Self.points(item["values"]?.array ?? []) }
      rows = items.count
    }
    self = Self.unique(series, rows)
  }

  /// An answer with two series of the same labels is no answer.
  private static func unique(_ series: [Labels: [Int64: Double]], _ rows: Int) -> QueryOutcome {
    series.count == rows ? .series(series) : .failed("\(rows - series.count) series twice")
  }

  init(_ result: QueryResult, at time: Timestamp) {
    var series: [Labels: [Int64: Double]] = [:]
    var count = 0
    switch result.value {
    case .scalar(let value):
      series[Labels()] = [time.milliseconds: value]
      count = 1
    case .vector(let elements):
      for element in elements { series[element.labels] = [time.milliseconds: element.value] }
      count = elements.count
    case .matrix(let rows):
      count = rows.count
      for row in rows {
        series[row.labels] = Dictionary(
          uniqueKeysWithValues: row.samples.map { ($0.timestamp.milliseconds, $0.value) })
      }
    case .string: break
    }
    self = Self.unique(series, count)
  }

  private static func labels(_ item: JSON) -> Labels {
    Labels(
      (item["metric"]?.object?.members ?? []).map {
        Label(name: $0.key, value: $0.value.string ?? "")
      })
  }

  private static func points(_ pairs: [JSON]) -> [Int64: Double] {
    var result: [Int64: Double] = [:]
    for pair in pairs {
      guard let values = pair.array, values.count == 2 else { continue }
      let seconds = values[0].double ?? 0
      result[Int64((seconds * 1000).rounded())] = number(values[1].string ?? "")
    }
    return result
  }

  private static func number(_ text: String) -> Double {
    switch text {
    case "+Inf": .infinity
    case "-Inf": -.infinity
    case "NaN": .nan
    default: Double(text) ?? .nan
    }
  }

  /// nil when they agree; numbers may differ by what rounding in another order explains.
  func difference(from other: QueryOutcome) -> String? {
    switch (self, other) {
    case (.failed(let own), .failed(let theirs)):
      return Self.kind(own) == Self.kind(theirs) ? nil : "failed: \(own), not \(theirs)"
    case (.failed(let why), .series): return "failed: \(why)"
    case (.series, .failed(let why)): return "did not fail: \(why)"
    case (.series(let own), .series(let others)):
      for labels in Set(own.keys).union(others.keys).sorted() {
        let mine = own[labels] ?? [:]
        let theirs = others[labels] ?? [:]
        for time in Set(mine.keys).union(theirs.keys).sorted()
        where !Self.agree(mine[time], theirs[time]) {
          return "\(labels) at \(time): \(Self.shown(mine[time])), not \(Self.shown(theirs[time]))"
        }
      }
      return nil
    }
  }

  /// What went wrong without the series that it went wrong with: which one is met first differs.
  private static func kind(_ why: String) -> Substring { why.prefix { $0 != "{" } }

  /// The points in which two answers differ; `nil` when one of them is none.
  func disputed(with other: QueryOutcome) -> Set<Point>? {
    guard case .series(let own) = self, case .series(let others) = other else { return nil }
    var disputed: Set<Point> = []
    for labels in Set(own.keys).union(others.keys) {
      let mine = own[labels] ?? [:]
      let theirs = others[labels] ?? [:]
      for time in Set(mine.keys).union(theirs.keys) where !Self.agree(mine[time], theirs[time]) {
        disputed.insert(Point(labels: labels, time: time))
      }
    }
    return disputed
  }

  private static func agree(_ left: Double?, _ right: Double?) -> Bool {
    guard let left, let right else { return left == nil && right == nil }
    if left == right || (left.isNaN && right.isNaN) { return true }
    let size = max(left.magnitude, right.magnitude)
    return size.isFinite && (left - right).magnitude <= max(size * 1e-9, 1e-7)
  }

  private static func shown(_ value: Double?) -> String {
    value.map { SampleText.value($0) } ?? "nothing"
  }

  var description: String {
    switch self {
    case .failed(let why): "failed: \(why)"
    case .series(let series):
      series.sorted { $0.key < $1.key }.map { labels, points in
        "\(labels) "
          + points.sorted { $0.key < $1.key }.map { "\(Self.shown($0.value))@\($0.key)" }
          .joined(separator: " ")
      }.joined(separator: "\n")
    }
  }
}
