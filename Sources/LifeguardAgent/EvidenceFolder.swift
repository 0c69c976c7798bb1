import Glibc
import LifeguardCore
import LifeguardHost

/// Evidence on disk, one file a collection, the oldest removed first.
public struct EvidenceFolder: Sendable {
  /// Enough for a bad week: 100 files of at most 1 MiB.
  public static let filesMax = 100
  public static let fileBytesMax = 1 << 20

  public let path: String
  private let threads: BlockingThreads

  /// - Parameter path: made when the first evidence is written.
  public init(path: String, threads: BlockingThreads) {
    self.path = path
    self.threads = threads
  }

  /// Writes a report; a disk that takes nothing loses it, and nothing waits for it.
  func write(_ report: EvidenceReport, name: String) async {
    let folder = path
    _ = await threads.run {
      mkdir(folder, 0o700)
      var text = ""
      for section in report.sections { text += "== \(section.title) ==\n\(section.text)\n\n" }
      let bytes = Array(text.utf8.prefix(EvidenceFolder.fileBytesMax))
      let file = open("\(folder)/\(name).txt", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      guard file >= 0 else { return }
      var written = 0
      while written < bytes.count {
        let count = bytes[written...].withUnsafeBytes {
          Glibc.write(file, $0.baseAddress, $0.count)
        }
        if count <= 0 { break }
        written += count
      }
      close(file)
      EvidenceFolder.removeOldest(in: folder)
    }
  }

  /// The files of an incident, oldest first.
  public func files(of incident: Int) async -> [String] {
    let folder = path
    let names = await threads.run { EvidenceFolder.names(in: folder) } ?? []
    return names.filter { $0.hasPrefix("\(incident)-") }.sorted().map { "\(folder)/\($0)" }
  }

  private static func removeOldest(in folder: String) {
    let names = names(in: folder)
    guard names.count > filesMax else { return }
    // The time is in the name, behind the incident's number.
    let byAge = names.sorted { time($0) < time($1) }
    for name in byAge.prefix(names.count - filesMax) { unlink("\(folder)/\(name)") }
  }

  private static func time(_ name: String) -> Int64 {
    name.split(separator: "-").last.flatMap { Int64($0.dropLast(4)) } ?? 0
  }

  private static func names(in folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasSuffix(".txt") { names.append(name) }
    }
    return names
  }
}
