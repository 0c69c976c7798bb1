import LifeguardCore

/// A reply of a mail server (RFC 5321, 4.2), possibly of several lines.
struct SMTPReply: Hashable, Sendable {
  var code: Int
  /// Without codes.
  var lines: [String]

  var isPositive: Bool { (200..<400).contains(code) }

  /// What the server said, on one line, without control characters.
  var text: String {
    TextEscape.line("\(code) \(lines.joined(separator: " "))".prefix(200).description)
  }
}

/// Collects the bytes of replies.
struct SMTPReplyReader: Sendable {
  enum Failure: Error {
    case malformed
    case tooLong
  }

  private var line: [UInt8] = []
  private var lines: [String] = []
  private var code = 0

  /// Longest line and most lines of one reply; RFC 5321 asks for 512 bytes a line.
  private static let lineMax = 4096
  private static let linesMax = 200

  /// Whether a part of a reply waits for its end.
  var isEmpty: Bool { line.isEmpty && lines.isEmpty }

  /// The replies that these bytes complete.
  mutating func read(_ bytes: some Sequence<UInt8>) throws(Failure) -> [SMTPReply] {
    var replies: [SMTPReply] = []
    for byte in bytes {
      guard byte == UInt8(ascii: "\n") else {
        line.append(byte)
        if line.count > Self.lineMax { throw .tooLong }
        continue
      }
      if line.last == UInt8(ascii: "\r") { line.removeLast() }
      if let reply = try endLine() { replies.append(reply) }
    }
    return replies
  }

  private mutating func endLine() throws(Failure) -> SMTPReply? {
    defer { line = [] }
    guard line.count >= 3, let number = Int(String(decoding: line.prefix(3), as: UTF8.self)),
      (200..<600).contains(number), lines.isEmpty || number == code
    else { throw .malformed }
    code = number
    let continues = line.count > 3 && line[3] == UInt8(ascii: "-")
    lines.append(String(decoding: line.dropFirst(4), as: UTF8.self))
    if lines.count > Self.linesMax { throw .tooLong }
    guard !continues else { return nil }
    defer { lines = [] }
    return SMTPReply(code: code, lines: lines)
  }
}
