import CLinux
import Glibc

/// The file that a supervised child's output goes to.
///
/// A file, not a pipe: the child outlives the agent and must not be killed by SIGPIPE or block on a
/// full pipe while nobody reads. The child appends (O_APPEND), so the file can be cut to zero
/// length under it; what it held last is kept beside it as `NAME.log.1`.
struct ChildLog: Sendable {
  let path: String
  /// Above this size the file is cut.
  let limitBytes: Int

  init(folder: String, name: String, limitBytes: Int) {
    path = "\(folder)/\(name).log"
    self.limitBytes = limitBytes
  }

  /// Opens it for a child to append to.
  func open() throws(SystemCallError) -> Int32 {
    let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW
    let descriptor = Glibc.open(path, flags, 0o640)
    guard descriptor >= 0 else { throw SystemCallError(call: "open", subject: path) }
    return descriptor
  }

  var isTooLarge: Bool {
    var status = stat()
    return stat(path, &status) == 0 && Int(status.st_size) > limitBytes
  }

  /// Keeps the end and empties the file; what is written in between, microseconds, is lost.
  func cut() {
    let descriptor = Glibc.open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return }
    let keep = min(Int(status.st_size), limitBytes / 2)
    var tail = [UInt8](repeating: 0, count: keep)
    let length = pread(descriptor, &tail, keep, Int(status.st_size) - keep)
    ftruncate(descriptor, 0)
    guard length > 0 else { return }
    let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
    let old = Glibc.open(path + ".1", flags, 0o640)
    guard old >= 0 else { return }
    write(old, tail, length)
    close(old)
  }
}
