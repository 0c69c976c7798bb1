/// Rules for pages: links, decisions, and what no file of the project may name.
enum DocumentRules {
  /// The targets of a page's inline links and images, with their lines; code is left out.
  static func links(_ text: String) -> [(line: Int, target: String)] {
    var found: [(line: Int, target: String)] = []
    var isFenced = false
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      if line.trimmedLeft.hasPrefix("```") {
        isFenced.toggle()
        continue
      }
      guard !isFenced else { continue }
      // Odd pieces stand between backticks.
      let pieces = line.split(separator: "`", omittingEmptySubsequences: false)
      let prose = pieces.enumerated().map { $0.offset % 2 == 0 ? String($0.element) : "·" }
        .joined()
      var rest = prose[...]
      while let start = rest.firstRange(of: "](") {
        rest = rest[start.upperBound...]
        guard let end = rest.firstIndex(of: ")") else { break }
        let target = rest[..<end].split(separator: " ").first.map(String.init) ?? ""
        found.append((index + 1, target))
        rest = rest[end...]
      }
    }
    return found
  }

  /// Links within the project lead somewhere: the file exists, and so does the heading.
  static func brokenLinks(
    path: String, text: String, exists: (String) -> Bool, read: (String) -> String?
  ) -> [Violation] {
    links(text).compactMap { line, target in
      if target.contains("://") || target.hasPrefix("mailto:") { return nil }
      let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
      let file = String(parts[0])
      let resolved = file.isEmpty ? path : resolve(file, from: path)
      guard exists(resolved) else {
        return Violation(
          path: path, line: line, rule: "links", message: "\(target): no such file in the project")
      }
      if parts.count == 2, resolved.hasSuffix(".md"), let page = read(resolved),
        !anchors(page).contains(String(parts[1]))
      {
        return Violation(
          path: path, line: line, rule: "links",
          message: "\(target): \(resolved) has no such heading")
      }
      return nil
    }
  }

  /// A relative link as a path from the root.
  static func resolve(_ link: String, from page: String) -> String {
    var parts = link.hasPrefix("/") ? [] : page.split(separator: "/").dropLast().map(String.init)
    for part in link.split(separator: "/") {
      switch part {
      case ".": break
      case "..": _ = parts.popLast()
      default: parts.append(String(part))
      }
    }
    return parts.joined(separator: "/")
  }

  /// The anchors that GitHub makes of a page's headings.
  static func anchors(_ text: String) -> Set<String> {
    var isFenced = false
    var found: Set<String> = []
    for line in text.split(separator: "\n") {
      if line.hasPrefix("```") { isFenced.toggle() }
      guard !isFenced, line.hasPrefix("#") else { continue }
      let title = line.drop { $0 == "#" }.trimmedLeft.lowercased()
      found.insert(
        String(
          title.compactMap { character in
            if character == " " { return "-" }
            let isKept = character.isLetter || character.isNumber || "-_".contains(character)
            return isKept ? character : nil
          }))
    }
    return found
  }

  /// Decisions are numbered from 0001 without a gap, and say what was decided, and against what.
  static func decisions(_ pages: [(path: String, text: String)]) -> [Violation] {
    var found: [Violation] = []
    for (index, page) in pages.sorted(by: { $0.path < $1.path }).enumerated() {
      let name = page.path.split(separator: "/").last ?? ""
      let number = "\(index + 1)"
      let wanted = String(repeating: "0", count: max(4 - number.count, 0)) + number + "-"
      if !name.hasPrefix(wanted) {
        found.append(
          Violation(
            path: page.path, line: 1, rule: "decisions",
            message: "the next number is \(wanted.dropLast())"))
      }
      for heading in ["context", "decision", "alternatives", "consequences"]
      where !anchors(page.text).contains(heading) {
        found.append(
          Violation(
            path: page.path, line: 1, rule: "decisions",
            message: "a heading is missing: \"## \(heading.capitalizedFirst)\""))
      }
    }
    return found
  }

  /// Folders of one machine and addresses of registries: true for whoever wrote them, and for
  /// nobody else. Written in two parts so that this file does not break the rule itself.
  static let foreign = [
    "/wo" + "rk/", "/opt/" + "swift", "/root/" + ".", ".py" + "env", "/opt/" + "wheels",
    "deb." + "debian.org", "py" + "pi.org", "python" + "hosted.org", "registry." + "npmjs.org",
    "crates" + ".io", "proxy." + "golang.org", "static." + "rust-lang.org", "BRI" + "EF.md",
  ]

  static func machinePaths(path: String, text: String) -> [Violation] {
    var found: [Violation] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      for name in foreign where line.utf8.count > 8 && standsAlone(name, in: line) {
        found.append(
          Violation(
            path: path, line: index + 1, rule: "machine paths",
            message: "\(name): holds on one machine or at one site only"))
      }
    }
    return found
  }

  /// A path counts only where it starts: `$overlay/work/` is a folder below another.
  private static func standsAlone(_ name: String, in line: Substring) -> Bool {
    guard let range = line.firstRange(of: name) else { return false }
    guard name.hasPrefix("/"), range.lowerBound > line.startIndex else { return true }
    let before = line[line.index(before: range.lowerBound)]
    return !(Words.isIdentifier(before) || "}.*-".contains(before))
  }
}

extension StringProtocol {
  var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
