/// One process of `lifeguard top`.
public struct TopProcess: Sendable, Codable {
  public var pid: Int32
  /// Chosen by the process itself: for reading only.
  public var name: String
  /// As in proc_pid_stat(5).
  public var state: String
  /// Of one CPU, since the list before.
  public var cpuPercent: Double
  public var residentBytes: UInt64
  public var threads: Int
  /// Known for the busiest only, like the next two.
  public var readBytesPerSecond: Double?
  public var writeBytesPerSecond: Double?
  public var descriptors: Int?
}
