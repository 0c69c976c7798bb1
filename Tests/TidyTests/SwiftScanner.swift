/// Splits Swift text into code and comments, line by line.
///
/// It knows what changes the meaning of a character: line and nested block comments, strings with
/// their escapes, interpolations, multi-line and raw forms, and raw identifiers. Regular expression
/// literals are not known; the sources have none. It works on bytes: every character that matters
/// is ASCII, and a debug build reads a byte far faster than a grapheme.
struct SwiftScanner {
  private(set) var code: [[UInt8]] = [[]]
  private(set) var comments: [[UInt8]] = [[]]
  private let text: [UInt8]
  private var at = 0
  private var modes: [Mode] = []

  private enum Mode {
    case lineComment
    case blockComment(depth: Int)
    /// `hashes` is the number of # before the quote; `quotes` is 1 or 3.
    case string(hashes: Int, quotes: Int)
    /// Code inside a string: ends with the parenthesis that opened it.
    case interpolation(parentheses: Int)
    case rawIdentifier
  }

  init(_ text: String) { self.text = Array(text.utf8) }

  mutating func scan() {
    while at < text.count {
      if text[at] == UInt8(ascii: "\n") {
        newLine()
        continue
      }
      switch modes.last {
      case .lineComment: take(1, isComment: true)
      case .blockComment(let depth): scanBlockComment(depth)
      case .string(let hashes, let quotes): scanString(hashes, quotes)
      case .rawIdentifier:
        if text[at] == UInt8(ascii: "`") { modes.removeLast() }
        blank(1)
      case .interpolation(let parentheses): scanInterpolation(parentheses)
      case nil: scanCode()
      }
    }
  }

  private mutating func newLine() {
    switch modes.last {
    case .lineComment, .rawIdentifier: modes.removeLast()
    case .string(_, quotes: 1): modes.removeLast()
    default: break
    }
    code.append([])
    comments.append([])
    at += 1
  }

  private mutating func scanCode() {
    if starts("//") {
      modes.append(.lineComment)
      take(2, isComment: true)
    } else if starts("/*") {
      modes.append(.blockComment(depth: 1))
      take(2, isComment: true)
    } else if text[at] == UInt8(ascii: "`") {
      modes.append(.rawIdentifier)
      blank(1)
    } else if let (hashes, quotes) = stringStart() {
      modes.append(.string(hashes: hashes, quotes: quotes))
      blank(hashes + quotes)
    } else {
      take(1, isComment: false)
    }
  }

  private mutating func scanInterpolation(_ parentheses: Int) {
    switch text[at] {
    case UInt8(ascii: "("): modes[modes.count - 1] = .interpolation(parentheses: parentheses + 1)
    case UInt8(ascii: ")") where parentheses == 1:
      modes.removeLast()
      return blank(1)
    case UInt8(ascii: ")"): modes[modes.count - 1] = .interpolation(parentheses: parentheses - 1)
    default: return scanCode()
    }
    take(1, isComment: false)
  }

  private mutating func scanBlockComment(_ depth: Int) {
    if starts("/*") {
      modes[modes.count - 1] = .blockComment(depth: depth + 1)
      take(2, isComment: true)
    } else if starts("*/") {
      if depth == 1 {
        modes.removeLast()
      } else {
        modes[modes.count - 1] = .blockComment(depth: depth - 1)
      }
      take(2, isComment: true)
    } else {
      take(1, isComment: true)
    }
  }

  private mutating func scanString(_ hashes: Int, _ quotes: Int) {
    let marks = String(repeating: "#", count: hashes)
    if starts("\\" + marks + "(") {
      modes.append(.interpolation(parentheses: 1))
      blank(hashes + 2)
    } else if starts("\\" + marks), at + hashes + 1 < text.count,
      text[at + hashes + 1] != UInt8(ascii: "\n")
    {
      blank(hashes + 2)
    } else if starts(String(repeating: "\"", count: quotes) + marks) {
      modes.removeLast()
      blank(quotes + hashes)
    } else {
      blank(1)
    }
  }

  private func stringStart() -> (hashes: Int, quotes: Int)? {
    var next = at
    while next < text.count, text[next] == UInt8(ascii: "#") { next += 1 }
    guard next < text.count, text[next] == UInt8(ascii: "\"") else { return nil }
    let quote = UInt8(ascii: "\"")
    let isMultiline = next + 2 < text.count && text[next + 1] == quote && text[next + 2] == quote
    return (next - at, isMultiline ? 3 : 1)
  }

  private func starts(_ word: String) -> Bool {
    var next = at
    for character in word.utf8 {
      guard next < text.count, text[next] == character else { return false }
      next += 1
    }
    return true
  }

  private mutating func take(_ count: Int, isComment: Bool) {
    if isComment {
      comments[comments.count - 1] += text[at..<(at + count)]
    } else {
      code[code.count - 1] += text[at..<(at + count)]
    }
    at += count
  }

  private mutating func blank(_ count: Int) {
    // An apostrophe stands nowhere else in Swift.
    for _ in 0..<count { code[code.count - 1].append(UInt8(ascii: "'")) }
    at += count
  }
}
