import LifeguardCore

/// Times as AWS events write them: `2024-04-19T23:05:40.989+0000`, without a colon in the offset,
/// and `2024-04-19T23:05:40Z`.
enum AWSTime {
  static func parse(_ text: String) -> Timestamp? {
    if let known = Timestamp(text) { return known }
    // ±hhmm, or ±hh:mm as RFC 3339 has it.
    let bytes = Array(text.utf8)
    guard let sign = bytes.lastIndex(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }),
      sign >= 19
    else { return nil }
    let digits = bytes[(sign + 1)...].filter { $0 != UInt8(ascii: ":") }
    guard digits.count == 4, digits.allSatisfy({ (0x30...0x39).contains($0) }),
      let time = Timestamp(String(decoding: bytes[..<sign], as: UTF8.self) + "Z")
    else { return nil }
    let value = digits.map { Int64($0 - 0x30) }
    let minutes = (value[0] * 10 + value[1]) * 60 + value[2] * 10 + value[3]
    let isAhead = bytes[sign] == UInt8(ascii: "+")
    return time - .seconds(isAhead ? minutes * 60 : -minutes * 60)
  }
}
