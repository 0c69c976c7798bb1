import Glibc

/// An answer to one HTTP request.
public struct HTTPAnswer: Sendable {
  public let status: Int
  /// Names in lower case; the last of equal names wins.
  public let headers: [String: String]
  public let body: String
}

/// What can go wrong in `HTTPExchange`.
public enum HTTPExchangeError: Error {
  case noAnswer(String)
  case malformed(String)
}

/// One HTTP/1.1 request on 127.0.0.1, with the connection closed after it: enough for a test to
/// ask a program, without a client library between the test and what it looks at.
public enum HTTPExchange {
  /// Sends a request and reads the answer to its end; blocks its thread at most `timeout`.
  ///
  /// - Parameter bytes: a body that is no text, after `body`.
  public static func send(
    _ method: String = "GET", _ path: String, port: Int, headers: [String: String] = [:],
    body: String = "", bytes: [UInt8] = [], timeout: Duration = .seconds(5)
  ) throws -> HTTPAnswer {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | closeOnExec, 0)
    guard descriptor >= 0 else { throw SystemCallError("socket", "tcp") }
    defer { close(descriptor) }
    var limit = timeval(
      tv_sec: Int(timeout.components.seconds),
      tv_usec: Int(timeout.components.attoseconds / 1_000_000_000_000))
    let size = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    var address = FreePort.loopback(port: port)
    let addressLength = socklen_t(MemoryLayout<sockaddr_in>.size)
    guard
      FreePort.withSocketAddress(&address, { connect(descriptor, $0, addressLength) }) == 0
    else {
      throw SystemCallError("connect", "127.0.0.1:\(port)")
    }
    var fields = headers
    fields["Host"] = fields["Host"] ?? "127.0.0.1:\(port)"
    fields["Connection"] = "close"
    let length = body.utf8.count + bytes.count
    if length > 0 || method != "GET" { fields["Content-Length"] = "\(length)" }
    var request = "\(method) \(path) HTTP/1.1\r\n"
    for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
      request += "\(name): \(value)\r\n"
    }
    request += "\r\n" + body
    let message = Array(request.utf8) + bytes
    let sent = Glibc.send(descriptor, message, message.count, Int32(MSG_NOSIGNAL))
    guard sent == message.count else { throw SystemCallError("send", "127.0.0.1:\(port)") }
    return try parse(try readAll(descriptor, port: port))
  }

  private static func readAll(_ descriptor: Int32, port: Int) throws -> [UInt8] {
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw SystemCallError("recv", "127.0.0.1:\(port)") }
      if count == 0 { return answer }
      answer.append(contentsOf: buffer[..<count])
    }
  }

  static func parse(_ bytes: [UInt8]) throws -> HTTPAnswer {
    let end = Array("\r\n\r\n".utf8)
    var split = 0
    while split + 4 <= bytes.count, !bytes[split..<(split + 4)].elementsEqual(end) { split += 1 }
    guard split + 4 <= bytes.count else {
      throw HTTPExchangeError.noAnswer("the connection ended after \(bytes.count) bytes")
    }
    let lines = String(decoding: bytes[..<split], as: UTF8.self)
      .split(separator: "\r\n", omittingEmptySubsequences: false)
    let words = lines[0].split(separator: " ")
    guard words.count >= 2, let status = Int(words[1]) else {
      throw HTTPExchangeError.malformed(String(lines[0]))
    }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let value = line[line.index(after: colon)...].drop(while: { $0 == " " })
      headers[line[..<colon].lowercased()] = String(value)
    }
    var body = Array(bytes[(split + 4)...])
    if headers["transfer-encoding"]?.lowercased() == "chunked" { body = unchunk(body) }
    return HTTPAnswer(
      status: status, headers: headers, body: String(decoding: body, as: UTF8.self))
  }

  /// Joins the chunks of a chunked body (RFC 9112, 7.1).
  private static func unchunk(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var rest = bytes[...]
    while let newline = rest.firstIndex(of: 10) {
      let line = String(decoding: rest[rest.startIndex..<newline], as: UTF8.self)
      let digits = line.prefix { $0.isHexDigit }
      guard let size = Int(digits, radix: 16), size > 0 else { break }
      let start = newline + 1
      guard start + size <= rest.endIndex else { break }
      result.append(contentsOf: rest[start..<(start + size)])
      rest = rest[(start + size)...].dropFirst(2)
    }
    return result
  }
}
