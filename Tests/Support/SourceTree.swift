import Glibc

/// Where the package's sources stand, found from this file's own path.
public enum SourceTree {
  /// The folder of `Package.swift`, absolute, without a closing slash.
  ///
  /// Resolved through symbolic links, so that a package built from links to its sources finds
  /// the files beside them too.
  public static func root(from file: String = #filePath) -> String {
    let real = realPath(file) ?? file
    var parts = real.split(separator: "/")
    // …/Tests/Support/SourceTree.swift
    parts.removeLast(3)
    return "/" + parts.joined(separator: "/")
  }

  /// The absolute path of a file or folder named from the package's root.
  public static func path(_ relative: String) -> String {
    root() + "/" + relative
  }

  /// A path without symbolic links, or nil when it does not exist (realpath(3)).
  public static func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
