import LifeguardServer

/// Rows in aligned columns; the last column takes what is left of the line.
struct Table {
  struct Cell: ExpressibleByStringInterpolation {
    var text: String
    var colour: Terminal.Colour?

    init(_ text: String, _ colour: Terminal.Colour? = nil) {
      self.text = Printable.text(text)
      self.colour = colour
    }

    init(stringLiteral value: String) { self.init(value) }
  }

  /// The widest that a column other than the last may be.
  var columnMax = 28
  var indent = 2
  private var rows: [[Cell]] = []

  init(columnMax: Int = 28, indent: Int = 2) {
    self.columnMax = columnMax
    self.indent = indent
  }

  mutating func add(_ cells: Cell...) { rows.append(cells) }

  func lines(_ terminal: Terminal) -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column -> Int in
      let cells = rows.compactMap { $0.count > column ? $0[column].text : nil }
      return min(columnMax, cells.map { DisplayWidth.of($0) }.max() ?? 0)
    }
    return rows.map { row in
      var line = String(repeating: " ", count: indent)
      var used = indent
      for (column, cell) in row.enumerated() {
        if column == row.count - 1 {
          line += terminal.paint(terminal.fit(cell.text, after: used), cell.colour)
          break
        }
        let text = Terminal.cut(cell.text, to: widths[column])
        line += terminal.paint(text, cell.colour)
        line += String(repeating: " ", count: widths[column] - DisplayWidth.of(text) + 2)
        used += widths[column] + 2
      }
      return line.trimmedEnd
    }
  }

  func print(_ terminal: Terminal) {
    for line in lines(terminal) { Swift.print(line) }
  }
}

extension String {
  /// Without blanks at the end.
  var trimmedEnd: String {
    var result = self[...]
    while result.last == " " { result.removeLast() }
    return String(result)
  }
}
