import LifeguardCore

/// One mounted file system, from a line of `/proc/1/mounts` (proc_pid_mounts(5)).
struct Mount: Hashable, Sendable {
  var device: String
  var mountPoint: String
  var type: String
  /// `rw`, `noatime`, for control groups of version 1 the controllers.
  var options: [String]

  /// On purpose, or because the kernel stopped writing after an error, which ext4 shows as
  /// `rw,…,emergency_ro` (seen on Linux 6.18).
  var isReadOnly: Bool { options.contains("ro") || options.contains("emergency_ro") }

  /// Whether asking it goes to another machine or to a process, either of which may never answer.
  var mayHang: Bool {
    if type.hasPrefix("fuse") || type.hasPrefix("nfs") { return true }
    return [
      "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "coda", "glusterfs", "gfs2", "lustre",
      "ncpfs", "ocfs2", "orangefs", "beegfs", "virtiofs", "davfs", "sshfs",
    ].contains(type)
  }

  var labels: Labels { ["device": device, "mountpoint": mountPoint, "fstype": type] }

  /// Parses the whole table; a line that is cut off is left out.
  static func parse(_ content: ByteCursor) -> [Mount] {
    var content = content
    var mounts: [Mount] = []
    while var line = content.line() {
      let (device, point, type) = (line.word(), line.word(), line.word())
      let options = line.word()
      guard !options.isEmpty else { continue }
      mounts.append(
        Mount(
          device: unescaped(device), mountPoint: unescaped(point), type: text(type),
          options: text(options).split(separator: ",").map(String.init)))
    }
    return mounts
  }

  /// The kernel writes space, tab, line feed and backslash as three octal digits (getmntent(3)).
  private static func unescaped(_ bytes: Bytes) -> String {
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "\\"), index + 3 < bytes.count,
        let value = UInt8(text(Bytes(rebasing: bytes[(index + 1)...(index + 3)])), radix: 8)
      {
        result.append(value)
        index += 4
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
