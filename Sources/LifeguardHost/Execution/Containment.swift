import CLinux
import Glibc
import LifeguardCore

/// Everything a started command consists of, so that all of it can be signalled and ended.
struct Containment: Sendable {
  let leader: ProcessIdentity
  let group: ControlGroup?
  let search: DescendantSearch

  init(leader: ProcessIdentity, group: ControlGroup?, marker: String) {
    self.leader = leader
    self.group = group
    search = DescendantSearch(leader: leader, marker: marker)
  }

  /// What is still running.
  func survivors() -> [Int32] {
    if let group { return group.processes() }
    return search.processes().map(\.pid)
  }

  func terminate() {
    if let group {
      group.signal(SIGTERM)
      // A stopped process acts on SIGTERM only when it is continued.
      group.signal(SIGCONT)
    } else {
      for process in search.processes() {
        Self.send(SIGTERM, to: process)
        Self.send(SIGCONT, to: process)
      }
    }
  }

  /// Without a group this stops everything first, so that nothing forks while it is being listed.
  func kill() {
    if let group {
      group.kill()
      return
    }
    for process in search.processes() { Self.send(SIGSTOP, to: process) }
    for process in search.processes() { Self.send(SIGKILL, to: process) }
  }

  /// Removes the group when it is empty; false while something is left.
  func remove() -> Bool { group?.remove() ?? true }

  private static func send(_ signal: Int32, to process: ProcessIdentity) {
    let pidfd = clinux_pidfd_open(process.pid)
    guard pidfd >= 0 else { return }
    defer { close(pidfd) }
    guard ProcessIdentity.current(pid: process.pid) == process else { return }
    _ = clinux_pidfd_send_signal(pidfd, signal)
  }
}
