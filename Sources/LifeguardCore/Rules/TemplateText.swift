/// The text functions of Prometheus' templates that need more than a line.
enum TemplateText {
  /// Upper-cases the first letter of each word and leaves the rest (Unicode's word boundaries,
  /// simplified: `_` and digits are part of a word, an apostrophe, full stop or colon between
  /// letters does not end one).
  static func title(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    var inWord = false
    let scalars = Array(text.unicodeScalars)
    for (index, scalar) in scalars.enumerated() {
      let properties = scalar.properties
      let isWord = properties.isAlphabetic || properties.numericType != nil || scalar == "_"
      if isWord, !inWord {
        result.append(contentsOf: properties.titlecaseMapping.unicodeScalars)
      } else {
        result.append(scalar)
      }
      let next = index + 1 < scalars.count && scalars[index + 1].properties.isAlphabetic
      let joins =
        inWord && next && (scalar == "'" || scalar == "." || scalar == ":" || scalar == "’")
      inWord = isWord || joins
    }
    return String(result)
  }

  /// `host:port` → `host`; anything else stays (Go's `net.SplitHostPort`).
  static func withoutPort(_ text: String) -> String { split(text)?.host ?? text }

  /// `a.example.com:80` → `a:80`; addresses stay.
  static func withoutDomain(_ text: String) -> String {
    let parts = split(text)
    let host = parts?.host ?? text
    if isAddress(host) { return text }
    let first = host.split(separator: ".", omittingEmptySubsequences: false).first ?? ""
    guard let port = parts?.port, !port.isEmpty else { return String(first) }
    return first.contains(":") ? "[\(first)]:\(port)" : "\(first):\(port)"
  }

  private static func split(_ text: String) -> (host: String, port: String)? {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let port = text[text.index(after: colon)...]
    var host = text[..<colon]
    if host.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]"), text.index(after: end) == colon else { return nil }
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    let brackets: Set<Character> = ["[", "]"]
    guard !host.contains(where: brackets.contains), !port.contains(where: brackets.contains)
    else { return nil }
    return (String(host), String(port))
  }

  private static func isAddress(_ text: String) -> Bool { isVersion4(text) || isVersion6(text) }

  private static func isVersion4(_ text: some StringProtocol) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { part in
        guard part.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains),
          let number = Int(part), number < 256
        else { return false }
        return part.count == 1 || !part.hasPrefix("0")
      }
  }

  private static func isVersion6(_ text: String) -> Bool {
    var parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count >= 3 else { return false }
    var groups = 0
    if let last = parts.last, last.contains(".") {
      guard isVersion4(last) else { return false }
      parts.removeLast()
      parts.append("0")
      groups = 1
    }
    var gaps = 0
    for (index, part) in parts.enumerated() {
      if part.isEmpty {
        let isEdge = index == 0 || index == parts.count - 1
        // `::` at an edge gives two empty parts; a single colon there is no address.
        if isEdge, parts[index == 0 ? 1 : index - 1].isEmpty == false { return false }
        if !isEdge { gaps += 1 }
        continue
      }
      guard part.count <= 4, part.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit })
      else { return false }
      groups += 1
    }
    return gaps == 0 ? groups == 8 : gaps == 1 && groups < 8
  }

  /// `http://host:1/a/b` → `/a/b`.
  static func path(ofURL url: String) -> String {
    var rest = Substring(url)
    if let scheme = rest.firstIndex(of: ":"), rest[scheme...].hasPrefix("://") {
      rest = rest[rest.index(scheme, offsetBy: 3)...]
      guard let slash = rest.firstIndex(of: "/") else { return "" }
      rest = rest[slash...]
    }
    return String(rest.prefix { $0 != "?" && $0 != "#" })
  }

  /// `1h2m10ms` in seconds (Prometheus' `model.ParseDuration`: units once, largest first).
  static func seconds(_ text: String) throws(TemplateFunctionError) -> Double {
    guard !text.isEmpty else { throw TemplateFunctionError(message: "empty duration string") }
    if text == "0" { return 0 }
    let units: [(String, Double)] = [
      ("y", 31_536_000), ("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1),
      ("ms", 0.001),
    ]
    var rest = Substring(text)
    var total = 0.0
    var next = 0
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      let unit = rest.dropFirst(digits.count).prefix { $0.isLetter }
      guard let amount = Int64(digits), let index = units.firstIndex(where: { $0.0 == unit }),
        index >= next
      else {
        throw TemplateFunctionError(
          message: "not a valid duration string: \(TextEscape.quoted(text))")
      }
      // Milliseconds as in Prometheus, so that 1h2m10ms is 3720.01 exactly as it prints it.
      total += Double(amount) * (units[index].1 * 1000)
      next = index + 1
      rest = rest.dropFirst(digits.count + unit.count)
    }
    guard total < 9.2e15 / 1e3 * 1e3 else {
      throw TemplateFunctionError(message: "duration out of range")
    }
    return total / 1000
  }
}

extension TemplatePattern {
  /// Replaces every match; `$1`, `${1}`, `$name` and `$$` as Go's `Regexp.Expand` reads them.
  ///
  /// - Throws: when there is so much to do that an evaluation would be late.
  func replaceAll(
    in text: String, with replacement: String
  ) throws(TemplateFunctionError) -> String {
    let source = Array(text.utf8)
    let template = Array(replacement.utf8)
    var result: [UInt8] = []
    var copied = 0
    var search = 0
    var work = 0
    while search <= source.count, let match = firstMatch(source, search), let whole = match[0] {
      work += source.count
      guard work <= Self.workMax else {
        throw TemplateFunctionError(message: "text of \(source.count) bytes has too many matches")
      }
      result += source[copied..<max(whole.lowerBound, copied)]
      // An empty match right after another one is skipped.
      if whole.upperBound > copied || whole.lowerBound == 0 {
        expand(template, match, source, into: &result)
      }
      copied = whole.upperBound
      if whole.upperBound > search {
        search = whole.upperBound
      } else {
        search += 1
        while search < source.count, source[search] & 0xC0 == 0x80 { search += 1 }
      }
      guard result.count <= TemplateExecution.bytesMax else { break }
    }
    result += source[min(copied, source.count)...]
    return String(decoding: result, as: UTF8.self)
  }

  private func expand(
    _ template: [UInt8], _ match: [Range<Int>?], _ source: [UInt8], into result: inout [UInt8]
  ) {
    var index = 0
    while index < template.count {
      guard template[index] == UInt8(ascii: "$"), index + 1 < template.count else {
        result.append(template[index])
        index += 1
        continue
      }
      if template[index + 1] == UInt8(ascii: "$") {
        result.append(UInt8(ascii: "$"))
        index += 2
        continue
      }
      let braced = template[index + 1] == UInt8(ascii: "{")
      let start = index + (braced ? 2 : 1)
      var end = start
      while end < template.count, isName(template[end]) { end += 1 }
      let closes = !braced || (end < template.count && template[end] == UInt8(ascii: "}"))
      guard end > start, closes else {
        result.append(UInt8(ascii: "$"))
        index += 1
        continue
      }
      let name = String(decoding: template[start..<end], as: UTF8.self)
      let number = Int(name) ?? groupNames.firstIndex(of: name).map { $0 + 1 }
      if let number, match.indices.contains(number), let range = match[number] {
        result += source[range]
      }
      index = end + (braced ? 1 : 0)
    }
  }

  private func isName(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }
}
