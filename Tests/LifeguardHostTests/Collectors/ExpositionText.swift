import LifeguardCore

/// Reads the Prometheus text format, as far as a test of our own output and of an exporter's needs.
struct ExpositionText {
  struct Family {
    var help = ""
    var type = ""
    /// By label set without empty labels, which mean the same as none.
    var series: [Labels: Double] = [:]
  }

  private(set) var families: [String: Family] = [:]

  init(_ text: String) {
    for line in text.split(separator: "\n") {
      if line.hasPrefix("# ") {
        let parts = line.split(separator: " ", maxSplits: 3).map(String.init)
        guard parts.count == 4 else { continue }
        if parts[1] == "HELP" { families[parts[2], default: Family()].help = parts[3] }
        if parts[1] == "TYPE" { families[parts[2], default: Family()].type = parts[3] }
        continue
      }
      guard let (name, labels, value) = Self.sample(line) else { continue }
      families[name, default: Family()].series[labels] = value
    }
  }

  private static func sample(_ line: Substring) -> (String, Labels, Double)? {
    guard let space = line.lastIndex(of: " "),
      let value = Double(line[line.index(after: space)...])
    else { return nil }
    let head = line[..<space]
    guard let open = head.firstIndex(of: "{") else { return (String(head), Labels(), value) }
    var labels = Labels()
    var rest = head[head.index(after: open)...]
    while let equals = rest.firstIndex(of: "=") {
      let name = rest[..<equals]
      rest = rest[rest.index(equals, offsetBy: 2)...]
      var text = ""
      while let character = rest.popFirst(), character != "\"" {
        if character == "\\", let next = rest.popFirst() {
          text.append(next == "n" ? "\n" : next)
        } else {
          text.append(character)
        }
      }
      labels[String(name)] = text
      if rest.first == "," { rest.removeFirst() }
    }
    return (String(head[..<open]), labels, value)
  }
}
