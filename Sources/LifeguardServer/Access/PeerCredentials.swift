import Glibc
import LifeguardConfiguration
import LifeguardHost
import NIOCore

/// Who is at the other end of a Unix socket, as the kernel says (unix(7), SO_PEERCRED).
struct PeerCredentials: Sendable {
  var user: UInt32
  var group: UInt32

  /// Members of this group may read.
  static let readers = "lifeguard"

  init(user: UInt32, group: UInt32) {
    self.user = user
    self.group = group
  }

  /// `struct ucred` of the kernel, which Swift does not import (unix(7)).
  private struct Credentials: Sendable {
    var process: Int32 = 0
    var user: UInt32 = 0
    var group: UInt32 = 0
  }

  /// Reads them from a connection; nil when it is no Unix socket.
  init?(of channel: any NIOCore.Channel) async {
    guard let options = channel as? any SocketOptionProvider else { return nil }
    let future: EventLoopFuture<Credentials> = options.unsafeGetSocketOption(
      level: NIOBSDSocket.OptionLevel(rawValue: CInt(SOL_SOCKET)),
      name: NIOBSDSocket.Option(rawValue: CInt(SO_PEERCRED)))
    // A connection that has ended in the meantime has no peer any more.
    guard let credentials = try? await future.get() else { return nil }
    self.init(user: credentials.user, group: credentials.group)
  }

  /// Root and the agent's own user may act, members of the group may read, others nothing.
  func caller(agent: UInt32 = geteuid()) -> Caller {
    let account = UserAccount.find("\(user)")
    let name = account?.name ?? "user \(user)"
    if user == 0 || user == agent { return Caller(name: name, right: .act) }
    guard let readers = PeerCredentials.readersGroup() else {
      return Caller(name: name, right: .none)
    }
    let isReader = group == readers || account?.groups.contains(readers) == true
    return Caller(name: name, right: isReader ? .read : .none)
  }

  /// The group's number from `/etc/group` (group(5)), read by hand: name services may hang.
  static func readersGroup() -> UInt32? {
    guard case .success(let bytes) = FileAccess.system.read("/etc/group", 1 << 20) else {
      return nil
    }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      if fields.count >= 3, fields[0] == readers { return UInt32(fields[2]) }
    }
    return nil
  }
}
