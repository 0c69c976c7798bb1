/// Makes text from outside safe to show.
public enum Printable {
  /// Without control characters, and at most `limit` characters.
  ///
  /// Escape sequences could otherwise move a terminal's cursor or hide what is shown; the
  /// characters U+202A-U+202E and U+2066-U+2069 turn the direction of text around.
  public static func text(_ text: String, limit: Int = 2000) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.prefix(limit) {
      switch scalar.value {
      case 0x00..<0x20, 0x7F..<0xA0:
        // The picture of the control character, so that one sees that there was one.
        result.append(Unicode.Scalar(scalar.value < 0x20 ? 0x2400 + scalar.value : 0x2426) ?? "?")
      case 0x202A...0x202E, 0x2066...0x2069, 0x200E, 0x200F: result.append("\u{2426}")
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}
