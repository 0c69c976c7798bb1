import ArgumentParser
import LifeguardAgent
import LifeguardCore
import LifeguardServer

/// `lifeguard top`.
struct Top: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The processes that use most, as the agent saw them last.",
    discussion: "Example: lifeguard top")

  @OptionGroup var agent: AgentOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    try agent.withAgent { client throws(AgentClient.Failure) in
      let (processes, json) = try client.get([TopProcess].self, "/api/v1/top")
      output.print(json) { show(processes, .standardOutput) }
    }
  }

  private func show(_ processes: [TopProcess], _ terminal: Terminal) {
    guard !processes.isEmpty else {
      print("The processes were not listed yet; try again in a few seconds.")
      return
    }
    var table = Table(columnMax: 16, indent: 0)
    func right(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    let heads: [(String, Int)] = [
      ("PID", 7), ("S", 1), ("CPU%", 6), ("RSS", 8), ("THR", 5), ("FDS", 5), ("READ/s", 8),
      ("WRITE/s", 8), ("NAME", 0),
    ]
    let cells = heads.map { Table.Cell(right($0.0, $0.1), .bold) }
    table.add(
      cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6], cells[7], cells[8])
    for process in processes {
      table.add(
        Table.Cell(right("\(process.pid)", 7)), Table.Cell(process.state),
        Table.Cell(right(tenths(process.cpuPercent), 6)),
        Table.Cell(right(size(Double(process.residentBytes)), 8)),
        Table.Cell(right("\(process.threads)", 5)),
        Table.Cell(right(process.descriptors.map { "\($0)" } ?? "-", 5)),
        Table.Cell(right(process.readBytesPerSecond.map(size) ?? "-", 8)),
        Table.Cell(right(process.writeBytesPerSecond.map(size) ?? "-", 8)),
        Table.Cell(process.name))
    }
    table.print(terminal)
  }

  private func tenths(_ value: Double) -> String {
    guard value.isFinite else { return "-" }
    let scaled = Int((value * 10).rounded())
    return "\(scaled / 10).\(scaled % 10)"
  }

  private func size(_ bytes: Double) -> String {
    guard bytes.isFinite else { return "-" }
    var value = bytes
    for unit in ["B", "K", "M", "G"] {
      if value < 1024 { return unit == "B" ? "\(Int(value))B" : "\(tenths(value))\(unit)" }
      value /= 1024
    }
    return "\(tenths(value))T"
  }
}
