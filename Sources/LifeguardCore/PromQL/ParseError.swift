/// A query that is not PromQL, or not well typed; the text is Prometheus' own.
public struct ParseError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Without the position: `unclosed left parenthesis`.
  public var message: String
  /// From 1.
  public var line: Int
  /// In bytes, from 1.
  public var column: Int
  public var position: PositionRange

  init(_ message: String, at position: PositionRange, in text: String) {
    self.message = message
    self.position = position
    (line, column) = position.lineAndColumn(in: text)
  }

  /// `1:5: parse error: unclosed left parenthesis`.
  public var description: String { "\(line):\(column): parse error: \(message)" }
}
