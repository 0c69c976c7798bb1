import Glibc
import LifeguardServer

/// What standard output can show.
struct Terminal {
  enum Colour: String {
    case red = "31"
    case green = "32"
    case yellow = "33"
    case blue = "34"
    case dim = "2"
    case bold = "1"
  }

  /// Columns; nil where lines may have any length, because no terminal shows them.
  var width: Int?
  var hasColour: Bool

  /// Colours only on terminals, and not with NO_COLOR (no-color.org).
  static var standardOutput: Terminal {
    guard isatty(STDOUT_FILENO) == 1 else { return Terminal(width: nil, hasColour: false) }
    var size = winsize()
    let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    let isPlain =
      Places.environment("NO_COLOR")?.isEmpty == false
      || Places.environment("TERM") == "dumb"
    return Terminal(width: isKnown ? max(40, Int(size.ws_col)) : 80, hasColour: !isPlain)
  }

  /// Whether somebody sees progress.
  static var standardErrorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  func paint(_ text: String, _ colour: Colour?) -> String {
    guard hasColour, let colour, !text.isEmpty else { return text }
    return "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m"
  }

  /// Without control characters, cut to what fits behind `used` columns.
  func fit(_ text: String, after used: Int = 0) -> String {
    let clean = Printable.text(text)
    guard let width else { return clean }
    return Terminal.cut(clean, to: max(8, width - used))
  }

  static func cut(_ text: String, to width: Int) -> String {
    guard DisplayWidth.of(text) > width else { return text }
    return "\(DisplayWidth.prefix(text[...], width - 1))…"
  }

  /// Breaks a text into lines at blanks, and a word that is longer than a line wherever the line
  /// ends; one line where there is no width.
  func wrap(_ text: String, indent: Int) -> [String] {
    let clean = Printable.text(text)
    guard let width, DisplayWidth.of(clean) > width - indent else { return [clean] }
    let room = max(8, width - indent)
    var lines: [String] = []
    var line = ""
    for var word in clean.split(separator: " ") {
      if !line.isEmpty, DisplayWidth.of(line) + 1 + DisplayWidth.of(word) > room {
        lines.append(line)
        line = ""
      }
      while line.isEmpty, DisplayWidth.of(word) > room {
        let part = DisplayWidth.prefix(word, room)
        lines.append(String(part))
        word = word[part.endIndex...]
      }
      line += line.isEmpty ? String(word) : " \(word)"
    }
    return line.isEmpty ? lines : lines + [line]
  }
}

/// Standard error, in one write a message.
enum StandardError {
  static func write(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}
