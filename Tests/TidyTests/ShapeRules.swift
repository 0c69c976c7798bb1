/// How long and wide things may be, and how they are declared.
enum ShapeRules {
  static let columnsMax = 100
  static let functionLinesMax = 70
  static let fileLinesMax = 700

  static func width(_ file: SourceFile) -> [Violation] {
    file.lines.enumerated().compactMap { index, line in
      // Bytes are counted first because they are quick to count.
      if line.utf8.count > columnsMax, line.count > columnsMax, !isTableOfATest(file, index) {
        file.violation(
          "width", line: index + 1, "\(line.count) columns wide; at most \(columnsMax)")
      } else if line.contains("\t") {
        file.violation("width", line: index + 1, "a tab; indent with two spaces")
      } else {
        nil
      }
    }
  }

  /// Tables of cases in tests may hold texts that cannot be broken: the rest must fit.
  private static func isTableOfATest(_ file: SourceFile, _ index: Int) -> Bool {
    guard !file.isSource else { return false }
    let code = file.code[index]
    return code.utf8.count - code.utf8.count(where: { $0 == UInt8(ascii: "'") }) <= columnsMax
      && code.contains("'") && file.comments[index].isEmpty
  }

  static func fileLength(_ file: SourceFile) -> [Violation] {
    let count = file.lines.last == "" ? file.lines.count - 1 : file.lines.count
    guard count > fileLinesMax else { return [] }
    return [
      file.violation(
        "length", line: fileLinesMax + 1,
        "\(count) lines; at most \(fileLinesMax): look for the second idea in this file")
    ]
  }

  static func functionLength(_ file: SourceFile) -> [Violation] {
    functions(file).compactMap { function in
      let length = function.end - function.start + 1
      guard length > functionLinesMax else { return nil }
      return file.violation(
        "length", line: function.start,
        "a function of \(length) lines; at most \(functionLinesMax)")
    }
  }

  /// The first and last line of every function and initializer with a body.
  static func functions(_ file: SourceFile) -> [(start: Int, end: Int)] {
    var result: [(start: Int, end: Int)] = []
    for (index, line) in file.code.enumerated() {
      guard startsFunction(line), let end = bodyEnd(file, from: index) else { continue }
      result.append((index + 1, end + 1))
    }
    return result
  }

  private static func startsFunction(_ line: String) -> Bool {
    if Words.contains("func", in: line) { return true }
    let others = ["init", "deinit", "subscript"]
    guard others.contains(where: { Words.contains($0, in: line) }) else { return false }
    let declaration = line.trimmedLeft.split(whereSeparator: { "(<?!{".contains($0) }).first ?? ""
    let words = declaration.split(separator: " ")
    return others.contains(String(words.last ?? ""))
      && !line.contains(".init")
  }

  /// The line of the brace that closes the body, or nil when there is none (a requirement).
  private static func bodyEnd(_ file: SourceFile, from first: Int) -> Int? {
    var brackets = 0
    var braces = 0
    for index in first..<file.code.count {
      if index > first, braces == 0, brackets == 0, startsDeclaration(file.code[index]) {
        return nil
      }
      for byte in file.code[index].utf8 {
        switch byte {
        case UInt8(ascii: "("), UInt8(ascii: "["): brackets += 1
        case UInt8(ascii: ")"), UInt8(ascii: "]"): brackets -= 1
        case UInt8(ascii: "{") where brackets == 0 || braces > 0: braces += 1
        case UInt8(ascii: "}") where braces == 1: return index
        case UInt8(ascii: "}") where braces > 1: braces -= 1
        case UInt8(ascii: "}") where brackets == 0: return nil
        default: break
        }
      }
    }
    return nil
  }

  private static func startsDeclaration(_ line: String) -> Bool {
    let words = line.split(separator: " ").map(String.init)
    let starts: Set<String> = ["func", "var", "let", "init", "case", "static", "public", "@Test"]
    return words.first.map { starts.contains($0) || $0.hasPrefix("init(") } ?? false
  }

  /// State that everybody shares is state that no test can have to itself.
  static func staticState(_ file: SourceFile) -> [Violation] {
    guard file.isSource else { return [] }
    return file.code.enumerated().compactMap { index, line in
      guard Words.contains("static var", in: line) || Words.contains("class var", in: line) else {
        return nil
      }
      let beforeBrace = line.split(separator: "{", maxSplits: 1).first ?? ""
      let isComputed = line.contains("{") && !beforeBrace.contains("=")
      guard !isComputed else { return nil }
      return file.violation(
        "static", line: index + 1, "a stored static var: hand it in through init")
    }
  }

  /// Types and functions that others see say what they are.
  ///
  /// - Parameter required: what protocols ask for is documented with the protocol.
  static func documentation(_ file: SourceFile, required: Set<String> = []) -> [Violation] {
    guard file.isSource, file.target != "lifeguard" else { return [] }
    return file.code.enumerated().compactMap { index, line in
      guard let what = publicDeclaration(line), !isDocumented(file, index),
        !isInConformance(file, index), !required.contains(what)
      else { return nil }
      return file.violation("documentation", line: index + 1, "\(what) is public: say what it is")
    }
  }

  private static func publicDeclaration(_ line: String) -> String? {
    guard Words.contains("public", in: line) || Words.contains("open", in: line) else { return nil }
    let words = line.split(whereSeparator: { " (<:".contains($0) }).map(String.init)
    let kinds: Set<String> = ["struct", "enum", "class", "actor", "protocol", "func", "typealias"]
    guard let kind = words.firstIndex(where: { kinds.contains($0) }), kind + 1 < words.count
    else { return nil }
    // What a protocol of the standard library asks for is documented there; operators too.
    let known: Set<String> = [
      "hash", "encode", "next", "makeIterator", "index", "enqueue", "asUnownedSerialExecutor",
    ]
    let name = words[kind + 1]
    let start = line.firstRange(of: "func ").map { line[$0.upperBound...] }
    if let first = start?.first, first != "'", !Words.isIdentifier(first) { return nil }
    // A small type inside a documented one is explained there, by its name and what it holds.
    if line.hasPrefix(" "), words[kind] != "func" { return nil }
    if words[kind] == "func", known.contains(name) { return nil }
    return "\(words[kind]) \(name)"
  }

  /// The functions that the protocols of these files ask for, as `func NAME`.
  static func requirements(_ files: [SourceFile]) -> Set<String> {
    var found: Set<String> = []
    for file in files where file.isSource {
      var isInside = false
      for line in file.code {
        if Words.contains("protocol", in: line) { isInside = true }
        if line.hasPrefix("}") { isInside = false }
        guard isInside, Words.contains("func", in: line) else { continue }
        let words = line.split(whereSeparator: { " (<".contains($0) }).map(String.init)
        if let place = words.firstIndex(of: "func"), place + 1 < words.count {
          found.insert("func \(words[place + 1])")
        }
      }
    }
    return found
  }

  /// What `extension Head: SeriesSource` holds is documented with the protocol.
  private static func isInConformance(_ file: SourceFile, _ index: Int) -> Bool {
    guard file.code[index].hasPrefix(" ") else { return false }
    let outer = file.code[..<index].last { $0.first.map { !" })".contains($0) } ?? false } ?? ""
    return outer.hasPrefix("extension ") && outer.contains(":")
  }

  private static func isDocumented(_ file: SourceFile, _ index: Int) -> Bool {
    var above = index - 1
    while above >= 0 {
      let line = file.lines[above].trimmedLeft
      if line.hasPrefix("///") { return true }
      // Attributes, and the rest of one that spans lines, stand between.
      guard line.hasPrefix("@") || line.hasPrefix(")") else { return false }
      above -= 1
    }
    return false
  }

  /// Names that say nothing about what a type does.
  static func names(_ file: SourceFile) -> [Violation] {
    guard file.isSource else { return [] }
    let kinds: Set<String> = ["struct", "enum", "class", "actor", "protocol"]
    return file.code.enumerated().compactMap { index, line in
      guard kinds.contains(where: { Words.contains($0, in: line) }) else { return nil }
      let words = line.split(whereSeparator: { " (<:{".contains($0) }).map(String.init)
      guard let kind = words.firstIndex(where: { kinds.contains($0) }), kind + 1 < words.count
      else { return nil }
      let name = words[kind + 1]
      let empty = ["Manager", "Helper", "Helpers", "Util", "Utils", "Utilities"]
      guard let ending = empty.first(where: { name.hasSuffix($0) }) else { return nil }
      return file.violation(
        "names", line: index + 1, "\(name): \"\(ending)\" says nothing; name what it does")
    }
  }

  /// Tests are read as sentences: `` `a flapping service is not restarted for ever` ``.
  static func testNames(_ file: SourceFile) -> [Violation] {
    guard file.path.hasPrefix("Tests/") else { return [] }
    var found: [Violation] = []
    for (index, line) in file.code.enumerated() where Words.contains("@Test", in: line) {
      guard
        let place = (index..<min(index + 12, file.code.count)).first(where: {
          Words.contains("func", in: file.code[$0])
        })
      else { continue }
      let written = file.lines[place]
      let parts = written.split(separator: "`", omittingEmptySubsequences: false)
      let name = parts.count >= 3 ? String(parts[1]) : ""
      if name.split(separator: " ").count < 3 {
        found.append(
          file.violation(
            "test names", line: place + 1,
            "a test's name is a sentence in backticks, of three words at least"))
      } else if name.hasSuffix(".") || name.first?.isUppercase == true && name.isSentenceCased {
        found.append(
          file.violation(
            "test names", line: place + 1, "start in lower case and leave out the full stop"))
      }
    }
    return found
  }
}

extension StringProtocol {
  var trimmedLeft: String { String(drop(while: { $0 == " " || $0 == "\t" })) }

  /// "The port …" but not "GET …", "PromQL …" or "T …".
  var isSentenceCased: Bool {
    let word = split(separator: " ").first ?? ""
    let rest = word.dropFirst()
    return !rest.isEmpty && rest.allSatisfy { $0.isLowercase }
      && ["The", "A", "An", "When", "If", "It", "All", "Every", "Each", "No"].contains(word)
  }
}
