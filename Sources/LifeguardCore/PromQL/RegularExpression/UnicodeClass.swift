/// The classes of `\p{…}`: general categories by the standard library's tables, and the scripts
/// people write.
enum UnicodeClass {
  /// `nil` for a class that is not known.
  static func ranges(named name: String) -> [ClosedRange<UInt32>]? {
    if name == "Any" { return [0...ScalarSet.largest] }
    if let script = scripts[name] { return script }
    let wanted = categories.filter {
      $0.key == name || (name.utf8.count == 1 && $0.key.hasPrefix(name))
    }
    guard !wanted.isEmpty else { return nil }
    let found = wanted.values.flatMap { byCategory[$0] ?? [] }
      .sorted { $0.lowerBound < $1.lowerBound }
    var ranges: [ClosedRange<UInt32>] = []
    for range in found {
      if let last = ranges.last, last.upperBound + 1 == range.lowerBound {
        ranges[ranges.count - 1] = last.lowerBound...range.upperBound
      } else {
        ranges.append(range)
      }
    }
    return ranges
  }

  /// The ranges of every category: every scalar is asked once, which takes a few milliseconds, so
  /// that a pattern with many classes costs no more than one with few.
  private static let byCategory: [Unicode.GeneralCategory: [ClosedRange<UInt32>]] = {
    var ranges: [Unicode.GeneralCategory: [ClosedRange<UInt32>]] = [:]
    var open: (category: Unicode.GeneralCategory, start: UInt32)?
    for value in 0...ScalarSet.largest + 1 {
      // Beyond the last scalar there is none, which closes the last range.
      let category = Unicode.Scalar(value)?.properties.generalCategory
      if category == open?.category { continue }
      if let open { ranges[open.category, default: []].append(open.start...value - 1) }
      open = category.map { ($0, value) }
    }
    return ranges
  }()

  private static let categories: [String: Unicode.GeneralCategory] = [
    "Lu": .uppercaseLetter, "Ll": .lowercaseLetter, "Lt": .titlecaseLetter,
    "Lm": .modifierLetter, "Lo": .otherLetter, "Mn": .nonspacingMark, "Mc": .spacingMark,
    "Me": .enclosingMark, "Nd": .decimalNumber, "Nl": .letterNumber, "No": .otherNumber,
    "Pc": .connectorPunctuation, "Pd": .dashPunctuation, "Ps": .openPunctuation,
    "Pe": .closePunctuation, "Pi": .initialPunctuation, "Pf": .finalPunctuation,
    "Po": .otherPunctuation, "Sm": .mathSymbol, "Sc": .currencySymbol, "Sk": .modifierSymbol,
    "So": .otherSymbol, "Zs": .spaceSeparator, "Zl": .lineSeparator,
    "Zp": .paragraphSeparator, "Cc": .control, "Cf": .format, "Co": .privateUse,
    "Cs": .surrogate,
  ]

  /// The main blocks of the scripts (Unicode, `Scripts.txt`); the standard library has no table.
  private static let scripts: [String: [ClosedRange<UInt32>]] = [
    "Latin": [
      0x41...0x5A, 0x61...0x7A, 0xAA...0xAA, 0xBA...0xBA, 0xC0...0xD6, 0xD8...0xF6,
      0xF8...0x2B8, 0x1D00...0x1D25, 0x1E00...0x1EFF, 0x2C60...0x2C7F, 0xA722...0xA787,
      0xFB00...0xFB06, 0xFF21...0xFF3A, 0xFF41...0xFF5A,
    ],
    "Greek": [
      0x370...0x373, 0x375...0x377, 0x37A...0x37D, 0x37F...0x37F, 0x384...0x384,
      0x386...0x386, 0x388...0x3E1, 0x3F0...0x3FF, 0x1F00...0x1FFE,
    ],
    "Cyrillic": [0x400...0x484, 0x487...0x52F, 0x1C80...0x1C88, 0x2DE0...0x2DFF, 0xA640...0xA69F],
    "Armenian": [0x531...0x556, 0x559...0x58A, 0x58D...0x58F],
    "Hebrew": [0x591...0x5C7, 0x5D0...0x5EA, 0x5EF...0x5F4],
    "Arabic": [
      0x600...0x604, 0x606...0x60B, 0x60D...0x61A, 0x61C...0x61E, 0x620...0x63F,
      0x641...0x64A, 0x656...0x66F, 0x671...0x6DC, 0x6DE...0x6FF, 0x750...0x77F,
    ],
    "Devanagari": [0x900...0x950, 0x955...0x963, 0x966...0x97F],
    "Thai": [0xE01...0xE3A, 0xE40...0xE5B],
    "Hangul": [0x1100...0x11FF, 0x3131...0x318E, 0xAC00...0xD7A3],
    "Hiragana": [0x3041...0x3096, 0x309D...0x309F],
    "Katakana": [0x30A1...0x30FA, 0x30FD...0x30FF, 0x31F0...0x31FF],
    "Han": [
      0x2E80...0x2FD5, 0x3005...0x3005, 0x3007...0x3007, 0x3021...0x3029, 0x3400...0x4DBF,
      0x4E00...0x9FFF, 0xF900...0xFAD9, 0x20000...0x323AF,
    ],
  ]
}
