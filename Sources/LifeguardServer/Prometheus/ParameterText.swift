import LifeguardCore

/// Times and durations as Prometheus' API takes them (`web/api/v1/api.go`, parseTime and
/// parseDuration).
enum ParameterText {
  /// Decimal seconds, or RFC 3339.
  static func timestamp(_ text: String) -> Timestamp? {
    if let seconds = Double(text) {
      let time = Timestamp(seconds: seconds)
      return seconds.isFinite && time.isWithinBounds ? time : nil
    }
    // How Go prints its own bounds, which clients send back.
    if text == "-292273086-05-16T16:47:06Z" { return .earliest }
    if text == "+292277025-08-18T07:12:54.999999999Z" { return .latest }
    if let time = Timestamp(text) { return time }
    // With an offset: `2026-01-31T12:00:00+02:00`.
    let offset = Array(text.utf8.suffix(6))
    guard text.utf8.count > 6, offset.count == 6, offset[3] == UInt8(ascii: ":"),
      offset[0] == UInt8(ascii: "+") || offset[0] == UInt8(ascii: "-"),
      let hours = number(offset[1...2]), let minutes = number(offset[4...5]),
      hours < 24, minutes < 60,
      let local = Timestamp(String(decoding: text.utf8.dropLast(6), as: UTF8.self) + "Z")
    else { return nil }
    let length = Duration.seconds(hours * 3600 + minutes * 60)
    return offset[0] == UInt8(ascii: "+") ? local - length : local + length
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
    guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
  }

  /// Decimal seconds, which may be negative, or a duration such as `1h30m`.
  static func duration(_ text: String) -> Duration? {
    if let seconds = Double(text) {
      // 292 years: as many nanoseconds as fit into Go's.
      guard seconds.isFinite, seconds.magnitude < 9_223_372_036 else { return nil }
      return .nanoseconds(Int64((seconds * 1e9).rounded(.towardZero)))
    }
    let units: [(name: String, milliseconds: Int64)] = [
      ("y", 31_536_000_000), ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000),
      ("m", 60_000), ("s", 1000), ("ms", 1),
    ]
    var total: Int64 = 0
    var next = 0
    var rest = Substring(text)
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      let unit = rest.dropFirst(digits.count).prefix { $0.isASCII && $0.isLetter }
      guard (1...13).contains(digits.utf8.count), let count = Int64(digits),
        let index = units.indices.first(where: { units[$0].name == unit }), index >= next
      else { return nil }
      let (product, overflows) = count.multipliedReportingOverflow(by: units[index].milliseconds)
      guard !overflows, product < 9_223_372_036_854, total + product < 9_223_372_036_854 else {
        return nil
      }
      total += product
      next = index + 1
      rest = rest.dropFirst(digits.count + unit.count)
    }
    return .milliseconds(total)
  }
}
