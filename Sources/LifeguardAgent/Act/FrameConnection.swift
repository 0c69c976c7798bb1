import Glibc
import LifeguardCore
import LifeguardHost
import Synchronization

/// Values over a stream socket between two processes: four bytes of length, then JSON.
final class FrameConnection<Incoming: Decodable & Sendable, Outgoing: Encodable & Sendable>:
  Sendable
{
  /// Evidence is at most 1 MiB, and JSON may escape every byte of it.
  static var frameBytesMax: Int { 16 << 20 }

  private let descriptor: Int32
  private let writing = Mutex(())

  /// - Parameter descriptor: a connected stream socket; it belongs to the connection.
  init(descriptor: Int32) {
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Sends one value; false when the other side is gone.
  @discardableResult
  func send(_ value: Outgoing) -> Bool {
    // Our own values can always be written as JSON.
    guard let bytes = try? JSONCoder.encode(value) else { return false }
    var frame = withUnsafeBytes(of: UInt32(bytes.count).littleEndian) { Array($0) }
    frame += bytes
    return writing.withLock { _ in writeAll(frame) }
  }

  /// Calls `receive` for every value, on a thread of its own, and `ended` once when the other side
  /// is gone or has sent what cannot be read.
  func begin(
    _ receive: @escaping @Sendable (Incoming) -> Void, ended: @escaping @Sendable () -> Void
  ) throws {
    try Thread.start(name: "act") {
      while let value = self.next() { receive(value) }
      ended()
    }
  }

  private func next() -> Incoming? {
    guard let head = readExactly(4) else { return nil }
    let count = head.reversed().reduce(0) { $0 << 8 | Int($1) }
    guard count <= Self.frameBytesMax, let bytes = readExactly(count) else { return nil }
    // What cannot be read ends the connection: the two sides no longer speak one language.
    return try? JSONCoder.decode(Incoming.self, from: bytes)
  }

  private func readExactly(_ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let got = bytes[filled...].withUnsafeMutableBytes {
        read(descriptor, $0.baseAddress, $0.count)
      }
      if got < 0, errno == EINTR { continue }
      guard got > 0 else { return nil }
      filled += got
    }
    return bytes
  }

  private func writeAll(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  /// Ends both directions, so that the reading thread ends.
  func shutDown() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}
