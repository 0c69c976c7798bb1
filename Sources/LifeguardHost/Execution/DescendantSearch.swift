import Glibc
import LifeguardCore

/// Finds what a command has started where no control group could be made.
///
/// A process belongs to the command when its session or process group is the command's, when its
/// environment carries the command's marker, or when one of its ancestors belongs to it. Only a
/// process that has done all of `setsid`, a double fork and clearing its environment is missed;
/// that is why a control group is preferred.
struct DescendantSearch: Sendable {
  /// The variable whose value is unique to one command.
  static let markerName = "LIFEGUARD_RUN"

  let leader: ProcessIdentity
  let marker: String

  func processes() -> [ProcessIdentity] {
    let all = SmallFile.names(in: "/proc").compactMap { Int32($0) }
      .compactMap { ProcessStatus.read(pid: $0) }
      .filter { $0.state != .zombie && $0.identity.pid != getpid() && $0.identity.pid > 1 }
      .filter { $0.identity.startTicks >= leader.startTicks }
    var found = Set(all.filter { belongs($0) }.map(\.identity.pid))
    var grew = true
    while grew {
      let before = found.count
      for process in all where found.contains(process.parent) { found.insert(process.identity.pid) }
      grew = found.count > before
    }
    return all.map(\.identity).filter { found.contains($0.pid) }
  }

  private func belongs(_ process: ProcessStatus) -> Bool {
    if process.session == leader.pid || process.processGroup == leader.pid { return true }
    return process.identity == leader || Self.carries(marker, pid: process.identity.pid)
  }

  /// Whether a process was started with this marker in its environment.
  static func carries(_ marker: String, pid: Int32) -> Bool {
    do {
      let environment = try SmallFile.bytes("/proc/\(pid)/environ", limit: 1 << 18)
      let wanted = Array("\(markerName)=\(marker)".utf8)
      return environment.split(separator: 0).contains { $0.elementsEqual(wanted) }
    } catch {
      // It has ended, or belongs to another user.
      return false
    }
  }
}
