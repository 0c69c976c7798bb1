import Glibc
import LifeguardCore

/// What only root may read of other users' processes: bytes moved to and from storage, and how many
/// descriptors are open.
///
/// The side that lists processes has no rights, so the acting side takes this look for it. Counts
/// alone are told, never names.
public struct CloseLook: Hashable, Sendable, Codable {
  public var process: ProcessIdentity
  /// CLOCK_BOOTTIME.
  public var takenAt: Duration
  /// Since the process began.
  public var bytesRead: UInt64
  public var bytesWritten: UInt64
  public var descriptors: Int?

  /// As many as a list of the busiest is long.
  public static let countMax = 20

  /// Looks now, at the first of them; those that have ended, or may not be read, are left out.
  public static func take(_ processes: [ProcessIdentity]) -> [CloseLook] {
    processes.prefix(countMax).compactMap { process in
      let folder = "/proc/\(process.pid)"
      guard let text = SmallFile.textIfReadable("\(folder)/io", limit: 4096),
        let read = figure("read_bytes: ", text), let written = figure("write_bytes: ", text)
      else { return nil }
      let descriptors = SmallFile.names(in: "\(folder)/fd").count
      // Afterwards: what was read belongs to this process and to no later one of its number.
      guard ProcessIdentity.current(pid: process.pid) == process else { return nil }
      return CloseLook(
        process: process, takenAt: BootClock.now(), bytesRead: read, bytesWritten: written,
        descriptors: descriptors)
    }
  }

  private static func figure(_ name: String, _ text: String) -> UInt64? {
    text.split(separator: "\n").first { $0.hasPrefix(name) }
      .flatMap { UInt64($0.dropFirst(name.count)) }
  }
}
