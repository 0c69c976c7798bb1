import Glibc

/// Finds processes by what they cannot choose themselves: the file that they run and their user.
public enum ProcessSearch {
  /// What to look for, under a name.
  public struct Wanted: Hashable, Sendable {
    public var name: String
    /// Absolute, as `/proc/PID/exe` shows it.
    public var executable: String
    /// nil is anybody.
    public var user: UInt32?

    public init(name: String, executable: String, user: UInt32? = nil) {
      self.name = name
      self.executable = executable
      self.user = user
    }
  }

  /// The processes of each name, by pid; a name that has none is left out.
  ///
  /// `/proc/PID/exe` of somebody else's process can only be read by root (proc_pid_exe(5)). It
  /// blocks for one link of each process, about 3 µs.
  public static func members(of wanted: [Wanted]) -> [String: [Int32]] {
    // Looked up by executable: 500 groups on a host of 600 processes are as cheap as one.
    let byExecutable = Dictionary(grouping: wanted, by: \.executable)
    let deleted = " (deleted)"
    var found: [String: [Int32]] = [:]
    for pid in SmallFile.names(in: "/proc").compactMap({ Int32($0) }).sorted() {
      guard let link = SmallFile.link("/proc/\(pid)/exe") else { continue }
      let replaced =
        link.hasSuffix(deleted) ? byExecutable[String(link.dropLast(deleted.count))] : nil
      for one in (byExecutable[link] ?? []) + (replaced ?? []) {
        if let user = one.user {
          var owner = stat()
          guard stat("/proc/\(pid)", &owner) == 0, owner.st_uid == user else { continue }
        }
        found[one.name, default: []].append(pid)
      }
    }
    return found
  }
}
