import Glibc

/// HTTP/1.1 to the runtime API on one kept connection of plain sockets.
///
/// The runtime API stands on loopback and takes one request after the other; a client library
/// would cost more at start than everything else together.
struct RuntimeConnection {
  /// Something went wrong on the way to the runtime API, which an environment cannot survive.
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  struct Answer {
    var status: Int
    /// Names in lower case.
    var headers: [String: String]
    var body: [UInt8]
  }

  private let host: String
  private let port: UInt16
  private var descriptor: Int32 = -1
  private var buffer: [UInt8] = []

  /// - Parameter address: `AWS_LAMBDA_RUNTIME_API`, `host:port` without a scheme.
  init?(address: String) {
    let parts = address.split(separator: ":")
    guard parts.count == 2, let port = UInt16(parts[1]) else { return nil }
    host = parts[0] == "localhost" ? "127.0.0.1" : String(parts[0])
    self.port = port
  }

  /// Sends one request and reads its answer; an idle connection that was closed meanwhile, as after
  /// a freeze, is opened anew once.
  mutating func send(
    _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8] = []
  ) throws(Failure) -> Answer {
    var head = "\(method) \(path) HTTP/1.1\r\nHost: \(host):\(port)\r\n"
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    if method != "GET" { head += "Content-Length: \(body.count)\r\n" }
    let bytes = Array((head + "\r\n").utf8) + body
    let isReused = descriptor >= 0
    do throws(Failure) {
      return try exchange(bytes)
    } catch {
      close()
      // An answer that was half read is not asked for again: the request may have counted.
      guard isReused, buffer.isEmpty else { throw error }
      return try exchange(bytes)
    }
  }

  private mutating func exchange(_ bytes: [UInt8]) throws(Failure) -> Answer {
    buffer.removeAll(keepingCapacity: true)
    if descriptor < 0 { try connect() }
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure("cannot write to the runtime API") }
      done += count
    }
    return try receive()
  }

  private mutating func connect() throws(Failure) {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
      throw Failure(description: "the runtime API's address \(host) is not an IPv4 address")
    }
    descriptor = socket(
      AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw failure("no socket") }
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, size)
      }
    }
    guard status == 0 else {
      let error = failure("cannot reach the runtime API at \(host):\(port)")
      close()
      throw error
    }
    var on: Int32 = 1
    // Small writes go out at once: a response is one.
    setsockopt(
      descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  mutating func close() {
    if descriptor >= 0 { Glibc.close(descriptor) }
    descriptor = -1
  }

  private mutating func receive() throws(Failure) -> Answer {
    var head: RuntimeHead?
    while head == nil {
      try fill()
      head = RuntimeHead(buffer)
      guard head != nil || buffer.count < Self.headMax else {
        throw Failure(description: "the runtime API's answer has no end of its head")
      }
    }
    guard let head else { throw Failure(description: "no answer") }
    let body = try head.isChunked ? chunked(from: head.length) : plain(head)
    if head.headers["connection"]?.lowercased() == "close" { close() }
    buffer.removeAll(keepingCapacity: true)
    // A buffer as large as the largest event would be kept for ever otherwise.
    if buffer.capacity > Self.keptMax { buffer = [] }
    return Answer(status: head.status, headers: head.headers, body: body)
  }

  private mutating func plain(_ head: RuntimeHead) throws(Failure) -> [UInt8] {
    let length = head.headers["content-length"].flatMap { Int($0) } ?? 0
    guard (0...Self.bodyMax).contains(length) else {
      throw Failure(description: "the runtime API announces \(length) bytes")
    }
    buffer.reserveCapacity(head.length + length)
    while buffer.count < head.length + length { try fill() }
    return Array(buffer[head.length..<head.length + length])
  }

  /// Chunked bodies (RFC 9112, 7.1).
  private mutating func chunked(from start: Int) throws(Failure) -> [UInt8] {
    var body: [UInt8] = []
    var position = start
    while true {
      let line = try self.line(from: position)
      let digits = String(decoding: buffer[position..<line], as: UTF8.self)
        .prefix { $0 != ";" && $0 != " " }
      guard let size = Int(digits, radix: 16), size >= 0, body.count + size <= Self.bodyMax else {
        throw Failure(description: "the runtime API sends a broken chunk")
      }
      position = line + 2
      while buffer.count < position + size + 2 { try fill() }
      if size == 0 { return body }
      body += buffer[position..<position + size]
      position += size + 2
    }
  }

  /// Where the line that starts at a place ends.
  private mutating func line(from start: Int) throws(Failure) -> Int {
    var index = start
    while true {
      while index + 1 >= buffer.count {
        guard buffer.count - start < Self.headMax else {
          throw Failure(description: "the runtime API sends a chunk without a length")
        }
        try fill()
      }
      if buffer[index] == 0x0D, buffer[index + 1] == 0x0A { return index }
      index += 1
    }
  }

  private mutating func fill() throws(Failure) {
    while true {
      let old = buffer.count
      let wanted = max(min(buffer.capacity - old, 1 << 20), 16_384)
      buffer.append(contentsOf: repeatElement(0, count: wanted))
      let count = buffer.withUnsafeMutableBytes {
        recv(descriptor, $0.baseAddress! + old, wanted, 0)
      }
      let error = errno
      buffer.removeLast(wanted - max(count, 0))
      if count < 0, error == EINTR { continue }
      guard count > 0 else {
        errno = error
        throw count == 0
          ? Failure(description: "the runtime API closed the connection")
          : failure("cannot read from the runtime API")
      }
      return
    }
  }

  private func failure(_ what: String) -> Failure {
    Failure(description: "\(what): \(String(cString: strerror(errno)).lowercased())")
  }

  private static let headMax = 65_536
  /// Lambda's limit is 6 MB; the rest is for what is written around it.
  private static let bodyMax = 8 << 20
  private static let keptMax = 1 << 20
}

/// The head of an answer.
struct RuntimeHead {
  var status: Int
  var headers: [String: String]
  /// Bytes up to the body.
  var length: Int

  /// nil while it is not complete, or when it is no HTTP/1.1.
  init?(_ bytes: [UInt8]) {
    guard let end = Self.end(of: bytes) else { return nil }
    let lines = bytes[..<end].split(separator: 0x0A).map { line in
      String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self)
    }
    let words = (lines.first ?? "").split(separator: " ")
    guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
      return nil
    }
    self.status = status
    headers = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
      headers[line[..<colon].lowercased()] = String(value)
    }
    length = end + 4
  }

  var isChunked: Bool { headers["transfer-encoding"]?.lowercased().contains("chunked") == true }

  private static func end(of bytes: [UInt8]) -> Int? {
    guard bytes.count >= 4 else { return nil }
    for index in 0...(bytes.count - 4)
    where bytes[index] == 0x0D && bytes[index + 1] == 0x0A && bytes[index + 2] == 0x0D
      && bytes[index + 3] == 0x0A
    {
      return index
    }
    return nil
  }
}
