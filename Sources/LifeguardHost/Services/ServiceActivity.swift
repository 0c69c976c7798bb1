import LifeguardCore

/// How much CPU time everything that a service consists of has used: the evidence that tells a
/// hang from slowness (G20).
///
/// The main process alone says nothing: the master of a web server or a database sleeps while its
/// workers are saturated.
public enum ServiceActivity {
  /// CPU time of the service of this main process; nil when that has ended, or cannot be looked at.
  ///
  /// Taken from the service's control group where it has one of its own, which costs two reads and
  /// counts processes that have ended as well; else from the main process and its descendants. It
  /// may look at every process, and belongs on a thread.
  public static func cpuTime(of main: ProcessIdentity) -> Duration? {
    guard let status = ProcessStatus.read(pid: main.pid), status.identity == main else {
      return nil
    }
    let membership = SmallFile.textIfReadable("/proc/\(main.pid)/cgroup", limit: 65536) ?? ""
    if let group = ownGroup(membership), let used = cpuTime(ofGroup: group) { return used }
    return cpuTime(ofTree: status)
  }

  /// The control group (version 2) that holds one service and nothing else; nil when it shares one.
  static func ownGroup(_ membership: String) -> String? {
    for line in membership.split(separator: "\n") where line.hasPrefix("0::/") {
      let parts = line.dropFirst(4).split(separator: "/")
      guard let last = parts.lastIndex(where: { isOneService($0) }) else { return nil }
      return parts[...last].map { "/\($0)" }.joined()
    }
    return nil
  }

  /// A unit, a supervised child, or what a script has started.
  private static func isOneService(_ name: Substring) -> Bool {
    if name.hasPrefix("lifeguard.child.") || name.hasPrefix("lifeguard.run.") { return true }
    // A user's manager and Lifeguard's own unit hold many things.
    return name.hasSuffix(".service") && !name.hasPrefix("user@") && name != "lifeguard.service"
  }

  private static func cpuTime(ofGroup path: String) -> Duration? {
    // Beside version 1 the hierarchy is called `unified` (systemd's hybrid layout).
    for root in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"] {
      guard let text = SmallFile.textIfReadable("\(root)\(path)/cpu.stat", limit: 4096) else {
        continue
      }
      for line in text.split(separator: "\n") where line.hasPrefix("usage_usec ") {
        return Int64(line.dropFirst("usage_usec ".count)).map { .microseconds($0) }
      }
    }
    return nil
  }

  /// With the time of children that were waited for, so that a worker's end takes nothing away.
  private static func cpuTime(ofTree main: ProcessStatus) -> Duration {
    let all = SmallFile.names(in: "/proc").compactMap { Int32($0) }
      .compactMap { ProcessStatus.read(pid: $0) }
    let children = Dictionary(grouping: all, by: \.parent)
    var ticks: UInt64 = 0
    var pending = [main]
    var seen: Set<Int32> = [main.identity.pid]
    while let process = pending.popLast() {
      ticks &+= process.cpuTicks &+ process.childTicks
      pending += (children[process.identity.pid] ?? []).filter {
        seen.insert($0.identity.pid).inserted
      }
    }
    return .milliseconds(10 * Int64(clamping: ticks))
  }
}
