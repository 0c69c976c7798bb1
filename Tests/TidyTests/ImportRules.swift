/// Who may import what: the arrows of the architecture, which point one way only.
enum ImportRules {
  private static let core: Set<String> = ["LifeguardCore"]
  private static let networking: Set<String> = [
    "AsyncHTTPClient", "HTTPTypes", "Logging", "NIOConcurrencyHelpers", "NIOCore",
    "NIOHTTP1", "NIOPosix", "NIOSSL", "NIOTLS", "ServiceLifecycle",
  ]
  private static let agent = core.union(networking).union([
    "CLinux", "CZlib", "LifeguardAWS", "LifeguardConfiguration", "LifeguardHost",
    "LifeguardStore",
  ])
  private static let server = agent.union([
    "CZlib", "Hummingbird", "HummingbirdCore", "LifeguardAgent",
  ])

  /// The modules that each target may name, beside the standard library's own.
  static let allowed: [String: Set<String>] = [
    "LifeguardCore": [],
    "LifeguardConfiguration": core.union(["CYAML"]),
    "LifeguardHost": core.union(["CLinux", "CZlib"]),
    "LifeguardStore": core.union(["CSQLite"]),
    "LifeguardAWS": core.union(["AsyncHTTPClient", "NIOCore", "NIOHTTP1"]),
    "LifeguardAgent": agent,
    "LifeguardServer": server,
    "lifeguard": server.union(["ArgumentParser", "LifeguardAWS", "LifeguardServer"]),
    "bootstrap": core.union([
      "CZlib", "LifeguardAWS", "LifeguardConfiguration", "LifeguardHost",
    ]),
  ]

  /// What every target but the core may have: the C library and the standard library's locks.
  static let everywhere: Set<String> = ["Glibc", "Synchronization"]

  static func check(_ file: SourceFile) -> [Violation] {
    var found: [Violation] = []
    for (index, line) in file.code.enumerated() {
      guard let module = module(importedBy: line) else { continue }
      if module.hasPrefix("Foundation") || module == "Dispatch" {
        found.append(
          file.violation(
            "imports", line: index + 1,
            "\(module) must not be imported: it adds 34 MB to each binary or its own threads"))
      } else if file.isSource, !permits(module, in: file) {
        found.append(
          file.violation(
            "imports", line: index + 1, "\(file.target) must not import \(module)"))
      }
    }
    return found
  }

  private static func permits(_ module: String, in file: SourceFile) -> Bool {
    if file.target == "LifeguardCore" {
      // libm alone, in one file.
      return file.name == "Math.swift" && module == "Glibc"
    }
    return everywhere.contains(module) || allowed[file.target]?.contains(module) == true
  }

  /// `@preconcurrency public import struct A.B` imports A.
  static func module(importedBy line: String) -> String? {
    guard let start = Words.positions(of: "import", in: line).first else { return nil }
    let statement = String(decoding: line.utf8.dropFirst(start), as: UTF8.self)
    let words = statement.split(separator: " ").dropFirst()
    let kinds: Set<Substring> = [
      "struct", "class", "enum", "protocol", "typealias", "func", "var", "let",
    ]
    guard let name = words.first(where: { !kinds.contains($0) }) else { return nil }
    return name.split(separator: ".").first.map(String.init)
  }
}
