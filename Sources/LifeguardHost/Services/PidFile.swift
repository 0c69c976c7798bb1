import Glibc
import LifeguardCore

/// A pid file, trusted only as far as it cannot be forged.
///
/// Whoever may write it chooses what gets signalled. So it must be owned by root or by the user of
/// the process that it names, must not be writable by others, and must not be older than that
/// process: then the number has been given to another since.
public struct PidFile: Hashable, Sendable {
  public enum Reading: Hashable, Sendable {
    case running(ProcessIdentity)
    /// There is no file, or its process is gone.
    case notRunning(reason: String)
    case notTrusted(reason: String)
  }

  public let path: String

  public init(path: String) { self.path = path }

  /// Looks at the file and at the process that it names.
  public func read() -> Reading {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
    guard descriptor >= 0 else {
      return errno == ENOENT
        ? .notRunning(reason: "\(path) does not exist")
        : .notTrusted(reason: "\(SystemCallError(call: "open", subject: path))")
    }
    defer { close(descriptor) }
    var file = stat()
    guard fstat(descriptor, &file) == 0, file.st_mode & S_IFMT == S_IFREG else {
      return .notTrusted(reason: "\(path) is not a regular file")
    }
    guard file.st_mode & 0o022 == 0 else {
      return .notTrusted(reason: "\(path) can be written by others; chmod go-w \(path)")
    }
    guard let pid = number(descriptor) else {
      return .notTrusted(reason: "\(path) holds no process number")
    }
    var owner = stat()
    guard let status = ProcessStatus.read(pid: pid), status.state != .zombie,
      stat("/proc/\(pid)", &owner) == 0
    else { return .notRunning(reason: "pid \(pid) of \(path) has ended") }
    guard file.st_uid == 0 || file.st_uid == owner.st_uid else {
      return .notTrusted(
        reason: "\(path) is owned by uid \(file.st_uid), its process by uid \(owner.st_uid)")
    }
    guard startedBefore(file, status) else {
      return .notRunning(reason: "pid \(pid) of \(path) is a later process; the file is stale")
    }
    return .running(status.identity)
  }

  private func number(_ descriptor: Int32) -> Int32? {
    // try?: a file that cannot be read holds no number, which the caller reports.
    guard let bytes = try? SmallFile.bytes(of: descriptor, path: path, limit: 64) else {
      return nil
    }
    let text = String(decoding: bytes, as: UTF8.self)
    guard let word = text.split(whereSeparator: \.isWhitespace).first, let pid = Int32(word) else {
      return nil
    }
    return pid > 1 ? pid : nil
  }

  /// Two seconds of slack: the start is known in hundredths, the wall clock may have been set.
  private func startedBefore(_ file: stat, _ status: ProcessStatus) -> Bool {
    var wall = timespec()
    clock_gettime(CLOCK_REALTIME, &wall)
    let age = BootClock.now() - .milliseconds(10 * Int64(status.identity.startTicks))
    let fileAge = Duration.seconds(wall.tv_sec - file.st_mtim.tv_sec)
    return age + .seconds(2) >= fileAge
  }
}
