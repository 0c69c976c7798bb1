extension TemplatePattern {
  /// Bytes looked at by one `reReplaceAll`: each match scans the text once more.
  static let workMax = 1 << 17

  /// Compiles RE2 syntax for an unanchored search, as Go's `regexp` does it.
  ///
  /// The engine matches whole texts, so the search is written around the pattern; its group 1 is
  /// the match, and the pattern's own groups follow.
  public init(_ pattern: String) throws(TemplateError) {
    let expression: RegularExpression
    do throws(RegularExpressionError) {
      // By itself first: `a)(b` must not become valid by what is put around it.
      _ = try RegularExpression(pattern)
      expression = try RegularExpression("(?s:.*?)((?-s:\(pattern)))(?s:.*)")
    } catch {
      throw TemplateError(message: error.message, offset: 0)
    }
    var names = [String?](repeating: nil, count: max(expression.program.groupCount - 1, 0))
    for (name, number) in expression.names where number >= 2 { names[number - 2] = name }
    self.init(groupNames: names) { text, start in
      let before = String(decoding: text[..<start], as: UTF8.self).unicodeScalars.count
      var run = RegularExpressionRun(
        expression.program, text: String(decoding: text, as: UTF8.self), wantsCaptures: true)
      guard let bounds = run.match(from: before) else { return nil }
      return stride(from: 2, to: bounds.count - 1, by: 2).map { slot in
        bounds[slot] < 0 || bounds[slot + 1] < 0 ? nil : bounds[slot]..<bounds[slot + 1]
      }
    }
  }
}
