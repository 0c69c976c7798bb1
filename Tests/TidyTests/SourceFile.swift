/// One Swift file, seen three ways: as written, as code alone, and as comments alone.
///
/// Line numbers count from 1, as editors and compilers do.
struct SourceFile: Sendable {
  /// From the package's root: `Sources/LifeguardCore/Moment.swift`.
  let path: String
  /// The lines as they stand.
  let lines: [String]
  /// The lines without comments; what string literals and raw identifiers hold is blanked.
  let code: [String]
  /// What the comments of each line say.
  let comments: [String]

  init(path: String, text: String) {
    self.path = path
    var scanner = SwiftScanner(text)
    scanner.scan()
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    code = scanner.code.map { String(decoding: $0, as: UTF8.self) }
    comments = scanner.comments.map { String(decoding: $0, as: UTF8.self) }
  }

  /// `Sources/X/…` and `Tests/X/…` belong to target X.
  var target: String {
    let parts = path.split(separator: "/")
    return parts.count > 2 ? String(parts[1]) : ""
  }

  var name: String { path.split(separator: "/").last.map(String.init) ?? path }

  var isSource: Bool { path.hasPrefix("Sources/") }

  func violation(_ rule: String, line: Int, _ message: String) -> Violation {
    Violation(path: path, line: line, rule: rule, message: message)
  }
}

/// A place that breaks a rule; prints as compilers do, so that editors can jump to it.
struct Violation: CustomStringConvertible, Hashable {
  let path: String
  let line: Int
  let rule: String
  let message: String

  var description: String { "\(path):\(line): \(message) [\(rule)]" }
}
