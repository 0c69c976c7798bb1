import Glibc
import LifeguardCore

/// A run of a script, written down while it lasts: when the agent is killed, the script goes on
/// without its timeout, and this is how the next agent finds it.
struct RunRecord: Hashable, Sendable, Codable {
  private enum CodingKeys: CodingKey {
    case marker, subject, leader, deadline, bootID
  }

  /// Where it is written; not part of what is.
  var folder = ""
  /// Names its control group, or is its marker where there is none.
  var marker: String
  /// What it acts on.
  var subject: String
  /// nil for the instant between the record and the start.
  var leader: ProcessIdentity?
  /// On CLOCK_BOOTTIME.
  var deadline: Duration
  var bootID: String

  private static let suffix = ".run"

  private var path: String { "\(folder)/\(marker)\(Self.suffix)" }

  /// Writes it, whole or not at all; a disk that takes nothing does not stop the run.
  func write() {
    // try?: a value of ours can always be written as JSON.
    guard let bytes = try? JSONCoder.encode(self) else { return }
    let draft = path + ".new"
    let file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { return }
    let isWhole = Glibc.write(file, bytes, bytes.count) == bytes.count
    close(file)
    if isWhole { rename(draft, path) } else { unlink(draft) }
  }

  func remove() { unlink(path) }

  /// What the agents before have left in a folder; what cannot be read is removed.
  static func all(in folder: String) -> [RunRecord] {
    SmallFile.names(in: folder).filter { $0.hasSuffix(suffix) }.sorted().compactMap { name in
      do {
        let bytes = try SmallFile.bytes("\(folder)/\(name)", limit: 65536)
        var record = try JSONCoder.decode(RunRecord.self, from: bytes)
        record.folder = folder
        return record
      } catch {
        unlink("\(folder)/\(name)")
        return nil
      }
    }
  }
}
