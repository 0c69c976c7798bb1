/// Names of labels in paths.
enum LabelName {
  /// Any text that is UTF-8, which bytes of an address need not be.
  static func isValid(_ name: String) -> Bool {
    !name.isEmpty && !name.unicodeScalars.contains("\u{FFFD}")
  }

  /// `U__http_2e_status` is `http.status` (Prometheus, "UTF-8 in Prometheus", values escaping).
  static func unescaped(_ name: String) -> String {
    guard name.hasPrefix("U__") else { return name }
    var result = String.UnicodeScalarView()
    var rest = name.dropFirst(3)
    while let character = rest.popFirst() {
      guard character == "_" else {
        result.append(contentsOf: character.unicodeScalars)
        continue
      }
      if rest.first == "_" {
        rest.removeFirst()
        result.append("_")
        continue
      }
      let digits = rest.prefix { $0.isHexDigit }
      guard (1...6).contains(digits.count), rest.dropFirst(digits.count).first == "_",
        let code = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(code)
      else { return name }
      result.append(scalar)
      rest = rest.dropFirst(digits.count + 1)
    }
    return String(result)
  }
}
