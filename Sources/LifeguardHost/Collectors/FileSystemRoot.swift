import CLinux
import Glibc

/// Where `/proc`, `/sys` and `/etc` are found: `/`, or a folder with files captured elsewhere.
public struct FileSystemRoot: Hashable, Sendable {
  private let prefix: String

  public init(_ path: String = "/") {
    prefix = path.hasSuffix("/") ? path : path + "/"
  }

  /// Whether this is the running host, so that system calls may be asked as well as files.
  public var isLive: Bool { prefix == "/" }

  /// The path of a file that is named relative to the root: `proc/stat`.
  public func path(_ relative: String) -> String { prefix + relative }

  /// The content of a small file (64 KiB at most), or `nil` when it cannot be read.
  public func contents(_ relative: String) -> String? {
    let buffer = ReadBuffer(initialCapacity: 4096, limit: 64 * 1024)
    // try?: for facts that are merely absent when their file is.
    guard let cursor = try? ProcFile(path(relative), buffer: buffer).read() else { return nil }
    return text(cursor.rest)
  }

  /// The first line of a small file without the white space around it.
  public func line(_ relative: String) -> String? {
    guard let contents = contents(relative) else { return nil }
    let line = contents.prefix { $0 != "\n" }
    return line.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
  }

  /// The names of the folders in a directory; empty when it cannot be read.
  func folders(_ relative: String) -> [String] {
    entries(relative, foldersOnly: true)
  }

  /// The names in a directory, in the order of the kernel; empty when it cannot be read.
  public func entries(_ relative: String) -> [String] {
    entries(relative, foldersOnly: false)
  }

  private func entries(_ relative: String, foldersOnly: Bool) -> [String] {
    var names: [String] = []
    guard let directory = opendir(path(relative)) else { return [] }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      if foldersOnly, entry.pointee.d_type != UInt8(DT_DIR) { continue }
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }
}
