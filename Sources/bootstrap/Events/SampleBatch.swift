import LifeguardCore

/// The samples that one event brought, by series.
struct SampleBatch: Sendable {
  struct Entry: Sendable {
    /// Index into `series`.
    var series: Int
    /// Milliseconds since 1970.
    var time: Int64
    var value: Double
  }

  /// Times that a sample can have: 1970 to 2100. What is outside is damage, not a time.
  static let times: ClosedRange<Int64> = 0...4_102_444_800_000

  /// Label sets, the metric's name in them.
  private(set) var series: [Labels] = []
  private var places: [Labels: Int] = [:]
  var entries: [Entry] = []

  init() {}

  /// The place of a label set.
  mutating func place(_ labels: Labels) -> Int {
    if let known = places[labels] { return known }
    series.append(labels)
    places[labels] = series.count - 1
    return series.count - 1
  }

  mutating func add(_ labels: Labels, at time: Timestamp, _ value: Double) {
    entries.append(Entry(series: place(labels), time: time.milliseconds, value: value))
  }

  /// Oldest first; those of one time in the order in which they came.
  mutating func sort() {
    var isSorted = true
    for index in entries.indices.dropFirst() where entries[index].time < entries[index - 1].time {
      isSorted = false
      break
    }
    guard !isSorted else { return }
    entries = entries.enumerated().sorted {
      $0.element.time == $1.element.time
        ? $0.offset < $1.offset : $0.element.time < $1.element.time
    }.map(\.element)
  }
}
