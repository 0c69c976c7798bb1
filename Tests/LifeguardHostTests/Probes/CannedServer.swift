import Glibc
import Synchronization

@testable import LifeguardHost

/// A TCP server on the loopback interface that answers every connection in the same way.
final class CannedServer: Sendable {
  enum Behaviour: Sendable {
    /// Reads the request, sends these pieces with a pause between them, and closes.
    case answer([String])
    /// The same, but keeps the connection open.
    case answerAndHold(String)
    /// Accepts and says nothing.
    case silent
    /// Accepts and closes at once.
    case close
    /// Never accepts.
    case neverAccept
  }

  let port: Int
  private let listener: Int32
  private let isStopped = Mutex(false)
  private let requests = Mutex<[String]>([])

  init(_ behaviour: Behaviour, backlog: Int32 = 128) throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = listener
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        bind(descriptor, raw, size) == 0 && listen(descriptor, backlog) == 0
          && getsockname(descriptor, raw, &size) == 0
      }
    }
    guard bound else { throw SystemCallError(call: "bind") }
    port = Int(UInt16(bigEndian: address.sin_port))
    if case .neverAccept = behaviour { return }
    try Thread.start(name: "canned") { self.serve(behaviour) }
  }

  var url: String { "http://127.0.0.1:\(port)" }
  var received: [String] { requests.withLock { $0 } }

  func stop() {
    isStopped.withLock { $0 = true }
    shutdown(listener, Int32(SHUT_RDWR))
  }

  private func serve(_ behaviour: Behaviour) {
    var held: [Int32] = []
    while !isStopped.withLock({ $0 }) {
      let peer = accept(listener, nil, nil)
      guard peer >= 0 else { break }
      switch behaviour {
      case .silent:
        held.append(peer)
      case .close, .neverAccept:
        Glibc.close(peer)
      case .answer(let pieces):
        readRequest(peer)
        for piece in pieces {
          send(peer, piece, piece.utf8.count, Int32(MSG_NOSIGNAL))
          usleep(2000)
        }
        Glibc.close(peer)
      case .answerAndHold(let text):
        readRequest(peer)
        send(peer, text, text.utf8.count, Int32(MSG_NOSIGNAL))
        held.append(peer)
      }
    }
    for peer in held { Glibc.close(peer) }
    Glibc.close(listener)
  }

  private func readRequest(_ peer: Int32) {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let length = recv(peer, &buffer, buffer.count, 0)
    if length > 0 {
      requests.withLock { $0.append(String(decoding: buffer[..<length], as: UTF8.self)) }
    }
  }
}
