import Glibc
import LifeguardCore

/// The sockets of processes, joined from `/proc/PID/fd` and `/proc/net` (proc_pid_net(5)).
enum SocketEvidence {
  /// As many as are of use to a reader; a leak of connections shows in the counts.
  private static let linesMax = 500

  static func sockets(of processes: [ProcessIdentity]) -> String {
    let queues = Dictionary(
      ListenQueue.all().map { ($0.inode, $0) }, uniquingKeysWith: { first, _ in first })
    return ProcessEvidence.eachAlive(processes) { pid in
      let inodes = Set(
        SmallFile.names(in: "/proc/\(pid)/fd").compactMap { inode(pid: pid, descriptor: $0) })
      var lines: [String] = []
      var states: [String: Int] = [:]
      for file in ["tcp", "tcp6", "udp", "udp6"] {
        let text = SmallFile.textIfReadable("/proc/\(pid)/net/\(file)", limit: 8 << 20) ?? ""
        for row in text.split(separator: "\n").dropFirst() {
          guard let socket = Row(row, protocolName: file), inodes.contains(socket.inode) else {
            continue
          }
          states["\(file) \(socket.state)", default: 0] += 1
          let queue = queues[socket.inode].map { " queue \($0.waiting) of \($0.limit)" } ?? ""
          if lines.count < linesMax { lines.append(socket.text + queue) }
        }
      }
      let counts = states.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
      return counts.joined(separator: ", ") + "\n" + lines.map { $0 + "\n" }.joined()
    }
  }

  private static func inode(pid: Int32, descriptor: String) -> UInt32? {
    guard let link = SmallFile.link("/proc/\(pid)/fd/\(descriptor)"), link.hasPrefix("socket:[")
    else { return nil }
    return UInt32(link.dropFirst("socket:[".count).dropLast())
  }

  /// `sl local rem st tx:rx tr:when retrnsmt uid timeout inode …`
  struct Row {
    var inode: UInt32
    var state: String
    var text: String

    init?(_ line: Substring, protocolName: String) {
      let words = line.split(separator: " ")
      guard words.count > 9, let inode = UInt32(words[9]), let local = Self.address(words[1]),
        let remote = Self.address(words[2])
      else { return nil }
      self.inode = inode
      let code = Int(words[3], radix: 16) ?? 0
      let names = Self.states
      state = protocolName.hasPrefix("udp") ? "" : code < names.count ? names[code] : "?"
      text = "\(protocolName) \(local) → \(remote) \(state)"
    }

    /// include/net/tcp_states.h
    private static let states = [
      "", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE",
      "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV",
    ]

    /// `0100007F:0050`: 32-bit words in the host's byte order, then the port.
    static func address(_ text: Substring) -> String? {
      let parts = text.split(separator: ":")
      guard parts.count == 2, let port = UInt16(parts[1], radix: 16) else { return nil }
      var bytes: [UInt8] = []
      var rest = parts[0]
      while rest.count >= 8 {
        guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
        withUnsafeBytes(of: word) { bytes += $0 }
        rest = rest.dropFirst(8)
      }
      let family = bytes.count == 4 ? AF_INET : AF_INET6
      guard bytes.count == 4 || bytes.count == 16 else { return nil }
      var buffer = [CChar](repeating: 0, count: 64)
      guard inet_ntop(family, bytes, &buffer, socklen_t(buffer.count)) != nil else { return nil }
      let host = String(
        decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      return family == AF_INET ? "\(host):\(port)" : "[\(host)]:\(port)"
    }
  }
}
