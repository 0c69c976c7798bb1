/// Calls and constructs that the sources do without.
enum CallRules {
  /// A phrase, why it is banned, the targets that may use it, and whether a reason lifts the ban.
  struct Ban {
    let phrase: String
    let advice: String
    var exempt: Set<String> = []
    /// A comment `why: …` on the line, or on the line above it, lifts the ban.
    var canBeJustified = false
  }

  static let bans: [Ban] = [
    Ban(phrase: "print(", advice: "libraries return values or effects", exempt: ["lifeguard"]),
    Ban(phrase: "debugPrint(", advice: "libraries return values or effects"),
    Ban(phrase: "dump(", advice: "libraries return values or effects"),
    Ban(phrase: "Date(", advice: "time is an argument"),
    Ban(phrase: "try!", advice: "throw, or show with a precondition that it cannot fail"),
    Ban(phrase: "fatalError", advice: "the world's errors are thrown; a bug is a precondition"),
    Ban(phrase: "as!", advice: "cast with as? and handle the other case"),
    Ban(phrase: "sleep(nanoseconds", advice: "sleep for a Duration"),
    Ban(phrase: "DispatchQueue", advice: "use an actor, a task group or a thread of one's own"),
    Ban(
      phrase: "Task {", advice: "use a task group with a deadline", exempt: ["lifeguard"],
      canBeJustified: true),
    Ban(
      phrase: "Task.detached", advice: "use a task group with a deadline",
      exempt: ["lifeguard"], canBeJustified: true),
    Ban(phrase: "@unchecked Sendable", advice: "say why it is safe", canBeJustified: true),
    Ban(phrase: "nonisolated(unsafe)", advice: "say why it is safe", canBeJustified: true),
    Ban(phrase: "system(", advice: "start an argv array, never a shell string"),
    Ban(phrase: "popen(", advice: "start an argv array, never a shell string"),
    Ban(
      phrase: "getenv(", advice: "environment is read where the configuration is",
      exempt: ["lifeguard", "LifeguardConfiguration"], canBeJustified: true),
  ]

  static func check(_ file: SourceFile) -> [Violation] {
    guard file.isSource else { return [] }
    var found: [Violation] = []
    for (index, line) in file.code.enumerated() {
      for ban in bans where !ban.exempt.contains(file.target) {
        guard Words.contains(ban.phrase, in: line) else { continue }
        // A declaration of one's own may have the name: `func print(…)`, `.system(…)`.
        if isDeclarationOrMember(ban.phrase, in: line) { continue }
        if ban.canBeJustified, comment(file, index).contains("why:") { continue }
        let hint = ban.canBeJustified ? ", with a comment `// why: …`" : ""
        found.append(
          file.violation("calls", line: index + 1, "\(ban.phrase): \(ban.advice)\(hint)"))
      }
      if Words.contains("try?", in: line), comment(file, index).isEmpty {
        found.append(
          file.violation(
            "calls", line: index + 1, "try? drops an error: say in a comment why that is right"))
      }
    }
    return found
  }

  private static func isDeclarationOrMember(_ phrase: String, in line: String) -> Bool {
    guard phrase.last == "(", phrase != "sleep(nanoseconds" else { return false }
    let text = Array(line.utf8)
    return Words.positions(of: phrase, in: line).allSatisfy { start in
      let before = String(decoding: text[..<start], as: UTF8.self)
      return before.hasSuffix(".") || before.hasSuffix("func ") || before.hasSuffix("case ")
    }
  }

  /// The comment of a line, or of the line above when that holds nothing else.
  private static func comment(_ file: SourceFile, _ index: Int) -> String {
    if !file.comments[index].isEmpty { return file.comments[index] }
    guard index > 0, file.code[index - 1].allSatisfy(\.isWhitespace) else { return "" }
    return file.comments[index - 1]
  }

  /// Words that mark work as unfinished.
  static func unfinished(_ file: SourceFile) -> [Violation] {
    guard file.isSource else { return [] }
    let words = [
      "TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK", "place" + "holder", "stu" + "b",
    ]
    return file.lines.enumerated().flatMap { index, line in
      words.filter { Words.contains($0, in: line) }.map {
        file.violation("unfinished", line: index + 1, "\"\($0)\": finish it, or file an issue")
      }
    }
  }

  /// Descriptors must not leak into recovery scripts.
  static func descriptors(_ file: SourceFile) -> [Violation] {
    guard file.isSource else { return [] }
    var found: [Violation] = []
    for (index, line) in file.code.enumerated() {
      let statement = file.code[index..<min(index + 5, file.code.count)].joined(separator: " ")
      if Words.contains("open(", in: line) || Words.contains("openat(", in: line),
        ["O_RDONLY", "O_WRONLY", "O_RDWR"].contains(where: { statement.contains($0) }),
        !statement.contains("O_CLOEXEC")
      {
        found.append(file.violation("descriptors", line: index + 1, "open without O_CLOEXEC"))
      }
      if Words.contains("socket(", in: line),
        Words.contains("AF_", in: line) || line.contains("AF_"),
        !statement.uppercased().contains("CLOEXEC"), !statement.contains("closeOnExec")
      {
        found.append(
          file.violation("descriptors", line: index + 1, "socket without SOCK_CLOEXEC"))
      }
    }
    return found
  }
}
