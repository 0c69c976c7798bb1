/// Reads the INI dialect of the shared files: sections, `name = value`, comments, and nested names,
/// which are indented under a name without a value.
///
/// Lines that mean nothing are passed over, as the AWS tools do: another tool's settings must not
/// keep a server from recovering.
enum SharedFileReader {
  /// Names in lower case, nested ones as `outer.inner`; sections in the order of the file.
  static func sections(_ bytes: [UInt8]) -> [(name: String, values: [String: String])] {
    var sections: [(name: String, values: [String: String])] = []
    var outer: String?
    let text = String(decoding: bytes, as: UTF8.self)
    for raw in text.split(whereSeparator: \.isNewline) {
      let line = trimmed(raw)
      if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
      let isIndented = raw.first.map { $0 == " " || $0 == "\t" } ?? false
      if !isIndented, line.hasPrefix("[") {
        outer = nil
        guard let end = line.firstIndex(of: "]") else { continue }
        let name = trimmed(line[line.index(after: line.startIndex)..<end])
        sections.append((words(name), [:]))
        continue
      }
      guard !sections.isEmpty, let equals = line.firstIndex(of: "=") else { continue }
      let name = trimmed(line[..<equals]).lowercased()
      let value = withoutComment(trimmed(line[line.index(after: equals)...]))
      guard !name.isEmpty else { continue }
      let last = sections.count - 1
      if isIndented, let outer {
        sections[last].values["\(outer).\(name)"] = value
      } else {
        outer = value.isEmpty ? name : nil
        sections[last].values[name] = value
      }
    }
    return sections
  }

  /// One space between the words of a section's name.
  private static func words(_ text: Substring) -> String {
    text.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
  }

  /// A comment begins with white space and `#` or `;`; secrets may hold either character.
  private static func withoutComment(_ value: Substring) -> String {
    var previous: Character = "x"
    for index in value.indices {
      let character = value[index]
      if character == "#" || character == ";", previous == " " || previous == "\t" {
        return String(trimmed(value[..<index]))
      }
      previous = character
    }
    return String(value)
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0.isWhitespace }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
