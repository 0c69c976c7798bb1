import Glibc
import LifeguardCore

/// Asks a running agent over its Unix socket: HTTP/1.1 with one request a connection.
struct AgentClient {
  enum Failure: Error, CustomStringConvertible {
    /// Nobody listens on any of the sockets.
    case unreachable(sockets: [String], reason: String)
    /// The agent says no.
    case refused(String)
    case broken(String)

    var description: String {
      switch self {
      case .unreachable(let sockets, let reason):
        "no agent can be reached at \(sockets.joined(separator: " or ")) (\(reason)): start one "
          + "with `lifeguard run`, or name its data directory with --data"
      case .refused(let message): message
      case .broken(let message): "the agent's answer cannot be read: \(message)"
      }
    }
  }

  /// Tried in order; the first that answers counts.
  var sockets: [String]
  /// For connecting, for sending, and for every wait for more of the answer.
  var timeoutSeconds = 15

  static let answerMax = 64 << 20

  /// - Returns: the member `data` of the answer.
  func get(_ path: String, _ parameters: [(String, String)] = []) throws(Failure) -> JSON {
    try answer(path, parameters)["data"] ?? .null
  }

  /// - Returns: the whole answer, which has `data` and perhaps warnings.
  func answer(_ path: String, _ parameters: [(String, String)]) throws(Failure) -> JSON {
    let query = parameters.map { "\(Self.encoded($0))=\(Self.encoded($1))" }.joined(separator: "&")
    return try checked(try send("GET", query.isEmpty ? path : "\(path)?\(query)", body: nil))
  }

  func post(_ path: String, _ body: JSON) throws(Failure) -> JSON {
    try checked(try send("POST", path, body: body.bytes()))["data"] ?? .null
  }

  /// A value that the agent's views describe.
  func get<View: Decodable>(
    _ view: View.Type, _ path: String, _ parameters: [(String, String)] = []
  ) throws(Failure) -> (view: View, json: JSON) {
    let json = try get(path, parameters)
    do {
      return (try JSONCoder.decode(view, from: json), json)
    } catch {
      throw .broken(
        "\(JSONCoder.describe(error)); the agent may be of another version than this command")
    }
  }

  private func checked(_ answer: (status: Int, body: [UInt8])) throws(Failure) -> JSON {
    let json: JSON
    do {
      json = try JSON.parse(answer.body)
    } catch {
      // What is no place of the API is refused in plain text.
      let text =
        String(decoding: answer.body.prefix(500), as: UTF8.self)
        .split(separator: "\n").first ?? ""
      throw answer.status == 200
        ? .broken("\(error)") : .refused("the agent answered with status \(answer.status): \(text)")
    }
    if answer.status == 200, json["data"] != nil { return json }
    throw .refused(json["error"]?.string ?? "the agent answered with status \(answer.status)")
  }

  private func send(
    _ method: String, _ path: String, body: [UInt8]?
  ) throws(Failure) -> (status: Int, body: [UInt8]) {
    let socket = try connectToFirst()
    defer { close(socket) }
    var head = "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    if let body {
      head += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n"
    }
    var rest = Array((head + "\r\n").utf8)[...]
    rest += body ?? []
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .broken(Self.reason()) }
      rest = rest.dropFirst(count)
    }
    return try Self.parse(try readAll(socket))
  }

  private func readAll(_ socket: Int32) throws(Failure) -> [UInt8] {
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(socket, &buffer, buffer.count, 0)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw .broken(errno == EAGAIN ? "it did not come within \(timeoutSeconds)s" : Self.reason())
      }
      if count == 0 { return answer }
      answer += buffer[..<count]
      guard answer.count <= Self.answerMax else { throw .broken("it is too long") }
    }
  }

  private func connectToFirst() throws(Failure) -> Int32 {
    var reason = "there is no socket"
    var denied: String?
    for path in sockets {
      switch connect(to: path) {
      case .success(let socket): return socket
      case .failure(let error):
        if error.number != ENOENT { reason = String(cString: strerror(error.number)).lowercased() }
        if error.number == EACCES || error.number == EPERM { denied = path }
      }
    }
    if let denied {
      reason = "\(denied) is not for this user: be root, the agent's user, or in group lifeguard"
    }
    throw .unreachable(sockets: sockets, reason: reason)
  }

  private struct SystemError: Error { var number: Int32 }

  private func connect(to path: String) -> Result<Int32, SystemError> {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    let room = MemoryLayout.size(ofValue: address.sun_path)
    guard bytes.count < room else { return .failure(SystemError(number: ENAMETOOLONG)) }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { return .failure(SystemError(number: errno)) }
    var limit = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else {
      let number = errno
      close(socket)
      return .failure(SystemError(number: number))
    }
    return .success(socket)
  }

  /// Splits head and body (RFC 9112); the agent always says how long its body is.
  static func parse(_ bytes: [UInt8]) throws(Failure) -> (status: Int, body: [UInt8]) {
    guard !bytes.isEmpty else { throw .broken("the connection ended without one") }
    let mark = Array("\r\n\r\n".utf8)
    var split = 0
    while split + 4 <= bytes.count, !bytes[split..<(split + 4)].elementsEqual(mark) { split += 1 }
    let line = String(decoding: bytes.prefix(64), as: UTF8.self).split(separator: " ")
    guard split + 4 <= bytes.count, line.count >= 2, let status = Int(line[1]) else {
      throw .broken("it is no HTTP")
    }
    return (status, Array(bytes[(split + 4)...]))
  }

  /// Percent-encoding of everything but RFC 3986's unreserved characters.
  static func encoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      let character = Character(Unicode.Scalar(byte))
      if byte < 0x80, character.isLetter || character.isNumber || "-._~".contains(character) {
        result.append(character)
      } else {
        result += "%\(byte < 16 ? "0" : "")\(String(byte, radix: 16, uppercase: true))"
      }
    }
    return result
  }

  private static func reason() -> String { String(cString: strerror(errno)).lowercased() }
}
