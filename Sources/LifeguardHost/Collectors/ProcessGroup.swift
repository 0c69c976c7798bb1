/// Processes that are watched together under one name, as process-exporter's groups are.
///
/// A process belongs to it when every criterion that is given holds. `name` says nothing about who
/// a process is, since every process chooses its own; whoever acts on a member compares
/// `executable` and `user` as well.
public struct ProcessGroup: Hashable, Sendable {
  /// The value of the label `groupname`.
  public var name: String
  /// The absolute path that `/proc/<pid>/exe` points to.
  public var executable: String?
  /// The kernel's name of the process (`/proc/<pid>/comm`), at most 15 bytes.
  public var commandName: String?
  /// The effective user id.
  public var user: UInt32?
  /// Processes known otherwise, such as supervised children; each is a member by itself.
  public var pids: Set<Int32>

  public init(
    name: String, executable: String? = nil, commandName: String? = nil, user: UInt32? = nil,
    pids: Set<Int32> = []
  ) {
    self.name = name
    self.executable = executable
    self.commandName = commandName
    self.user = user
    self.pids = pids
  }

  /// Whether there is anything to recognise unknown processes by.
  var hasCriteria: Bool { executable != nil || commandName != nil || user != nil }
}

/// A process that belongs to a group.
public struct GroupMember: Hashable, Sendable {
  public var group: String
  public var pid: Int32
  /// Tells this process from a later one with the same pid.
  public var startTicks: UInt64
}
