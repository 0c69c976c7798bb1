import Glibc
import TestSupport

/// Bytes to and from a server, as they are.
final class RawConnection {
  private let descriptor: Int32
  private let limit: Duration

  /// - Parameter limit: how long an answer may take.
  init(port: Int, within limit: Duration = .seconds(20)) throws {
    self.limit = limit
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try check(result)
  }

  init(socketPath: String, within limit: Duration = .seconds(20)) throws {
    self.limit = limit
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(socketPath.utf8)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try check(result)
  }

  struct Failure: Error {
    var number: Int32
  }

  private func check(_ result: Int32) throws {
    guard result == 0 else { throw Failure(number: errno) }
  }

  deinit { close(descriptor) }

  /// Whether everything went out.
  ///
  /// Waiting suspends: the server under test needs the threads that run the tests.
  @discardableResult
  func send(_ text: String) async -> Bool { await send(bytes: Array(text.utf8)) }

  @discardableResult
  func send(bytes: [UInt8]) async -> Bool {
    var rest = bytes[...]
    let end = ContinuousClock.now + limit
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | dontWait)
      }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if !(await mayWait(until: end)) {
        return false
      }
    }
    return true
  }

  /// What has come until `mark`, the end, or the time limit.
  func receive(until mark: String? = nil) async -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16_384)
    let end = ContinuousClock.now + limit
    while true {
      let count = recv(descriptor, &buffer, buffer.count, dontWait)
      if count > 0 {
        bytes += buffer[..<count]
        if let mark, String(decoding: bytes, as: UTF8.self).contains(mark) { break }
      } else if count == 0 {
        break
      } else if !(await mayWait(until: end)) {
        break
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private var dontWait: Int32 { Int32(MSG_DONTWAIT) }

  private func mayWait(until end: ContinuousClock.Instant) async -> Bool {
    guard errno == EAGAIN || errno == EINTR, ContinuousClock.now < end else { return false }
    // Cancellation shortens the wait.
    try? await Task.sleep(for: .milliseconds(3))
    return true
  }

  /// The status of one request over this connection; nil when there is no answer.
  func status(
    _ method: String, _ path: String, _ fields: [String] = [], body: String = ""
  ) async -> Int? {
    var head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    for field in fields { head += field + "\r\n" }
    if method == "POST" { head += "Content-Length: \(body.utf8.count)\r\n" }
    await send(head + "\r\n" + body)
    return RawConnection.status(of: await receive())
  }

  static func status(of answer: String) -> Int? {
    let words = answer.prefix(64).split(separator: " ")
    return words.count > 1 ? Int(words[1]) : nil
  }
}
