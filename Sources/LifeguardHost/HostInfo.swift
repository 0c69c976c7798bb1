import CLinux

/// What does not change about a host while it runs.
public struct HostInfo: Hashable, Sendable {
  /// The node name of uname(2).
  public var hostname: String
  /// The kernel's release: `6.1.0-18-amd64`.
  public var kernelRelease: String
  /// `/proc/sys/kernel/random/boot_id`; empty where it cannot be read.
  public var bootID: String
  /// CPUs that are online now, from `/sys/devices/system/cpu/online`; at least 1.
  public var processorCount: Int
  /// The size of a memory page in bytes.
  public var pageBytes: Int
  /// Clock ticks a second in `/proc` (proc_pid_stat(5)); 100 on every Linux of today.
  public var ticksPerSecond: Int

  /// Reads the facts of the host whose file systems lie under `root`.
  public init(root: String = "/") {
    let files = FileSystemRoot(root)
    var names = clinux_names()
    let known = clinux_names_read(&names) == 0
    hostname = known ? text(names.node) : "localhost"
    kernelRelease = known ? text(names.release) : ""
    bootID = files.line("proc/sys/kernel/random/boot_id") ?? ""
    processorCount = max(1, Self.count(range: files.line("sys/devices/system/cpu/online") ?? "0"))
    pageBytes = Int(clinux_page_bytes())
    ticksPerSecond = Int(clinux_ticks_per_second())
  }

  /// Counts the numbers of a list such as `0-3,8` (cpuset(7), "List format").
  static func count(range text: String) -> Int {
    var total = 0
    for part in text.split(separator: ",") {
      let ends = part.split(separator: "-").map { Int($0) ?? 0 }
      guard let first = ends.first, let last = ends.last, last >= first else { continue }
      total += min(last - first, 65_535) + 1
    }
    return total
  }
}
