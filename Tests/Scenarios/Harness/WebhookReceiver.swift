import Glibc
import LifeguardCore
import Synchronization
import TestSupport

/// What came in by webhook, one value a request.
struct Notification: Sendable {
  /// The header `Idempotency-Key`.
  var key: String
  var body: JSON
  var at: ContinuousClock.Instant

  var kind: String { body["kind"]?.string ?? "" }
  var incident: Int { Int(body["incident"]?.integer ?? 0) }
  var target: String? { body["target"]?.string }
  var title: String { body["title"]?.string ?? "" }
  var whatHappened: String { body["what_happened"]?.string ?? "" }
  var text: String { body["text"]?.string ?? "" }
}

/// A webhook of the test's own: takes every POST, keeps it, answers 200.
///
/// It has a thread, because it must go on taking while the tests' threads are busy.
final class WebhookReceiver: Sendable {
  let port: Int
  private let descriptor: Int32
  private let inbox: Inbox

  private final class Inbox: Sendable {
    let notifications = Mutex<[Notification]>([])
  }

  /// - Parameter process: listens in the network namespace of this process, such as a box's.
  init(inNetworkOf process: Int32? = nil) throws {
    let made = Mutex<Result<Int32, SystemCallError>?>(nil)
    // A thread can change its network namespace for itself; its sockets keep it.
    Thread.run { made.withLock { $0 = Self.listen(inNetworkOf: process) } }.join()
    descriptor = try made.withLock { $0 }!.get()
    port = try Self.port(of: descriptor)
    let inbox = Inbox()
    self.inbox = inbox
    let listening = descriptor
    Thread.run { Self.serve(listening, inbox) }.detach()
  }

  deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

  var url: String { "http://127.0.0.1:\(port)/" }

  /// In the order in which they came.
  var all: [Notification] { inbox.notifications.withLock { $0 } }

  func kinds(of incident: Int) -> [String] {
    all.filter { $0.incident == incident }.map(\.kind)
  }

  /// The first of a kind, whichever incident it is about.
  func first(_ kind: String, about target: String? = nil) -> Notification? {
    all.first { $0.kind == kind && (target == nil || $0.target == target) }
  }

  private static func listen(inNetworkOf process: Int32?) -> Result<Int32, SystemCallError> {
    if let process {
      let namespace = open("/proc/\(process)/ns/net", O_RDONLY | O_CLOEXEC)
      defer { close(namespace) }
      guard namespace >= 0, enter(namespace) else {
        return .failure(SystemCallError("setns", "/proc/\(process)/ns/net"))
      }
    }
    let type = Int32(SOCK_STREAM.rawValue) | Int32(bitPattern: SOCK_CLOEXEC.rawValue)
    let descriptor = socket(AF_INET, type, 0)
    guard descriptor >= 0 else { return .failure(SystemCallError("socket", "tcp")) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard bound == 0, Glibc.listen(descriptor, 128) == 0 else {
      return .failure(SystemCallError("bind", "127.0.0.1:0"))
    }
    return .success(descriptor)
  }

  /// setns(2), which Swift does not import, so it is looked up by name.
  private static func enter(_ namespace: Int32) -> Bool {
    typealias SetNamespace = @convention(c) (Int32, Int32) -> Int32
    guard let symbol = dlsym(nil, "setns") else { return false }
    return unsafeBitCast(symbol, to: SetNamespace.self)(namespace, networkNamespace) == 0
  }

  /// `CLONE_NEWNET` (clone(2)).
  private static let networkNamespace: Int32 = 0x4000_0000

  private static func port(of descriptor: Int32) throws -> Int {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let named = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        getsockname(descriptor, $0, &length)
      }
    }
    guard named == 0 else { throw SystemCallError("getsockname", "127.0.0.1:0") }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  private static func serve(_ listening: Int32, _ inbox: Inbox) {
    defer { close(listening) }
    while true {
      let client = accept(listening, nil, nil)
      if client < 0 && (errno == EINTR || errno == ECONNABORTED) { continue }
      guard client >= 0 else { return }
      _ = fcntl(client, F_SETFD, FD_CLOEXEC)
      // A sender that is killed in the middle must not hold the others up.
      Thread.run { take(client, inbox) }.detach()
    }
  }

  /// Takes requests of one connection until it ends; senders keep theirs open.
  private static func take(_ client: Int32, _ inbox: Inbox) {
    defer { close(client) }
    var pending: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      while let (request, length) = HTTPMessage.first(in: pending) {
        pending.removeFirst(length)
        let quoted = request.headers["idempotency-key"] ?? ""
        let body = try? JSON.parse(request.body)  // what is no JSON fails the test that reads it
        inbox.notifications.withLock {
          $0.append(
            Notification(
              key: String(quoted.filter { $0 != "\"" }), body: body ?? .null, at: .now))
        }
        let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8)
        guard send(client, answer, answer.count, Int32(MSG_NOSIGNAL)) == answer.count else {
          return
        }
      }
      let count = recv(client, &buffer, buffer.count, 0)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return }
      pending += buffer[..<count]
    }
  }
}
