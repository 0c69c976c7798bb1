/// How many columns a text takes on a terminal.
///
/// A table of our own: wcwidth(3) knows only ASCII in the C locale, in which services run. As
/// there, each scalar counts for itself: a terminal that draws a family of emoji as one then shows
/// a line that is a little short, and none that is too long.
enum DisplayWidth {
  static func of(_ text: some StringProtocol) -> Int {
    text.unicodeScalars.reduce(0) { $0 + of($1) }
  }

  /// The longest beginning that takes at most so many columns.
  static func prefix(_ text: Substring, _ columns: Int) -> Substring {
    var end = text.startIndex
    var used = 0
    for index in text.indices {
      used += of(text[index...index])
      guard used <= columns else { break }
      end = text.index(after: index)
    }
    return text[..<end]
  }

  static func of(_ scalar: Unicode.Scalar) -> Int {
    if scalar.isASCII { return 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return scalar == emojiSelector ? 1 : 0
    default: return isWide(scalar) ? 2 : 1
    }
  }

  /// Asks for the picture of what stands before it, which many terminals draw two columns wide.
  private static let emojiSelector: Unicode.Scalar = "\u{FE0F}"

  /// East Asian Width W and F (Unicode Standard Annex 11), by whole blocks.
  private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
      0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18DFF,
      0x1AFF0...0x1B2FF, 0x20000...0x3FFFD:
      true
    default: scalar.properties.isEmojiPresentation
    }
  }
}
