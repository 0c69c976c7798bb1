import Glibc

/// Finds whole words, so that `as!` is not found in `has!` and `print(` not in `blueprint(`.
enum Words {
  /// Whether `phrase` stands in `line` with no identifier character right before it, and, when it
  /// ends with one, none right after it.
  static func contains(_ phrase: String, in line: String) -> Bool {
    // strstr(3) answers almost every question, and quickly in a debug build.
    guard strstr(line, phrase) != nil else { return false }
    return !positions(of: phrase, in: line).isEmpty
  }

  /// Offsets in UTF-8.
  static func positions(of phrase: String, in line: String) -> [Int] {
    let text = Array(line.utf8)
    let wanted = Array(phrase.utf8)
    guard let first = wanted.first, let last = wanted.last, text.count >= wanted.count else {
      return []
    }
    return (0...(text.count - wanted.count)).filter { start in
      guard text[start] == first, text[start..<(start + wanted.count)].elementsEqual(wanted)
      else { return false }
      if isIdentifier(first), start > 0, isIdentifier(text[start - 1]) { return false }
      let end = start + wanted.count
      return !isIdentifier(last) || end == text.count || !isIdentifier(text[end])
    }
  }

  /// Letters, digits and the underscore; every character beyond ASCII counts as a letter.
  static func isIdentifier(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
      true
    default: false
    }
  }

  static func isIdentifier(_ character: Character) -> Bool {
    character.utf8.first.map { isIdentifier($0) } ?? false
  }
}
