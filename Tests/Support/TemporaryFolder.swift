import Glibc

/// A private folder (mode 0700) that disappears with everything in it when the value is released,
/// or earlier by `remove()`.
///
/// ```swift
/// let folder = try TemporaryFolder()
/// defer { folder.remove() }
/// try TextFile.write("mode: auto\n", to: folder / "lifeguard.yaml")
/// ```
public final class TemporaryFolder: Sendable {
  /// Absolute, without symbolic links and without a closing slash.
  public let path: String

  /// Creates the folder below `$TMPDIR`, else below /tmp, or below the folder that is given.
  public init(in parent: String? = nil) throws {
    let base = parent ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(base)/lifeguard-test.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemCallError("mkdtemp", base) }
    let made = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    path = SourceTree.realPath(made) ?? made
  }

  deinit { remove() }

  /// Removes the folder and all that is in it; a second call does nothing.
  public func remove() {
    Self.removeTree(path)
  }

  /// Creates a folder inside, with its parents, and returns its path.
  @discardableResult
  public func makeFolder(_ name: String, mode: mode_t = 0o755) throws -> String {
    var current = path
    for part in name.split(separator: "/") {
      current += "/" + part
      guard mkdir(current, mode) == 0 || errno == EEXIST else {
        throw SystemCallError("mkdir", current)
      }
    }
    guard chmod(current, mode) == 0 else { throw SystemCallError("chmod", current) }
    return current
  }

  /// The path of an entry of the folder.
  public static func / (folder: TemporaryFolder, name: String) -> String {
    folder.path + "/" + name
  }

  /// Removes a tree without following symbolic links and without leaving its file system.
  static func removeTree(_ path: String) {
    var information = stat()
    guard lstat(path, &information) == 0 else { return }
    if information.st_mode & S_IFMT == S_IFDIR {
      if let directory = opendir(path) {
        var names: [String] = []
        while let entry = readdir(directory) {
          names.append(TextFile.name(of: entry))
        }
        closedir(directory)
        for name in names where name != "." && name != ".." {
          removeTree(path + "/" + name)
        }
      }
      rmdir(path)
    } else {
      unlink(path)
    }
  }
}
