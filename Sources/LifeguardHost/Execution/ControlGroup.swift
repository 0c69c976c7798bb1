import CLinux
import Glibc

/// One control group: everything that a command or a child has started, wherever it went.
///
/// A process leaves its session with setsid(2) and its parent with a double fork, but not its
/// control group.
public struct ControlGroup: Hashable, Sendable {
  public let path: String
  public let version: ControlGroups.Version
  /// Only a group that was just made and never killed may be cloned into.
  let mayCloneInto: Bool

  /// The processes in the group and in groups below it. Zombies that were not reaped do not count.
  public func processes() -> [Int32] {
    var found: [Int32] = []
    for directory in tree() {
      let text = SmallFile.textIfReadable("\(directory)/cgroup.procs") ?? ""
      found += text.split(separator: "\n").compactMap { Int32($0) }
    }
    return found
  }

  public var isEmpty: Bool { processes().isEmpty }

  /// Sends a signal to every process of the group, each by a pidfd whose membership was checked.
  public func signal(_ signal: Int32) {
    for pid in processes() { send(signal, to: pid) }
  }

  /// Sends SIGKILL to everything in the group so that nothing can escape by forking; does not wait.
  ///
  /// `cgroup.kill` does it in the kernel (5.14 and later). Otherwise the group is frozen, killed
  /// and thawed; where it cannot be frozen, killing is repeated by the caller until it is empty.
  public func kill() {
    if case .v2 = version, SmallFile.write("1", to: "\(path)/cgroup.kill") { return }
    setFrozen(true)
    signal(SIGKILL)
    setFrozen(false)
  }

  /// Removes the group and those below it; false while something is left in it.
  @discardableResult
  public func remove() -> Bool {
    for directory in tree().reversed() where rmdir(directory) != 0 && errno != ENOENT {
      return false
    }
    return true
  }

  private func setFrozen(_ frozen: Bool) {
    switch version {
    case .v2: SmallFile.write(frozen ? "1" : "0", to: "\(path)/cgroup.freeze")
    case .v1(freezer: true):
      SmallFile.write(frozen ? "FROZEN" : "THAWED", to: "\(path)/freezer.state")
    case .v1(freezer: false): break
    }
  }

  private func send(_ signal: Int32, to pid: Int32) {
    guard pid > 1, pid != getpid() else { return }
    let pidfd = clinux_pidfd_open(pid)
    guard pidfd >= 0 else { return }
    defer { close(pidfd) }
    // The number may have been given to another process since the list was read.
    guard processes().contains(pid) else { return }
    _ = clinux_pidfd_send_signal(pidfd, signal)
  }

  /// The group's directory and those below it, parents first.
  private func tree() -> [String] {
    var directories = [path]
    var next = 0
    // A group of ours is shallow; the limit keeps a hostile command from making this endless.
    while next < directories.count, directories.count < 1024 {
      let directory = directories[next]
      next += 1
      for name in SmallFile.names(in: directory) {
        var status = stat()
        let child = "\(directory)/\(name)"
        if lstat(child, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
          directories.append(child)
        }
      }
    }
    return directories
  }
}
