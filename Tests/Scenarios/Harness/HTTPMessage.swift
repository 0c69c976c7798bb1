/// A request or an answer as it is on the wire (RFC 9112), as far as these tests need it: bodies
/// have a length.
struct HTTPMessage {
  var startLine: String
  /// Names in lower case.
  var headers: [String: String]
  var body: [UInt8]

  /// The first message that is complete, and its length in bytes.
  static func first(in bytes: [UInt8]) -> (HTTPMessage, Int)? {
    let mark = Array("\r\n\r\n".utf8)
    guard bytes.count >= 4,
      let split = (0...(bytes.count - 4)).first(where: {
        bytes[$0] == 13 && bytes[$0..<($0 + 4)].elementsEqual(mark)
      })
    else { return nil }
    let lines = String(decoding: bytes[..<split], as: UTF8.self).split(separator: "\r\n")
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] = String(
        line[line.index(after: colon)...].drop { $0 == " " })
    }
    let length = headers["content-length"].flatMap { Int($0) } ?? 0
    guard bytes.count >= split + 4 + length else { return nil }
    let message = HTTPMessage(
      startLine: String(lines.first ?? ""), headers: headers,
      body: Array(bytes[(split + 4)..<(split + 4 + length)]))
    return (message, split + 4 + length)
  }
}
