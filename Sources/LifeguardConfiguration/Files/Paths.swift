import Glibc

/// Paths as texts: joining, normalising, matching.
enum Paths {
  /// `path` as seen from `directory`, without `.`, `..` and doubled slashes.
  ///
  /// `..` is removed by text: where a link is involved the trust check looks at what it leads to.
  static func join(_ directory: String, _ path: String) -> String {
    let whole = path.hasPrefix("/") ? path : directory + "/" + path
    var parts: [Substring] = []
    for part in whole.split(separator: "/") {
      switch part {
      case ".": continue
      case "..": if parts.last != nil, parts.last != ".." { parts.removeLast() }
      default: parts.append(part)
      }
    }
    let text = parts.joined(separator: "/")
    return whole.hasPrefix("/") ? "/" + text : text
  }

  static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  static func hasWildcard(_ path: String) -> Bool {
    path.contains { "*?[".contains($0) }
  }

  /// The files that a pattern names, sorted; every part may hold `*`, `?` and `[…]` (glob(7)).
  static func expand(_ pattern: String, files: FileAccess) -> [String] {
    var found = [""]
    for part in pattern.split(separator: "/").map(String.init) {
      guard hasWildcard(part) else {
        found = found.map { $0 + "/" + part }
        continue
      }
      found = found.flatMap { directory in
        files.list(directory.isEmpty ? "/" : directory)
          .filter { fnmatch(part, $0, FNM_PERIOD) == 0 }
          .map { directory + "/" + $0 }
      }
      if found.count > 1000 { found = Array(found.sorted().prefix(1000)) }
    }
    return found.filter { files.status($0) != nil }.sorted()
  }
}
