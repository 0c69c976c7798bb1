import Glibc
import LifeguardCore

/// Which units Lifeguard itself has stopped and not started again, kept over its own end.
///
/// A unit that is down with `Result=success` looks as if an operator had stopped it, and what an
/// operator stopped is left alone (G12). When the agent is killed between the stop and the start of
/// one step, this is all that tells the two apart. A record holds for one boot: after the next one
/// it is the operator's enabling that counts.
public final class StopRecords: Sendable {
  private let folder: String
  private let bootID: String

  /// - Parameter folder: written by the acting side alone; it must exist.
  public init(folder: String, bootID: String = SystemClock().bootID) {
    self.folder = folder
    self.bootID = bootID
  }

  func contains(_ unit: String) -> Bool {
    SmallFile.textIfReadable(path(unit), limit: 256) == bootID
  }

  /// Noted before the unit is stopped; a disk that takes nothing does not stop the step.
  func note(_ unit: String) {
    let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
    let file = open(path(unit), flags, 0o600)
    guard file >= 0 else { return }
    defer { close(file) }
    let bytes = Array(bootID.utf8)
    if write(file, bytes, bytes.count) == bytes.count { fsync(file) }
  }

  func remove(_ unit: String) { unlink(path(unit)) }

  private func path(_ unit: String) -> String { "\(folder)/\(unit).stopped" }
}
