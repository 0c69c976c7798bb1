import Glibc
import LifeguardCore
import TestSupport

/// Asks a running agent over its Unix socket, as its own commands do.
struct AgentAPI: Sendable {
  /// May lead through `/proc/PID/root` into another mount namespace.
  var socketPath: String

  struct Refused: Error, CustomStringConvertible {
    var description: String
  }

  /// The member `data` of the answer.
  func get(_ path: String) throws -> JSON {
    let answer = try send("GET", path)
    guard let data = answer["data"] else {
      throw Refused(description: "\(path): \(answer["error"]?.string ?? "no data")")
    }
    return data
  }

  func incidents() throws -> [IncidentRecord] {
    try JSONCoder.decode([IncidentRecord].self, from: try get("/api/v1/incidents?limit=1000"))
  }

  func story(_ incident: Int) throws -> IncidentStory {
    try JSONCoder.decode(IncidentStory.self, from: try get("/api/v1/incidents/\(incident)"))
  }

  func status() throws -> StatusRecord {
    try JSONCoder.decode(StatusRecord.self, from: try get("/api/v1/status"))
  }

  /// A PromQL query's elements at the present: their values.
  func query(_ expression: String) throws -> [Double] {
    let encoded = expression.utf8.map { byte in
      "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    let data = try get("/api/v1/query?query=\(encoded.joined())")
    return (data["result"]?.array ?? []).compactMap { element in
      element["value"]?[1]?.string.flatMap { Double($0) }
    }
  }

  private func send(_ method: String, _ path: String) throws -> JSON {
    let type = Int32(SOCK_STREAM.rawValue) | Int32(bitPattern: SOCK_CLOEXEC.rawValue)
    let descriptor = socket(AF_UNIX, type, 0)
    guard descriptor >= 0 else { throw SystemCallError("socket", socketPath) }
    defer { close(descriptor) }
    var limit = timeval(tv_sec: 10, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let name = Array(socketPath.utf8)
    guard name.count < MemoryLayout.size(ofValue: address.sun_path) else {
      throw SystemCallError("connect", socketPath, ENAMETOOLONG)
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard connected == 0 else { throw SystemCallError("connect", socketPath) }
    let request = Array(
      "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
    guard Glibc.send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count
    else { throw SystemCallError("send", socketPath) }
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw SystemCallError("recv", socketPath) }
      if count == 0 { break }
      answer += buffer[..<count]
    }
    guard let (message, _) = HTTPMessage.first(in: answer) else {
      throw Refused(description: "\(path): no complete answer")
    }
    return try JSON.parse(message.body)
  }
}
