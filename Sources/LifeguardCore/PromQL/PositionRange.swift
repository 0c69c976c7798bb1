/// Where something stands in a query, in bytes from its beginning.
public struct PositionRange: Hashable, Sendable {
  public var start: Int
  public var end: Int

  public init(start: Int, end: Int) {
    self.start = start
    self.end = end
  }

  func through(_ other: PositionRange) -> PositionRange {
    PositionRange(start: start, end: other.end)
  }

  /// Line and column, both from 1; columns count bytes, as Prometheus does.
  func lineAndColumn(in text: String) -> (line: Int, column: Int) {
    var line = 1
    var lastBreak = -1
    for (index, byte) in text.utf8.prefix(max(0, start)).enumerated() where byte == 10 {
      line += 1
      lastBreak = index
    }
    return (line, start - lastBreak)
  }
}
