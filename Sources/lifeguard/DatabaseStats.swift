import ArgumentParser
import LifeguardCore
import LifeguardServer
import LifeguardStore

/// `lifeguard db stats`.
struct DatabaseStats: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats", abstract: "How many samples are stored, since when, and their size.",
    discussion: """
      Example: lifeguard db stats --data /var/lib/lifeguard --json
      """)

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    try database.withErrors {
      let statistics = try SampleFile(path: database.path).statistics()
      let json = try JSON.parse(
        String(decoding: JSONCoder.encode(statistics), as: UTF8.self))
      output.print(json) { show(statistics, .standardOutput) }
    }
  }

  private func show(_ statistics: StoredStatistics, _ terminal: Terminal) {
    print("\(database.path): \(Self.size(Int(statistics.fileBytes)))")
    print("\(statistics.series) series, of these \(statistics.remoteSeries) written from elsewhere")
    var table = Table(columnMax: 26, indent: 0)
    table.add(
      Table.Cell("RESOLUTION", .bold), Table.Cell("SAMPLES", .bold), Table.Cell("SIZE", .bold),
      Table.Cell("EACH", .bold), Table.Cell("SINCE", .bold), Table.Cell("UNTIL", .bold))
    for tier in statistics.tiers {
      let each = tier.samples > 0 ? Double(tier.bytes) / Double(tier.samples) : 0
      table.add(
        Table.Cell(tier.resolution), Table.Cell("\(tier.samples)"),
        Table.Cell(Self.size(tier.bytes)),
        Table.Cell(tier.samples > 0 ? Self.hundredths(each) + " B" : ""),
        Table.Cell(Self.time(tier.oldest)), Table.Cell(Self.time(tier.newest)))
    }
    table.add(
      "not folded", Table.Cell("\(statistics.logEntries) entries"),
      Table.Cell(Self.size(statistics.logBytes)), "", Table.Cell(Self.time(statistics.logOldest)),
      Table.Cell(Self.time(statistics.logNewest)))
    table.print(terminal)
  }

  private static func time(_ milliseconds: Int64?) -> String {
    milliseconds.map { Timestamp(milliseconds: $0 / 1000 * 1000).text } ?? ""
  }

  private static func hundredths(_ value: Double) -> String {
    let whole = Int((value * 100).rounded())
    return "\(whole / 100).\(whole / 10 % 10)\(whole % 10)"
  }

  static func size(_ bytes: Int) -> String {
    let units = ["B", "KiB", "MiB", "GiB"]
    var value = Double(bytes)
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    let tenths = Int((value * 10).rounded())
    return unit == 0 ? "\(bytes) B" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }
}
