import CLinux

/// Asks the kernel for all network devices with their attributes (RTM_GETLINK, rtnetlink(7)).
final class LinkTable {
  private let socket: LinkSocket
  private var capacity = 64

  init(_ socket: LinkSocket) { self.socket = socket }

  /// All devices now, at most `LinkSocket.devicesMax`.
  func read() throws(CollectorError) -> [clinux_link] {
    while true {
      let room = UnsafeMutableBufferPointer<clinux_link>.allocate(capacity: capacity)
      defer { room.deallocate() }
      let count = try socket.ask("links") { socket, memory in
        clinux_links_read(socket, memory.baseAddress, memory.count, room.baseAddress, room.count)
      }
      if count < capacity || capacity >= LinkSocket.devicesMax {
        return Array(UnsafeBufferPointer(rebasing: room[..<count]))
      }
      capacity *= 4
    }
  }
}
