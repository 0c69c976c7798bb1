import CLinux
import Glibc

/// A netlink socket and the memory for its answers.
///
/// Answers of the kernel come in datagrams of at most 32 KiB (netlink(7)).
final class LinkSocket {
  /// Devices beyond this number are not read.
  static let devicesMax = 4096

  private var socket: Int32 = -1
  private let open: () -> Int32
  private let memory = UnsafeMutableRawBufferPointer.allocate(
    byteCount: 32 * 1024, alignment: 16)

  init(_ open: @escaping () -> Int32) { self.open = open }

  deinit {
    if socket >= 0 { close(socket) }
    memory.deallocate()
  }

  /// Asks one question, opening the socket first if need be; closes it when the answer is an error.
  ///
  /// - Throws: `unavailable` with what netlink answered.
  func ask(
    _ what: String, _ question: (Int32, UnsafeMutableRawBufferPointer) -> Int32
  ) throws(CollectorError) -> Int {
    if socket < 0 { socket = open() }
    guard socket >= 0 else { throw .unavailable(path: "netlink \(what)", errno: -socket) }
    let answer = question(socket, memory)
    guard answer < 0 else { return Int(answer) }
    close(socket)
    socket = -1
    throw .unavailable(path: "netlink \(what)", errno: -answer)
  }
}
