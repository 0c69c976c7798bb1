import Glibc
import LifeguardCore

/// What `lifeguard query` asks: at one time, or over a range.
struct QueryQuestion {
  struct Problem: Error { var message: String }

  var expression: String
  /// How far back, and in which steps.
  var span: (length: Duration, step: Duration)?
  /// nil is now.
  var time: Timestamp?

  init(
    expression: String, range: String?, step: String?, time: String?
  ) throws(Problem) {
    self.expression = expression
    if let time {
      guard let read = Timestamp(time) ?? Double(time).flatMap(Self.timestamp) else {
        throw Problem(message: "\"\(time)\" is no time such as 2026-01-31T12:00:00Z or 1769860800")
      }
      self.time = read
    }
    guard let range else { return }
    let length = try Self.duration(range, "--range")
    // A screen's width of values; a second is how often there is a new one.
    let usual = max(length.milliseconds / 250, 1000)
    span = (
      length,
      try step.map { text throws(Problem) in try Self.duration(text, "--step") }
        ?? .milliseconds(usual)
    )
  }

  /// Asks a running agent; the answer with its warnings.
  func ask(_ client: AgentClient) throws(AgentClient.Failure) -> JSON {
    var parameters = [("query", expression)]
    guard let span else {
      if let time { parameters.append(("time", SampleText.timestamp(time))) }
      return try client.answer("/api/v1/query", parameters)
    }
    let end = time ?? Self.now
    parameters += [
      ("start", SampleText.timestamp(end - span.length)), ("end", SampleText.timestamp(end)),
      ("step", SampleText.timestamp(Timestamp(milliseconds: span.step.milliseconds))),
    ]
    return try client.answer("/api/v1/query_range", parameters)
  }

  static var now: Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  /// Within a few hundred thousand years, so that sums do not overflow.
  private static func timestamp(_ seconds: Double) -> Timestamp? {
    seconds.magnitude < 9e12 ? Timestamp(seconds: seconds) : nil
  }

  /// `90s`, `1h30m`, `2d`, `500ms`.
  private static func duration(_ text: String, _ option: String) throws(Problem) -> Duration {
    let units: [(String, Int64)] = [
      ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
      ("w", 604_800_000),
    ]
    var total: Int64 = 0
    var rest = Substring(text)
    let problem = Problem(message: "\(option) \"\(text)\" is no duration such as 10s, 5m or 1h30m")
    repeat {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      let unit = rest.dropFirst(digits.count).prefix { $0.isASCII && $0.isLetter }
      guard (1...9).contains(digits.count), let count = Int64(digits),
        let factor = units.first(where: { $0.0 == unit })?.1
      else { throw problem }
      total += count * factor
      // Half a thousand years are longer than any question.
      guard total < 1 << 44 else { throw problem }
      rest = rest.dropFirst(digits.count + unit.count)
    } while !rest.isEmpty
    guard total > 0 else { throw problem }
    return .milliseconds(total)
  }
}
