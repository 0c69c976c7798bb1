import LifeguardCore

extension Scalar {
  /// Where a line and column of the text, both from 1, stand in the file.
  func location(line: Int, column: Int) -> SourceLocation {
    var index = 0
    var current = 1
    let scalars = Array(text.unicodeScalars)
    while current < line, index < scalars.count {
      if scalars[index] == "\n" { current += 1 }
      index += 1
    }
    return location(at: min(scalars.count, index + max(0, column - 1)))
  }

  /// Where an offset in UTF-8 bytes stands in the file.
  func location(utf8Offset offset: Int) -> SourceLocation {
    var bytes = 0
    var index = 0
    for scalar in text.unicodeScalars {
      if bytes >= offset { break }
      bytes += UTF8.width(scalar)
      index += 1
    }
    return location(at: index)
  }

  /// Where a Unicode scalar of the text stands in the file.
  ///
  /// Folding, indentation and quoting change blanks and escapes only, so the n-th character that
  /// is not blank in the text is the n-th in the source: that holds for all five styles.
  private func location(at index: Int) -> SourceLocation {
    let scalars = Array(text.unicodeScalars)
    let solid = scalars.prefix(index).reduce(0) { $0 + (isBlank($1) ? 0 : 1) }
    let places = solidPlaces(upTo: solid + 1)
    let found: Mark
    if index < scalars.count, !isBlank(scalars[index]), solid < places.count {
      found = places[solid]
    } else if solid > 0, solid <= places.count {
      // At the end, or on a blank: just after what comes before it.
      found = Mark(line: places[solid - 1].line, column: places[solid - 1].column + 1)
    } else {
      found = places.first ?? start
    }
    return SourceLocation(file: file, line: found.line + 1, column: found.column + 1)
  }

  /// The places of the first `count` characters of the text that are not blank.
  private func solidPlaces(upTo count: Int) -> [Mark] {
    var cursor = SourceCursor(source: source, start: start, end: end)
    cursor.move(to: start)
    switch style {
    case .literal, .folded: cursor.skipLine()
    case .singleQuoted, .doubleQuoted: cursor.advance()
    case .plain: break
    }
    var places: [Mark] = []
    while places.count < count, let scalar = cursor.current {
      let place = cursor.mark
      cursor.advance()
      switch style {
      case .singleQuoted where scalar == "'":
        guard cursor.current == "'" else { return places }
        cursor.advance()
        places.append(place)
      case .doubleQuoted where scalar == "\"":
        return places
      case .doubleQuoted where scalar == "\\":
        if !cursor.skipEscape() { places.append(place) }
      default:
        if !isBlank(scalar) { places.append(place) }
      }
    }
    return places
  }
}

/// Whether folding, escapes or indentation may have added or removed this character.
private func isBlank(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x2028, 0x2029: true
  default: false
  }
}

/// Walks over a file in Unicode scalars, with lines and columns as libyaml counts them.
private struct SourceCursor {
  private let scalars: [Unicode.Scalar]
  private var index = 0
  private let end: Scalar.Mark
  private(set) var mark = Scalar.Mark(line: 0, column: 0)

  init(source: SourceText, start: Scalar.Mark, end: Scalar.Mark) {
    scalars = source.scalars(ofLines: start.line...max(start.line, end.line))
    mark.line = start.line
    self.end = end
  }

  var current: Unicode.Scalar? {
    let isPastEnd = mark.line > end.line || (mark.line == end.line && mark.column >= end.column)
    return isPastEnd || index >= scalars.count ? nil : scalars[index]
  }

  mutating func move(to place: Scalar.Mark) {
    while index < scalars.count,
      mark.line < place.line || (mark.line == place.line && mark.column < place.column)
    {
      advance()
    }
  }

  mutating func advance() {
    guard index < scalars.count else { return }
    let scalar = scalars[index]
    index += 1
    switch scalar.value {
    case 0x0D where index < scalars.count && scalars[index] == "\n":
      break
    case 0x0A, 0x0D, 0x85, 0x2028, 0x2029:
      mark = Scalar.Mark(line: mark.line + 1, column: 0)
      return
    default: break
    }
    mark.column += 1
  }

  mutating func skipLine() {
    let line = mark.line
    while index < scalars.count, mark.line == line { advance() }
  }

  /// Moves past an escape of a double-quoted text whose backslash was read; returns whether it
  /// stands for a blank (YAML 1.1, 5.6).
  mutating func skipEscape() -> Bool {
    guard let scalar = current else { return true }
    advance()
    let digits: Int
    switch scalar {
    case "x": digits = 2
    case "u": digits = 4
    case "U": digits = 8
    default:
      return isBlank(scalar) || "tnvrNLP_".unicodeScalars.contains(scalar)
    }
    var value: UInt32 = 0
    for _ in 0..<digits {
      guard let digit = current.flatMap({ Character($0).hexDigitValue }) else { break }
      value = value << 4 | UInt32(digit)
      advance()
    }
    return Unicode.Scalar(value).map(isBlank) ?? false
  }
}
