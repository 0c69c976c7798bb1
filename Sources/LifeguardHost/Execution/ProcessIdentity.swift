import Glibc

/// One process and no other: a pid together with when the process started.
///
/// Pids are used again; a pid with its start time is unique within a boot.
public struct ProcessIdentity: Hashable, Sendable, Codable, CustomStringConvertible {
  public var pid: Int32
  /// Field 22 of `/proc/PID/stat`: clock ticks (1/100 s) from boot to the process' start.
  public var startTicks: UInt64

  public init(pid: Int32, startTicks: UInt64) {
    self.pid = pid
    self.startTicks = startTicks
  }

  /// The process that has this pid now; nil when there is none, or only its zombie.
  public static func current(pid: Int32) -> ProcessIdentity? {
    guard let status = ProcessStatus.read(pid: pid), status.state != .zombie else { return nil }
    return status.identity
  }

  public var description: String { "pid \(pid)" }
}
