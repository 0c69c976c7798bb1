/// The parameters of a request as Prometheus reads them: from the address and, for a POST, from a
/// form; a name may come several times.
struct Form: Sendable {
  /// A text that no form can be, in the words of Go's `net/url`, which Prometheus shows.
  struct Problem: Error, Equatable {
    var message: String
  }

  /// More make no sense: the longest honest list is a dashboard's `match[]`.
  static let pairsMax = 2000

  private(set) var pairs: [(name: String, value: String)] = []

  /// - Parameters:
  ///   - query: what follows the address' question mark.
  ///   - body: of a POST with `application/x-www-form-urlencoded`; it comes first.
  init(query: String?, body: [UInt8] = []) throws(Problem) {
    try add(String(decoding: body, as: UTF8.self))
    if let query { try add(query) }
  }

  /// The first value of a name; empty when it is missing, as in Prometheus.
  func text(_ name: String) -> String { pairs.first { $0.name == name }?.value ?? "" }

  /// All values of a name, in order.
  func texts(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

  private mutating func add(_ text: String) throws(Problem) {
    for pair in text.split(separator: "&") {
      guard pairs.count < Form.pairsMax else {
        throw Problem(message: "more than \(Form.pairsMax) parameters")
      }
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = try Form.decoded(parts.count > 1 ? parts[1] : "")
      pairs.append((try Form.decoded(parts[0]), value))
    }
  }

  /// Replaces `%41` and, in a form, `+` (URL standard, section 5.1).
  static func decoded(_ text: Substring, plusIsSpace: Bool = true) throws(Problem) -> String {
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
      return String(text)
    }
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "+"), plusIsSpace {
        bytes.append(0x20)
        continue
      }
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit)
      else {
        let shown = Printable.text(String(text), limit: 100)
        throw Problem(message: "invalid URL escape in \"\(shown)\"")
      }
      bytes.append(high << 4 | low)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }
}
